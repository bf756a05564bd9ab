#include "engine/plan.h"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

#include "config/calendars.h"
#include "engine/engine.h"
#include "incidents/chain.h"
#include "incidents/ladder.h"

namespace mlalert {
namespace {

Pause PauseOf(const Incident& incident, const Pause& silences) {
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
    return silences;
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

}  // namespace

std::vector<PlanStep> PlanOf(const Incident& incident, const Config& config, const RouteTree& routes,
                             const PlanHolds& holds, Timestamp now) {
  std::vector<PlanStep> out;
  if (incident.state == IncidentState::kResolved || incident.policy == nullptr) {
    return out;
  }
  const Pause pause = PauseOf(incident, holds.silences);
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
  AddChain(std::move(ahead), pause, holds.chain, config, now, out);
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
