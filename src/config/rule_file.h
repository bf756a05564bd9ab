// Rule files as loaded: groups of alerting rules, checked, with templates and expressions parsed.
// Made by rule_loader.cc; used by rules/ (evaluation), cli/ (check) and api/ (rules API).
// Thread: immutable after load.
#pragma once

#include <map>
#include <memory>
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
};

struct RuleGroup {
  std::string file;
  std::string name;
  Duration interval{};      // already defaulted
  Duration query_offset{};  // already defaulted
  int limit = 0;            // 0: none
  std::string datasource;   // empty: the first one
  std::vector<AlertingRule> rules;
  // Names of recording rules in this group: accepted, reported, not evaluated.
  std::vector<std::string> recording_rules;
};

}  // namespace mlalert
