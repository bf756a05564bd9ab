// incident_policies: how severity climbs, whom to tell while nobody acts, what is kept quiet. And
// response_targets.
#include <algorithm>
#include <fmt/format.h>
#include <memory>
#include <set>

#include "config/calendars.h"
#include "config/config_sections.h"
#include "config/response_targets.h"
#include "model/flapping.h"
#include "model/incident_chain.h"
#include "model/incident_hours.h"

namespace mlalert {
namespace {

constexpr Duration kDefaultCooldown = std::chrono::minutes(30);
constexpr int kFlappingTransitionsMax = 100;

// P0..P3 as the value of `key`.
bool ReadSeverity(YamlMap& map, std::string_view key, Severity& out) {
  std::string text;
  if (!map.Read(key, text)) {
    return false;
  }
  auto parsed = ParseSeverity(text);
  if (!parsed) {
    map.At(key).Error(fmt::format("{} {} is not one of P3, P2, P1, P0", key, Quoted(text)));
    return false;
  }
  out = *parsed;
  return true;
}

void ReadNames(YamlMap& map, std::string_view key, const Config& config, std::vector<std::string>& out) {
  auto list = map.Take(key);
  if (!list) {
    return;
  }
  for (const YamlValue& item : list->Items("[]string")) {
    std::string name;
    if (item.Read(name)) {
      CheckReceiverName(item, name, config);
      out.push_back(std::move(name));
    }
  }
}

bool ReadStep(const YamlValue& item, LadderStep& out) {
  YamlMap map(item, "ladder step");
  bool after = ReadIfSet(map, "after", out.after);
  std::string text;
  bool severity = map.Read("severity", text);
  map.Finish();
  if (!after && !map.TakeSet("after")) {
    item.Error("missing after in ladder step");
  }
  if (!severity) {
    item.Error("missing severity in ladder step");
    return false;
  }
  auto parsed = ParseSeverity(text);
  if (!parsed || *parsed == Severity::kNone) {
    map.At("severity").Error(fmt::format("severity {} is not one of P3, P2, P1", Quoted(text)));
    return false;
  }
  if (*parsed == Severity::kP0) {
    map.At("severity").Error("P0 is never reached by waiting", "a ladder ends at P1 at the latest");
    return false;
  }
  out.severity = *parsed;
  return after;
}

void ReadLadder(const YamlValue& value, const Config& config, IncidentPolicy& out) {
  if (value.node().kind != YamlNode::Kind::kMap) {
    value.WrongType("ladder");
    return;
  }
  YamlMap map(value, "ladder");
  if (auto steps = map.Take("steps")) {
    for (const YamlValue& item : steps->Items("a list of ladder steps")) {
      LadderStep step;
      if (!ReadStep(item, step)) {
        continue;
      }
      if (step.after == Duration::zero()) {
        item.Error("a ladder step must come after more than 0");
      } else if (!out.ladder.empty() && step.after <= out.ladder.back().after) {
        item.Error(fmt::format("ladder steps must rise in time: {} is not after {}",
                               FormatDuration(step.after), FormatDuration(out.ladder.back().after)));
      } else if (!out.ladder.empty() && step.severity <= out.ladder.back().severity) {
        item.Error(fmt::format("ladder steps must rise in severity: {} is not above {}",
                               ToString(step.severity), ToString(out.ladder.back().severity)));
      } else {
        out.ladder.push_back(step);
      }
    }
  }
  map.Read("quiet_before_first_step", out.quiet_before_first_step);
  std::string clock = "wall";
  map.Read("clock", clock);
  if (clock != "wall" && clock != "business") {
    map.At("clock").Error(fmt::format("clock is {}, must be wall or business", Quoted(clock)),
                          DidYouMean(clock, {"wall", "business"}));
  }
  out.business_clock = clock == "business";
  if (map.Read("calendar", out.calendar)) {
    CheckCalendarName(map.At("calendar"), out.calendar, config);
  } else if (out.business_clock) {
    map.At("clock").Error("clock: business needs a calendar", "calendar: the name of one of calendars");
  }
  if (map.Read("wake", out.wake) && out.wake && out.calendar.empty()) {
    map.At("wake").Warn("wake changes nothing without a calendar: nothing says when people sleep");
  }
  Severity cap = Severity::kP1;
  if (ReadSeverity(map, "cap", cap)) {
    if (cap == Severity::kP0) {
      map.At("cap").Error("P0 is never reached by waiting", "a ladder ends at P1 at the latest");
    }
    for (const LadderStep& step : out.ladder) {
      if (step.severity > cap) {
        map.At("cap").Error(fmt::format("a step of the ladder leads to {}, above the cap {}",
                                        ToString(step.severity), ToString(cap)));
      }
    }
  }
  map.Finish();
  const auto* steps = value.node().Find("steps");
  if (steps == nullptr || steps->value->items.empty()) {
    value.Error("a ladder needs at least one step");
  }
}

bool ReadChainStep(const YamlValue& item, const LoadContext& context, const Config& config, ChainStep& out) {
  YamlMap map(item, "chain step");
  out.line = item.pos().line;
  const bool after = ReadIfSet(map, "after", out.after) || map.TakeSet("after");
  ReadNames(map, "receivers", config, out.receivers);
  ReadMatcherList(map, "matchers", context, out.matchers);
  if (auto list = map.Take("severities")) {
    for (const YamlValue& one : list->Items("[]string")) {
      std::string text;
      one.Read(text);
      if (auto severity = ParseSeverity(text)) {
        out.severities.push_back(*severity);
      } else {
        one.Error(fmt::format("severity {} is not one of P3, P2, P1, P0", Quoted(text)));
      }
    }
  }
  map.Finish();
  if (!after) {
    item.Error("missing after in chain step", "how long after the beginning, such as 15m; 0m: at once");
  }
  // Where they are written in a way that cannot be read, that is said already.
  if (out.receivers.empty() && !map.Failed()) {
    item.Error("a chain step needs at least one receiver", "receivers: [name, ...]");
  }
  return after && !out.receivers.empty();
}

void ReadRepeat(YamlMap& map, IncidentChain& out) {
  auto value = map.TakeSet("repeat");
  if (!value) {
    return;
  }
  YamlMap repeat(*value, "repeat");
  out.repeat_times = 1;
  if (repeat.Read("times", out.repeat_times) &&
      (out.repeat_times < 0 || out.repeat_times > kChainRepeatsMax)) {
    repeat.At("times").Error(fmt::format("times must be from 0 to {}", kChainRepeatsMax));
  }
  if (ReadIfSet(repeat, "every", out.repeat_every) && out.repeat_every < std::chrono::minutes(1)) {
    repeat.At("every").Error("every must be at least 1m");
  }
  int from = 1;
  if (repeat.Read("from", from) && (from < 1 || static_cast<size_t>(from) > out.steps.size())) {
    repeat.At("from").Error(fmt::format("from is the number of a step, 1 to {}", out.steps.size()));
    from = 1;
  }
  out.repeat_from = static_cast<size_t>(from) - 1;
  repeat.Finish();
}

// A list of steps, or {steps, repeat, fallback}.
void ReadChain(const YamlValue& value, const LoadContext& context, const Config& config,
               IncidentPolicy& out) {
  auto chain = std::make_shared<IncidentChain>();
  const size_t errors_before = value.error_count();
  auto read_steps = [&](const YamlValue& list) {
    for (const YamlValue& item : list.Items("a list of chain steps")) {
      ChainStep step;
      if (!ReadChainStep(item, context, config, step)) {
        continue;
      }
      if (!chain->steps.empty() && step.after < chain->steps.back().after) {
        item.Error(fmt::format("chain steps must rise in time: {} is before {}", FormatDuration(step.after),
                               FormatDuration(chain->steps.back().after)));
      }
      chain->steps.push_back(std::move(step));
    }
    if (chain->steps.empty() && value.error_count() == errors_before) {
      value.Error("a chain needs at least one step");
    } else if (chain->steps.size() > kChainStepsMax) {
      value.Error(fmt::format("a chain of more than {} steps", kChainStepsMax));
    }
  };
  if (value.node().kind == YamlNode::Kind::kMap) {
    YamlMap map(value, "chain");
    if (auto steps = map.Take("steps")) {
      read_steps(*steps);
    } else {
      value.Error("missing steps in chain");
    }
    ReadRepeat(map, *chain);
    ReadNames(map, "fallback", config, chain->fallback);
    map.Finish();
  } else {
    read_steps(value);
  }
  out.chain = std::move(chain);
}

void ReadHours(const YamlValue& value, const Config& config, IncidentPolicy& out) {
  YamlMap map(value, "business_hours");
  auto hours = std::make_shared<IncidentHours>();
  if (map.Read("calendar", hours->calendar)) {
    CheckCalendarName(map.At("calendar"), hours->calendar, config);
  } else {
    value.Error("missing calendar in business_hours");
  }
  std::string outside = "defer";
  map.Read("outside", outside);
  if (outside == "digest") {
    hours->outside = IncidentHours::Outside::kDigest;
  } else if (outside == "drop") {
    hours->outside = IncidentHours::Outside::kDrop;
  } else if (outside != "defer") {
    map.At("outside").Error(fmt::format("outside is {}, must be defer, digest or drop", Quoted(outside)),
                            DidYouMean(outside, {"defer", "digest", "drop"}));
  }
  ReadSeverity(map, "always_from", hours->always_from);
  map.Finish();
  out.hours = std::move(hours);
}

void ReadFlapping(const YamlValue& value, IncidentPolicy& out) {
  YamlMap map(value, "flapping");
  auto limits = std::make_shared<FlappingLimits>();
  if (map.Read("transitions", limits->transitions) &&
      (limits->transitions < 3 || limits->transitions > kFlappingTransitionsMax)) {
    map.At("transitions").Error(fmt::format("transitions must be from 3 to {}", kFlappingTransitionsMax));
  }
  if (ReadIfSet(map, "window", limits->window) && limits->window < std::chrono::minutes(1)) {
    map.At("window").Error("window must be at least 1m");
  }
  map.Finish();
  out.flapping = std::move(limits);
}

void ReadPolicy(const YamlValue& value, const LoadContext& context, const Config& config,
                IncidentPolicy& out) {
  YamlMap map(value, "incident policy");
  out.lines.policy = value.pos().line;
  map.Read("name", out.name);
  if (out.name.empty()) {
    value.Error("missing name in incident policy");
  }
  ReadMatcherList(map, "matchers", context, out.matchers);
  SortMatchers(out.matchers);
  out.cooldown = kDefaultCooldown;
  if (ReadIfSet(map, "cooldown", out.cooldown)) {
    out.lines.cooldown = map.At("cooldown").pos().line;
  }
  if (auto ladder = map.TakeSet("ladder")) {
    out.lines.ladder = map.At("ladder").pos().line;
    ReadLadder(*ladder, config, out);
  }
  if (auto acknowledge = map.TakeSet("acknowledge")) {
    YamlMap fields(*acknowledge, "acknowledge");
    out.lines.acknowledge = map.At("acknowledge").pos().line;
    ReadIfSet(fields, "expires", out.ack_expires);
    fields.Finish();
  }
  if (auto chain = map.TakeSet("chain")) {
    out.lines.chain = map.At("chain").pos().line;
    ReadChain(*chain, context, config, out);
  }
  if (auto hours = map.TakeSet("business_hours")) {
    out.lines.hours = map.At("business_hours").pos().line;
    ReadHours(*hours, config, out);
  }
  if (auto flapping = map.TakeSet("flapping")) {
    out.lines.flapping = map.At("flapping").pos().line;
    ReadFlapping(*flapping, out);
  }
  map.Finish();
}

// What is less severe is due before what is more severe: most likely two lines were mixed up, or one of them
// is a default. A business day takes as long as it takes; it is compared as one day with what must be done
// sooner.
void WarnOfInvertedTargets(YamlMap& map, const ResponseTargets& targets) {
  auto text = [](const ResponseTarget& target) {
    return target.next_business_day ? std::string("next_business_day") : FormatDuration(target.within);
  };
  for (Severity severity : {Severity::kP1, Severity::kP2, Severity::kP3}) {
    const auto graver = static_cast<Severity>(static_cast<uint8_t>(severity) + 1);
    const ResponseTarget& target = targets.by_severity[static_cast<size_t>(severity)];
    const ResponseTarget& above = targets.by_severity[static_cast<size_t>(graver)];
    const Duration limit = above.next_business_day ? Duration(std::chrono::hours(24)) : above.within;
    if (target.next_business_day || target.within <= Duration::zero() || target.within >= limit) {
      continue;
    }
    const bool written = map.Take(ToString(severity)).has_value();
    map.At(ToString(written ? severity : graver))
        .Warn(fmt::format("the response target of {} ({}) is shorter than that of {} ({})",
                          ToString(severity), text(target), ToString(graver), text(above)),
              "what is more severe is due first");
  }
}

}  // namespace

void ReadPolicies(YamlMap& root, const LoadContext& context, Config& out) {
  auto list = root.Take("incident_policies");
  if (!list) {
    return;
  }
  std::set<std::string> names;
  std::string catch_all;
  for (const YamlValue& item : list->Items("a list of incident policies")) {
    IncidentPolicy policy;
    ReadPolicy(item, context, out, policy);
    if (!policy.name.empty() && !names.insert(policy.name).second) {
      YamlMap(item, "incident policy")
          .At("name")
          .Error(fmt::format("incident policy name {} is not unique", Quoted(policy.name)));
    }
    if (!catch_all.empty()) {
      item.Warn(
          fmt::format("policy {} never applies: policy {} before it has no matchers and takes every alert",
                      Quoted(policy.name), Quoted(catch_all)));
    } else if (policy.matchers.empty()) {
      catch_all = policy.name.empty() ? "?" : policy.name;
    }
    out.incident_policies.push_back(std::move(policy));
  }
}

void ReadResponseTargets(YamlMap& root, Config& out) {
  auto value = root.TakeSet("response_targets");
  if (!value) {
    if (!out.incident_policies.empty()) {
      out.response_targets = std::make_shared<const ResponseTargets>();
    }
    return;
  }
  YamlMap map(*value, "response_targets");
  auto targets = std::make_shared<ResponseTargets>();
  for (Severity severity : {Severity::kP0, Severity::kP1, Severity::kP2, Severity::kP3}) {
    const std::string_view key = ToString(severity);
    std::string text;
    if (!map.Read(key, text)) {
      continue;
    }
    ResponseTarget& target = targets->by_severity[static_cast<size_t>(severity)];
    target = {};
    if (text == "next_business_day") {
      target.next_business_day = true;
    } else if (auto within = ParseDuration(text); within && *within > Duration::zero()) {
      target.within = *within;
    } else if (text != "none") {
      map.At(key).Error(fmt::format("{} is not a target", Quoted(text)),
                        "a duration such as 15m, next_business_day, or none");
    }
  }
  if (map.Read("calendar", targets->calendar)) {
    CheckCalendarName(map.At("calendar"), targets->calendar, out);
  }
  map.Finish();
  WarnOfInvertedTargets(map, *targets);
  out.response_targets = std::move(targets);
}

}  // namespace mlalert
