// What has to look at everything: what was kept quiet may not be any more, resolved alerts and expired log
// entries go. A hundred thousand of them take longer than anybody may wait for the gate, so a walk goes on in
// slices, and the gate lets others in between (RunDue returns after each). Walks start when there is a
// reason, not every minute.
#include <algorithm>
#include <utility>
#include <vector>

#include "engine/engine.h"

namespace mlalert {
namespace {

// A millisecond or two.
constexpr size_t kWalkSlice = 1000;

// What has expired and is owed still is looked at again: what ends that writes the entry anew, as a rule.
constexpr Duration kOwedAgain = std::chrono::hours(2);

// A slice of a list, from `from` down; what `stays` says no to leaves it. Gives the `from` of the next slice.
template <class T, class F>
size_t WalkList(std::vector<T>& list, size_t from, F&& stays) {
  size_t at = std::min(from, list.size());
  const size_t end = at - std::min(kWalkSlice, at);
  while (at > end) {
    if (!stays(list[--at])) {
      list[at] = list.back();
      list.pop_back();
    }
  }
  return at;
}

}  // namespace

void Engine::StartWalk(Walk& walk, Timestamp now) {
  walk.from = SlotList<AlertEntry>::kEnd;  // one that is under way begins anew: something changed since
  walk.after.clear();
  if (!std::exchange(walk.active, true) && !std::exchange(walking_, true)) {
    timers_.Add(now, {TimerKind::kWalk, 0});
  }
}

void Engine::RunWalk(Timestamp now, Effects& fx) {
  walking_ = false;
  walked_ = true;
  if (mute_walk_.active) {
    WalkMutes(now, fx);
  } else if (alert_walk_.active) {
    CollectAlerts(now, fx);
  } else if (incident_walk_.active) {
    CollectIncidents(now);
  } else if (log_walk_.active) {
    CollectLog(now, fx);
  } else {
    return;
  }
  const bool more = mute_walk_.active || alert_walk_.active || incident_walk_.active || log_walk_.active;
  if (more && !std::exchange(walking_, true)) {
    timers_.Add(now, {TimerKind::kWalk, 0});
  }
}

// Sources of inhibition may come faster than a hundred thousand incidents are looked at: a walk that is under
// way goes on to its end.
void Engine::RecheckMutes(Timestamp now) {
  if (mute_walk_.active) {
    mute_walk_.again = true;
  } else {
    StartWalk(mute_walk_, now);
  }
}

void Engine::WalkMutes(Timestamp now, Effects& fx) {
  std::vector<IncidentEntry*> entries;
  mute_walk_.from = incidents_.table().VisitSlice(mute_walk_.from, kWalkSlice,
                                                  [&](IncidentEntry& entry) { entries.push_back(&entry); });
  mute_walk_.active = mute_walk_.from != 0;
  for (IncidentEntry* entry : entries) {
    RecheckMute(*entry, now, fx);
  }
  if (!mute_walk_.active && std::exchange(mute_walk_.again, false)) {
    mute_walk_.from = SlotList<IncidentEntry>::kEnd;
    mute_walk_.active = true;
  }
}

// What fires needs no look: only what has ended may be forgotten.
void Engine::NoteEnded(AlertEntry& alert) {
  if (!std::exchange(alert.ended, true)) {
    ended_alerts_.push_back(alert.alert.fingerprint());
  }
}

void Engine::NoteEnded(IncidentEntry& entry) {
  if (entry.ended == 0) {
    entry.ended = 1;
    ended_incidents_.push_back(entry.incident.id);
  }
}

// Resolved alerts that no group speaks of. Incidents of those that stay, stay.
void Engine::CollectAlerts(Timestamp now, Effects& fx) {
  std::vector<std::pair<uint64_t, int64_t>> gone;  // fingerprint, episode
  alert_walk_.from = WalkList(ended_alerts_, alert_walk_.from, [&](uint64_t fingerprint) {
    AlertEntry* const alert = alerts_.Find(fingerprint);
    if (alert == nullptr || alert->firing) {
      if (alert != nullptr) {
        alert->ended = false;
      }
      return false;
    }
    if (alert->groups.empty()) {
      gone.emplace_back(fingerprint, alert->episode_id);
      return false;
    }
    if (IncidentEntry* entry = incidents_.table().Find(alert->incident_id)) {
      entry->gc_round = gc_round_ & kGcRoundMask;
    }
    return true;
  });
  std::sort(gone.begin(), gone.end());
  for (const auto& [fingerprint, episode] : gone) {
    muter_.Forget(fingerprint);
    alerts_.Erase(fingerprint);
    if (episode != 0) {
      fx.records.emplace_back(AlertDelete{fingerprint, episode});
    }
  }
  if (alert_walk_.from == 0) {
    alert_walk_.active = false;
    StartWalk(incident_walk_, now);
  }
}

// Incidents that cannot reopen, and that no alert of this round belongs to.
void Engine::CollectIncidents(Timestamp now) {
  incident_walk_.from = WalkList(ended_incidents_, incident_walk_.from, [&](IncidentId id) {
    IncidentEntry* const entry = incidents_.table().Find(id);
    if (entry == nullptr || entry->incident.state != IncidentState::kResolved) {
      if (entry != nullptr) {
        entry->ended = 0;
      }
      return false;
    }
    if (!entry->firing.empty() || entry->gc_round == gc_round_ ||
        incidents_.KeepUntil(entry->incident) >= now) {
      return true;
    }
    decisions_.erase(decisions_.lower_bound({id, 0}), decisions_.lower_bound({id + 1, 0}));
    incidents_.table().Erase(id);
    return false;
  });
  incident_walk_.active = incident_walk_.from != 0;
}

void Engine::CollectLog(Timestamp now, Effects& fx) {
  auto it = nflog_.lower_bound(log_walk_.after);
  for (size_t left = kWalkSlice; it != nflog_.end() && left > 0; --left) {
    const NflogEntry& entry = it->second;
    const bool expired = entry.expires_at <= now;
    if (expired && !IsOwed(entry)) {
      fx.records.emplace_back(NflogDelete{entry.group_key, entry.receiver, entry.integration, entry.index});
      it = nflog_.erase(it);
      ++quiet_epoch_;
      continue;
    }
    log_expires_at_ = std::min(log_expires_at_, expired ? After(now, kOwedAgain) : entry.expires_at);
    ++it;
  }
  log_walk_.active = it != nflog_.end();
  log_walk_.after = log_walk_.active ? it->first : std::string();
}

// Alertmanager lets an entry expire because a firing group is told again before. An alert that somebody
// acknowledged or snoozed, or one under a policy, may be silent for longer and its receivers are still owed
// the resolve. So the engine alone says which rows of the log go.
bool Engine::IsOwed(const NflogEntry& entry) {
  return std::any_of(entry.firing.begin(), entry.firing.end(), [&](uint64_t fingerprint) {
    const AlertEntry* alert = alerts_.Find(fingerprint);
    const IncidentEntry* incident = alert != nullptr ? incidents_.table().Find(alert->incident_id) : nullptr;
    return incident != nullptr &&
           (incident->incident.policy != nullptr ||
            incident->incident.state == IncidentState::kAcknowledged || IsSnoozed(incident->incident));
  });
}

// Silences that were set "until it resolves" (annotation until_resolved: "true") end with the last alert they
// cover, also when nobody hears that it resolved. Looked at once for all that resolves at one instant.
void Engine::EndSilencesOf(const AlertEntry& alert, Timestamp now) {
  if (!muter_.silences().AnyUntilResolved()) {
    return;
  }
  for (const std::string& id : muter_.MuteOf(alert, now).silenced_by) {
    const Silence* silence = muter_.silences().Find(id);
    if (silence != nullptr && silence->annotations.Get(kUntilResolved) == "true") {
      if (ending_silences_.empty()) {
        timers_.Add(now, {TimerKind::kEndSilences, 0});
      }
      ending_silences_.insert(id);
    }
  }
}

void Engine::EndSilences(Timestamp now, Effects& fx) {
  for (const std::string& id : std::exchange(ending_silences_, {})) {
    const Silence* silence = muter_.silences().Find(id);
    if (silence == nullptr) {
      continue;
    }
    bool covers = false;
    for (size_t from = SlotList<AlertEntry>::kEnd; from != 0 && !covers;) {
      from = alerts_.VisitSlice(from, kWalkSlice, [&](const AlertEntry& other) {
        covers = covers || (other.firing && MatchesAll(silence->matchers, other.effective));
      });
    }
    if (!covers) {
      (void)ExpireSilence(id, now, fx);
    }
  }
}

}  // namespace mlalert
