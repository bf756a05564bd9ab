// The whole durable state: taken over after a restart, carried over a reload, given as records.
#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "config/schedules.h"
#include "engine/engine.h"

namespace mlalert {
namespace {

// After a restart a firing alert is held at least this long, whatever its endsAt was: its sender needs time
// to repeat it, and a restart must never resolve.
constexpr Duration kRestoreGrace = std::chrono::minutes(5);

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

// Groups whose routes tell whoever is on call in a schedule: key and schedule.
std::multimap<std::string, std::string> ScheduledGroups(const Dispatcher& dispatcher, const Config& config) {
  std::multimap<std::string, std::string> out;
  for (const auto& [id, group] : dispatcher.groups()) {
    const std::string& name = dispatcher.ReceiverOf(*group);
    if (config.schedules != nullptr && config.FindReceiver(name) == nullptr) {
      out.emplace(group->key, name);
    }
  }
  return out;
}

// What the group that told is called by: its schedule, when the log has the name of who was on call.
std::string ToldBy(const std::multimap<std::string, std::string>& scheduled, const Config& config,
                   const NflogEntry& entry) {
  const auto [begin, end] = scheduled.equal_range(entry.group_key);
  const auto group = std::find_if(begin, end, [&](const auto& one) {
    const Schedule* schedule = config.schedules->Find(one.second);
    const std::vector<std::string> names =
        schedule != nullptr ? schedule->Receivers() : std::vector<std::string>();
    return std::find(names.begin(), names.end(), entry.receiver) != names.end();
  });
  return group != end ? group->second : entry.receiver;
}

}  // namespace

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
  HandOver(now, fx);
  SettleQuiet(now, fx);
  for (const Silence& silence : muter_.silences().All()) {
    ArmSilence(silence, now);
  }
  sources_seen_ = muter_.inhibitor().version();
  RecheckMutes(now);
  ArmRecurring(now);
  timers_.Add(After(now, options_.data_maintenance_interval), {TimerKind::kMaintenance, 0});
  timers_.Add(After(now, options_.alert_gc_interval), {TimerKind::kAlertGc, 0});
  timers_.Add(After(now, kFirstAudit), {TimerKind::kAudit, 0});
  audited_at_ = now;  // a process that stands still before its first audit is late, too, and not broken
}

void Engine::SetConfig(ConfigPtr config, Timestamp now, Effects& fx) {
  AbandonAttempts(now, fx);
  std::vector<OwedNews> pending = dispatcher_.SetConfig(config);
  incidents_.SetConfig(config);
  muter_.SetConfig(config);
  config_ = std::move(config);
  raises_go_to_threads_ = RaisesGoToThreads(*config_);
  ++quiet_epoch_;
  std::erase_if(pending,
                [&](const OwedNews& news) { return config_->FindReceiver(news.receiver) == nullptr; });
  Reassign(std::move(pending), now, fx);
  // Calendars may have changed.
  for (IncidentEntry* incident : incidents_.table().Sorted()) {
    incidents_.Reschedule(*incident);
    ArmIncident(*incident);
  }
  // So may what mutes.
  sources_seen_ = muter_.inhibitor().version();
  RecheckMutes(now);
  ArmRecurring(now);
  HandOver(now, fx);
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
  const std::multimap<std::string, std::string> scheduled = ScheduledGroups(dispatcher_, *config_);
  for (auto& [key, entry] : nflog_) {
    std::optional<bool> sends_resolved = SendsResolved(*config_, entry);
    if (!sends_resolved) {
      continue;  // nobody is left to tell
    }
    OwedNews news{entry.group_key, ToldBy(scheduled, *config_, entry), {}};
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

}  // namespace mlalert
