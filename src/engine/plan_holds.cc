// What the engine knows of the times ahead of an incident and PlanOf does not: until when silences and
// inhibitions hold it, and when the groups that would tell it look.
#include <algorithm>
#include <fmt/format.h>
#include <utility>

#include "engine/engine.h"

namespace mlalert {
namespace {

constexpr size_t kAlertsMax = 100;
// Of the time intervals of a route: an alert that may never speak must not be looked for for ever.
constexpr int kEdgesMax = 50;

}  // namespace

std::vector<PlanStep> Engine::Plan(const Incident& incident, Timestamp now) {
  PlanHolds holds;
  const IncidentEntry* entry = incidents_.table().Find(incident.id);
  if (entry == nullptr) {
    return PlanOf(incident, *config_, dispatcher_.routes(), holds, now);
  }
  if (IsSet(incident.care->muted_since)) {
    holds.mutes = PauseOfMutes(*entry, now);
  } else if (WaitsForSomebody(*entry)) {
    ChainHold hold = HoldOf(*entry, now);
    holds.chain = {std::move(hold.why), hold.known ? hold.until : kUnset};
  }
  if (IsInStorm(incident)) {
    holds.storm = fmt::format("part of the storm {}", incident.care->parent);
  }
  if (!IsSet(incident.last_told_at) || incident.last_told_at < incident.last_fired_at) {
    holds.first_look = [this, entry, now](Timestamp from, bool at_tick) {
      return NextTelling(*entry, from, at_tick, now);
    };
  }
  return PlanOf(incident, *config_, dispatcher_.routes(), holds, now);
}

// Until when silences hold all of it, if that is known: until the first of its alerts may speak. An
// inhibition ends when its source does, and nobody knows when that is.
Pause Engine::PauseOfMutes(const IncidentEntry& entry, Timestamp now) {
  Pause pause{"", kNever};
  bool silenced = false;
  bool inhibited = false;
  std::string by;
  for (size_t i = 0; i < entry.firing.size() && i < kAlertsMax; ++i) {
    Timestamp last = kUnset;
    const AlertMute mute = muter_.MuteOf(*entry.firing[i], now);
    for (const std::string& id : mute.silenced_by) {
      const Silence* silence = muter_.silences().Find(id);
      if (i == 0) {
        by += fmt::format("{}{}", by.empty() ? ": " : ", ", id);
      }
      last = silence != nullptr ? std::max(last, silence->ends_at) : kNever;  // it recurs
      silenced = true;
    }
    if (mute.inhibited_by) {
      if (i == 0) {
        by += fmt::format("{}{}", by.empty() ? ": " : ", ", NameOfSource(*mute.inhibited_by));
      }
      last = kNever;
      inhibited = true;
    }
    pause.ends_at = std::min(pause.ends_at, last);
  }
  pause.why = fmt::format("all of its alerts are {}{}{}{}", silenced || !inhibited ? "silenced" : "",
                          silenced && inhibited ? " or " : "", inhibited ? "inhibited" : "", by);
  if (pause.ends_at == kNever || pause.ends_at <= now) {
    pause.ends_at = kUnset;
  }
  return pause;
}

// When the routes would tell it: the first of its groups that looks at or after `from` and whose route may
// speak then. `at_tick`: they look at their ticks only.
PlanLook Engine::NextTelling(const IncidentEntry& entry, Timestamp from, bool at_tick, Timestamp now) const {
  PlanLook out;
  for (size_t i = 0; i < entry.firing.size() && i < kAlertsMax; ++i) {
    for (const GroupSlot& slot : entry.firing[i]->groups) {
      const Group* group = dispatcher_.Find(slot.group);
      if (group == nullptr || group->orphan != nullptr || group->members[slot.member].moved) {
        continue;
      }
      const Route& route = *dispatcher_.routes().node(group->route).route;
      PlanLook look;
      look.at = at_tick ? dispatcher_.NextLook(*group, from) : from;
      if (at_tick && from == now && group->in_flight > 0) {
        look = {now, "on its way"};
      } else if (at_tick && look.at > from) {
        const bool first = look.at == group->created_at + route.group_wait;
        look.why = first ? fmt::format("waits for others of its group (group_wait {})",
                                       FormatDuration(route.group_wait))
                         : fmt::format("at the next tick of its group (group_interval {})",
                                       FormatDuration(route.group_interval));
      }
      RouteMute mute = muter_.MuteOf(route, look.at);
      for (int edge = 0; edge < kEdgesMax && mute.reason != MuteReason::kNone; ++edge) {
        look.why = fmt::format("{} {}", ToString(mute.reason), fmt::join(mute.names, ", "));
        look.at = dispatcher_.NextLook(*group, muter_.NextEdge(route, look.at));
        mute = muter_.MuteOf(route, look.at);
      }
      if (mute.reason == MuteReason::kNone && (!IsSet(out.at) || look.at < out.at)) {
        out = std::move(look);
      } else if (!IsSet(out.at) && out.why.empty()) {
        out.why = look.why;
      }
    }
  }
  return out;
}

}  // namespace mlalert
