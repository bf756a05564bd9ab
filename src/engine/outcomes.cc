// What becomes of what was said: answers of receivers, retries, giving up, and the log of who knows what. And
// what stops a message that is queued: somebody acted, a reload.
#include <algorithm>
#include <fmt/format.h>
#include <utility>
#include <vector>

#include "engine/engine.h"

namespace mlalert {
namespace {

// How long a reload lets an attempt that is under way wait for its answer. Then its group decides anew, by
// the new config: heard twice is better than a page that hangs on an address that was just mended.
constexpr Duration kReloadGrace = std::chrono::seconds(2);

}  // namespace

// Nobody has it in hand, and it is not over.
bool Engine::WaitsForSomebody(const IncidentEntry& entry) {
  return entry.incident.state == IncidentState::kOpen && !IsSnoozed(entry.incident);
}

bool Engine::StillWanted(const Notification& notification) {
  if (notification.reason == NotifyReason::kAllResolved ||
      notification.reason == NotifyReason::kSomeResolved || notification.reason == NotifyReason::kDigest ||
      notification.reason == NotifyReason::kAcknowledged) {
    return true;
  }
  // What was known already is not what it is about, unless all of it was.
  const bool about_news =
      std::any_of(notification.alerts.begin(), notification.alerts.end(),
                  [](const NotifiedAlert& told) { return !told.resolved && !told.quiet_repeat; });
  return std::any_of(notification.alerts.begin(), notification.alerts.end(), [&](const NotifiedAlert& told) {
    AlertEntry* alert = alerts_.Find(told.fingerprint);
    IncidentEntry* incident = incidents_.table().Find(told.incident_id);
    if (incident == nullptr || incident->incident.policy == nullptr) {
      // Alertmanager's rule: what a flush began to say is said, also when it has resolved meanwhile.
      return incident == nullptr || WaitsForSomebody(*incident) ||
             (incident->incident.state == IncidentState::kResolved && !IsHeldResolved(incident->incident));
    }
    return !(about_news && told.quiet_repeat) && alert != nullptr && alert->firing &&
           WaitsForSomebody(*incident) && told.severity <= incident->incident.severity;
  });
}

// Somebody acted: what is queued about this incident and not wanted any more never leaves. What waits for its
// retry ends here; what waits in a lane is dropped there.
void Engine::StopQueued(IncidentEntry& entry, Timestamp now, Effects& fx) {
  const IncidentId id = entry.incident.id;
  if (!WaitsForSomebody(entry)) {
    for (AlertEntry* alert : entry.firing) {
      for (const GroupSlot& slot : alert->groups) {
        GroupMember& member = dispatcher_.Find(slot.group)->members[slot.member];
        member.asked = member.telling = false;
      }
    }
  }
  std::vector<int64_t> waiting;
  for (auto& [flight_id, flight] : in_flight_) {
    const Notification& n = *flight.notification;
    const bool about = std::any_of(n.alerts.begin(), n.alerts.end(),
                                   [&](const NotifiedAlert& told) { return told.incident_id == id; });
    if (!about || StillWanted(n)) {
      continue;
    }
    n.stopped->store(true, std::memory_order_release);
    if (flight.waiting) {
      waiting.push_back(flight_id);
    }
  }
  std::sort(waiting.begin(), waiting.end());
  for (int64_t flight_id : waiting) {
    Abandon(in_flight_.at(flight_id), "somebody acted before it could be delivered", now, fx);
  }
}

void Engine::Abandon(InFlight& flight, std::string why, Timestamp now, Effects& fx) {
  NotificationOutcome cancelled;
  cancelled.notification_id = flight.notification->id;
  cancelled.attempt = flight.attempt;
  cancelled.verdict = DeliveryVerdict::kCancelled;
  cancelled.error = std::move(why);
  Conclude(flight, cancelled, now, fx);
}

// Upstream cancels what is being sent when the config is reloaded. Here an attempt that is under way may end,
// so that nobody hears it twice; it is not tried again.
void Engine::AbandonAttempts(Timestamp now, Effects& fx) {
  std::vector<int64_t> waiting;
  for (const auto& [id, flight] : in_flight_) {
    if (flight.waiting) {
      waiting.push_back(id);
    } else {
      timers_.Add(now + kReloadGrace, {TimerKind::kAbandon, static_cast<uint64_t>(id)});
    }
  }
  std::sort(waiting.begin(), waiting.end());
  for (int64_t id : waiting) {
    Abandon(in_flight_.at(id), "the configuration was reloaded before it could be delivered", now, fx);
  }
}

void Engine::OnOutcome(const NotificationOutcome& outcome, Timestamp now, Effects& fx) {
  auto it = in_flight_.find(outcome.notification_id);
  if (it == in_flight_.end() || it->second.attempt != outcome.attempt || it->second.waiting) {
    return;  // an answer to an attempt that is no longer waited for
  }
  InFlight& flight = it->second;
  if (outcome.verdict == DeliveryVerdict::kRetry && WasMade(*flight.notification, now)) {
    NotificationOutcome made = outcome;
    made.verdict = DeliveryVerdict::kSent;
    Conclude(flight, made, now, fx);
    return;
  }
  if (outcome.verdict == DeliveryVerdict::kRetry) {
    if (flight.notification->config != config_) {
      Abandon(flight, fmt::format("{} (not tried again: the configuration was reloaded)", outcome.error), now,
              fx);
      return;
    }
    if (flight.notification->stopped->load(std::memory_order_relaxed)) {
      Abandon(flight, fmt::format("{} (not tried again: somebody acted)", outcome.error), now, fx);
      return;
    }
    if (flight.attempt > 1 && HasNextNumber(*flight.notification)) {
      // Somebody must be reached: another number, rather than a third time.
      Conclude(flight, outcome, now, fx);
      return;
    }
    if (now < flight.notification->deadline) {
      // As upstream the wait is counted from the start of the attempt: a receiver that is slow to fail is
      // asked again at once.
      std::optional<Duration> retry_after;
      if (outcome.retry_after) {
        retry_after = *outcome.retry_after + (now - flight.attempted_at);
      }
      Timestamp again = flight.notification->deadline;
      if (std::optional<Timestamp> next = flight.schedule.Next(flight.attempted_at, retry_after)) {
        again = std::max(*next, now);
        fx.records.emplace_back(AttemptRecord(*flight.notification, outcome, "retrying", now));
      } else {
        // The flush lasts until its deadline; the next tick, if one was missed, comes right after.
        flight.last_word = outcome;
      }
      flight.waiting = true;
      timers_.Add(again, {TimerKind::kRetry, static_cast<uint64_t>(outcome.notification_id)});
      return;
    }
  }
  Conclude(flight, outcome, now, fx);
}

// The wait of a flight is over.
void Engine::RetryOrGiveUp(InFlight& flight, Timestamp now, Effects& fx) {
  flight.waiting = false;
  if (!StillWanted(*flight.notification)) {
    Abandon(flight, "acknowledged or resolved before it could be delivered", now, fx);
  } else if (flight.last_word) {
    const NotificationOutcome last_word = *flight.last_word;
    Conclude(flight, last_word, now, fx);
  } else {
    ++flight.attempt;
    flight.attempted_at = now;
    fx.attempts.push_back({flight.notification, flight.attempt});
  }
}

void Engine::Conclude(InFlight& flight, const NotificationOutcome& outcome, Timestamp now, Effects& fx) {
  NotificationPtr notification = flight.notification;
  const Notification& n = *notification;
  bool sent = outcome.verdict == DeliveryVerdict::kSent;
  bool cancelled = outcome.verdict == DeliveryVerdict::kCancelled;
  std::vector<IncidentId> unreached;
  NotificationRecord record = AttemptRecord(n, outcome,
                                            sent        ? "sent"
                                            : cancelled ? "cancelled"
                                                        : "failed",
                                            now);
  if (sent) {
    for (const NotifiedAlert& told : n.alerts) {
      const bool speaks_of_firing = SpeaksOfFiring(n.reason) || n.reason == NotifyReason::kDigest;
      // What only stands in the list because it fires still is not told anew.
      if (told.resolved || told.quiet_repeat || !speaks_of_firing) {
        continue;
      }
      if (IncidentEntry* entry = incidents_.table().Find(told.incident_id)) {
        // It cools from now on, and what others know of this episode may be told anew: else it says less.
        const bool first = entry->incident.last_told_at < entry->incident.last_fired_at;
        incidents_.OnTold(*entry, now, told.severity);
        if (first) {
          Unsettle(*entry);
        }
        auto mentioned = std::lower_bound(
            record.incidents.begin(), record.incidents.end(), told.incident_id,
            [](const MentionedIncident& incident, IncidentId id) { return incident.id < id; });
        mentioned->told = true;
        mentioned->told_severity = entry->incident.told_severity;
      }
    }
  }
  fx.records.emplace_back(std::move(record));
  if (sent) {
    WriteLog(n, outcome.receiver_data, KnownAsOf(n, now), now, fx);
  } else if (!cancelled) {
    EventRecord event;
    event.at = now;
    event.type = "notification_given_up";
    event.actor_kind = "system";
    event.actor =
        fmt::format("{}/{}[{}]", n.receiver->name, ToString(n.integration.kind), n.integration.index);
    event.incident_id = n.alerts.empty() ? 0 : n.alerts.front().incident_id;
    event.reason = outcome.error;
    fx.given_up.push_back(
        fmt::format("{}: notify retry canceled {}after {} attempts: {}", event.actor,
                    outcome.verdict == DeliveryVerdict::kFailed ? "due to unrecoverable error " : "",
                    outcome.attempt, outcome.error));
    fx.records.emplace_back(std::move(event));
    if (n.call_id == 0 && !flight.others_asked) {  // who is called has other numbers, see ConcludeCall
      unreached = Unreached(n, now);
    }
  }
  auto waiters = std::move(flight.waiters);
  std::string log_key =
      NflogKey(n.group_key, n.receiver->name, std::string(ToString(n.integration.kind)), n.integration.index);
  in_flight_by_log_key_.erase(log_key);
  in_flight_.erase(n.id);
  if (Group* group = dispatcher_.Find(n.group_id); group != nullptr && group->in_flight > 0) {
    --group->in_flight;
    group->failed = group->failed || (!sent && !cancelled);
    if (!sent) {
      dispatcher_.Unsettle(*group);
    } else if (group->in_flight == 0 && group->may_settle && !group->flush_again) {
      Settle(*group, now);
    }
    if (!sent && IsSet(group->page_at)) {
      for (GroupMember& member : group->members) {
        member.asked = member.asked || member.telling;
        member.telling = false;
      }
    }
    FinishIfDone(*group, now, fx);
  }
  for (GroupId id : waiters) {
    dispatcher_.FlushEarly(id, now);
  }
  GoOnWithChain(unreached, n, "could not be reached", now, fx);
  if (n.call_id != 0) {
    ConcludeCall(n, outcome, now, fx);
  }
}

void Engine::FinishIfDone(Group& group, Timestamp now, Effects& fx) {
  if (group.in_flight > 0) {
    return;
  }
  dispatcher_.FinishFlush(group, !group.failed, now, fx.records);
}

// News that came while the message was on its way is news to its receiver still: what the log holds is then
// as of the message, not of its answer.
Timestamp Engine::KnownAsOf(const Notification& n, Timestamp now) {
  auto since = [&](Timestamp at) { return at > n.flushed_at && at <= now; };
  const Group* group = dispatcher_.Find(n.group_id);
  const bool news = (group != nullptr && since(group->page_at)) ||
                    std::any_of(n.alerts.begin(), n.alerts.end(), [&](const NotifiedAlert& told) {
                      const IncidentEntry* entry = incidents_.table().Find(told.incident_id);
                      if (entry == nullptr) {
                        return false;
                      }
                      const IncidentCare& care = *entry->incident.care;
                      return since(care.flapping_since) || since(care.woken_at) ||
                             (care.ack != nullptr && since(care.ack->at));
                    });
  return news ? n.flushed_at : now;
}

void Engine::WriteLog(const Notification& n, const std::optional<std::string>& data, Timestamp known_as_of,
                      Timestamp now, Effects& fx) {
  NflogEntry entry;
  entry.group_key = n.group_key;
  entry.receiver = n.receiver->name;
  entry.integration = ToString(n.integration.kind);
  entry.index = n.integration.index;
  entry.timestamp = known_as_of;
  entry.firing = n.firing;
  entry.resolved = n.resolved;
  entry.acknowledged = n.acknowledged;
  entry.data = data ? *data : n.receiver_data;
  const Duration retention = options_.data_retention;
  entry.expires_at = After(now, n.repeat_interval < retention / 2 ? 2 * n.repeat_interval : retention);
  log_expires_at_ = std::min(log_expires_at_, entry.expires_at);
  fx.records.emplace_back(entry);
  nflog_[NflogKey(entry.group_key, entry.receiver, entry.integration, entry.index)] = std::move(entry);
}

NotificationRecord Engine::AttemptRecord(const Notification& n, const NotificationOutcome& outcome,
                                         std::string_view result, Timestamp now) {
  NotificationRecord record;
  record.id = next_attempt_id_++;
  record.at = now;
  record.group_key = n.group_key;
  record.receiver = n.receiver->name;
  record.integration = ToString(n.integration.kind);
  record.index = n.integration.index;
  record.reason = ToString(n.reason);
  record.attempt = outcome.attempt;
  record.outcome = result;
  record.http_status = outcome.http_status;
  record.latency_ms = outcome.latency / std::chrono::milliseconds(1);
  record.error = outcome.error;
  record.severity = n.MaxSeverity();
  record.firing = static_cast<uint32_t>(n.firing.size());
  record.resolved = static_cast<uint32_t>(n.resolved.size());
  std::vector<IncidentId> ids;
  ids.reserve(n.alerts.size());
  for (const NotifiedAlert& alert : n.alerts) {
    if (alert.incident_id != 0) {
      ids.push_back(alert.incident_id);
    }
  }
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  record.incidents.reserve(ids.size());
  for (IncidentId id : ids) {
    record.incidents.push_back({id});
  }
  return record;
}

}  // namespace mlalert
