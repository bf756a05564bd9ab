#include "support/sim.h"

#include <algorithm>
#include <fmt/format.h>
#include <stdexcept>

#include "config/config_loader.h"
#include "model/matcher_parse.h"
#include "support/journalled_alert.h"

namespace mlalert::testing {
namespace {

ConfigPtr Load(const std::string& yaml) {
  ConfigPtr config;
  Diagnostics diagnostics = LoadConfigText(yaml, "sim.yml", config);
  if (config == nullptr) {
    throw std::runtime_error(diagnostics.ToText());
  }
  return config;
}

std::string Join(const std::vector<std::string>& parts) {
  return fmt::format("{}", fmt::join(parts, ","));
}

std::string IntegrationName(const Notification& n) {
  return fmt::format("{}/{}[{}]", n.receiver->name, ToString(n.integration.kind), n.integration.index);
}

}  // namespace

std::string Heard::ToString() const {
  std::string out = fmt::format("{} {}", receiver, mlalert::ToString(reason));
  if (!firing.empty()) {
    out += " firing=" + Join(firing);
  }
  if (!resolved.empty()) {
    out += " resolved=" + Join(resolved);
  }
  if (!acknowledged_by.empty()) {
    out += " by=" + acknowledged_by;
  }
  return out;
}

Sim::Sim(const std::string& config_yaml, Timestamp start, const EngineOptions& options, RestoredState state)
    : config_(Load(config_yaml)), options_(options), start_(start), now_(start) {
  engine_ = std::make_unique<Engine>(
      config_, [] { return 0.5; }, options_);
  Effects fx;
  for (const NflogEntry& entry : state.nflog) {
    journal_.emplace_back(entry);
  }
  engine_->Restore(std::move(state), now_, fx);
  Drain(std::move(fx));
}

Sim& Sim::At(Duration offset) {
  RunUntil(start_ + offset);
  return *this;
}

void Sim::RunUntil(Timestamp t) {
  while (engine_->NextDue() <= t) {
    now_ = std::max(now_, engine_->NextDue());
    Effects fx;
    engine_->RunDue(now_, fx);
    Drain(std::move(fx));
  }
  now_ = std::max(now_, t);
  // Also when nothing is due: what people do now comes after the ticks of this instant, of groups that sleep
  // too.
  Effects fx;
  engine_->RunDue(now_, fx);
  Drain(std::move(fx));
}

Sim& Sim::Fire(const LabelSet& labels, std::optional<Duration> ends_in) {
  AlertInput input(labels, now_, ends_in ? now_ + *ends_in : kNever);
  DecodedAlert alert = input.Get();
  Effects fx;
  engine_->Ingest({&alert, 1}, now_, fx);
  Drain(std::move(fx));
  RunUntil(now_);
  return *this;
}

Sim& Sim::Resolve(const LabelSet& labels) {
  AlertInput input(labels, now_, now_);
  DecodedAlert alert = input.Get();
  Effects fx;
  engine_->Ingest({&alert, 1}, now_, fx);
  Drain(std::move(fx));
  RunUntil(now_);
  return *this;
}

Sim& Sim::Post(const LabelSet& labels, Timestamp starts_at, Timestamp ends_at, bool timeout,
               const LabelSet& annotations) {
  AlertInput input(labels, starts_at, ends_at, annotations);
  DecodedAlert alert = input.Get();
  alert.timeout = timeout;
  Effects fx;
  engine_->Ingest({&alert, 1}, now_, fx);
  Drain(std::move(fx));
  RunUntil(now_);
  return *this;
}

Sim& Sim::SetClock(Timestamp now) {
  now_ = now;
  RunUntil(now_);
  return *this;
}

Sim& Sim::Step(const std::function<void(Engine&, Timestamp, Effects&)>& input) {
  Effects fx;
  input(*engine_, now_, fx);
  Drain(std::move(fx));
  RunUntil(now_);
  return *this;
}

Sim& Sim::Act(ActionKind kind, IncidentId id, const std::function<void(IncidentAction&)>& edit) {
  IncidentAction action;
  action.kind = kind;
  action.incident_id = id;
  action.actor = {"alice", "api", "127.0.0.1"};
  if (edit) {
    edit(action);
  }
  Effects fx;
  auto result = engine_->Act(action, now_, fx);
  if (!result) {
    throw std::runtime_error(result.error().ToString());
  }
  changed_ = result->changed;
  Drain(std::move(fx));
  RunUntil(now_);
  return *this;
}

Sim& Sim::Ack(IncidentId id, const std::string& actor, std::optional<Duration> expires_in) {
  return Act(ActionKind::kAcknowledge, id, [&](IncidentAction& action) {
    action.actor.name = actor;
    action.until = expires_in ? now_ + *expires_in : kUnset;
  });
}

Sim& Sim::Unack(IncidentId id, const std::string& actor) {
  return Act(ActionKind::kUnacknowledge, id, [&](IncidentAction& action) { action.actor.name = actor; });
}

Sim& Sim::Snooze(IncidentId id, Duration length) {
  return Act(ActionKind::kSnooze, id, [&](IncidentAction& action) { action.until = now_ + length; });
}

Sim& Sim::Raise(IncidentId id, Severity severity) {
  return Act(ActionKind::kRaise, id, [&](IncidentAction& action) { action.severity = severity; });
}

Sim& Sim::Lower(IncidentId id, Severity severity) {
  return Act(ActionKind::kLower, id, [&](IncidentAction& action) { action.severity = severity; });
}

Sim& Sim::ResolveByHand(IncidentId id, std::optional<Duration> hold) {
  return Act(ActionKind::kResolve, id,
             [&](IncidentAction& action) { action.until = hold ? now_ + *hold : kUnset; });
}

std::string Sim::Silence(const std::string& matchers, Duration length, const std::string& id) {
  SilenceRequest request;
  request.id = id;
  const Matchers parsed = ParseMatchers(matchers).value();
  for (const Matcher& matcher : parsed) {
    request.matchers.push_back({matcher.name(), matcher.op(), matcher.value()});
  }
  request.starts_at = now_;
  request.ends_at = now_ + length;
  request.created_by = "alice";
  Effects fx;
  auto result = engine_->SetSilence(request, now_, fx);
  if (!result) {
    throw std::runtime_error(result.error().ToString());
  }
  Drain(std::move(fx));
  RunUntil(now_);
  return *result;
}

Sim& Sim::Unsilence(const std::string& id) {
  Effects fx;
  if (auto result = engine_->ExpireSilence(id, now_, fx); !result) {
    throw std::runtime_error(result.error().ToString());
  }
  Drain(std::move(fx));
  RunUntil(now_);
  return *this;
}

Sim& Sim::Reload(const std::string& config_yaml) {
  config_ = Load(config_yaml);
  Effects fx;
  engine_->SetConfig(config_, now_, fx);
  Drain(std::move(fx));
  RunUntil(now_);
  return *this;
}

Sim& Sim::Restart(Duration down) {
  hanging_.clear();
  RestoredState state = store_ != nullptr ? store_->Load() : StateFromJournal();
  now_ += down;
  engine_ = std::make_unique<Engine>(
      config_, [] { return 0.5; }, options_);
  Effects fx;
  engine_->Restore(std::move(state), now_, fx);
  Drain(std::move(fx));
  RunUntil(now_);
  return *this;
}

Sim& Sim::Answer(const std::string& receiver, std::vector<DeliveryVerdict> verdicts) {
  answers_[receiver] = {verdicts.begin(), verdicts.end()};
  return *this;
}

Sim& Sim::Hang(const std::string& receiver, bool hung) {
  hung_[receiver] = hung;
  return *this;
}

Sim& Sim::ReleaseHung(const std::string& receiver, DeliveryVerdict verdict) {
  auto hanging = std::move(hanging_);
  hanging_.clear();
  for (auto& attempt : hanging) {
    if (IntegrationName(*attempt.notification) != receiver) {
      hanging_.push_back(std::move(attempt));
      continue;
    }
    Effects fx;
    engine_->OnOutcome({attempt.notification->id, attempt.number, verdict, 0, {}, "", {}, {}}, now_, fx);
    Drain(std::move(fx));
  }
  RunUntil(now_);
  return *this;
}

Sim& Sim::SetStore(SimStore* store) {
  store_ = store;
  return *this;
}

Sim& Sim::CrashWhen(std::function<bool()> dies) {
  dies_ = std::move(dies);
  return *this;
}

Sim& Sim::Watch(std::function<void()> look) {
  look_ = std::move(look);
  return *this;
}

void Sim::MayCrash() const {
  if (dies_ && dies_()) {
    throw Crash{};
  }
}

void Sim::Drain(Effects fx) {
  if (fx.records.empty() && fx.attempts.empty()) {
    return;  // nothing to lose
  }
  MayCrash();
  if (store_ != nullptr && !fx.records.empty()) {
    store_->Commit(fx.records);
  }
  records_ += fx.records.size();
  std::move(fx.records.begin(), fx.records.end(), std::back_inserter(journal_));
  if (look_) {
    look_();
  }
  MayCrash();
  for (const auto& attempt : fx.attempts) {
    Deliver(attempt);
  }
}

void Sim::Deliver(const NotificationAttempt& attempt) {
  ++attempts_;
  const Notification& n = *attempt.notification;
  std::string name = IntegrationName(n);
  attempt_log_.push_back(fmt::format("+{} {}", FormatDuration(now_ - start_), name));
  if (hung_[name]) {
    hanging_.push_back(attempt);
    return;
  }
  DeliveryVerdict verdict = DeliveryVerdict::kSent;
  if (auto& script = answers_[name]; !script.empty()) {
    verdict = script.front();
    script.pop_front();
  }
  if (verdict == DeliveryVerdict::kSent) {
    Heard heard{
        now_, name, n.reason, {}, {}, n.group_key, "", attempt.notification, false, !n.firing.empty()};
    for (const auto& alert : n.alerts) {
      std::string who(alert.alert.name());
      if (alert.resolved) {
        heard.resolved.push_back(who);
        continue;
      }
      std::string_view severity = ToString(alert.severity);
      heard.firing.push_back(severity.empty() ? who : fmt::format("{}:{}", who, severity));
      heard.all_taken = heard.all_taken && alert.acknowledged;
    }
    if (n.reason == NotifyReason::kAcknowledged) {
      heard.acknowledged_by = n.acknowledged_by;
    }
    heard_.push_back(std::move(heard));
    if (look_) {
      look_();
    }
  }
  MayCrash();
  NotificationOutcome outcome;
  outcome.notification_id = n.id;
  outcome.attempt = attempt.number;
  outcome.verdict = verdict;
  const size_t heard_by_now = heard_.size();
  Effects fx;
  engine_->OnOutcome(outcome, now_, fx);
  Drain(std::move(fx));
  if (verdict == DeliveryVerdict::kSent) {
    heard_[heard_by_now - 1].logged = true;
  }
}

std::vector<std::string> Sim::TakeHeard() {
  std::vector<std::string> out;
  for (; taken_ < heard_.size(); ++taken_) {
    const Heard& heard = heard_[taken_];
    out.push_back(fmt::format("+{} {}", FormatDuration(heard.at - start_), heard.ToString()));
  }
  return out;
}

Incident Sim::IncidentOf(const LabelSet& labels) {
  for (const AlertView& view : engine_->ListAlerts()) {
    if (view.alert.labels == labels) {
      return *engine_->FindIncident(view.incident_id);
    }
  }
  for (const Incident& incident : engine_->ListIncidents()) {
    if (incident.labels == labels) {
      return incident;
    }
  }
  throw std::runtime_error("no incident of " + labels.ToString());
}

std::vector<std::string> Sim::Events(IncidentId id) const {
  std::vector<std::string> out;
  for (const Record& record : journal_) {
    if (const auto* event = std::get_if<EventRecord>(&record);
        event != nullptr && event->incident_id == id && event->type != "decided") {
      std::string line = event->type;
      if (!event->to_value.empty()) {
        line += fmt::format(" {}->{}", event->from_value, event->to_value);
      }
      if (!event->reason.empty()) {
        line += " " + event->reason;
      }
      out.push_back(line);
    }
  }
  return out;
}

RestoredState Sim::StateFromJournal() const {
  std::map<IncidentId, Incident> incidents;
  std::map<uint64_t, AlertRecord> alerts;
  std::map<std::string, NflogEntry> nflog;
  std::map<std::pair<std::string, std::string>, GroupRecord> groups;
  std::map<std::string, mlalert::Silence> silences;
  std::map<int64_t, MuteRecord> mutes;
  std::map<std::pair<std::string, std::string>, InboundRecord> inbound;
  RestoredState state;
  for (const Record& record : journal_) {
    if (const auto* r = std::get_if<IncidentRecord>(&record)) {
      incidents[r->incident.id] = r->incident;
      state.next_incident_id = std::max(state.next_incident_id, r->incident.id + 1);
    } else if (const auto* gone = std::get_if<AlertDelete>(&record)) {
      alerts.erase(gone->fingerprint);
    } else if (const auto* log = std::get_if<NflogEntry>(&record)) {
      nflog[NflogKey(log->group_key, log->receiver, log->integration, log->index)] = *log;
    } else if (const auto* unlog = std::get_if<NflogDelete>(&record)) {
      nflog.erase(NflogKey(unlog->group_key, unlog->receiver, unlog->integration, unlog->index));
    } else if (const auto* group = std::get_if<GroupRecord>(&record)) {
      groups[{group->route_id, group->group_key}] = *group;
    } else if (const auto* ungroup = std::get_if<GroupDelete>(&record)) {
      groups.erase({ungroup->route_id, ungroup->group_key});
    } else if (const auto* silence = std::get_if<SilenceRecord>(&record)) {
      silences[silence->silence.id] = silence->silence;
    } else if (const auto* unsilence = std::get_if<SilenceDelete>(&record)) {
      silences.erase(unsilence->id);
    } else if (const auto* seen = std::get_if<InboundRecord>(&record)) {
      inbound[{seen->source, seen->key}] = *seen;
    } else if (const auto* episode = std::get_if<EpisodeRecord>(&record)) {
      state.next_episode_id = std::max(state.next_episode_id, episode->id + 1);
      if (episode->held) {
        alerts[episode->fingerprint] = AlertOf(*episode);
      }
    } else if (const auto* sent = std::get_if<NotificationRecord>(&record)) {
      state.next_notification_id = std::max(state.next_notification_id, sent->id + 1);
      for (const MentionedIncident& mentioned : sent->incidents) {
        if (mentioned.told) {
          Incident& incident = incidents.at(mentioned.id);
          incident.last_told_at = std::max(incident.last_told_at, sent->at);
          incident.told_severity = mentioned.told_severity;
        }
      }
    } else if (const auto* mute = std::get_if<MuteRecord>(&record)) {
      state.next_mute_id = std::max(state.next_mute_id, mute->id + 1);
      mutes[mute->id] = *mute;
    }
  }
  for (auto& [id, incident] : incidents) {
    state.incidents.push_back(incident);
  }
  for (auto& [fingerprint, alert] : alerts) {
    state.alerts.push_back(alert);
  }
  for (auto& [key, entry] : nflog) {
    state.nflog.push_back(entry);
  }
  for (auto& [id, silence] : silences) {
    state.silences.push_back(silence);
  }
  for (auto& [key, seen] : inbound) {
    state.inbound.push_back(seen);
  }
  for (auto& [id, mute] : mutes) {
    if (!IsSet(mute.ended_at)) {
      state.mutes.push_back(mute);
    }
  }
  for (auto& [key, group] : groups) {
    state.groups.push_back(group);
  }
  return state;
}

}  // namespace mlalert::testing
