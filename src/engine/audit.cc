// The engine looks at itself every minute: what must always hold, does it? A breach is counted, and is an
// alert of its own where incidents have policies. What can be told from the head of a queue (timers, messages
// under way, incidents that wait to be heard of, two of one identity since one of them opened) is asked of
// all of them every minute; besides, the times of 2,000 incidents and what the log says of 2,000 alerts are
// looked at, in turn, so that 100,000 cost less than a millisecond a minute.
#include <algorithm>
#include <fmt/format.h>
#include <set>
#include <utility>

#include "base/prefetch.h"
#include "engine/engine.h"

namespace mlalert {
namespace {

constexpr std::string_view kAlert = "MlalertInvariantBroken";
constexpr size_t kIncidentsPerAudit = 2'000;
constexpr size_t kLogAlertsPerAudit = 2'000;
constexpr Duration kLate = std::chrono::minutes(5);
constexpr Duration kLease = std::chrono::minutes(15);
constexpr Duration kAgain = std::chrono::seconds(59);  // with the next audit

constexpr std::array<std::string_view, kInvariants> kWhat = {
    "a timer of an incident is due for more than 5 minutes",
    "a notification is neither sent nor given up 5 minutes after its deadline",
    "a P0 or P1 incident that waits for somebody was told to nobody and has no step ahead",
    "two incidents of the same identity are open",
    "a receiver that was told that something fires was never told that it is over",
    "rules are evaluated more than three intervals late",
    "the wall clock was set back by more than 5 seconds",
};

}  // namespace

// Does nothing hold back a notification about this alert to a receiver of the routing tree now? That nobody
// is on call there is no excuse.
bool Engine::IsAudible(const AlertEntry& alert, Timestamp now) {
  const AlertMute mute = muter_.MuteOf(alert, now);
  if (!mute.silenced_by.empty() || mute.inhibited_by) {
    return false;
  }
  return std::any_of(alert.groups.begin(), alert.groups.end(), [&](const GroupSlot& slot) {
    const Group* group = dispatcher_.Find(slot.group);
    return group != nullptr && group->orphan == nullptr && !group->members[slot.member].moved &&
           muter_.MuteOf(*dispatcher_.routes().node(group->route).route, now).reason == MuteReason::kNone;
  });
}

// A slice of the incidents: is each waited for when it is due?
uint64_t Engine::CountLate(Timestamp now) {
  std::vector<const IncidentEntry*> entries;
  entries.reserve(std::min(incidents_.table().size(), kIncidentsPerAudit));
  audit_incident_ = incidents_.table().VisitSlice(
      audit_incident_ != 0 ? audit_incident_ : SlotList<IncidentEntry>::kEnd, kIncidentsPerAudit,
      [&](const IncidentEntry& entry) { entries.push_back(&entry); });
  uint64_t late = 0;
  ForBatches(std::span(entries), [&](std::span<const IncidentEntry*> batch) {
    for (const IncidentEntry* entry : batch) {
      Prefetch(*entry);
    }
    for (const IncidentEntry* entry : batch) {
      late += After(incidents_.NextDue(*entry), kLate) < now ? 1 : 0;
    }
  });
  return late;
}

// An incident has just opened: is another one of its key open? They are known by the newest.
void Engine::WatchTwins(const IncidentEntry& entry) {
  IncidentTable& table = incidents_.table();
  if (table.CountOpen(entry.incident.key) > 1) {
    twins_.insert(table.FindByKey(entry.incident.key)->incident.id);
  }
}

// How many are one too many, until they are over.
uint64_t Engine::CountTwins() {
  uint64_t count = 0;
  std::erase_if(twins_, [&](IncidentId id) {
    const IncidentEntry* entry = incidents_.table().Find(id);
    const size_t open = entry != nullptr ? incidents_.table().CountOpen(entry->incident.key) : 0;
    count += open > 1 ? open - 1 : 0;
    return open < 2;
  });
  return count;
}

// Of what the log says of so many alerts: how many are over without the receiver having heard.
uint64_t Engine::CountOwed() {
  if (ended_alerts_.empty()) {
    return 0;  // whatever is known fires
  }
  uint64_t broken = 0;
  size_t left = kLogAlertsPerAudit;
  auto it = nflog_.lower_bound(audit_log_);
  for (; it != nflog_.end() && left > 0; ++it) {
    const NflogEntry& entry = it->second;
    left -= std::min(left, entry.firing.size() + 1);
    ForBatches(std::span(entry.firing), [&](std::span<const uint64_t> batch) {
      alerts_.Prefetch(batch);
      for (uint64_t fingerprint : batch) {
        const AlertEntry* alert = alerts_.Find(fingerprint);
        // Whoever has left its last group will never be told of again.
        if (alert == nullptr || alert->firing || !alert->groups.empty()) {
          continue;
        }
        const IncidentEntry* incident = incidents_.table().Find(alert->incident_id);
        broken += incident != nullptr && incident->incident.policy != nullptr &&
                          config_->FindReceiver(entry.receiver) != nullptr
                      ? 1
                      : 0;
      }
    });
  }
  audit_log_ = it != nflog_.end() ? it->first : std::string();
  return broken;
}

// Nobody has it in hand, it is as urgent as P1, and nobody was told of it.
bool Engine::IsUnheard(const IncidentEntry& entry) {
  const Incident& incident = entry.incident;
  return WaitsForSomebody(entry) && incident.policy != nullptr && incident.severity >= Severity::kP1 &&
         !IsSet(incident.last_told_at) &&  // in this episode, or its cooldown runs
         incident.labels.Get("alertname") != kAlert;
}

void Engine::Watch(const IncidentEntry& entry, Timestamp now) {
  if (IsUnheard(entry)) {
    watched_.emplace(Turn<IncidentId>{now + 2 * kLate, entry.incident.id});
  }
}

// Looked at ten minutes after each transition, and every minute from there on until somebody has heard.
uint64_t Engine::CountUnheard(Timestamp now) {
  std::set<IncidentId> due;
  while (!watched_.empty() && watched_.top().at <= now) {
    due.insert(watched_.top().id);
    watched_.pop();
  }
  uint64_t broken = 0;
  for (IncidentId id : due) {
    const IncidentEntry* entry = incidents_.table().Find(id);
    if (entry == nullptr || !IsUnheard(*entry)) {
      continue;
    }
    const Incident& incident = entry->incident;
    const IncidentEntry* storm =
        incident.care->parent != 0 ? incidents_.table().Find(incident.care->parent) : nullptr;
    const bool after_storm =
        storm != nullptr && storm->incident.state == IncidentState::kResolved &&
        storm->incident.resolved_at + kLate >= now;  // the next tick of its group tells it
    const bool may_wait = after_storm || incident.last_fired_at + 2 * kLate >= now ||
                          IsSet(incident.chain_next_at) || IsSet(incident.care->muted_since) ||
                          IsSet(incident.care->flapping_since) || IsInStorm(incident);
    // What it waits for may be over in a moment: then it takes its time to be told.
    watched_.emplace(Turn<IncidentId>{now + (may_wait ? kLate : kAgain), id});
    broken += !may_wait && std::any_of(entry->firing.begin(),
                                       entry->firing.begin() + std::min<size_t>(entry->firing.size(), 8),
                                       [&](const AlertEntry* alert) { return IsAudible(*alert, now); })
                  ? 1
                  : 0;
  }
  return broken;
}

void Engine::Audit(Timestamp now, Effects& fx) {
  std::array<uint64_t, kInvariants> broken{};
  // After a pause of the whole process everything is late, and is done as soon as this audit lets it.
  const Timestamp before = std::exchange(audited_at_, now);
  if (!IsSet(before) || now - before < kLate) {
    broken[0] = std::max<uint64_t>(CountLate(now), After(incidents_.table().NextDue(), kLate) < now ? 1 : 0);
    for (const auto& [id, flight] : in_flight_) {
      broken[1] += flight.notification->deadline + kLate < now ? 1 : 0;
    }
  }
  broken[2] = CountUnheard(now);
  broken[3] = CountTwins();
  broken[4] = CountOwed();
  broken[5] = std::exchange(rules_late_, 0);
  broken[6] = IsSet(clock_stepped_at_) && now - clock_stepped_at_ < kLate ? 1 : 0;
  uint64_t all = 0;
  for (size_t i = 0; i < kInvariants; ++i) {
    stats_.invariants_broken[i] = broken[i];
    stats_.invariant_breaches[i] += broken[i];
    all += broken[i];
    if (broken[i] > 0 && !config_->incident_policies.empty()) {
      IngestOwn(LabelSet::From({{"alertname", kAlert},
                                {"invariant", fmt::format("I{}", i + 1)},
                                {"severity", i == 5 || i == 6 ? "P2" : "P1"}}),
                LabelSet::From({{"summary", fmt::format("mlalert: {}", kWhat[i])}}), now + kLease, now, fx);
    }
  }
  stats_.audits += 1;
  if (all == 0) {
    stats_.last_clean_audit = now;
  }
}

}  // namespace mlalert
