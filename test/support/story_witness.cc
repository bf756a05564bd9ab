#include "support/story_witness.h"

#include <algorithm>
#include <fmt/format.h>

#include "engine/engine.h"
#include "incidents/chain.h"
#include "incidents/ladder.h"
#include "model/incident_hours.h"

namespace mlalert::testing {
namespace {

// What recurs is looked at once a minute.
constexpr Duration kSlack = std::chrono::seconds(61);
// Within that a page reaches whom it names, whatever has to be tried again.
constexpr Duration kPagePatience = std::chrono::minutes(50);

std::string ReceiverOf(const Heard& heard) {
  return heard.receiver.substr(0, heard.receiver.find('/'));
}

std::vector<std::string> Split(const std::string& list) {
  std::vector<std::string> out;
  for (size_t from = 0; from < list.size();) {
    const size_t to = std::min(list.find(", ", from), list.size());
    out.push_back(list.substr(from, to - from));
    from = to + 2;
  }
  return out;
}

// Was somebody told in this episode?
bool IsTold(const Incident& incident) {
  return IsSet(incident.last_told_at) && incident.last_told_at >= incident.last_fired_at;
}

// After these nobody need be paged for what was due before.
bool Overtakes(const std::string& type) {
  static const std::set<std::string> kTypes{"acknowledged", "snoozed", "resolved",     "muted",
                                            "lowered",      "raised",  "joined_storm", "reopened"};
  return kTypes.contains(type);
}

// These leave a chain as it is.
bool LeavesChain(const std::string& type) {
  static const std::set<std::string> kTypes{"chain_held",        "decided",        "rate_limited",
                                            "commented",         "fired",          "cleared",
                                            "flapping_started",  "flapping_ended", "joined_storm",
                                            "response_breached", "raise_held",     "raise_skipped"};
  return kTypes.contains(type);
}

}  // namespace

void Witness::Fail(std::string what) {
  if (wrong_.empty()) {
    wrong_ = fmt::format("+{}: {}", FormatDuration(sim_.now() - sim_.start()), what);
  }
}

void Witness::Look() {
  if (!wrong_.empty()) {
    return;
  }
  ReadRecords();
  ReadHeard();
  Sample();
}

void Witness::Disturb(Timestamp until) {
  disturbed_ = until;
  free_since_.clear();
  steps_.clear();
  limited_.clear();  // a restart forgets them
}

Duration Witness::Patience() const {
  return std::chrono::minutes(3 * features_.group_interval + 1) + std::chrono::seconds(features_.group_wait);
}

// --- why nobody may be told ---

bool Witness::InStorm(const Incident& incident) {
  if (incident.care->parent == 0) {
    return false;
  }
  const Incident* parent = Find(incident.care->parent);
  return parent != nullptr && parent->state != IncidentState::kResolved;
}

bool Witness::ByHours(const Incident& incident) const {
  if (incident.policy == nullptr || incident.policy->hours == nullptr || incident.severity >= Severity::kP1) {
    return false;
  }
  return !IsWithin(kOfficeHours, sim_.now()) ||
         (features_.hours == StoryFeatures::kDrop &&
          incident.severity <= SeverityFromLabel(incident.labels.Get("severity")) &&
          !IsWithin(kOfficeHours, incident.last_fired_at));
}

std::string Witness::WhyQuiet(const Incident& incident) {
  if (incident.state == IncidentState::kResolved) {
    return "resolved";
  }
  if (incident.state == IncidentState::kAcknowledged) {
    return "acknowledged";
  }
  if (IsSnoozed(incident)) {
    return "snoozed";
  }
  if (IsQuiet(incident)) {
    return "quiet";
  }
  if (InStorm(incident)) {
    return "in a storm";
  }
  return ByHours(incident) ? "outside business hours" : "";
}

std::string Witness::WhyMuted(const LabelSet& effective) {
  const Timestamp now = sim_.now();
  for (const Silence& silence : sim_.engine().muter().silences().All()) {
    if (silence.starts_at <= now && now < silence.ends_at && MatchesAll(silence.matchers, effective)) {
      return "silenced";
    }
  }
  if (features_.naps != 0 && effective.Get("model") == "n" && IsWithin(kNapHours, now)) {
    return "in its recurring silence";
  }
  const std::string_view name = effective.Get("alertname");
  if (features_.inhibition != 0 && (name == "A" || name == "B")) {
    for (const AlertView& view : Firing()) {
      if (view.alert.name() == "Up" && view.alert.labels.Get("model") == effective.Get("model")) {
        return "inhibited";
      }
    }
  }
  return "";
}

bool Witness::AllMuted(const Incident& incident) {
  bool any = false;
  for (const AlertView& view : Firing()) {
    if (view.incident_id == incident.id) {
      any = true;
      if (WhyMuted(view.effective).empty()) {
        return false;
      }
    }
  }
  return any;
}

const std::vector<AlertView>& Witness::Firing() {
  if (firing_as_of_ != sim_.journal().size() || firing_at_ != sim_.now()) {
    firing_ = std::as_const(sim_.engine()).ListAlerts();
    firing_as_of_ = sim_.journal().size();
    firing_at_ = sim_.now();
  }
  return firing_;
}

// --- what the journal says ---

void Witness::ReadRecords() {
  const std::vector<Record>& journal = sim_.journal();
  for (; records_ < journal.size(); ++records_) {
    if (const auto* row = std::get_if<IncidentRecord>(&journal[records_])) {
      OnIncident(row->incident);
    } else if (const auto* event = std::get_if<EventRecord>(&journal[records_])) {
      OnEvent(*event, records_);
    } else if (const auto* attempt = std::get_if<NotificationRecord>(&journal[records_]);
               attempt != nullptr && attempt->outcome != "sent") {
      disturbed_ = sim_.now();
      free_since_.clear();
    }
  }
  for (const auto& [id, text] : fell_) {
    Fail(fmt::format("the severity of incident {} fell from {} and nobody lowered it", id, text));
  }
}

void Witness::OnIncident(const Incident& incident) {
  auto& [opening, severity] = severities_[incident.id];
  if (opening == incident.opened_generation && incident.severity < severity) {
    fell_[incident.id] = fmt::format("{} to {}", ToString(severity), ToString(incident.severity));
  }
  opening = incident.opened_generation;
  severity = incident.severity;
}

void Witness::OnEvent(const EventRecord& event, size_t index) {
  if (event.incident_id == 0) {
    return;
  }
  if (event.type == "lowered") {
    fell_.erase(event.incident_id);
    // What was told counts for as little as it is since.
    for (Told& told : told_[event.incident_id]) {
      told.severity = std::min(told.severity, severities_[event.incident_id].second);
    }
  }
  if (event.type == "escalated" || event.type == "chain_exhausted") {
    OnChainStep(event, index);
    return;
  }
  if (!LeavesChain(event.type)) {
    steps_.erase(event.incident_id);
  }
  if (event.type == "reopened") {
    digests_.erase(event.incident_id);
  }
  const Incident* incident = event.type == "resolved" ? Find(event.incident_id) : nullptr;
  if (incident != nullptr && features_.hours == StoryFeatures::kDigest && event.actor_kind == "system" &&
      incident->policy != nullptr && incident->policy->hours != nullptr &&
      incident->severity < Severity::kP1 && !IsTold(*incident) && !IsQuiet(*incident) &&
      incident->resolved_at == event.at && !IsWithin(kOfficeHours, event.at)) {
    digests_[event.incident_id] = event.at;
  }
}

void Witness::OnChainStep(const EventRecord& event, size_t index) {
  const Incident* incident = Find(event.incident_id);
  if (incident == nullptr || event.at != sim_.now()) {
    return;
  }
  const std::string what =
      fmt::format("incident {} took {} ({})", event.incident_id, event.type, event.reason);
  std::string why = WhyQuiet(*incident);
  if (incident->state == IncidentState::kOpen && IsQuiet(*incident)) {
    why.clear();  // it was lowered in this very instant
  }
  if (!why.empty()) {
    Fail(fmt::format("{} though it is {}", what, why));
  }
  const bool just_asleep = features_.naps != 0 && event.at < LastEdge(kNapHours, event.at) + kSlack;
  if (AllMuted(*incident) && !just_asleep) {
    Fail(fmt::format("{} though all of it is muted", what));
  }
  if (event.reason.find("since the hand-over") != std::string::npos) {
    pages_.push_back({index, Split(event.to_value)});  // at the time of the schedule, not of the chain
    return;
  }
  StepTaken& last = steps_[event.incident_id];
  if (IsSet(last.at)) {
    const Duration apart = event.type == "chain_exhausted"           ? std::chrono::minutes(30)
                           : features_.chain == StoryFeatures::kRota ? std::chrono::minutes(20)
                                                                     : std::chrono::minutes(15);
    // What was due while it was down is done at the start.
    if (event.at - last.at < apart && event.reason != last.what && event.at != disturbed_) {
      Fail(fmt::format("{} {} after ({})", what, FormatDuration(event.at - last.at), last.what));
    }
  }
  last = {event.at != disturbed_ ? event.at : kUnset, event.reason};
  pages_.push_back({index, Split(event.to_value)});
}

// --- what receivers heard ---

void Witness::ReadHeard() {
  for (; heard_ < sim_.heard().size(); ++heard_) {
    OnMessage(sim_.heard()[heard_]);
  }
}

void Witness::OnMessage(const Heard& heard) {
  const Notification& n = *heard.notification;
  const std::string what = fmt::format("{} {} {}", heard.ToString(), heard.group_key, n.id);
  if (n.alerts.empty()) {
    Fail("a message about nothing: " + what);
  }
  // What was tried again says what was so when it was decided.
  const bool fresh = n.flushed_at == sim_.now();
  bool caused = false, taken = false, over = false;
  for (const NotifiedAlert& alert : n.alerts) {
    const Incident* incident = Find(alert.incident_id);
    if (incident == nullptr) {
      Fail("of an incident that nobody knows: " + what);
      continue;
    }
    if (alert.resolved) {
      over = true;
      digests_.erase(alert.incident_id);
      heard_of_[ReceiverOf(heard)].erase(alert.fingerprint);
    }
    if (!fresh) {
      caused =
          caused || (!alert.resolved && incident->state == IncidentState::kOpen && !IsSnoozed(*incident));
      taken = taken || alert.acknowledged;
    } else {
      const bool fires = std::any_of(Firing().begin(), Firing().end(), [&](const AlertView& view) {
        return view.alert.fingerprint() == alert.fingerprint;
      });
      const bool flaps = IsSet(incident->care->flapping_since);
      if (alert.resolved && fires && !IsHeldResolved(*incident)) {
        Fail("it is said to be resolved and fires: " + what);
      }
      if (!alert.resolved && !fires && !flaps) {
        Fail("it is said to fire and does not: " + what);
      }
      // When all others of a group are over, it is said that a muted one fires on, or is over.
      const bool for_the_record =
          (heard.reason == NotifyReason::kAllResolved || heard.reason == NotifyReason::kSomeResolved) &&
          (alert.resolved || alert.quiet_repeat);
      if (const std::string why = WhyMuted(alert.alert.labels); !why.empty() && !for_the_record) {
        Fail(fmt::format("{} is {}, yet told: {}", alert.alert.labels.ToString(), why, what));
      }
      if (!alert.resolved && !alert.quiet_repeat) {
        const std::string why = WhyQuiet(*incident);
        if (!why.empty() && !(flaps && why == "resolved")) {
          Fail(fmt::format("incident {} is {}, yet told: {}", incident->id, why, what));
        }
        caused = true;
        CheckCooldown(heard, alert, *incident);
      }
      taken = taken || (!alert.resolved && incident->state == IncidentState::kAcknowledged);
    }
    if (!alert.resolved) {
      Severity& severity = heard_of_[ReceiverOf(heard)][alert.fingerprint];
      severity = std::max(severity, alert.severity);
    }
  }
  const bool right = SpeaksOfFiring(heard.reason)                  ? caused
                     : heard.reason == NotifyReason::kAcknowledged ? taken
                                                                   : over;
  if (!right) {
    Fail("a message without a reason: " + what);
  }
  for (const NotifiedAlert& alert : n.alerts) {
    if (!alert.resolved && !alert.quiet_repeat && SpeaksOfFiring(heard.reason)) {
      told_[alert.incident_id].push_back({alert.severity, sim_.now()});
    }
  }
  CheckLimit(heard);
}

// What fires again is not told within the cooldown of what was told before, unless it is worse.
void Witness::CheckCooldown(const Heard& heard, const NotifiedAlert& alert, const Incident& incident) {
  if (features_.cooldown == 0 || incident.policy == nullptr ||
      incident.policy->cooldown == Duration::zero() || IsSet(incident.care->flapping_since) ||
      heard_of_[ReceiverOf(heard)].contains(alert.fingerprint)) {
    return;
  }
  Timestamp last = kUnset;
  Severity severity = Severity::kNone;
  for (const Told& told : told_[incident.id]) {
    if (told.at >= incident.last_fired_at && told.at < sim_.now()) {
      return;  // in this episode
    }
    if (told.at < incident.last_fired_at && told.at >= last) {
      last = told.at;
      severity = std::max(severity, told.severity);
    }
  }
  if (IsSet(last) && sim_.now() < last + incident.policy->cooldown && alert.severity <= severity &&
      IsSet(incident.last_told_at) && incident.last_told_at < incident.last_fired_at) {
    Fail(fmt::format("incident {} cools down since {} and is told: {}", incident.id,
                     FormatDuration(last - sim_.start()), heard.ToString()));
  }
}

void Witness::CheckLimit(const Heard& heard) {
  if (features_.limit == 0 || ReceiverOf(heard) != kLimitedReceiver ||
      heard.notification->flushed_at != sim_.now()) {
    return;
  }
  std::erase_if(limited_, [&](Timestamp at) { return at + kLimitWindow <= sim_.now(); });
  const bool urgent = heard.notification->MaxSeverity() == Severity::kP0;
  if (!urgent && limited_.size() >= static_cast<size_t>(features_.limit)) {
    Fail("one message too many: " + heard.ToString());
  }
  limited_.push_back(sim_.now());
}

// --- what somebody must have heard ---

// An alert that somebody may be told of is known to the receivers of its routes, as severe as it is.
void Witness::Sample() {
  std::set<uint64_t> fire;
  for (const AlertView& view : Firing()) {
    const Incident* incident = Find(view.incident_id);
    if (incident == nullptr || incident->policy == nullptr) {
      continue;
    }
    const uint64_t fingerprint = view.alert.fingerprint();
    fire.insert(fingerprint);
    if (!WhyQuiet(*incident).empty() || !WhyMuted(view.effective).empty()) {
      quiet_[incident->id] = sim_.now();
      free_since_.erase(fingerprint);
      continue;
    }
    auto [it, began] = free_since_.emplace(fingerprint, sim_.now());
    if (auto& as = free_as_[fingerprint]; as != incident->severity) {
      as = incident->severity;
      it->second = sim_.now();
    }
    Timestamp since = std::max(it->second, disturbed_);
    if (incident->policy->hours != nullptr && incident->severity < Severity::kP1) {
      since = std::max(since, LastEdge(kOfficeHours, sim_.now()));
    }
    if (features_.naps != 0) {
      since = std::max(since, LastEdge(kNapHours, sim_.now()));
    }
    const Timestamp cooled = CooldownUntil(*incident);
    if (IsSet(cooled) && incident->severity <= incident->told_severity) {
      since = std::max(since, cooled);
    }
    if (since + Patience() < sim_.now()) {
      CheckKnown(view, *incident, since);
    }
  }
  std::erase_if(free_since_, [&](const auto& one) { return !fire.contains(one.first); });
  std::erase_if(free_as_, [&](const auto& one) { return !fire.contains(one.first); });
}

void Witness::CheckKnown(const AlertView& view, const Incident& incident, Timestamp since) {
  // The route of its effective labels.
  const std::string route = incident.severity >= Severity::kP1 && view.effective.Get("severity") != "P2"
                                ? (features_.on_call != 0 ? "rota" : "page")
                            : view.effective.Get("severity") == "P2" ? "chat"
                                                                     : "board";
  if (features_.limit != 0 && route == kLimitedReceiver && since + std::chrono::hours(3) > sim_.now()) {
    return;
  }
  std::vector<std::string> names = ReceiversNow(sim_.engine().config(), route, sim_.now());
  if (route == "rota") {
    for (std::string& before : ReceiversNow(sim_.engine().config(), route, sim_.now() - Patience())) {
      names.push_back(std::move(before));
    }
  }
  const bool known = std::any_of(names.begin(), names.end(), [&](const std::string& name) {
    const auto& heard = heard_of_[name];
    auto it = heard.find(view.alert.fingerprint());
    return it != heard.end() && it->second >= incident.severity;
  });
  if (!known) {
    Fail(fmt::format("{} never heard that {} fires as {}, which may be told since +{}", route,
                     view.alert.labels.ToString(), ToString(incident.severity),
                     FormatDuration(since - sim_.start())));
  }
}

// Whom a step of a chain named, heard of it, unless something came between.
void Witness::CheckPages() {
  const std::vector<Record>& journal = sim_.journal();
  for (; paged_ < pages_.size(); ++paged_) {
    const Page& page = pages_[paged_];
    const auto& event = std::get<EventRecord>(journal[page.event]);
    if (event.at + kPagePatience > sim_.now()) {
      return;  // later
    }
    const Timestamp until = event.at + kPagePatience;
    bool overtaken =
        (IsSet(disturbed_) && disturbed_ + Patience() >= event.at && disturbed_ <= until) ||
        (quiet_.contains(event.incident_id) && quiet_[event.incident_id] >= event.at) ||
        (features_.hours != StoryFeatures::kAllHours && LastEdge(kOfficeHours, until) >= event.at) ||
        (features_.naps != 0 && LastEdge(kNapHours, until) >= event.at);
    for (size_t i = page.event; i < journal.size() && !overtaken; ++i) {
      const auto* other = std::get_if<EventRecord>(&journal[i]);
      overtaken = other != nullptr && other->incident_id == event.incident_id && other->at <= until &&
                  Overtakes(other->type);
    }
    for (const std::string& receiver : page.receivers) {
      if (overtaken || (features_.limit != 0 && receiver == kLimitedReceiver)) {
        continue;
      }
      const bool heard = std::any_of(sim_.heard().begin(), sim_.heard().end(), [&](const Heard& one) {
        return one.at >= event.at - kSlack && one.at <= until && ReceiverOf(one) == receiver &&
               std::any_of(one.notification->alerts.begin(), one.notification->alerts.end(),
                           [&](const NotifiedAlert& alert) {
                             return alert.incident_id == event.incident_id && !alert.resolved;
                           });
      });
      if (!heard) {
        Fail(fmt::format("a page was lost: {} of incident {} to {} at +{}", event.type, event.incident_id,
                         receiver, FormatDuration(event.at - sim_.start())));
      }
    }
  }
}

// Who was told that it fires hears exactly one end of it.
void Witness::CheckEnds() {
  for (; ended_ < sim_.heard().size(); ++ended_) {
    const Heard& heard = sim_.heard()[ended_];
    auto& knows = knows_[heard.receiver + ' ' + heard.group_key];
    for (const NotifiedAlert& alert : heard.notification->alerts) {
      Knowledge& known = knows[alert.fingerprint];
      if (!alert.resolved) {
        known = {true, !heard.logged && (!known.firing || known.uncertain)};
        continue;
      }
      if (!known.firing && !known.uncertain && heard.reason != NotifyReason::kDigest) {
        Fail(fmt::format("+{} the end of what it was not told, or a second one: {} {} {}",
                         FormatDuration(heard.at - sim_.start()), heard.ToString(), heard.group_key,
                         alert.alert.labels.ToString()));
      }
      known = {false, !heard.logged};
    }
  }
}

void Witness::OnEnd() {
  AfterStep();
  for (const auto& [who, alerts] : knows_) {
    for (const auto& [fingerprint, known] : alerts) {
      if (known.firing && !known.uncertain) {
        Fail(fmt::format("{} never heard of the end of {}", who, fingerprint));
      }
    }
  }
  for (const auto& [id, at] : digests_) {
    if (NextWithin(kOfficeHours, at) + Patience() < sim_.now()) {
      Fail(fmt::format("incident {} cleared outside business hours at +{} and stands in no digest", id,
                       FormatDuration(at - sim_.start())));
    }
  }
  for (const Incident& incident : sim_.engine().ListIncidents()) {
    if (incident.state != IncidentState::kResolved) {
      Fail(fmt::format("incident {} is open and nothing fires", incident.id));
    }
  }
}

// --- what each incident must look like ---

Timestamp Witness::RungOf(const Incident& incident) const {
  if (!IsSet(incident.clock_since) || incident.policy == nullptr ||
      incident.ladder_step >= incident.policy->ladder.size()) {
    return kUnset;
  }
  const LadderStep& rung = incident.policy->ladder[incident.ladder_step];
  Duration left = rung.after - incident.clock_elapsed;
  Timestamp at = incident.clock_since;
  if (features_.ladder != StoryFeatures::kBusiness) {
    at += left;
  }
  while (features_.ladder == StoryFeatures::kBusiness && left > Duration::zero()) {
    at = NextWithin(kOfficeHours, at);
    Timestamp closes = at;
    while (IsWithin(kOfficeHours, closes)) {
      closes += std::chrono::minutes(1);
      closes -= closes.time_since_epoch() % std::chrono::minutes(1);
    }
    const Duration open = std::min(left, closes - at);
    at += open;
    left -= open;
  }
  const bool guarded =
      features_.ladder == StoryFeatures::kBusiness || features_.ladder == StoryFeatures::kGuarded;
  const bool wakes = rung.severity >= Severity::kP1 && rung.severity > incident.severity;
  return guarded && wakes ? NextWithin(kOfficeHours, at) : at;
}

void Witness::CheckIncident(const Incident& incident) {
  const IncidentCare& care = *incident.care;
  const std::string who = fmt::format("incident {} ", incident.id);
  const bool waits = incident.state == IncidentState::kOpen && !IsSnoozed(incident);
  const bool runs = waits && !IsSet(care.muted_since);
  if ((incident.state == IncidentState::kAcknowledged) != (care.ack != nullptr)) {
    Fail(who + "is acknowledged without an acknowledgement, or the other way round");
  }
  if (incident.state == IncidentState::kResolved && (IsSnoozed(incident) || IsSet(care.muted_since))) {
    Fail(who + "is resolved, and snoozed or silenced");
  }
  if (incident.policy == nullptr) {
    return;
  }
  if (IsSet(incident.clock_since) != runs) {
    Fail(who + "has a ladder clock that runs though it should stand, or the other way round");
  }
  const Timestamp rung = RungOf(incident);
  if (incident.next_severity_at != rung) {
    Fail(fmt::format("{}rises at {}, not at {}", who, FormatRfc3339Millis(incident.next_severity_at),
                     FormatRfc3339Millis(rung)));
  }
  const bool chained = incident.policy->chain != nullptr;
  const bool ahead = runs && chained && !IsQuiet(incident) && !IsChainExhausted(incident);
  if (IsSet(incident.chain_next_at) != ahead) {
    Fail(who +
         (ahead ? "waits for somebody and nothing is ahead" : "has a step ahead that nobody waits for"));
  }
  for (const Timestamp at : {incident.next_severity_at, incident.chain_next_at, care.snoozed_until,
                             care.ack != nullptr ? care.ack->expires_at : kUnset}) {
    if (IsSet(at) && at <= sim_.now()) {
      Fail(fmt::format("{}was due at {}", who, FormatRfc3339Millis(at)));
    }
  }
}

void Witness::AfterStep() {
  Look();
  CheckEnds();
  CheckPages();
  std::set<std::string> open;
  for (const Incident& incident : sim_.engine().ListIncidents()) {
    if (incident.state != IncidentState::kResolved && !open.insert(incident.key.ToString()).second) {
      Fail("two incidents are open of " + incident.key.ToString());
    }
    CheckIncident(incident);
  }
  if (sim_.engine().NextDue() <= sim_.now()) {
    Fail("something is due and was not done");
  }
  for (const size_t invariant : {1, 4, 5}) {
    if (sim_.engine().Stats().invariant_breaches[invariant - 1] != 0) {
      Fail(fmt::format("the engine itself says that I{} is broken", invariant));
    }
  }
}

}  // namespace mlalert::testing
