// While nobody may be told of an incident, the steps of its chain wait: in a storm, outside business hours,
// while all of it is inhibited. (What is silenced stands altogether, see RecheckMute.) Else they would be
// taken unheard, or all be told at once in the end. A step waits when its time has come; those that follow
// keep their distance to it.
#include <algorithm>
#include <fmt/format.h>

#include "config/calendars.h"
#include "engine/engine.h"
#include "incidents/business_hours.h"
#include "model/incident_hours.h"

namespace mlalert {
namespace {

// The end of a storm or of an inhibition is no event of those that it holds back.
constexpr Duration kLookAgain = std::chrono::minutes(1);
// What business hours drop is not told before it becomes more severe.
constexpr Duration kDroppedAgain = std::chrono::hours(1);

}  // namespace

Engine::ChainHold Engine::HoldOf(const IncidentEntry& entry, Timestamp now) const {
  const Incident& incident = entry.incident;
  if (IsInStorm(incident)) {
    return {fmt::format("part of the storm {}", incident.care->parent), now + kLookAgain};
  }
  if (const Calendar* calendar = HeldByHours(incident, config_->calendars.get(), now)) {
    const Timestamp opens = calendar->IsOpen(now) ? kNever : calendar->NextOpen(now);
    return {fmt::format("outside business hours ({})", calendar->name()),
            opens != kNever ? opens : now + kDroppedAgain, opens != kNever};
  }
  const bool inhibited = !entry.firing.empty() && muter_.inhibitor().source_count() > 0 &&
                         std::all_of(entry.firing.begin(), entry.firing.end(), [&](const AlertEntry* alert) {
                           return muter_.inhibitor().InhibitedBy(alert->effective, now).has_value();
                         });
  if (inhibited) {
    return {"all of its alerts are inhibited", now + kLookAgain};
  }
  return {};
}

void Engine::HoldChain(IncidentEntry& entry, Timestamp now, Effects& fx) {
  const Incident& incident = entry.incident;
  if (!IsSet(incident.chain_next_at) || incident.chain_next_at > now || !WaitsForSomebody(entry)) {
    return;
  }
  const ChainHold hold = HoldOf(entry, now);
  if (hold.why.empty()) {
    entry.chain_held = 0;
    return;
  }
  incidents_.HoldChain(entry, hold.until);
  if (entry.chain_held == 0) {
    entry.chain_held = 1;
    EventRecord event = IncidentEvent(incident, now, "chain_held");
    event.reason = hold.why;
    fx.records.emplace_back(std::move(event));
  }
}

// Until when silences hold all of it, if that is known: until the first of its alerts may speak.
Pause Engine::PauseOfSilences(const IncidentEntry& entry, Timestamp now) {
  constexpr size_t kAlertsMax = 100;
  Pause pause{"all of its alerts are silenced", kNever};
  for (size_t i = 0; i < entry.firing.size() && i < kAlertsMax; ++i) {
    Timestamp last = kUnset;
    for (const std::string& id : muter_.MuteOf(*entry.firing[i], now).silenced_by) {
      const Silence* silence = muter_.silences().Find(id);
      if (i == 0) {
        pause.why += fmt::format("{}{}", last == kUnset ? ": " : ", ", id);
      }
      last = silence != nullptr ? std::max(last, silence->ends_at) : kNever;  // it recurs
    }
    pause.ends_at = std::min(pause.ends_at, last);
  }
  if (pause.ends_at == kNever || pause.ends_at <= now) {
    pause.ends_at = kUnset;
  }
  return pause;
}

}  // namespace mlalert
