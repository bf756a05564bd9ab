// Rule files as loaded: groups of alerting rules, checked. Expressions and templates are kept as text:
// thousands of parsed ones would be most of the memory, and who needs one parses it again. Made by
// rule_loader.cc; used by rules/ (evaluation), cli/ (check) and api/ (rules API). Thread: immutable after
// load.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/time.h"
#include "model/label_set.h"

namespace mlalert {

struct AlertingRule {
  std::string name;
  std::string expr;  // as written
  Duration hold{};   // `for`
  Duration keep_firing_for{};
  // As written; group labels merged under rule labels.
  LabelSet raw_labels;
  LabelSet raw_annotations;
  int line = 0;
  int position = 0;              // among all rules of the group, recording ones included
  int update_entries_limit = 0;  // vmalert's: evaluations that are remembered; 0: the default
};

// Checked, listed and left to Prometheus.
struct RecordingRule {
  std::string name;
  std::string expr;     // as written
  LabelSet raw_labels;  // group labels merged under
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
