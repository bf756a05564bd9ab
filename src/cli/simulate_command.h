// `mlalert simulate`: what would happen to an alert under a config, hour by hour, with the engine that also
// runs in production; and `mlalert simulate oncall`: who is on call at a time. Needs no running mlalert.
// Thread: one.
#pragma once

#include <string>
#include <vector>

#include "cli/console.h"

#include "base/time.h"

namespace CLI {
class App;
}

namespace mlalert {

struct SimulateOptions {
  std::string config_file;
  std::vector<std::string> labels;  // k=v, also several with commas
  std::string from;                 // RFC 3339 or a date; empty: now
  std::string length = "2h";
  std::string resolve_after;        // empty: it fires to the end
  std::string ack_after;            // empty: nobody acts
  std::vector<std::string> expect;  // receiver@time
  bool json = false;
};

// 0: as expected; 1: an expectation does not hold; 2: bad flags or config.
int RunSimulate(const SimulateOptions& options, Timestamp now, Console& console);

struct OnCallOptions {
  std::string config_file;
  std::string at;        // empty: now
  std::string schedule;  // empty: all
  bool json = false;
};
int RunSimulateOnCall(const OnCallOptions& options, Timestamp now, Console& console);

void AddSimulateCommand(CLI::App& app, int& exit_code);

}  // namespace mlalert
