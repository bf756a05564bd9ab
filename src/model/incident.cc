#include "model/incident.h"

#include <fmt/format.h>

#include "base/json.h"

namespace mlalert {

std::string_view ToString(IncidentState state) {
  switch (state) {
    case IncidentState::kOpen:
      return "open";
    case IncidentState::kAcknowledged:
      return "acknowledged";
    case IncidentState::kResolved:
      return "resolved";
  }
  return "open";
}

std::string_view ToString(ResolveReason reason) {
  switch (reason) {
    case ResolveReason::kNone:
      return "";
    case ResolveReason::kCondition:
      return "condition";
    case ResolveReason::kTimeout:
      return "timeout";
    case ResolveReason::kManual:
      return "manual";
  }
  return "";
}

ResolveReason ResolveReasonFromString(std::string_view text) {
  return text == "condition" ? ResolveReason::kCondition
         : text == "timeout" ? ResolveReason::kTimeout
         : text == "manual"  ? ResolveReason::kManual
                             : ResolveReason::kNone;
}

std::string PolicyToJson(const IncidentPolicy& policy) {
  Json steps = Json::MakeArray();
  for (const auto& step : policy.ladder) {
    Json one = Json::MakeObject();
    one.Set("after_ms", static_cast<int64_t>(step.after / std::chrono::milliseconds(1)));
    one.Set("severity", ToString(step.severity));
    steps.Push(std::move(one));
  }
  Json json = Json::MakeObject();
  json.Set("name", policy.name);
  json.Set("cooldown_ms", static_cast<int64_t>(policy.cooldown / std::chrono::milliseconds(1)));
  json.Set("ladder", std::move(steps));
  json.Set("quiet_before_first_step", policy.quiet_before_first_step);
  json.Set("ack_expires_ms", static_cast<int64_t>(policy.ack_expires / std::chrono::milliseconds(1)));
  return json.Dump();
}

Result<IncidentPolicy> PolicyFromJson(std::string_view text) {
  MLALERT_ASSIGN(Json json, ParseJson(text));
  auto millis = [&](std::string_view key) {
    const Json* value = json.Find(key);
    return Duration(std::chrono::milliseconds(value != nullptr ? value->AsInt() : 0));
  };
  IncidentPolicy policy;
  policy.name = json.GetString("name");
  policy.cooldown = millis("cooldown_ms");
  policy.ack_expires = millis("ack_expires_ms");
  if (const Json* quiet = json.Find("quiet_before_first_step")) {
    policy.quiet_before_first_step = quiet->AsBool();
  }
  if (const Json* ladder = json.Find("ladder")) {
    for (const Json& step : ladder->AsArray()) {
      auto severity = ParseSeverity(step.GetString("severity"));
      const Json* after = step.Find("after_ms");
      if (!severity || after == nullptr) {
        return Fail(ErrorCode::kCorrupt,
                    fmt::format("stored policy \"{}\" has a bad ladder step", policy.name));
      }
      policy.ladder.push_back({Duration(std::chrono::milliseconds(after->AsInt())), *severity});
    }
  }
  return policy;
}

const IncidentCare& CareOf(const Incident& incident) {
  static const IncidentCare kNone;
  return incident.care != nullptr ? *incident.care : kNone;
}

Timestamp CooldownUntil(const Incident& incident) {
  if (!IsSet(incident.last_told_at) || incident.policy == nullptr ||
      incident.policy->cooldown <= Duration::zero()) {
    return kUnset;
  }
  return After(incident.last_told_at, incident.policy->cooldown);
}

}  // namespace mlalert
