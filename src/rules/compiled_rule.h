// An alerting rule made ready to run: the little that every evaluation asks is worked out once, at load; what
// is needed when an alert begins or ends is worked out then, because there may be thousands of rules. Made
// by: rules/rule_group. Read by: rules/alerting_rule, rules/presence. Owns: nothing but values; shares the
// rule. Thread: immutable.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/shared_text.h"
#include "config/rule_file.h"
#include "promql/analysis.h"

namespace mlalert {

// What the text of a template depends on, besides the rule itself. kAlways: anything else, such as a query.
enum class Varies : uint8_t { kConstant, kWithLabels, kWithValue, kAlways };

// Errs on the side of kAlways.
Varies VariesWith(std::string_view template_text);

// Without whose samples the expression says nothing; at most kPresenceSelectorsMax.
struct RequiredSeries {
  std::shared_ptr<const promql::Expr> tree;
  std::vector<promql::RequiredSelector> selectors;  // point into it
};

struct CompiledRule {
  std::shared_ptr<const AlertingRule> rule;
  SharedText graph_url;  // what the generator URL begins with
  Varies labels_vary = Varies::kConstant;
  Varies annotations_vary = Varies::kConstant;
  bool needs_series = false;  // Required() names some
  uint64_t labels_hash = 0;   // of the labels as written: with the name, what a reload recognises a rule by
  uint64_t expr_hash = 0;     // of the canonical form

  // Parses the expression.
  SharedText GeneratorUrl() const;
  RequiredSeries Required() const;
  // Whether the rule itself sets the label.
  bool Sets(std::string_view label) const;
};

inline constexpr size_t kPresenceSelectorsMax = 8;

std::shared_ptr<const CompiledRule> CompileRule(std::shared_ptr<const AlertingRule> rule,
                                                const SharedText& graph_url);

// The expression in canonical form; as written, when it is not PromQL. Parses it.
std::string CanonicalQuery(const std::string& expr);

// Equal in everything that shapes an evaluation.
bool SameRule(const AlertingRule& a, const AlertingRule& b);

}  // namespace mlalert
