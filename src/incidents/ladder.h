// Progressive severity: what age alone makes of an incident while nobody acts.
// The ladder clock counts time spent open and not acknowledged, snoozed or silenced, under `clock: business`
// only the hours of the policy's calendar; acknowledging freezes it, a reopen carries it on. A raise that
// would wake people waits for the calendar to open (the night guard). Pure functions on Incident; time is
// passed in.
#pragma once

#include <optional>

#include "base/time.h"
#include "model/incident.h"

namespace mlalert {

class Calendar;
class Calendars;

// The calendars that an incident's ladder looks at, as they are now. Null: all hours.
struct LadderHours {
  const Calendar* clock = nullptr;  // which hours count
  const Calendar* guard = nullptr;  // when age alone may raise to P1
};
LadderHours LadderHoursOf(const Incident& incident, const Calendars* calendars);

// Reading of the ladder clock at `now`.
Duration LadderClock(const Incident& incident, Timestamp now, const LadderHours& hours = {});

void StartLadderClock(Incident& incident, Timestamp now, const LadderHours& hours = {});
// Freezes the clock; the reading is kept.
void StopLadderClock(Incident& incident, Timestamp now, const LadderHours& hours = {});

// The wall clock was set back from `before` to `now`: what has run stays, the rest runs from `now`.
void RebaseLadderClock(Incident& incident, Timestamp before, Timestamp now, const LadderHours& hours = {});

// When a rung is reached if nothing changes.
struct RungTime {
  Timestamp earned = kUnset;  // the clock reads as much; kUnset when it stands
  Timestamp at = kUnset;      // later than `earned` when the night guard holds it
};
RungTime RungAt(const Incident& incident, size_t rung, const LadderHours& hours = {});

// First instant at which the next rung is taken if nothing changes; kUnset when no rung is ahead or the clock
// stands.
Timestamp NextRungAt(const Incident& incident, const LadderHours& hours = {});

// Takes every rung reached by `now`. `reached` is the number of rungs taken in this call: more than one means
// that nobody looked in between (the process was down) and the caller logs the lower ones as skipped.
struct LadderResult {
  uint32_t reached = 0;
  Severity severity = Severity::kNone;  // of the last rung taken
  Timestamp due_at = kUnset;            // exact instant of the last rung taken
};
LadderResult ClimbLadder(Incident& incident, Timestamp now, const LadderHours& hours = {});

// The next rung that makes the incident more severe than it is; what `ladder` holds below that changes
// nothing. None when the clock stands or nothing above is ahead.
struct NextRaise {
  Severity severity = Severity::kNone;
  Timestamp at = kUnset;
};
std::optional<NextRaise> NextRaiseOf(const Incident& incident, const LadderHours& hours = {});

// Before the first rung of a quiet ladder nobody is told, unless the trouble has become worse than what
// opened it. What is P1 or P0 never waits, however it came to be governed by a quiet ladder.
bool IsQuiet(const Incident& incident);

// Somebody said that it is less severe: the ladder goes on from the rung of that severity, and severity
// labels as high as those it has had in this episode do not raise it again.
void LowerTo(Incident& incident, Severity severity, Timestamp now, const LadderHours& hours = {});

// max(base, ladder, raised), never below what it already is in this episode.
Severity EffectiveSeverity(const Incident& incident);

}  // namespace mlalert
