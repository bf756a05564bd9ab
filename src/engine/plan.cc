#include "engine/plan.h"

#include <algorithm>
#include <fmt/format.h>
#include <optional>
#include <utility>

#include "config/calendars.h"
#include "engine/engine.h"
#include "engine/storm.h"
#include "incidents/business_hours.h"
#include "incidents/chain.h"
#include "incidents/ladder.h"

namespace mlalert {
namespace {

Pause PauseOf(const Incident& incident, const Pause& mutes) {
  if (IsSnoozed(incident)) {
    return {fmt::format("snoozed by {} until {}", incident.care->snoozed_by,
                        FormatRfc3339Millis(incident.care->snoozed_until)),
            incident.care->snoozed_until};
  }
  if (incident.care->ack != nullptr) {
    const Acknowledgement& ack = *incident.care->ack;
    if (!IsSet(ack.expires_at) || ack.expires_at == kNever) {
      return {fmt::format("acknowledged by {}", ack.by), kUnset};
    }
    return {fmt::format("acknowledged by {} until {}", ack.by, FormatRfc3339Millis(ack.expires_at)),
            ack.expires_at};
  }
  if (IsSet(incident.care->muted_since)) {
    return mutes;
  }
  return {};
}

void AddOnce(std::vector<std::string>& out, std::vector<std::string> names) {
  for (std::string& name : names) {
    if (std::find(out.begin(), out.end(), name) == out.end()) {
      out.push_back(std::move(name));
    }
  }
}

void AddRaises(const Incident& ahead, const Pause& pause, const LadderHours& hours, const Config& config,
               const RouteTree& routes, Timestamp now, std::vector<PlanStep>& out) {
  if (ahead.policy == nullptr) {
    return;
  }
  const auto& ladder = ahead.policy->ladder;
  const bool stands = !IsSet(ahead.clock_since);
  for (size_t i = ahead.ladder_step; i < ladder.size(); ++i) {
    if (ladder[i].severity <= EffectiveSeverity(ahead)) {
      continue;
    }
    PlanStep step;
    step.kind = PlanStep::Kind::kRaise;
    step.severity = ladder[i].severity;
    step.number = static_cast<uint32_t>(i + 1);
    step.paused = !pause.why.empty();
    step.why = pause.why;
    const RungTime time = RungAt(ahead, i, hours);
    step.at = stands || time.at == kNever ? kUnset : time.at;
    if (step.why.empty() && time.at > time.earned) {
      step.paused = time.earned <= now;
      step.why = fmt::format("it would wake somebody: {} is closed at {}", ahead.policy->calendar,
                             FormatRfc3339Millis(time.earned));
    } else if (step.why.empty() && hours.clock != nullptr && !hours.clock->IsOpen(now)) {
      step.paused = true;
      step.why = fmt::format("{} is closed: the clock stands", ahead.policy->calendar);
    }
    for (uint32_t route : routes.Match(ahead.labels.With("severity", ToString(step.severity)))) {
      const std::string& receiver = routes.node(route).route->receiver;
      AddOnce(step.targets, {receiver});
      AddOnce(step.receivers, ReceiversNow(config, receiver, IsSet(step.at) ? step.at : now));
    }
    out.push_back(std::move(step));
  }
}

// The steps from `ahead` on that come before `end`, at this severity.
void AddSteps(const Incident& ahead, Severity severity, Timestamp end, const Pause& pause,
              const Config& config, Timestamp now, std::vector<PlanStep>& out) {
  const IncidentChain& chain = *ahead.policy->chain;
  for (const PlannedStep& planned : ChainAhead(ahead, kPlanStepsMax)) {
    if (IsSet(planned.at) && planned.at >= end) {
      return;
    }
    PlanStep step;
    step.kind = planned.step ? PlanStep::Kind::kEscalate : PlanStep::Kind::kFallback;
    step.at = planned.at;
    step.number = planned.step ? static_cast<uint32_t>(*planned.step + 1) : 0;
    step.round = planned.round;
    step.severity = severity;
    step.paused = !pause.why.empty();
    step.why = pause.why;
    const LabelSet labels = ahead.labels.With("severity", ToString(severity));
    if (planned.step && !StepApplies(chain.steps[*planned.step], labels, severity)) {
      continue;
    }
    step.targets = planned.step ? chain.steps[*planned.step].receivers : chain.fallback;
    if (step.targets.empty()) {
      continue;  // there is no fallback
    }
    for (const std::string& name : step.targets) {
      AddOnce(step.receivers, ReceiversNow(config, name, IsSet(step.at) ? step.at : now));
    }
    if (step.receivers.empty() && step.why.empty()) {
      step.why = "nobody is on call then";
    }
    out.push_back(std::move(step));
  }
}

// `out` has the raises: with each the chain begins anew.
void AddChain(Incident ahead, const Pause& pause, const Pause& hold, const Config& config, Timestamp now,
              std::vector<PlanStep>& out) {
  if (ahead.policy == nullptr || ahead.policy->chain == nullptr || ahead.policy->chain->steps.empty()) {
    return;
  }
  if (IsSet(hold.ends_at)) {
    PostponeChain(ahead, hold.ends_at);
  }
  const Pause& what = pause.why.empty() ? hold : pause;
  Severity severity = ahead.severity;
  const std::vector<PlanStep> raises = out;
  for (const PlanStep& raise : raises) {
    if (!IsSet(raise.at)) {
      continue;
    }
    AddSteps(ahead, severity, raise.at, what, config, now, out);
    severity = raise.severity;
    StartChain(ahead, raise.at);
    if (IsSet(hold.ends_at)) {
      PostponeChain(ahead, hold.ends_at);
    }
  }
  AddSteps(ahead, severity, kNever, what, config, now, out);
}

// What keeps the first telling back, from the outermost on: each may put it off further. Gives false when no
// end is in sight.
class Telling {
 public:
  Telling(PlanStep& step, Timestamp now) : step_(step) { step_.at = now; }

  // `out_of_turn`: it is told then, and not when its group looks next.
  bool Wait(Timestamp until, bool out_of_turn, bool paused, const std::string& why) {
    if (IsSet(until) && until != kNever && until <= step_.at) {
      return true;
    }
    step_.paused = step_.paused || paused;
    step_.why += step_.why.empty() || why.empty() ? why : "; " + why;
    out_of_turn_ = out_of_turn;
    step_.at = IsSet(until) && until != kNever ? until : kUnset;
    return IsSet(step_.at);
  }

  bool at_tick() const { return !out_of_turn_; }

 private:
  PlanStep& step_;
  bool out_of_turn_ = false;
};

bool WaitForLadder(const Incident& ahead, const LadderHours& hours, Timestamp now, PlanStep& step,
                   Telling& telling) {
  if (!IsQuiet(ahead)) {
    return true;
  }
  step.severity = std::max(step.severity, ahead.policy->ladder[ahead.ladder_step].severity);
  const bool stands = hours.clock != nullptr && !hours.clock->IsOpen(now);
  return telling.Wait(RungAt(ahead, ahead.ladder_step, hours).at, true, stands,
                      stands ? fmt::format("{} is closed: the clock stands", ahead.policy->calendar)
                             : "quiet before the first step of its ladder");
}

bool WaitForHours(const Incident& ahead, const Calendars* calendars, Timestamp now, const PlanStep& step,
                  Telling& telling) {
  Incident then = ahead;
  then.severity = step.severity;
  const Calendar* calendar = HeldByHours(then, calendars, step.at);
  if (calendar == nullptr) {
    return true;
  }
  const bool held_now = HeldByHours(then, calendars, now) != nullptr;
  const Timestamp opens = calendar->NextOpen(step.at);
  const bool dropped = opens == kNever || HeldByHours(then, calendars, opens) != nullptr;
  return telling.Wait(dropped ? kUnset : opens, true, held_now,
                      fmt::format("outside business hours ({}){}", calendar->name(),
                                  dropped ? ": not told unless it becomes more severe" : ""));
}

bool WaitForCooldown(const Incident& ahead, const PlanStep& step, Telling& telling) {
  const Timestamp cooled = CooldownUntil(ahead);
  if (!IsSet(cooled) || step.severity > ahead.told_severity || StandsForStorm(ahead)) {
    return true;
  }
  return telling.Wait(cooled, false, false, fmt::format("cooldown until {}", FormatRfc3339Millis(cooled)));
}

// Who would hear of `step` by the routes; those without integrations hear nothing.
void AddHearers(const Incident& incident, const Config& config, const RouteTree& routes, Timestamp at,
                PlanStep& step) {
  const bool raised = step.severity > SeverityFromLabel(incident.labels.Get("severity"));
  const LabelSet labels =
      raised ? incident.labels.With("severity", ToString(step.severity)) : incident.labels;
  for (uint32_t route : routes.Match(labels)) {
    const std::string& name = routes.node(route).route->receiver;
    std::vector<std::string> receivers = ReceiversNow(config, name, at);
    std::erase_if(receivers, [&](const std::string& receiver) {
      const Receiver* found = config.FindReceiver(receiver);
      return found == nullptr || IntegrationsOf(*found).empty();
    });
    if (!receivers.empty()) {
      AddOnce(step.targets, {name});
      AddOnce(step.receivers, std::move(receivers));
    }
  }
}

// When the routes tell it for the first time in this episode. None: they have, or one of `raises` tells it
// before. `ahead`: as it is when `pause` is over.
std::optional<PlanStep> FirstTelling(const Incident& ahead, const Pause& pause, const PlanHolds& holds,
                                     const LadderHours& hours, const Config& config, const RouteTree& routes,
                                     const std::vector<PlanStep>& raises, Timestamp now) {
  if (!holds.first_look) {
    return std::nullopt;
  }
  const Calendars* calendars = config.calendars.get();
  PlanStep step;
  step.kind = PlanStep::Kind::kNotify;
  step.severity = ahead.severity;
  Telling telling(step, now);
  const bool muted = IsSet(ahead.care->muted_since);
  bool in_sight = pause.why.empty() || telling.Wait(pause.ends_at, !muted, true, pause.why);
  in_sight = in_sight && (holds.storm.empty() || telling.Wait(kUnset, false, true, holds.storm));
  in_sight = in_sight && WaitForLadder(ahead, hours, now, step, telling);
  in_sight = in_sight && WaitForHours(ahead, calendars, now, step, telling);
  in_sight = in_sight && WaitForCooldown(ahead, step, telling);
  if (in_sight) {
    const PlanLook look = holds.first_look(step.at, telling.at_tick());
    in_sight = telling.Wait(look.at, false, false, look.why);
  }
  // Business hours and a storm hide a raise as well.
  auto tells_before = [&](const PlanStep& raise) {
    Incident then = ahead;
    then.severity = raise.severity;
    return IsSet(raise.at) && (!in_sight || raise.at <= step.at) &&
           HeldByHours(then, calendars, raise.at) == nullptr;
  };
  const bool quiet_until_raised =
      IsQuiet(ahead) && ahead.policy->ladder[ahead.ladder_step].severity > ahead.severity;
  if (holds.storm.empty() && ((quiet_until_raised && !in_sight && !pause.why.empty()) ||
                              std::any_of(raises.begin(), raises.end(), tells_before))) {
    return std::nullopt;
  }
  AddHearers(ahead, config, routes, in_sight ? step.at : now, step);
  return step.receivers.empty() ? std::nullopt : std::optional(std::move(step));
}

}  // namespace

std::string_view ToString(PlanStep::Kind kind) {
  switch (kind) {
    case PlanStep::Kind::kRaise:
      return "raise";
    case PlanStep::Kind::kEscalate:
      return "escalate";
    case PlanStep::Kind::kFallback:
      return "fallback";
    case PlanStep::Kind::kNotify:
      return "notify";
  }
  return "";
}

std::vector<PlanStep> PlanOf(const Incident& incident, const Config& config, const RouteTree& routes,
                             const PlanHolds& holds, Timestamp now) {
  std::vector<PlanStep> out;
  if (incident.state == IncidentState::kResolved) {
    return out;
  }
  const Pause pause = PauseOf(incident, holds.mutes);
  const LadderHours hours = LadderHoursOf(incident, config.calendars.get());
  Incident ahead = incident;
  if (IsSet(pause.ends_at)) {
    // As if it ended then: times that people can plan with.
    StartLadderClock(ahead, pause.ends_at, hours);
    if (IsSet(incident.care->muted_since)) {
      ResumeChain(ahead, incident.care->muted_since, pause.ends_at);
    } else {
      StartChain(ahead, pause.ends_at);
    }
  } else if (IsQuiet(ahead) && ahead.policy->chain != nullptr) {
    // The chain begins when it is told for the first time.
    const RungTime first = RungAt(ahead, ahead.ladder_step, hours);
    if (IsSet(first.at) && first.at != kNever) {
      StartChain(ahead, first.at);
    }
  }
  AddRaises(ahead, pause, hours, config, routes, now, out);
  std::optional<PlanStep> telling = FirstTelling(ahead, pause, holds, hours, config, routes, out, now);
  AddChain(std::move(ahead), pause, holds.chain, config, now, out);
  if (telling) {
    out.insert(out.begin(), std::move(*telling));
  }
  std::stable_sort(out.begin(), out.end(), [](const PlanStep& a, const PlanStep& b) {
    // What has no time comes last.
    const Timestamp left = IsSet(a.at) ? a.at : kNever;
    const Timestamp right = IsSet(b.at) ? b.at : kNever;
    return left < right;
  });
  if (out.size() > kPlanStepsMax) {
    out.resize(kPlanStepsMax);
  }
  return out;
}

}  // namespace mlalert
