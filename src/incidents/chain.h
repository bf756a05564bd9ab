// The chain: whom to tell as time passes and nobody acts. Its clock stands while somebody has the incident in
// hand or while all of it is silenced or inhibited, and begins anew when an acknowledgement or a snooze ends
// and when the incident becomes more severe. Pure functions on Incident; time is passed in. Who is on call is
// looked up by the engine when a step is due.
#pragma once

#include <chrono>
#include <optional>
#include <vector>

#include "base/time.h"
#include "model/incident.h"
#include "model/incident_chain.h"

namespace mlalert {

// Who was told within this time before a step has been told by it; who was told earlier is told again.
inline constexpr Duration kJustTold = std::chrono::seconds(60);

// From the first step; nothing when the incident has no chain or nobody may be told yet.
void StartChain(Incident& incident, Timestamp now);
void StopChain(Incident& incident);
// Muted from `muted_since` to `now`: what was ahead is that much later.
void ResumeChain(Incident& incident, Timestamp muted_since, Timestamp now);

// Takes the step that is due at `now`: its number. None when none is due.
std::optional<size_t> TakeChainStep(Incident& incident, Timestamp now);
// The end of the chain is due at `now`: `repeat.every` after its last step nobody had acted. True once.
bool TakeChainEnd(Incident& incident, Timestamp now);
// Nobody may be told before `at`: what is due before waits until then, what follows keeps its distance.
void PostponeChain(Incident& incident, Timestamp at);
// The step that was just taken reached nobody: the next one is due at once.
void HastenChain(Incident& incident, Timestamp now);
// Nothing is ahead, in this round or another.
bool IsChainExhausted(const Incident& incident);

// The step that was taken last, and when it was due; none when none was since the chain began.
struct TakenStep {
  size_t step = 0;
  Timestamp at = kUnset;
};
std::optional<TakenStep> LastChainStep(const Incident& incident);

// May this step tell somebody of the incident as it is now? `labels`: effective ones of one of its alerts.
bool StepApplies(const ChainStep& step, const LabelSet& labels, Severity severity);

// What is ahead of this round and of those that follow, with the time of each step if nothing changes, at
// most `limit`; then the end.
struct PlannedStep {
  std::optional<size_t> step;  // none: the end
  uint32_t round = 0;
  Timestamp at = kUnset;  // kUnset: the chain stands
};
std::vector<PlannedStep> ChainAhead(const Incident& incident, size_t limit);

}  // namespace mlalert
