// An alerting rule made ready to run: everything that does not depend on an answer is worked out once, at
// load. Made by: rules/rule_group. Read by: rules/alerting_rule, rules/presence. Owns: nothing but values;
// shares the rule. Thread: immutable.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/time.h"
#include "config/rule_file.h"
#include "promql/analysis.h"

namespace mlalert {

// What the text of a template depends on, besides the rule itself. kAlways: anything else, such as a query.
enum class Varies : uint8_t { kConstant, kWithLabels, kWithValue, kAlways };

// Errs on the side of kAlways.
Varies VariesWith(std::string_view template_text);

struct CompiledRule {
  struct Text {
    std::string name;
    const RuleTemplate* text = nullptr;  // owned by `rule`
    Varies varies = Varies::kConstant;
    std::string literal;  // the value, for kConstant
  };

  std::shared_ptr<const AlertingRule> rule;
  std::string query;     // canonical form
  std::string prepared;  // PrepareQuery() of the expression as written
  std::shared_ptr<const std::string> generator_url;
  std::vector<Text> labels;       // by name; without alertname, which nothing overrides
  std::vector<Text> annotations;  // by name
  Varies labels_vary = Varies::kConstant;
  Varies annotations_vary = Varies::kConstant;
  // Without whose samples the expression says nothing; at most kPresenceSelectorsMax.
  std::vector<promql::RequiredSelector> required;
  uint64_t labels_hash = 0;  // of the labels as written: with the name, what a reload recognises a rule by
  uint64_t expr_hash = 0;
  Duration interval{};
};

inline constexpr size_t kPresenceSelectorsMax = 8;

std::shared_ptr<const CompiledRule> CompileRule(std::shared_ptr<const AlertingRule> rule, Duration interval,
                                                Duration timeout, std::string_view graph_url);

// Equal in everything that shapes an evaluation.
bool SameRule(const AlertingRule& a, const AlertingRule& b);

}  // namespace mlalert
