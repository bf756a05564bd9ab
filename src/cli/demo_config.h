// The files the demo writes for the programs it starts: Prometheus' config, mlalert's config, scaled rules.
// Pure: values in, text out.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "config/config.h"
#include "config/rule_file.h"

namespace mlalert {

struct DemoConfigOptions {
  std::string prometheus_url;
  std::string rule_glob;  // absolute
  std::string sink_url;
  bool scaled = true;  // a minute of every wait is a second; false: the waits of the shipped config
};

std::string DemoPrometheusConfig(const std::string& exporter_address);
std::string DemoMlalertConfig(const DemoConfigOptions& options);

// The user's own config, told to ask this Prometheus and to tell nobody but the sink: datasources, receivers,
// rule_files and templates are replaced, everything else stays as written. `config` is what `text` was loaded
// to. Error kInvalid: a section that goes held an anchor that another one uses.
Result<std::string> ConfigForSink(const std::string& text, const Config& config,
                                  const DemoConfigOptions& options);

// The same rules with ranges, offsets and group intervals divided by `speed`, and `for` and keep_firing_for
// by ten times as much. As JSON, which is YAML.
Result<std::string> ScaleRules(const std::vector<RuleGroup>& groups, double speed);

}  // namespace mlalert
