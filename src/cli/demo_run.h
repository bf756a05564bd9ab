// `mlalert demo run`: starts Prometheus, the exporter, `mlalert serve` and a sink, acknowledges as an on-call
// would, and tells what happens in words.
#pragma once

#include <string>

#include "base/time.h"

namespace mlalert {

struct DemoRunOptions {
  std::string prometheus_url;  // empty: start one
  std::string config;          // empty: written by the demo
  std::string rules_dir = "rules";
  Duration run_for{};  // zero: until interrupted
  std::string self;    // path of this binary
};

// Exit code: 0 when the whole story was seen (or when interrupted in an endless run), 1 otherwise.
int RunDemo(const DemoRunOptions& options);

// The exporter alone, until interrupted.
int RunDemoExporter(const std::string& host, int port, uint64_t seed);

}  // namespace mlalert
