#include "model/incident.h"

#include <algorithm>
#include <fmt/format.h>

#include "base/json.h"
#include "model/flapping.h"
#include "model/incident_chain.h"
#include "model/incident_hours.h"
#include "model/matcher_parse.h"

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

namespace {

int64_t Millis(Duration duration) {
  return static_cast<int64_t>(duration / std::chrono::milliseconds(1));
}

Json Texts(const std::vector<std::string>& texts) {
  Json list = Json::MakeArray();
  for (const std::string& text : texts) {
    list.Push(Json(text));
  }
  return list;
}

std::vector<std::string> TextsOf(const Json& json, std::string_view key) {
  std::vector<std::string> out;
  if (const Json* list = json.Find(key)) {
    for (const Json& one : list->AsArray()) {
      out.push_back(one.AsString());
    }
  }
  return out;
}

int64_t IntOf(const Json& json, std::string_view key, int64_t fallback = 0) {
  const Json* value = json.Find(key);
  return value != nullptr && value->is_int() ? value->AsInt() : fallback;
}

Duration DurationOf(const Json& json, std::string_view key) {
  return std::chrono::milliseconds(IntOf(json, key));
}

Json ChainToJson(const IncidentChain& chain) {
  Json steps = Json::MakeArray();
  for (const ChainStep& step : chain.steps) {
    Json one = Json::MakeObject();
    one.Set("after_ms", Millis(step.after)).Set("receivers", Texts(step.receivers));
    if (step.line != 0) {
      one.Set("line", step.line);
    }
    if (!step.matchers.empty()) {
      std::vector<std::string> matchers;
      for (const Matcher& matcher : step.matchers) {
        matchers.push_back(matcher.ToString());
      }
      one.Set("matchers", Texts(matchers));
    }
    if (!step.severities.empty()) {
      Json severities = Json::MakeArray();
      for (Severity severity : step.severities) {
        severities.Push(Json(ToString(severity)));
      }
      one.Set("severities", std::move(severities));
    }
    steps.Push(std::move(one));
  }
  Json json = Json::MakeObject();
  json.Set("steps", std::move(steps));
  json.Set("repeat_times", chain.repeat_times);
  json.Set("repeat_every_ms", Millis(chain.repeat_every));
  json.Set("repeat_from", static_cast<int64_t>(chain.repeat_from));
  json.Set("fallback", Texts(chain.fallback));
  return json;
}

Result<std::shared_ptr<const IncidentChain>> ChainFromJson(const Json& json) {
  auto chain = std::make_shared<IncidentChain>();
  if (const Json* steps = json.Find("steps")) {
    for (const Json& one : steps->AsArray()) {
      ChainStep step;
      step.after = DurationOf(one, "after_ms");
      step.line = static_cast<int>(IntOf(one, "line"));
      step.receivers = TextsOf(one, "receivers");
      for (const std::string& text : TextsOf(one, "matchers")) {
        auto matchers = ParseMatchers(text);
        if (!matchers) {
          return Fail(ErrorCode::kCorrupt, fmt::format("stored chain has a bad matcher {}", text));
        }
        step.matchers.insert(step.matchers.end(), matchers->begin(), matchers->end());
      }
      for (const std::string& text : TextsOf(one, "severities")) {
        step.severities.push_back(ParseSeverity(text).value_or(Severity::kNone));
      }
      chain->steps.push_back(std::move(step));
    }
  }
  chain->repeat_times = static_cast<int>(IntOf(json, "repeat_times"));
  chain->repeat_every = DurationOf(json, "repeat_every_ms");
  chain->repeat_from = static_cast<size_t>(std::max<int64_t>(IntOf(json, "repeat_from"), 0));
  chain->fallback = TextsOf(json, "fallback");
  if (chain->repeat_from >= chain->steps.size()) {
    chain->repeat_from = 0;
  }
  return chain;
}

}  // namespace

namespace {

// In the order of PolicyLines.
constexpr std::pair<std::string_view, int PolicyLines::*> kPolicyLines[] = {
    {"policy", &PolicyLines::policy},
    {"cooldown", &PolicyLines::cooldown},
    {"ladder", &PolicyLines::ladder},
    {"chain", &PolicyLines::chain},
    {"hours", &PolicyLines::hours},
    {"flapping", &PolicyLines::flapping},
    {"acknowledge", &PolicyLines::acknowledge}};

}  // namespace

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
  if (policy.business_clock) {
    json.Set("clock", "business");
  }
  if (!policy.calendar.empty()) {
    json.Set("calendar", policy.calendar);
  }
  if (policy.wake) {
    json.Set("wake", true);
  }
  if (policy.chain != nullptr) {
    json.Set("chain", ChainToJson(*policy.chain));
  }
  if (policy.hours != nullptr) {
    Json hours = Json::MakeObject();
    hours.Set("calendar", policy.hours->calendar);
    hours.Set("outside", static_cast<int64_t>(policy.hours->outside));
    hours.Set("always_from", ToString(policy.hours->always_from));
    json.Set("hours", std::move(hours));
  }
  if (policy.flapping != nullptr) {
    Json flapping = Json::MakeObject();
    flapping.Set("transitions", policy.flapping->transitions);
    flapping.Set("window_ms", Millis(policy.flapping->window));
    json.Set("flapping", std::move(flapping));
  }
  Json lines = Json::MakeObject();
  for (const auto& [key, line] : kPolicyLines) {
    if (policy.lines.*line != 0) {
      lines.Set(std::string(key), policy.lines.*line);
    }
  }
  if (policy.lines.policy != 0) {
    json.Set("lines", std::move(lines));
  }
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
  if (const Json* lines = json.Find("lines")) {
    for (const auto& [key, line] : kPolicyLines) {
      policy.lines.*line = static_cast<int>(IntOf(*lines, key));
    }
  }
  policy.cooldown = millis("cooldown_ms");
  policy.ack_expires = millis("ack_expires_ms");
  if (const Json* quiet = json.Find("quiet_before_first_step")) {
    policy.quiet_before_first_step = quiet->AsBool();
  }
  policy.business_clock = json.GetString("clock") == "business";
  policy.calendar = json.GetString("calendar");
  if (const Json* wake = json.Find("wake")) {
    policy.wake = wake->AsBool();
  }
  if (const Json* chain = json.Find("chain")) {
    MLALERT_ASSIGN(policy.chain, ChainFromJson(*chain));
  }
  if (const Json* stored = json.Find("hours")) {
    auto hours = std::make_shared<IncidentHours>();
    hours->calendar = stored->GetString("calendar");
    hours->outside =
        static_cast<IncidentHours::Outside>(std::clamp<int64_t>(IntOf(*stored, "outside"), 0, 2));
    hours->always_from = ParseSeverity(stored->GetString("always_from")).value_or(Severity::kP1);
    policy.hours = std::move(hours);
  }
  if (const Json* stored = json.Find("flapping")) {
    auto limits = std::make_shared<FlappingLimits>();
    limits->transitions = static_cast<int>(IntOf(*stored, "transitions", 10));
    limits->window = DurationOf(*stored, "window_ms");
    policy.flapping = std::move(limits);
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

Timestamp CooldownUntil(const Incident& incident) {
  if (!IsSet(incident.last_told_at) || incident.policy == nullptr ||
      incident.policy->cooldown <= Duration::zero()) {
    return kUnset;
  }
  return After(incident.last_told_at, incident.policy->cooldown);
}

}  // namespace mlalert
