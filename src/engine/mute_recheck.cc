// Muting as the incidents see it: what is silenced or inhibited altogether does not climb, and nobody is
// expected to act on it. Looked at for one incident when an alert of it begins or ends, and for all of them
// when a silence begins or ends, when a recurring one does, and when an alert that inhibits others does.
#include <algorithm>
#include <fmt/format.h>
#include <utility>

#include "config/calm_config.h"
#include "engine/engine.h"

namespace mlalert {
namespace {

// In the event that says that an incident is muted altogether.
constexpr size_t kCausesNamedMax = 5;

void AddCause(std::vector<std::string>& causes, std::string cause) {
  if (std::find(causes.begin(), causes.end(), cause) == causes.end()) {
    causes.push_back(std::move(cause));
  }
}

std::string Named(std::string_view how, std::vector<std::string> causes) {
  causes.resize(std::min(causes.size(), kCausesNamedMax));
  return causes.empty() ? std::string() : fmt::format("{} by {}", how, fmt::join(causes, ", "));
}

}  // namespace

std::string Engine::NameOfSource(uint64_t fingerprint) const {
  const AlertEntry* source = alerts_.Find(fingerprint);
  const std::string_view name =
      source != nullptr ? source->alert.labels.Get("alertname") : std::string_view();
  return name.empty() ? std::string("another alert") : std::string(name);
}

void Engine::RecheckMute(IncidentEntry& entry, Timestamp now, Effects& fx) {
  const Incident& incident = entry.incident;
  if (incident.state == IncidentState::kResolved || incident.policy == nullptr ||
      (incident.policy->ladder.empty() && incident.policy->chain == nullptr &&
       config_->response_targets == nullptr)) {
    return;
  }
  // A silence of one severity ends by itself when the severity rises: it must not keep it from rising. An
  // inhibition is different: the graver alert stands for this one, whatever it would become by waiting.
  auto pauses = [&](const std::string& id) {
    const Silence* silence = muter_.silences().Find(id);
    return silence == nullptr || std::none_of(silence->matchers.begin(), silence->matchers.end(),
                                              [](const Matcher& m) { return m.name() == "severity"; });
  };
  std::vector<std::string> silences;
  std::vector<std::string> sources;
  const bool muted = !entry.firing.empty() &&
                     std::all_of(entry.firing.begin(), entry.firing.end(), [&](const AlertEntry* alert) {
                       const AlertMute mute = muter_.MuteOf(*alert, now);
                       auto first = std::find_if(mute.silenced_by.begin(), mute.silenced_by.end(), pauses);
                       if (first != mute.silenced_by.end()) {
                         AddCause(silences, *first);
                         return true;
                       }
                       if (mute.inhibited_by) {
                         AddCause(sources, NameOfSource(*mute.inhibited_by));
                       }
                       return mute.inhibited_by.has_value();
                     });
  if (muted == IsSet(incident.care->muted_since)) {
    return;
  }
  // Whoever silenced all of it since it fired has decided about it; what recurs, or was there before, has
  // not.
  const bool decided = std::any_of(silences.begin(), silences.end(), [&](const std::string& id) {
    const Silence* silence = muter_.silences().Find(id);
    return silence != nullptr && silence->updated_at >= incident.last_fired_at;
  });
  auto change = incidents_.OnMuted(entry, muted, decided, now);
  std::string why = "it is neither silenced nor inhibited altogether any more";
  if (muted) {
    why = Named("silenced", silences);
    const std::string by_sources = Named("inhibited", sources);
    why += why.empty() || by_sources.empty() ? "" : ", ";
    why += by_sources;
  }
  for (EventRecord& event : change.events) {
    event.reason = why;
  }
  Apply(std::move(change), now, fx);
  if (!muted) {
    HandOver(entry, now, fx);
  }
}

void Engine::ArmSilence(const Silence& silence, Timestamp now) {
  for (Timestamp edge : {silence.starts_at, silence.ends_at}) {
    if (edge > now && edge != kNever) {
      timers_.Add(edge, {TimerKind::kSilenceEdge, 0});
    }
  }
}

// Recurring silences begin and end by the clock: the next time one of them may. Earlier timers do not count
// any more.
void Engine::ArmRecurring(Timestamp now) {
  ++recurring_round_;
  if (config_->calm != nullptr && !config_->calm->silences.empty()) {
    timers_.Add(muter_.NextRecurringEdge(now), {TimerKind::kRecurringEdge, recurring_round_});
  }
}

void Engine::OnRecurringEdge(Timestamp now, Effects& fx) {
  ++quiet_epoch_;
  SettleQuiet(now, fx);
  RecheckMutes(now);
  ArmRecurring(now);
}

// An alert that inhibits others came, went or changed.
void Engine::FollowSources(Timestamp now) {
  if (std::exchange(sources_seen_, muter_.inhibitor().version()) != muter_.inhibitor().version() &&
      !config_->incident_policies.empty()) {
    RecheckMutes(now);
  }
}

}  // namespace mlalert
