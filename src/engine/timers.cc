// Time passes: what is due, in which order, and what happens then. And what a clock that was set back means.
#include <algorithm>
#include <utility>

#include "config/calendars.h"
#include "engine/engine.h"
#include "incidents/ladder.h"

namespace mlalert {
namespace {

constexpr size_t kRecordsExpectedMax = 512;
// A wall clock that falls by more than this was set back; less is the usual slewing.
constexpr Duration kClockStep = std::chrono::seconds(10);
// How many members of a group that is looked at take as long as one timer.
constexpr size_t kMembersPerTimer = 16;
constexpr Duration kAuditInterval = std::chrono::minutes(1);

// Audits that were queued before the clock was set back do not count any more.
uint64_t AuditRound(Timestamp clock_stepped_at) {
  return IsSet(clock_stepped_at) ? static_cast<uint64_t>(ToUnixMillis(clock_stepped_at)) : 0;
}

}  // namespace

// Timers hold instants: when the wall clock is set back, those who wait for one must not wait for the step as
// well.
void Engine::ObserveClock(Timestamp now) {
  const Timestamp before = std::exchange(last_now_, now);
  // What a group that sleeps would look at at this very instant is still ahead, as for one that is awake.
  if (NextDue() >= now) {
    dispatcher_.Passed(now - Duration(1));
  }
  if (!IsSet(before) || now + kClockStep >= before) {
    return;
  }
  clock_stepped_at_ = now;
  ++quiet_epoch_;
  timers_.Add(After(now, kFirstAudit), {TimerKind::kAudit, AuditRound(now)});
  dispatcher_.OnClockSetBack(now);
  ArmRecurring(now);
  RecheckMutes(now);
  for (IncidentEntry* entry : incidents_.table().Sorted()) {
    RebaseLadderClock(entry->incident, before, now, LadderHoursOf(entry->incident, config_->calendars.get()));
    ArmIncident(*entry);
  }
  for (const auto& [id, flight] : in_flight_) {
    if (flight.waiting) {
      timers_.Add(now, {TimerKind::kRetry, static_cast<uint64_t>(id)});
    }
    ArmPatience(*flight.notification, now);
  }
}

bool Engine::RunDue(Timestamp now, Effects& fx, size_t limit) {
  ObserveClock(now);
  // Records are large to move: room for as many as lately.
  if (fx.records.empty()) {
    fx.records.reserve(std::min(records_expected_, kRecordsExpectedMax));
  }
  const size_t before = fx.records.size();
  const bool done = RunTimers(now, fx, limit);
  records_expected_ = std::max(fx.records.size() - before, records_expected_ - records_expected_ / 8);
  return done;
}

bool Engine::RunTimers(Timestamp now, Effects& fx, size_t limit) {
  for (size_t i = 0; i < limit; ++i) {
    if (RouseSettled()) {
      return false;
    }
    // Alerts, then incidents, then groups of the same instant: what resolves now is told now.
    Timestamp due;
    TimerKey key{};
    const Timestamp incident_due = incidents_.table().NextDue();
    const Timestamp group_due = dispatcher_.NextDue();
    dispatcher_.Passed(std::min({timers_.NextDue(), incident_due, group_due, now}) - Duration(1));
    if (timers_.NextDue() <= std::min(incident_due, group_due) && timers_.PopDue(now, due, key)) {
      RunTimer(key, now, fx);
      if (std::exchange(walked_, false)) {
        break;
      }
      continue;
    }
    if (incident_due <= group_due && incident_due <= now) {
      if (IncidentEntry* incident = incidents_.table().PopDue(now)) {
        RunIncident(*incident, now, fx);
      }
      continue;
    }
    if (group_due > now) {
      dispatcher_.Passed(now);
      break;
    }
    if (Group* group = dispatcher_.PopDue(now, QuietEpoch())) {
      i += group->members.size() / kMembersPerTimer;
      Flush(*group, now, fx);
    }
  }
  return NextDue() > now;
}

void Engine::RunIncident(IncidentEntry& entry, Timestamp now, Effects& fx) {
  const bool was_over = entry.incident.state == IncidentState::kResolved;
  HoldChain(entry, now, fx);
  const bool changed = Apply(incidents_.OnTimer(entry, now), now, fx);
  if (was_over && changed) {
    RecheckMute(entry, now, fx);  // it may have opened again, and be silenced
  }
  Timestamp due = incidents_.NextDue(entry);
  if (changed && due <= now) {
    // A raise was told; what it brings at once comes next.
    HoldChain(entry, now, fx);
    Apply(incidents_.OnTimer(entry, now), now, fx);
    due = incidents_.NextDue(entry);
  }
  incidents_.table().Release(entry, due);
}

Timestamp Engine::NextDue() const {
  if (dispatcher_.IsRousing() || (QuietEpoch() != roused_epoch_ && dispatcher_.AnyAsleep())) {
    return last_now_;
  }
  return std::min({timers_.NextDue(), incidents_.table().NextDue(), dispatcher_.NextDue()});
}

void Engine::RunTimer(const TimerKey& key, Timestamp now, Effects& fx) {
  switch (key.kind) {
    case TimerKind::kAlertExpiry: {
      AlertEntry* alert = alerts_.Find(key.id);
      if (alert == nullptr || !alert->firing || alert->expiry_timer > now) {
        return;
      }
      if (alert->alert.ends_at <= now) {
        Resolve(*alert, ResolveReason::kTimeout, now, fx);
      } else {
        ArmExpiry(*alert);
      }
      return;
    }
    case TimerKind::kAudit:
      if (key.id != AuditRound(clock_stepped_at_)) {
        return;  // that one waits for an hour that was set back
      }
      Audit(now, fx);
      timers_.Add(After(now, kAuditInterval), {TimerKind::kAudit, key.id});
      return;
    case TimerKind::kGroupLook:
      if (Group* group = dispatcher_.Find(static_cast<GroupId>(key.id))) {
        group->look_at = kUnset;
        dispatcher_.FlushEarly(group->id, now);
      }
      return;
    case TimerKind::kSilenceEdge:
      ++quiet_epoch_;
      RecheckMutes(now);
      return;
    case TimerKind::kWalk:
      RunWalk(now, fx);
      return;
    case TimerKind::kRecurringEdge:
      if (key.id == recurring_round_) {
        OnRecurringEdge(now, fx);
      }
      return;
    case TimerKind::kEndSilences:
      EndSilences(now, fx);
      return;
    case TimerKind::kHandOver:
      if (hand_over_at_ <= now) {  // else of the schedules before a reload
        HandOver(now, fx);
      }
      return;
    case TimerKind::kRetry: {
      auto it = in_flight_.find(static_cast<int64_t>(key.id));
      if (it == in_flight_.end() || !it->second.waiting) {
        return;
      }
      RetryOrGiveUp(it->second, now, fx);
      return;
    }
    case TimerKind::kPatience: {
      auto it = in_flight_.find(static_cast<int64_t>(key.id));
      if (it != in_flight_.end()) {
        OnPatience(it->second, now, fx);
      }
      return;
    }
    case TimerKind::kAbandon: {
      auto it = in_flight_.find(static_cast<int64_t>(key.id));
      if (it != in_flight_.end()) {
        Abandon(it->second, "unanswered when the configuration was reloaded", now, fx);
      }
      return;
    }
    case TimerKind::kMaintenance:
      DropExpired(now, fx);
      inbound_.DropExpired(now);
      if (log_expires_at_ <= now) {
        log_expires_at_ = kNever;
        StartWalk(log_walk_, now);
      }
      timers_.Add(After(now, options_.data_maintenance_interval), {TimerKind::kMaintenance, 0});
      return;
    case TimerKind::kAlertGc:
      ++gc_round_;
      StartWalk(alert_walk_, now);
      timers_.Add(After(now, options_.alert_gc_interval), {TimerKind::kAlertGc, 0});
      return;
    case TimerKind::kCall:
      EndCall(static_cast<int64_t>(key.id), false, "Twilio did not say how the call ended", now, fx);
      return;
  }
}

void Engine::DropExpired(Timestamp now, Effects& fx) {
  for (std::string& id : muter_.silences().Collect(now)) {
    fx.records.emplace_back(SilenceDelete{std::move(id)});
  }
}

}  // namespace mlalert
