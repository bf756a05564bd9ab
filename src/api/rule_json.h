// Rules and their alerts in Prometheus' JSON. Used by: rules_v1.cc and rules_own.cc. Pure.
#pragma once

#include <string_view>

#include "base/json.h"
#include "rules/rule_view.h"

namespace mlalert {

// firing | pending | inactive | unknown
std::string_view StateText(const RuleView& view);
Json RuleAlertToJson(const RuleAlertView& alert);
Json AlertingRuleToJson(const RuleView& view, bool exclude_alerts);
Json RecordingRuleToJson(const RecordingRule& rule);

}  // namespace mlalert
