// The half of the engine that speaks: a group is due, who is told what, and what became of it.
#include <algorithm>
#include <fmt/format.h>
#include <utility>
#include <vector>

#include "alerts/alert_order.h"
#include "base/json.h"
#include "base/prefetch.h"
#include "config/calendars.h"
#include "config/calm_config.h"
#include "engine/engine.h"
#include "engine/storm.h"
#include "incidents/business_hours.h"
#include "incidents/ladder.h"
#include "model/incident_hours.h"
#include "notify/dedup.h"

namespace mlalert {
namespace {

// `page`: a step of the chain asks this group to speak of it, also when it only owes news. `former`: to
// somebody whose shift is over.
FlushAlert Describe(const GroupMember& member, const IncidentEntry* entry, const Config& config, bool page,
                    bool former, Timestamp now) {
  const AlertEntry& alert = *member.alert();
  FlushAlert out;
  out.fingerprint = alert.alert.fingerprint();
  out.incident_id = alert.incident_id;
  out.resolved = !alert.firing || (entry != nullptr && IsHeldResolved(entry->incident));
  out.paged = page;
  const bool elsewhere = former || (member.moved && !page);
  out.held = elsewhere;
  if (entry == nullptr) {
    out.owes_only_told = !config.incident_policies.empty();  // resolved before it was ever heard of
    return out;
  }
  const Incident& incident = entry->incident;
  out.acknowledged = incident.care->ack != nullptr;
  out.acknowledged_at = incident.care->ack != nullptr ? incident.care->ack->at : kUnset;
  out.raised = incident.policy != nullptr && incident.severity > incident.told_severity;
  out.woken_at = incident.care->woken_at;
  const bool by_hours = HeldByHours(incident, config.calendars.get(), now) != nullptr;
  out.waits = !out.acknowledged && !IsSnoozed(incident) && !IsQuiet(incident) && !by_hours;
  out.held = elsewhere || !out.waits;
  if (IsSet(incident.care->flapping_since) && !IsHeldResolved(incident)) {
    out.resolved = false;
    out.flapping_since = incident.care->flapping_since;
  }
  out.settled = incident.care->edges != nullptr && incident.care->edges->size() == 1 &&
                incident.care->edges->front() == incident.care->woken_at;
  out.digest = out.resolved && !by_hours && incident.policy != nullptr && incident.policy->hours != nullptr &&
               incident.policy->hours->outside == IncidentHours::Outside::kDigest &&
               (!IsSet(incident.last_told_at) || incident.last_told_at < incident.last_fired_at);
  Timestamp until = CooldownUntil(incident);
  out.cooling =
      IsSet(until) && now < until && incident.severity <= incident.told_severity && !StandsForStorm(incident);
  out.told_before_episode = IsSet(incident.last_told_at) && incident.last_told_at < incident.last_fired_at;
  out.owes_only_told = incident.policy != nullptr;
  return out;
}

// What keeps a firing alert back, for the trace. That it has moved or is known already is no news.
HeldBack HeldBackBy(const FlushAlert& alert, const Incident& incident, const Config& config, bool in_storm,
                    Timestamp now) {
  if (alert.resolved || incident.policy == nullptr) {
    return {};
  }
  const PolicyLines& lines = incident.policy->lines;
  if (incident.care->ack != nullptr) {
    return {fmt::format("acknowledged by {}", incident.care->ack->by), 0};
  }
  if (IsSnoozed(incident)) {
    return {fmt::format("snoozed until {}", FormatRfc3339Millis(incident.care->snoozed_until)), 0};
  }
  if (IsQuiet(incident)) {
    return {"quiet before the first step of its ladder", lines.ladder};
  }
  if (in_storm) {
    return {fmt::format("part of the storm {}", incident.care->parent),
            config.calm != nullptr ? config.calm->storm.line : 0};
  }
  if (const Calendar* calendar = HeldByHours(incident, config.calendars.get(), now)) {
    return {fmt::format("{}outside business hours ({})",
                        IsDroppedBy(*calendar, incident) ? "dropped: it began " : "", calendar->name()),
            lines.hours};
  }
  if (alert.cooling && alert.told_before_episode) {
    return {fmt::format("cooldown until {}", FormatRfc3339Millis(CooldownUntil(incident))),
            lines.cooldown != 0 ? lines.cooldown : lines.policy};
  }
  return {};
}

bool IsIn(const std::vector<uint64_t>& sorted, uint64_t value) {
  return std::binary_search(sorted.begin(), sorted.end(), value);
}

bool IsOver(const AlertEntry& alert, const IncidentEntry& entry) {
  return !alert.firing || IsHeldResolved(entry.incident);
}

// Who is muted takes no part. Under a policy its receivers are owed the end all the same, so those that
// `told` knows as firing stay known. `members`: those that are not muted, in the order of the group.
std::vector<const GroupMember*> OwedWhileMuted(const Group& group, const std::vector<GroupMember>& members,
                                               const NflogEntry* told, const IncidentTable& incidents) {
  std::vector<const GroupMember*> out;
  if (told == nullptr || told->firing.empty() || members.size() == group.members.size()) {
    return out;
  }
  size_t speaking = 0;
  for (const GroupMember& member : group.members) {
    if (speaking < members.size() && members[speaking].alert() == member.alert()) {
      ++speaking;
      continue;
    }
    const IncidentEntry* entry = incidents.Find(member.alert()->incident_id);
    if (entry != nullptr && entry->incident.policy != nullptr &&
        IsIn(told->firing, member.alert()->alert.fingerprint())) {
      out.push_back(&member);
    }
  }
  return out;
}

// As it is now. `entry`: its incident; null when that is forgotten.
NotifiedAlert NotifiedOf(const AlertEntry& alert, const IncidentEntry* entry) {
  NotifiedAlert out;
  out.alert = alert.alert;
  out.alert.labels = alert.effective;
  out.fingerprint = alert.alert.fingerprint();
  out.incident_id = alert.incident_id;
  // Under a policy the label says what the incident is.
  out.severity = entry != nullptr && entry->incident.policy != nullptr
                     ? entry->incident.severity
                     : SeverityFromLabel(alert.effective.Get("severity"));
  if (entry != nullptr) {
    out.generation = entry->incident.generation;
    out.acknowledged = entry->incident.state == IncidentState::kAcknowledged;
  }
  return out;
}

void Insert(std::vector<uint64_t>& sorted, uint64_t value) {
  sorted.insert(std::lower_bound(sorted.begin(), sorted.end(), value), value);
}

}  // namespace

void Engine::Flush(Group& group, Timestamp now, Effects& fx) {
  if (group.in_flight > 0) {
    group.flush_again = true;
    return;
  }
  ++stats_.flushes;
  group.missed_tick = kUnset;
  if (IsSettled(group, now)) {
    return;
  }
  group.settled_until = kUnset;
  spoken_ = false;
  if (!group.in_order && group.members.size() <= Dispatcher::kOrderedMax) {
    ForBatches(std::span<const GroupMember>(group.members),
               [&](std::span<const GroupMember> batch) { PrefetchMembers(batch); });
    Dispatcher::Order(group);
  }
  const std::vector<GroupMember> members = NotMuted(group, now, fx);
  size_t speaking = 0;  // `members` has the same order
  for (const GroupMember& member : group.members) {
    const bool muted = speaking >= members.size() || members[speaking].alert() != member.alert();
    speaking += muted ? 0 : 1;
    if (!member.alert()->firing && !KeepsUntold(group, member, muted, now)) {
      group.resolved_snapshot.emplace_back(member.alert(), member.alert()->alert.updated_at);
    }
  }
  voiced_.assign(members.size(), false);
  flushed_.clear();
  for (const GroupMember& member : members) {
    flushed_.push_back(incidents_.table().Find(member.alert()->incident_id));
  }
  bool nobody = false;
  if (!members.empty()) {
    const std::vector<Addressee> addressees = AddresseesOf(group, now);
    nobody = NobodyOnCall(group, members, addressees, now, fx);
    for (const Addressee& addressee : addressees) {
      for (IntegrationRef integration : IntegrationsOf(*addressee.receiver)) {
        if (FlushIntegration(group, members, addressee, integration, now, fx)) {
          ++group.in_flight;
        }
      }
    }
  }
  group.may_settle = MaySettle(group);
  group.settled_epoch = QuietEpoch();
  if (!spoken_ && group.may_settle) {
    Settle(group, now);
  }
  if (IsSet(group.page_at)) {
    NoteAsked(group, members);
  }
  const std::string schedule = nobody ? dispatcher_.ReceiverOf(group) : std::string();
  FinishIfDone(group, now, fx);
  if (nobody) {
    ReportNobodyOnCall(schedule, now, fx);
  }
}

// What a step of a chain asked for is being told, or nobody wants it told any more. `members`: those that are
// not muted.
void Engine::NoteAsked(Group& group, const std::vector<GroupMember>& members) {
  size_t i = 0;
  for (GroupMember& member : group.members) {
    if (i >= members.size() || members[i].alert() != member.alert()) {
      continue;
    }
    const bool voiced = voiced_[i++];
    if (!member.asked) {
      continue;
    }
    const IncidentEntry* entry = flushed_[i - 1];
    const bool wanted = entry != nullptr && WaitsForSomebody(*entry);
    member.asked = wanted && !voiced;
    member.telling = wanted && voiced;
  }
}

// What a flush looks at, of each member.
void Engine::PrefetchMembers(std::span<const GroupMember> members) const {
  for (const GroupMember& member : members) {
    Prefetch(*member.alert());
  }
  for (const GroupMember& member : members) {
    const AlertEntry& alert = *member.alert();
    alert.alert.labels.Prefetch(3);
    alert.effective.Prefetch(1);
    incidents_.table().Prefetch(alert.incident_id);
  }
}

// Who is muted is not there at all, as upstream: muting by itself neither resolves nor forgets anything, and
// what resolves while it is muted is not told.
std::vector<GroupMember> Engine::NotMuted(Group& group, Timestamp now, Effects& fx) {
  RouteMute route = muter_.MuteOf(*dispatcher_.routes().node(group.route).route, now);
  std::vector<GroupMember> members;
  members.reserve(group.members.size());
  ForBatches(std::span<const GroupMember>(group.members), [&](std::span<const GroupMember> batch) {
    PrefetchMembers(batch);
    for (const GroupMember& member : batch) {
      const AlertEntry& alert = *member.alert();
      const MuteReason reason = muter_.Judge(alert, route, now);
      if (reason == MuteReason::kNone) {
        members.push_back(member);
      }
      if (alert.firing && !member.moved &&
          (reason != MuteReason::kNone || mute_log_.Knows(alert.alert.fingerprint()))) {
        ObserveQuiet(alert, route, dispatcher_.ReceiverOf(group), now, fx);
      }
    }
  });
  group.muted_by = std::move(route.names);
  return members;
}

// The route's receiver; or who is on call in its schedule, and those who were when they were told.
std::vector<Engine::Addressee> Engine::AddresseesOf(const Group& group, Timestamp now) const {
  std::vector<Addressee> out;
  const std::string& name = dispatcher_.ReceiverOf(group);
  if (const Receiver* receiver = config_->FindReceiver(name)) {
    out.push_back({receiver, false});
    return out;
  }
  const std::vector<std::string> on_call = ReceiversNow(*config_, name, now);
  for (const std::string& one : on_call) {
    if (const Receiver* receiver = config_->FindReceiver(one)) {
      out.push_back({receiver, false});
    }
  }
  const std::string prefix = group.key + '\x1f';
  for (auto it = nflog_.lower_bound(prefix); it != nflog_.end() && it->first.starts_with(prefix); ++it) {
    const NflogEntry& entry = it->second;
    const Receiver* receiver = config_->FindReceiver(entry.receiver);
    const bool known =
        std::any_of(out.begin(), out.end(), [&](const Addressee& a) { return a.receiver == receiver; });
    if (receiver != nullptr && !known && !entry.firing.empty()) {
      out.push_back({receiver, true});
    }
  }
  return out;
}

// True when a notification is on its way.
bool Engine::FlushIntegration(Group& group, const std::vector<GroupMember>& members,
                              const Addressee& addressee, IntegrationRef integration, Timestamp now,
                              Effects& fx) {
  const Receiver& receiver = *addressee.receiver;
  std::string log_key =
      NflogKey(group.key, receiver.name, std::string(ToString(integration.kind)), integration.index);
  if (auto busy = in_flight_by_log_key_.find(log_key); busy != in_flight_by_log_key_.end()) {
    // A notification from before a reload is still being delivered: decide when its outcome is known.
    in_flight_.at(busy->second).waiters.insert(group.id);
    group.failed = true;
    return false;
  }
  const Route& route = *dispatcher_.routes().node(group.route).route;
  DedupInput input;
  auto logged = nflog_.find(log_key);
  if (logged != nflog_.end() && logged->second.foreign) {
    std::unordered_map<uint64_t, uint64_t> fingerprints;
    for (const GroupMember& member : members) {
      fingerprints[NflogHash(member.alert()->alert.labels)] = member.alert()->alert.fingerprint();
    }
    TranslateHashes(logged->second, fingerprints);
  }
  input.entry = logged != nflog_.end() ? &logged->second : nullptr;
  input.send_resolved = IntegrationOf(receiver, integration).send_resolved;
  input.repeat_interval = route.repeat_interval;
  // Not when the flush was due: upstream looks at its clock (seen with a flush that had to wait).
  input.now = now;
  input.page = IsSet(group.page_at) && (input.entry == nullptr || input.entry->timestamp < group.page_at);
  const bool call = IsCall(receiver, integration);
  input.alerts.reserve(members.size());
  for (const GroupMember& member : members) {
    const IncidentEntry* entry = flushed_[input.alerts.size()];
    FlushAlert& alert = input.alerts.emplace_back(
        Describe(member, entry, *config_, input.page && member.asked, addressee.former, now));
    const bool in_storm = entry != nullptr && IsInStorm(entry->incident);
    alert.held = alert.held || in_storm;
    // A phone rings for those who are told of it only.
    alert.waits = alert.waits && !in_storm && (!alert.held || !call);
    if (alert.digest && input.entry != nullptr && input.entry->timestamp >= DigestDueAt(entry->incident)) {
      alert.digest = false;  // in an earlier one already
    }
    if (alert.held) {
      LookWhenOpen(group, entry, now);
    }
    if (entry != nullptr && !member.moved && entry->incident.policy != nullptr) {
      NoteDecision(entry->incident, receiver.name,
                   HeldBackBy(alert, entry->incident, *config_, in_storm, now), now, fx);
    }
  }
  DedupDecision decision = Decide(input);
  if (decision.reason == NotifyReason::kNone && OwesRaiseNews(members, input.entry, integration)) {
    decision.reason = NotifyReason::kRaised;
  }
  if (decision.reason == NotifyReason::kNone) {
    return false;
  }
  const std::vector<const GroupMember*> owed =
      OwedWhileMuted(group, members, input.entry, incidents_.table());
  const std::vector<uint64_t> none;
  const std::vector<uint64_t>& known_over = input.entry != nullptr ? input.entry->resolved : none;
  if (decision.reason == NotifyReason::kAllResolved && !owed.empty() &&
      std::includes(known_over.begin(), known_over.end(), decision.resolved.begin(),
                    decision.resolved.end())) {
    return false;  // nothing is over: those that it knows are muted
  }
  spoken_ = true;
  for (size_t i = 0; i < members.size(); ++i) {
    voiced_[i] = voiced_[i] || !input.alerts[i].held;
  }

  if (IsRateLimited(group, receiver, decision.reason, now, fx)) {
    return false;
  }
  auto notification = std::make_shared<Notification>();
  Notification& n = *notification;
  n.id = next_notification_id_++;
  n.group_id = group.id;
  n.group_key = group.key;
  n.route_id = dispatcher_.RouteIdOf(group);
  n.group_labels = group.labels;
  n.receiver = &receiver;
  n.config = config_;
  n.integration = integration;
  n.reason = decision.reason;
  n.flushed_at = now;
  n.deadline = After(now, std::max(route.group_interval, kFlushDeadlineMin));
  n.repeat_interval = route.repeat_interval;
  n.firing = std::move(decision.firing);
  n.resolved = std::move(decision.resolved);
  n.acknowledged = std::move(decision.acknowledged);
  n.after_flapping = decision.after_flapping;
  const bool all_fire = n.firing.size() == members.size();
  // Else it would say that all is over, to who counts by groups: for good.
  const bool names_owed = n.reason == NotifyReason::kAllResolved && !owed.empty();
  for (const GroupMember* member : owed) {
    const uint64_t fingerprint = member->alert()->alert.fingerprint();
    const bool over =
        names_owed && IsOver(*member->alert(), *incidents_.table().Find(member->alert()->incident_id));
    Insert(over ? n.resolved : n.firing, fingerprint);
    if (!over && IsIn(input.entry->acknowledged, fingerprint)) {
      Insert(n.acknowledged, fingerprint);
    }
  }
  if (names_owed && !n.firing.empty()) {
    n.reason = NotifyReason::kSomeResolved;
  }
  if (input.entry != nullptr && n.reason != NotifyReason::kFirst) {
    n.receiver_data = input.entry->data;
    n.taken_before = !input.entry->firing.empty() &&
                     std::includes(input.entry->acknowledged.begin(), input.entry->acknowledged.end(),
                                   input.entry->firing.begin(), input.entry->firing.end());
  }
  if ((!input.send_resolved && (n.firing.empty() || names_owed) && n.reason != NotifyReason::kDigest) ||
      (call && !SpeaksOfFiring(n.reason)) ||
      (n.reason == NotifyReason::kAcknowledged && KnowsWhoAcknowledged(members, input, n))) {
    // Nobody is told, but the log must know that the firing is over, or that somebody took it.
    WriteLog(n, std::nullopt, now, now, fx);
    return false;
  }
  Timestamp newest_ack = kUnset;
  n.alerts.reserve(n.firing.size() + n.resolved.size());
  for (size_t i = 0; i < members.size(); ++i) {
    const AlertEntry& alert = *members[i].alert();
    const uint64_t fingerprint = input.alerts[i].fingerprint;
    bool fires = !input.alerts[i].resolved && (all_fire || IsIn(n.firing, fingerprint));
    bool resolved = input.alerts[i].resolved && (input.send_resolved || input.alerts[i].digest) &&
                    IsIn(n.resolved, fingerprint);
    if (resolved && input.alerts[i].owes_only_told && !input.alerts[i].digest &&
        (input.entry == nullptr || !IsIn(input.entry->firing, fingerprint))) {
      continue;  // told before; it fired again since, but was held back
    }
    if (!fires && !resolved) {
      continue;
    }
    const IncidentEntry* entry = flushed_[i];
    NotifiedAlert& told = n.alerts.emplace_back(NotifiedOf(alert, entry));
    told.resolved = resolved;
    if (resolved && alert.firing) {  // by hand
      told.alert.ends_at = now;
    }
    told.quiet_repeat = fires && input.alerts[i].held &&
                        !(n.reason == NotifyReason::kUnacknowledged && IsWoken(input, input.alerts[i]));
    if (told.acknowledged && entry->incident.care->ack->at > newest_ack) {
      newest_ack = entry->incident.care->ack->at;
      n.acknowledged_by = entry->incident.care->ack->by;
      n.acknowledge_comment = entry->incident.care->ack->comment;
    }
  }
  for (size_t i = 0; names_owed && i < owed.size(); ++i) {
    const AlertEntry& alert = *owed[i]->alert();
    const IncidentEntry* entry = incidents_.table().Find(alert.incident_id);
    NotifiedAlert& told = n.alerts.emplace_back(NotifiedOf(alert, entry));
    told.resolved = IsOver(alert, *entry);
    told.quiet_repeat = !told.resolved;
  }
  if (n.alerts.empty()) {
    WriteLog(n, std::nullopt, now, now, fx);  // what it knew to fire is known to nobody any more
    return false;
  }
  if (!group.in_order || names_owed) {
    SortAlerts(n.alerts, [](const NotifiedAlert& told) -> const LabelSet& { return told.alert.labels; });
  }
  if (call) {
    // Who is called is not told again of what somebody has in hand.
    std::erase_if(n.alerts, [](const NotifiedAlert& told) { return told.quiet_repeat; });
    PrepareCall(n, input.entry, now, fx);
  }
  in_flight_by_log_key_[log_key] = n.id;
  RetrySchedule schedule(n.deadline, random_);
  schedule.Next(now);  // the attempt that starts now
  in_flight_.emplace(n.id, InFlight{notification, std::move(schedule), now, 1, false, {}, {}, false});
  ArmPatience(n, now);
  fx.attempts.push_back({std::move(notification), 1});
  return true;
}

// True when everything that was acknowledged since this integration was told has been acknowledged there: it
// would hear its own words.
bool Engine::KnowsWhoAcknowledged(const std::vector<GroupMember>& members, const DedupInput& input,
                                  const Notification& n) {
  const std::string here =
      IntegrationName(n.receiver->name, ToString(n.integration.kind), n.integration.index);
  for (size_t i = 0; i < members.size(); ++i) {
    const FlushAlert& alert = input.alerts[i];
    const bool news = IsIn(n.acknowledged, alert.fingerprint) &&
                      (input.entry == nullptr || !IsIn(input.entry->acknowledged, alert.fingerprint) ||
                       alert.acknowledged_at > input.entry->timestamp);
    const IncidentEntry* entry = news ? incidents_.table().Find(members[i].alert()->incident_id) : nullptr;
    if (entry != nullptr &&
        (entry->incident.care->ack == nullptr || entry->incident.care->ack->origin != here)) {
      return false;
    }
  }
  return true;
}

}  // namespace mlalert
