#include "engine/engine.h"

#include <algorithm>
#include <fmt/format.h>
#include <iterator>
#include <optional>
#include <utility>

#include "config/calm_config.h"
#include "incidents/ladder.h"

namespace mlalert {
namespace {

// After a restart a firing alert is held at least this long, whatever its endsAt was: its sender needs time
// to repeat it, and a restart must never resolve.
constexpr Duration kRestoreGrace = std::chrono::minutes(5);
// An incident, its event and the episode; room for so many alerts is made ahead.
constexpr size_t kRecordsPerFired = 3;
constexpr size_t kFiredExpectedMax = 128;
constexpr size_t kRecordsExpectedMax = 1024;
// A wall clock that falls by more than this was set back; less is the usual slewing.
constexpr Duration kClockStep = std::chrono::seconds(10);
// How many members of a group that is looked at take as long as one timer.
constexpr size_t kMembersPerTimer = 16;
constexpr Duration kAuditInterval = std::chrono::minutes(1);
constexpr Duration kFirstAudit = std::chrono::seconds(15);

// Audits that were queued before the clock was set back do not count any more.
uint64_t AuditRound(Timestamp clock_stepped_at) {
  return IsSet(clock_stepped_at) ? static_cast<uint64_t>(ToUnixMillis(clock_stepped_at)) : 0;
}

// Of the integration that the entry is about; nothing when the config does not have it any more.
std::optional<bool> SendsResolved(const Config& config, const NflogEntry& entry) {
  const Receiver* receiver = config.FindReceiver(entry.receiver);
  if (receiver != nullptr) {
    for (IntegrationRef integration : IntegrationsOf(*receiver)) {
      if (integration.index == entry.index && ToString(integration.kind) == entry.integration) {
        return IntegrationOf(*receiver, integration).send_resolved;
      }
    }
  }
  return std::nullopt;
}

}  // namespace

std::string NflogKey(const std::string& group_key, const std::string& receiver,
                     const std::string& integration, uint32_t index) {
  return fmt::format("{}\x1f{}\x1f{}\x1f{}", group_key, receiver, integration, index);
}

std::string IntegrationName(std::string_view receiver, std::string_view integration, uint32_t index) {
  return fmt::format("{}/{}[{}]", receiver, integration, index);
}

Engine::Engine(const ConfigPtr& config, std::function<double()> random, EngineOptions options)
    : config_(config),
      options_(options),
      random_(std::move(random)),
      alerts_(options.alerts),
      incidents_(config),
      muter_(config, options.silences),
      dispatcher_(config) {}

void Engine::Restore(RestoredState state, Timestamp now, Effects& fx) {
  next_episode_id_ = state.next_episode_id;
  next_attempt_id_ = state.next_notification_id;
  next_change_id_ = state.next_change_id;
  mute_log_.Restore(std::move(state.mutes), state.next_mute_id);
  if (options_.start_delay > Duration::zero()) {
    dispatcher_.SetStart(After(now, options_.start_delay));
  }
  for (auto& incident : state.incidents) {
    incidents_.Restore(std::move(incident));
  }
  incidents_.SetNextId(state.next_incident_id);
  for (auto& entry : state.nflog) {
    nflog_[NflogKey(entry.group_key, entry.receiver, entry.integration, entry.index)] = std::move(entry);
  }
  for (auto& record : state.inbound) {
    inbound_.Restore(std::move(record));
  }
  RestoreCalls(now);
  for (auto& silence : state.silences) {
    muter_.silences().Restore(std::move(silence));
  }
  for (const auto& group : state.groups) {
    if (!Dispatcher::IsChain(group)) {
      dispatcher_.RestoreGroup(group);
    }
  }
  for (auto& record : state.alerts) {
    AlertEntry* alert = alerts_.Restore(std::move(record.alert));
    alert->received_at = record.received_at;
    alert->incident_id = record.incident_id;
    alert->episode_id = record.episode_id;
    alert->firing = !record.ended;
    alert->end_reason = record.end_reason;
    stats_.alerts_firing += alert->firing ? 1 : 0;
    IncidentEntry* incident = incidents_.table().Find(record.incident_id);
    if (!alert->firing) {
      NoteEnded(*alert);
    }
    if (alert->firing) {
      // Held for as long as the sender meant it to last when it was written: it speaks at least that often.
      const Duration lease =
          IsSet(alert->alert.updated_at) ? alert->alert.ends_at - alert->alert.updated_at : Duration::zero();
      const Duration grace = std::max({config_->global.resolve_timeout, kRestoreGrace, lease});
      alert->alert.ends_at = std::max(alert->alert.ends_at, After(now, grace));
      if (incident != nullptr) {
        incident->firing.Add(*alert);
      }
      ArmExpiry(*alert);
    }
    if (incident != nullptr) {
      Overlay(*alert, *incident);
    }
  }
  for (const auto& group : state.groups) {
    if (Dispatcher::IsChain(group)) {
      IncidentEntry* incident = incidents_.table().Find(Dispatcher::IncidentOfChain(group));
      dispatcher_.RestoreChain(group,
                               incident != nullptr ? incident->firing.span() : std::span<AlertEntry* const>{},
                               HeardSince(group), now);
    }
  }
  Reassign({}, now, fx);
  dispatcher_.SettleChains(state.groups, fx.records);
  for (IncidentEntry* incident : incidents_.table().Sorted()) {
    if (incident->incident.state == IncidentState::kResolved) {
      NoteEnded(*incident);
    }
    Apply(incidents_.CloseIfNothingFires(*incident, now), now, fx);
    incidents_.Reschedule(*incident);
    ArmIncident(*incident);
    ResumePages(*incident, now);
    Watch(*incident, now);
    WatchTwins(*incident);
  }
  SettleQuiet(now, fx);
  for (const Silence& silence : muter_.silences().All()) {
    ArmSilence(silence, now);
  }
  RecheckMutes(now);
  timers_.Add(After(now, options_.data_maintenance_interval), {TimerKind::kMaintenance, 0});
  timers_.Add(After(now, options_.alert_gc_interval), {TimerKind::kAlertGc, 0});
  timers_.Add(After(now, kFirstAudit), {TimerKind::kAudit, 0});
}

void Engine::SetConfig(ConfigPtr config, Timestamp now, Effects& fx) {
  AbandonAttempts(now, fx);
  std::vector<OwedNews> pending = dispatcher_.SetConfig(config);
  incidents_.SetConfig(config);
  muter_.SetConfig(config);
  config_ = std::move(config);
  ++quiet_epoch_;
  std::erase_if(pending,
                [&](const OwedNews& news) { return config_->FindReceiver(news.receiver) == nullptr; });
  Reassign(std::move(pending), now, fx);
  // Calendars may have changed.
  for (IncidentEntry* incident : incidents_.table().Sorted()) {
    incidents_.Reschedule(*incident);
    ArmIncident(*incident);
  }
}

// What fires is grouped anew. What has resolved takes part again only where it is owed: a group that it has
// left for good would tell of it twice.
void Engine::Reassign(std::vector<OwedNews> owed, Timestamp now, Effects& fx) {
  std::vector<AlertEntry*> alerts;
  alerts_.ForEach([&](AlertEntry& alert) {
    if (alert.firing || OwesDigest(alert)) {
      alerts.push_back(&alert);
    }
  });
  std::sort(alerts.begin(), alerts.end(), [](const AlertEntry* a, const AlertEntry* b) {
    return a->received_at != b->received_at ? a->received_at < b->received_at
                                            : a->alert.fingerprint() < b->alert.fingerprint();
  });
  for (AlertEntry* alert : alerts) {
    muter_.inhibitor().Update(*alert);
    dispatcher_.Assign(*alert, now, false, fx.records);
  }
  AdoptForeignHashes();
  for (auto& [key, entry] : nflog_) {
    std::optional<bool> sends_resolved = SendsResolved(*config_, entry);
    if (!sends_resolved) {
      continue;  // nobody is left to tell
    }
    OwedNews news{entry.group_key, entry.receiver, {}};
    bool fires = false;
    for (uint64_t fingerprint : entry.firing) {
      AlertEntry* alert = alerts_.Find(fingerprint);
      if (alert != nullptr && (alert->firing || *sends_resolved)) {
        news.alerts.push_back(alert);
        fires = fires || alert->firing;
      }
    }
    // Of an imported entry it is not known what fires until the senders have spoken.
    if (!fires && !*sends_resolved && !entry.firing.empty() && !entry.foreign) {
      // Nobody hears of it, but the log must know that the firing is over, or the next one is taken for told.
      entry.firing.clear();
      fx.records.emplace_back(entry);
    }
    owed.push_back(std::move(news));
  }
  dispatcher_.SettleKnownGroups(owed, now, fx.records);
}

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

IngestResult Engine::Ingest(std::span<const DecodedAlert> batch, Timestamp now, Effects& fx) {
  ObserveClock(now);
  IngestResult result;
  alerts_.Prefetch(batch);
  for (const DecodedAlert& incoming : batch) {
    ++(incoming.ends_at > now ? result.firing : result.resolved);
    UpsertResult upsert = alerts_.Upsert(incoming, now);
    switch (upsert.outcome) {
      case UpsertOutcome::kRefreshed:
        ++result.refreshed;
        if (upsert.entry->alert.ends_at < upsert.entry->expiry_timer) {
          ArmExpiry(*upsert.entry);
        } else if (upsert.entry->alert.ends_at == kNever && upsert.entry->expiry_timer != kNever) {
          // Its sender will not repeat it any more: a restart must not wait for that.
          upsert.entry->expiry_timer = kNever;
          JournalAlert(*upsert.entry, fx.records);
        }
        break;
      case UpsertOutcome::kFired:
        if (fx.records.capacity() == 0) {
          // Records are large to move. Of a batch that fires, most fire.
          fx.records.reserve(kRecordsPerFired * std::min(batch.size(), kFiredExpectedMax));
        }
        Fire(*upsert.entry, now, fx);
        break;
      case UpsertOutcome::kResolved:
        Resolve(*upsert.entry, ResolveReason::kCondition, now, fx);
        break;
      case UpsertOutcome::kCollision:
        ++result.collisions;
        ++stats_.collisions;
        break;
      case UpsertOutcome::kStillResolved:
      case UpsertOutcome::kNewResolved:
        NoteEnded(*upsert.entry);
        // As upstream: its group lists it (again) if it speaks meanwhile, and lets it go with the next flush.
        // Under a policy each receiver hears of an end once.
        if (config_->FindPolicy(upsert.entry->alert.labels) == nullptr) {
          dispatcher_.Assign(*upsert.entry, now, false, fx.records);
        }
        break;
      case UpsertOutcome::kLimited:
        ++result.limited;
        ++stats_.limited;
        break;
    }
  }
  if (storms_raised_) {
    RaiseStorms(now, fx);
  }
  return result;
}

void Engine::Fire(AlertEntry& alert, Timestamp now, Effects& fx) {
  ++stats_.fired;
  ++stats_.alerts_firing;
  alert.firing = true;
  alert.received_at = now;
  if (alert.episode_id != 0) {
    fx.records.emplace_back(AlertDelete{alert.alert.fingerprint(), alert.episode_id});
  }
  alert.episode_id = next_episode_id_++;
  alert.end_reason = ResolveReason::kNone;
  IncidentMachine::Change change = incidents_.OnFired(alert, now);
  Overlay(alert, *change.entry);
  bool hasten = change.speak_now;
  bool told_of_opening = !change.events.empty();
  const bool opened = told_of_opening && change.events.front().type == "opened";
  IncidentEntry& entry = *change.entry;
  IncidentId incident_id = entry.incident.id;
  // Its first step may be due at once: after the routes have it.
  const std::vector<size_t> steps = std::exchange(change.chain_steps, {});
  const bool exhausted = std::exchange(change.chain_exhausted, false);
  Apply(std::move(change), now, fx);
  if (!told_of_opening) {
    EventRecord event;
    event.at = now;
    event.incident_id = incident_id;
    event.fingerprint = alert.alert.fingerprint();
    event.type = "fired";
    event.actor_kind = "source";
    event.actor = ToString(alert.alert.source);
    fx.records.emplace_back(std::move(event));
  }
  JournalAlert(alert, fx.records);
  dispatcher_.Assign(alert, now, hasten, fx.records);
  ArmExpiry(alert);
  if (opened) {
    NoteOpened(entry, now);
  }
  if (!steps.empty()) {
    Escalate(entry, steps, exhausted, now, fx);
  }
  // One more silenced alert changes nothing about an incident that is silenced.
  if (!IsSet(entry.incident.care->muted_since) || muter_.MuteOf(alert, now).silenced_by.empty()) {
    RecheckMute(entry, now, fx);
  }
}

void Engine::Resolve(AlertEntry& alert, ResolveReason reason, Timestamp now, Effects& fx) {
  ++stats_.resolved;
  --stats_.alerts_firing;
  alert.firing = false;
  NoteEnded(alert);
  muter_.inhibitor().Update(alert);
  dispatcher_.Unsettle(alert);
  mute_log_.End(alert.alert.fingerprint(), std::min(alert.alert.ends_at, now), "resolved", fx.records);
  alert.end_reason = reason;
  // Its resolve may still be owed to a receiver: it is held until it leaves its last group.
  JournalAlert(alert, fx.records);
  IncidentMachine::Change change = incidents_.OnResolved(alert, reason, now);
  if (!change.changed) {
    EventRecord event;
    event.at = now;
    event.incident_id = alert.incident_id;
    event.fingerprint = alert.alert.fingerprint();
    event.type = "cleared";
    event.actor_kind = "source";
    event.actor = ToString(alert.alert.source);
    event.reason = ToString(reason);
    fx.records.emplace_back(std::move(event));
  }
  IncidentEntry* entry = change.entry;
  if (entry != nullptr) {
    entry->gc_round = gc_round_ & kGcRoundMask;
  }
  Apply(std::move(change), now, fx);
  EndSilencesOf(alert, now);
  if (entry != nullptr && !entry->firing.empty()) {
    RecheckMute(*entry, now, fx);
  }
}

bool Engine::Apply(IncidentMachine::Change change, Timestamp now, Effects& fx) {
  if (change.entry == nullptr || !change.changed) {
    return false;
  }
  IncidentEntry& entry = *change.entry;
  fx.records.emplace_back(IncidentRecord{entry.incident});
  for (auto& event : change.events) {
    fx.records.emplace_back(std::move(event));
  }
  for (auto& ack : change.acknowledgements) {
    fx.records.emplace_back(std::move(ack));
  }
  if (change.stop_queued) {
    StopQueued(entry, now, fx);
  }
  if (change.raised) {
    ++stats_.severity_raised;
  }
  if (change.severity_changed) {
    for (AlertEntry* alert : entry.firing) {
      Overlay(*alert, entry);
      dispatcher_.Assign(*alert, now, change.speak_now, fx.records);
    }
  } else if (change.speak_now) {
    for (AlertEntry* alert : entry.firing) {
      dispatcher_.Hasten(*alert, now);
    }
  }
  if (!change.chain_steps.empty()) {
    Escalate(entry, change.chain_steps, change.chain_exhausted, now, fx);
  }
  Watch(entry, now);
  if (entry.incident.opened_generation == entry.incident.generation) {
    WatchTwins(entry);
  }
  if (!change.looks_same) {
    Unsettle(entry);
  }
  if (entry.incident.state == IncidentState::kResolved) {
    NoteEnded(entry);
    if (!storms_.empty()) {
      ++quiet_epoch_;  // it may have stood for others
    }
  }
  ArmIncident(entry);
  return true;
}

void Engine::Overlay(AlertEntry& alert, const IncidentEntry& incident) {
  const Incident& i = incident.incident;
  const Severity label = SeverityFromLabel(alert.alert.labels.Get("severity"));
  const bool raised = (i.policy != nullptr || i.raised != Severity::kNone) && i.severity > label;
  const bool lowered = i.overruled != Severity::kNone && i.severity < label;
  alert.effective =
      raised || lowered ? alert.alert.labels.With("severity", ToString(i.severity)) : alert.alert.labels;
  muter_.inhibitor().Update(alert);
}

void Engine::ArmExpiry(AlertEntry& alert) {
  if (alert.alert.ends_at == kNever || !IsSet(alert.alert.ends_at)) {
    alert.expiry_timer = kNever;
    return;
  }
  alert.expiry_timer = alert.alert.ends_at;
  timers_.Add(alert.expiry_timer, {TimerKind::kAlertExpiry, alert.alert.fingerprint()});
}

void Engine::ArmIncident(IncidentEntry& entry) {
  incidents_.table().Arm(entry, incidents_.NextDue(entry));
}

void Engine::JournalAlert(const AlertEntry& entry, std::vector<Record>& records) const {
  const Alert& alert = entry.alert;
  const IncidentEntry* incident = incidents_.table().Find(entry.incident_id);
  EpisodeRecord episode;
  episode.id = entry.episode_id;
  episode.incident_id = entry.incident_id;
  episode.fingerprint = alert.fingerprint();
  episode.labels = alert.labels;
  episode.annotations = alert.annotations;
  episode.source = alert.source;
  episode.severity = SeverityFromLabel(alert.labels.Get("severity"));
  episode.started_at = alert.starts_at;
  episode.received_at = entry.received_at;
  episode.ended_at = entry.firing ? kUnset : alert.ends_at;
  episode.end_reason = entry.end_reason;
  episode.as_incident = incident != nullptr && incident->incident.labels == alert.labels &&
                        incident->incident.annotations == alert.annotations;
  episode.held = true;
  episode.generator_url = alert.generator_url;
  episode.ends_at = alert.ends_at;
  episode.updated_at = alert.updated_at;
  episode.starts_offset_minutes = alert.starts_offset_minutes;
  episode.ends_offset_minutes = alert.ends_offset_minutes;
  episode.timeout = alert.timeout;
  records.emplace_back(std::move(episode));
}

Result<ActionResult> Engine::Act(const IncidentAction& action, Timestamp now, Effects& fx) {
  ObserveClock(now);
  MLALERT_ASSIGN(auto change, incidents_.Act(action, now));
  IncidentEntry& entry = *change.entry;
  const bool changed = change.changed;
  Apply(std::move(change), now, fx);
  return ActionResult{entry.incident, changed};
}

void Engine::CommentOnPast(const IncidentAction& action, Timestamp now, Effects& fx) {
  Incident incident;
  incident.id = action.incident_id;
  fx.records.emplace_back(ActionEvent(incident, now, "commented", action));
}

bool Engine::RunDue(Timestamp now, Effects& fx, size_t limit) {
  ObserveClock(now);
  // Records are large to move: room for as many as lately.
  fx.records.reserve(fx.records.size() + std::min(records_expected_, kRecordsExpectedMax));
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
        if (!Apply(incidents_.OnTimer(*incident, now), now, fx)) {
          ArmIncident(*incident);
        }
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
      // Recurring silences begin and end by the clock.
      if (auto holding = muter_.RecurringAt(now); holding != recurring_) {
        recurring_ = std::move(holding);
        RecheckMutes(now);
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
    case TimerKind::kEndSilences:
      EndSilences(now, fx);
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
      if (log_look_at_ <= now) {
        log_look_at_ = kNever;
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

// Imported entries hold Alertmanager's hashes of label sets. Those of alerts that are known become
// fingerprints; the others wait until their alert is posted and its group looks at the entry.
void Engine::AdoptForeignHashes() {
  std::unordered_map<uint64_t, uint64_t> fingerprints;
  for (auto& [key, entry] : nflog_) {
    if (!entry.foreign) {
      continue;
    }
    if (fingerprints.empty()) {
      alerts_.ForEach([&](const AlertEntry& alert) {
        fingerprints[NflogHash(alert.alert.labels)] = alert.alert.fingerprint();
      });
    }
    TranslateHashes(entry, fingerprints);
  }
}

// Alertmanager lets an entry expire because a firing group is told again before. An acknowledged alert, or
// one under a policy, may be silent for longer and its receivers are still owed the resolve.
bool Engine::IsOwed(const NflogEntry& entry) {
  return std::any_of(entry.firing.begin(), entry.firing.end(), [&](uint64_t fingerprint) {
    const AlertEntry* alert = alerts_.Find(fingerprint);
    const IncidentEntry* incident = alert != nullptr ? incidents_.table().Find(alert->incident_id) : nullptr;
    return incident != nullptr &&
           (incident->incident.policy != nullptr || incident->incident.state == IncidentState::kAcknowledged);
  });
}

std::vector<Record> Engine::Snapshot() {
  std::vector<Record> records;
  for (IncidentEntry* entry : incidents_.table().Sorted()) {
    records.emplace_back(IncidentRecord{entry->incident});
  }
  alerts_.ForEach([&](const AlertEntry& alert) {
    if (alert.episode_id != 0) {
      JournalAlert(alert, records);
    }
  });
  for (const auto& [id, group] : dispatcher_.groups()) {
    if (Dispatcher::IsChain(*group)) {
      dispatcher_.SnapshotChain(*group, records);
      continue;
    }
    records.emplace_back(
        GroupRecord{dispatcher_.RouteIdOf(*group), group->key, group->created_at, group->labels});
    group->journalled = true;
  }
  for (const auto& [key, entry] : nflog_) {
    records.emplace_back(entry);
  }
  for (InboundRecord& record : inbound_.All()) {
    records.emplace_back(std::move(record));
  }
  for (Silence& silence : muter_.silences().All()) {
    records.emplace_back(SilenceRecord{std::move(silence)});
  }
  mute_log_.Snapshot(records);
  return records;
}

AlertView Engine::View(const AlertEntry& entry) const {
  AlertView view;
  view.alert = entry.alert;
  view.effective = entry.effective;
  view.incident_id = entry.incident_id;
  const IncidentEntry* incident = incidents_.table().Find(entry.incident_id);
  view.acknowledged = incident != nullptr && incident->incident.state == IncidentState::kAcknowledged;
  return view;
}

std::vector<AlertView> Engine::ListAlerts() const {
  std::vector<AlertView> out;
  alerts_.ForEach([&](const AlertEntry& entry) {
    if (!entry.firing) {
      return;
    }
    AlertView view = View(entry);
    for (uint32_t route : dispatcher_.routes().Match(entry.effective)) {
      view.receivers.push_back(dispatcher_.routes().node(route).route->receiver);
    }
    out.push_back(std::move(view));
  });
  return out;
}

std::vector<Incident> Engine::ListIncidents() {
  std::vector<Incident> out;
  for (IncidentEntry* entry : incidents_.table().Sorted()) {
    out.push_back(entry->incident);
  }
  return out;
}

std::vector<PlanStep> Engine::Plan(const Incident& incident, Timestamp now) const {
  return PlanOf(incident, *config_, dispatcher_.routes(), now);
}

const Incident* Engine::FindIncident(IncidentId id) {
  IncidentEntry* entry = incidents_.table().Find(id);
  return entry != nullptr ? &entry->incident : nullptr;
}

EngineStats Engine::Stats() const {
  EngineStats stats = stats_;
  stats.alerts = alerts_.size();
  stats.groups = dispatcher_.group_count();
  stats.nflog_entries = nflog_.size();
  stats.in_flight = in_flight_.size();
  stats.timers = timers_.size() + incidents_.table().timer_count();
  return stats;
}

}  // namespace mlalert
