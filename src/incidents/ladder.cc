#include "incidents/ladder.h"

#include <algorithm>

#include "config/calendars.h"

namespace mlalert {

LadderHours LadderHoursOf(const Incident& incident, const Calendars* calendars) {
  LadderHours hours;
  if (incident.policy == nullptr || incident.policy->calendar.empty() || calendars == nullptr) {
    return hours;
  }
  // A calendar that is gone since the incident opened holds nothing back.
  const Calendar* calendar = calendars->Find(incident.policy->calendar);
  hours.clock = incident.policy->business_clock ? calendar : nullptr;
  hours.guard = incident.policy->wake ? nullptr : calendar;
  return hours;
}

Duration LadderClock(const Incident& incident, Timestamp now, const LadderHours& hours) {
  Duration elapsed = incident.clock_elapsed;
  // A wall clock that was set back must not make the reading fall.
  if (IsSet(incident.clock_since) && now > incident.clock_since) {
    elapsed += hours.clock != nullptr ? hours.clock->OpenTime(incident.clock_since, now)
                                      : now - incident.clock_since;
  }
  return elapsed;
}

void StartLadderClock(Incident& incident, Timestamp now, const LadderHours& hours) {
  if (!IsSet(incident.clock_since)) {
    incident.clock_since = now;
  }
  incident.next_severity_at = NextRungAt(incident, hours);
}

void RebaseLadderClock(Incident& incident, Timestamp before, Timestamp now, const LadderHours& hours) {
  if (IsSet(incident.clock_since) && incident.clock_since > now) {
    incident.clock_elapsed = LadderClock(incident, before, hours);
    incident.clock_since = now;
    incident.next_severity_at = NextRungAt(incident, hours);
  }
}

void StopLadderClock(Incident& incident, Timestamp now, const LadderHours& hours) {
  incident.clock_elapsed = LadderClock(incident, now, hours);
  incident.clock_since = kUnset;
  incident.next_severity_at = kUnset;
  incident.care.Set(&IncidentCare::raise_held_since, kUnset);
}

RungTime RungAt(const Incident& incident, size_t rung, const LadderHours& hours) {
  if (incident.policy == nullptr || rung >= incident.policy->ladder.size() || !IsSet(incident.clock_since)) {
    return {};
  }
  const LadderStep& step = incident.policy->ladder[rung];
  const Duration left = step.after - incident.clock_elapsed;
  RungTime out;
  out.earned = hours.clock != nullptr ? hours.clock->AddOpen(incident.clock_since, left)
                                      : After(incident.clock_since, left);
  const bool wakes = step.severity >= Severity::kP1 && step.severity > EffectiveSeverity(incident);
  out.at = wakes && hours.guard != nullptr && out.earned != kNever ? hours.guard->NextOpen(out.earned)
                                                                   : out.earned;
  return out;
}

Timestamp NextRungAt(const Incident& incident, const LadderHours& hours) {
  return RungAt(incident, incident.ladder_step, hours).at;
}

LadderResult ClimbLadder(Incident& incident, Timestamp now, const LadderHours& hours) {
  LadderResult result;
  for (Timestamp due = NextRungAt(incident, hours); IsSet(due) && due <= now;
       due = NextRungAt(incident, hours)) {
    result.severity = incident.policy->ladder[incident.ladder_step].severity;
    result.due_at = due;
    ++result.reached;
    ++incident.ladder_step;
    incident.ladder = std::max(incident.ladder, result.severity);
    incident.care.Set(&IncidentCare::raise_held_since, kUnset);
  }
  incident.next_severity_at = NextRungAt(incident, hours);
  return result;
}

std::optional<NextRaise> NextRaiseOf(const Incident& incident, const LadderHours& hours) {
  if (incident.policy == nullptr || !IsSet(incident.clock_since)) {
    return std::nullopt;
  }
  const auto& ladder = incident.policy->ladder;
  for (size_t i = incident.ladder_step; i < ladder.size(); ++i) {
    if (ladder[i].severity > EffectiveSeverity(incident)) {
      return NextRaise{ladder[i].severity, RungAt(incident, i, hours).at};
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

void LowerTo(Incident& incident, Severity severity, Timestamp now, const LadderHours& hours) {
  const bool runs = IsSet(incident.clock_since);
  StopLadderClock(incident, now, hours);
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
    StartLadderClock(incident, now, hours);
  }
}

Severity EffectiveSeverity(const Incident& incident) {
  const Severity base = incident.base > incident.overruled ? incident.base : Severity::kNone;
  return std::max({base, incident.ladder, incident.raised, incident.severity});
}

}  // namespace mlalert
