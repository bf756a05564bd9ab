// Reads and checks Prometheus rule files: every problem of every file is reported, and rules come out only
// when there is no error, as Prometheus loads all files or none. Fed by: the shell (rule_files of the
// config), cli/ (check). Texts of errors are Prometheus' own. Recording rules are checked too and listed,
// with a warning: mlalert does not evaluate them. Thread: any; no state. Only LoadRuleFiles touches the file
// system.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "config/diagnostics.h"
#include "config/rule_file.h"

namespace mlalert {

// For groups that do not say.
struct RuleDefaults {
  Duration interval = std::chrono::minutes(1);
  Duration query_offset{};
  std::string datasource;        // of groups that name none; empty: the first one
  std::string datasource_label;  // group label that names one; empty: none does
  // Those that there are; empty: not known, every name is accepted and none speaks MetricsQL.
  std::vector<DatasourceConfig> datasources;
  bool lint = false;  // warn as a careful reviewer would (rule_lint.h)
};

RuleDefaults RuleDefaultsOf(const Config& config);

// `out` receives the groups when the returned diagnostics are ok(), in file order; it is replaced, not
// appended to.
Diagnostics LoadRuleText(std::string_view text, const std::string& file, const RuleDefaults& defaults,
                         std::vector<RuleGroup>& out);

// Files in the order of the globs, sorted within one glob, each file once. A glob that matches nothing is a
// warning.
Diagnostics LoadRuleFiles(const std::vector<RuleFiles>& files, const RuleDefaults& defaults,
                          std::vector<RuleGroup>& out);

}  // namespace mlalert
