// While nobody may be told of an incident, the steps of its chain wait: in a storm, outside business hours,
// during its cooldown, while all of it is silenced for its severity. (What is silenced otherwise or inhibited
// stands altogether, see mute_recheck.cc.) Else they would be taken unheard, or all be told at once in the
// end. A step waits when its time has come; those that follow keep their distance to it.
#include <algorithm>
#include <fmt/format.h>

#include "config/calendars.h"
#include "engine/engine.h"
#include "engine/storm.h"
#include "incidents/business_hours.h"
#include "incidents/chain.h"
#include "model/incident_hours.h"

namespace mlalert {
namespace {

// The end of a storm is no event of those that it holds back.
constexpr Duration kLookAgain = std::chrono::minutes(1);
// What business hours drop is not told before it becomes more severe.
constexpr Duration kDroppedAgain = std::chrono::hours(1);

// All of its alerts, each by whatever.
bool IsMuted(Muter& muter, const IncidentEntry& entry, Timestamp now) {
  return !entry.firing.empty() && muter.silences().size() > 0 &&
         std::all_of(entry.firing.begin(), entry.firing.end(), [&](const AlertEntry* alert) {
           const AlertMute mute = muter.MuteOf(*alert, now);
           return mute.inhibited_by.has_value() || !mute.silenced_by.empty();
         });
}

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
  const Timestamp cooled = CooldownUntil(incident);
  if (IsSet(cooled) && now < cooled && incident.last_told_at < incident.last_fired_at &&
      incident.severity <= incident.told_severity && !StandsForStorm(incident)) {
    return {fmt::format("cooldown until {}", FormatRfc3339Millis(cooled)), cooled, true};
  }
  return {};
}

void Engine::HoldChain(IncidentEntry& entry, Timestamp now, Effects& fx) {
  Incident& incident = entry.incident;
  if (!IsSet(incident.chain_next_at) || incident.chain_next_at > now || !WaitsForSomebody(entry)) {
    return;
  }
  ChainHold hold = HoldOf(entry, now);
  if (hold.why.empty() && IsMuted(muter_, entry, now)) {
    hold = {"all of its alerts are silenced or inhibited", now + kLookAgain};
  }
  if (hold.why.empty()) {
    entry.chain_held = 0;
    return;
  }
  PostponeChain(incident, hold.until);
  if (entry.chain_held == 0) {
    entry.chain_held = 1;
    fx.records.emplace_back(IncidentRecord{incident});  // a restart must not find the step overdue
    EventRecord event = IncidentEvent(incident, now, "chain_held");
    event.reason = hold.why;
    fx.records.emplace_back(std::move(event));
  }
}

}  // namespace mlalert
