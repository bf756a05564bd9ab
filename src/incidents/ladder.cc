#include "incidents/ladder.h"

#include <algorithm>

namespace mlalert {

Duration LadderClock(const Incident& incident, Timestamp now) {
  Duration elapsed = incident.clock_elapsed;
  // A wall clock that was set back must not make the reading fall.
  if (IsSet(incident.clock_since) && now > incident.clock_since) {
    elapsed += now - incident.clock_since;
  }
  return elapsed;
}

void StartLadderClock(Incident& incident, Timestamp now) {
  if (!IsSet(incident.clock_since)) {
    incident.clock_since = now;
  }
  incident.next_severity_at = NextRungAt(incident);
}

void RebaseLadderClock(Incident& incident, Timestamp before, Timestamp now) {
  if (IsSet(incident.clock_since) && incident.clock_since > now) {
    incident.clock_elapsed = LadderClock(incident, before);
    incident.clock_since = now;
    incident.next_severity_at = NextRungAt(incident);
  }
}

void StopLadderClock(Incident& incident, Timestamp now) {
  incident.clock_elapsed = LadderClock(incident, now);
  incident.clock_since = kUnset;
  incident.next_severity_at = kUnset;
}

Timestamp NextRungAt(const Incident& incident) {
  if (incident.policy == nullptr || incident.ladder_step >= incident.policy->ladder.size() ||
      !IsSet(incident.clock_since)) {
    return kUnset;
  }
  return After(incident.clock_since,
               incident.policy->ladder[incident.ladder_step].after - incident.clock_elapsed);
}

LadderResult ClimbLadder(Incident& incident, Timestamp now) {
  LadderResult result;
  for (Timestamp due = NextRungAt(incident); IsSet(due) && due <= now; due = NextRungAt(incident)) {
    result.severity = incident.policy->ladder[incident.ladder_step].severity;
    result.due_at = due;
    ++result.reached;
    ++incident.ladder_step;
    incident.ladder = std::max(incident.ladder, result.severity);
  }
  incident.next_severity_at = NextRungAt(incident);
  return result;
}

std::optional<NextRaise> NextRaiseOf(const Incident& incident) {
  if (incident.policy == nullptr || !IsSet(incident.clock_since)) {
    return std::nullopt;
  }
  const auto& ladder = incident.policy->ladder;
  for (size_t i = incident.ladder_step; i < ladder.size(); ++i) {
    if (ladder[i].severity > EffectiveSeverity(incident)) {
      return NextRaise{ladder[i].severity,
                       After(incident.clock_since, ladder[i].after - incident.clock_elapsed)};
    }
  }
  return std::nullopt;
}

bool IsQuiet(const Incident& incident) {
  if (EffectiveSeverity(incident) >= Severity::kP1) {
    return false;
  }
  if (incident.policy == nullptr || !incident.policy->quiet_before_first_step ||
      incident.policy->ladder.empty() || incident.ladder_step > 0 || incident.raised != Severity::kNone) {
    return false;
  }
  return incident.base <= SeverityFromLabel(incident.labels.Get("severity"));
}

void LowerTo(Incident& incident, Severity severity, Timestamp now) {
  const bool runs = IsSet(incident.clock_since);
  StopLadderClock(incident, now);
  incident.overruled = incident.base;
  incident.raised = severity;
  incident.severity = severity;
  // As if it had just reached the rung of that severity: it does not jump back up.
  incident.clock_elapsed = Duration::zero();
  incident.ladder_step = 0;
  incident.ladder = Severity::kNone;
  if (incident.policy != nullptr) {
    for (const LadderStep& step : incident.policy->ladder) {
      if (step.severity <= severity) {
        incident.clock_elapsed = step.after;
        incident.ladder = step.severity;
        ++incident.ladder_step;
      }
    }
  }
  incident.told_severity = std::min(incident.told_severity, severity);
  if (runs) {
    StartLadderClock(incident, now);
  }
}

Severity EffectiveSeverity(const Incident& incident) {
  const Severity base = incident.base > incident.overruled ? incident.base : Severity::kNone;
  return std::max({base, incident.ladder, incident.raised, incident.severity});
}

}  // namespace mlalert
