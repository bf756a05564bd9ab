#include "rules/rule_templates.h"

#include <fmt/format.h>
#include <optional>

namespace mlalert {

std::string RuleTemplates::Expand(std::string_view alert, std::string_view text,
                                  const RuleTemplateData& data) {
  if (text.find("{{") == std::string_view::npos) {
    return std::string(text);
  }
  auto known = parsed_.find(text);
  if (known == parsed_.end()) {
    Result<RuleTemplate> parsed = RuleTemplate::Parse(alert, text);
    if (!parsed) {
      // The loader refuses it.
      return fmt::format("<error expanding template: {}>", parsed.error().message);
    }
    if (parsed_.size() >= kRuleTemplatesMax) {
      parsed_.clear();
    }
    known = parsed_.emplace(text, std::move(*parsed)).first;
  }
  std::optional<Error> error;
  std::string out = known->second.Expand(data, &error);
  if (!error) {
    return out;
  }
  // The error names the rule that the text was parsed for.
  Result<RuleTemplate> own = RuleTemplate::Parse(alert, text);
  return own ? own->Expand(data) : out;
}

}  // namespace mlalert
