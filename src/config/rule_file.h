// Rule files as loaded: groups of alerting rules, checked, with templates and expressions parsed.
// Made by rule_loader.cc; used by rules/ (evaluation), cli/ (check) and api/ (rules API).
// Thread: immutable after load.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/time.h"
#include "promql/ast.h"
#include "template/rule_template.h"

namespace mlalert {

struct AlertingRule {
  std::string name;
  std::string expr;  // as written
  std::shared_ptr<const promql::Expr> ast;
  Duration hold{};  // `for`
  Duration keep_firing_for{};
  // Group labels merged under rule labels, by name; templates parsed.
  std::vector<std::pair<std::string, RuleTemplate>> labels;
  std::vector<std::pair<std::string, RuleTemplate>> annotations;
  // The same as written, for APIs, reload identity and lint.
  std::map<std::string, std::string> raw_labels;
  std::map<std::string, std::string> raw_annotations;
  int line = 0;
  int position = 0;              // among all rules of the group, recording ones included
  int update_entries_limit = 0;  // vmalert's: evaluations that are remembered; 0: the default
};

// Checked, listed and left to Prometheus.
struct RecordingRule {
  std::string name;
  std::string expr;  // as written
  std::shared_ptr<const promql::Expr> ast;
  std::map<std::string, std::string> raw_labels;  // group labels merged under
  int line = 0;
  int position = 0;

  // What the rules API shows of it.
  friend bool operator==(const RecordingRule& a, const RecordingRule& b) {
    return a.name == b.name && a.expr == b.expr && a.raw_labels == b.raw_labels && a.position == b.position;
  }
};

// vmalert's keys of a group, as far as they mean something here.
struct GroupExtras {
  std::optional<Duration> eval_offset;  // slots are at this instant of the interval
  int concurrency = 0;                  // rules of the group evaluated at once; 0: the group does not say
  std::vector<std::pair<std::string, std::string>> params;   // of each query; win over the data source's
  std::vector<std::pair<std::string, std::string>> headers;  // likewise

  friend bool operator==(const GroupExtras&, const GroupExtras&) = default;
};

struct RuleGroup {
  std::string file;
  std::string name;
  Duration interval{};      // already defaulted
  Duration query_offset{};  // already defaulted
  int limit = 0;            // 0: none
  std::string datasource;   // empty: the first one
  std::vector<AlertingRule> rules;
  std::vector<RecordingRule> recording_rules;  // accepted, reported, not evaluated
  GroupExtras extras;
  int line = 0;
};

}  // namespace mlalert
