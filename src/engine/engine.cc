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

// An incident, its event and the episode; room for so many alerts is made ahead.
constexpr size_t kRecordsPerFired = 3;
constexpr size_t kFiredExpectedMax = 128;

// It became more severe than what somebody had acknowledged: he hears first, where a receiver has his name,
// or was where he got the link. Not who raised it himself.
std::vector<std::string> WhoHadTaken(const IncidentMachine::Change& change, const Config& config) {
  std::vector<std::string> out;
  for (const AcknowledgementRecord& ack : change.acknowledgements) {
    const std::string receiver = ack.actor.substr(0, ack.actor.find(" ("));
    const bool himself = std::any_of(change.events.begin(), change.events.end(),
                                     [&](const EventRecord& event) { return event.actor == ack.actor; });
    if (ack.end_reason == "severity_raised" && !himself && config.FindReceiver(receiver) != nullptr) {
      out.push_back(receiver);
    }
  }
  return out;
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
      dispatcher_(config),
      raises_go_to_threads_(RaisesGoToThreads(*config)) {}

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
  const bool reopened = told_of_opening && change.events.front().type == "reopened";
  IncidentEntry& entry = *change.entry;
  IncidentId incident_id = entry.incident.id;
  if (opened || reopened) {
    NoteWhereItGoes(entry.incident, alert, change.events.front());
  }
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
  // One more muted alert changes nothing about an incident that is muted.
  const bool was_muted = IsSet(entry.incident.care->muted_since);
  const AlertMute mute = was_muted ? muter_.MuteOf(alert, now) : AlertMute{};
  if (!was_muted || (mute.silenced_by.empty() && !mute.inhibited_by)) {
    RecheckMute(entry, now, fx);
  }
  FollowSources(now);
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
  FollowSources(now);
}

bool Engine::Apply(IncidentMachine::Change change, Timestamp now, Effects& fx) {
  if (change.entry == nullptr || !change.changed) {
    return false;
  }
  IncidentEntry& entry = *change.entry;
  const std::vector<std::string> had_taken = WhoHadTaken(change, *config_);
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
  for (const std::string& receiver : had_taken) {
    Page(entry, {receiver}, now, fx);
  }
  if (change.severity_changed) {
    for (AlertEntry* alert : entry.firing) {
      Overlay(*alert, entry);
      dispatcher_.Assign(*alert, now, change.speak_now, fx.records);
    }
    if (change.raised) {
      HastenThreads(entry, now);
    }
    FollowSources(now);
  } else if (change.speak_now) {
    for (AlertEntry* alert : entry.firing) {
      dispatcher_.Hasten(*alert, now);
    }
  }
  if (!change.chain_steps.empty() || change.chain_exhausted) {
    Escalate(entry, change.chain_steps, change.chain_exhausted, now, fx);
  }
  if (!IsSet(entry.incident.chain_next_at)) {
    entry.chain_held = 0;  // held anew later, that is said anew
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
  if (!IncidentTable::IsInHand(entry)) {
    incidents_.table().Arm(entry, incidents_.NextDue(entry));
  }
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
