// The label and annotation texts of rules, parsed when they are first expanded and shared by all rules that
// have the same text: thousands of rules mostly differ in their expressions. Used by: rules/alerting_rule.
// Limits: kRuleTemplatesMax parsed texts; beyond that it starts anew. Thread: that of the manager.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>

#include "base/hash.h"
#include "template/rule_template.h"

namespace mlalert {

inline constexpr size_t kRuleTemplatesMax = 512;

class RuleTemplates {
 public:
  // `alert`: the rule's name, for the text of an error.
  std::string Expand(std::string_view alert, std::string_view text, const RuleTemplateData& data);

 private:
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };

  std::unordered_map<std::string, RuleTemplate, Hash, std::equal_to<>> parsed_;
};

}  // namespace mlalert
