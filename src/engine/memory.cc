// The engine's part in remembering: when alerts are kept quiet, what people say, what was changed.
#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <utility>

#include "base/hash.h"
#include "base/json.h"
#include "engine/engine.h"

namespace mlalert {

// What keeps `alert` quiet in a group whose route says `route`, each cause since it began.
std::vector<MuteLog::Cause> Engine::CausesOfQuiet(const AlertEntry& alert, const RouteMute* route,
                                                  const std::string& receiver, Timestamp now) {
  std::vector<MuteLog::Cause> causes;
  AlertMute mute = muter_.MuteOf(alert, now);
  if (!mute.silenced_by.empty()) {
    Timestamp since = now;
    for (const std::string& id : mute.silenced_by) {
      if (const Silence* silence = muter_.silences().Find(id)) {
        since = std::min(since, silence->starts_at);
      }
    }
    causes.push_back({"silenced", fmt::format("{}", fmt::join(mute.silenced_by, ",")), "",
                      std::max(since, alert.received_at)});
  }
  if (mute.inhibited_by) {
    const AlertEntry* source = alerts_.Find(*mute.inhibited_by);
    const Timestamp since = source != nullptr ? std::min(now, source->received_at) : now;
    causes.push_back({"inhibited", Hex16(*mute.inhibited_by), "", std::max(since, alert.received_at)});
  }
  if (route != nullptr && route->reason != MuteReason::kNone) {
    causes.push_back({"deferred", fmt::format("{}", fmt::join(route->names, ",")), receiver, now});
  }
  return causes;
}

// When the interval that is over now was over: silences and sources say so to the instant, flushes only see
// it afterwards.
Timestamp Engine::EndOfQuiet(const MuteRecord& interval, Timestamp now) {
  if (interval.kind == "silenced") {
    Timestamp end = kUnset;
    std::string_view ids = interval.muted_by;
    while (!ids.empty()) {
      std::string_view id = ids.substr(0, ids.find(','));
      ids.remove_prefix(std::min(ids.size(), id.size() + 1));
      if (const Silence* silence = muter_.silences().Find(id)) {
        end = std::max(end, silence->ends_at);
      }
    }
    return IsSet(end) ? std::min(end, now) : now;
  }
  if (interval.kind == "inhibited") {
    uint64_t source = 0;
    std::from_chars(interval.muted_by.data(), interval.muted_by.data() + interval.muted_by.size(), source,
                    16);
    const AlertEntry* alert = alerts_.Find(source);
    return alert != nullptr && !alert->firing ? std::min(alert->alert.ends_at, now) : now;
  }
  return now;
}

void Engine::ObserveQuiet(const AlertEntry& alert, const RouteMute& route, const std::string& receiver,
                          Timestamp now, Effects& fx) {
  mute_log_.Observe(
      alert.alert.fingerprint(), alert.incident_id, receiver, CausesOfQuiet(alert, &route, receiver, now),
      [&](const MuteRecord& interval) { return EndOfQuiet(interval, now); }, fx.records);
}

// A silence came or went: what it kept quiet need not wait for a flush to be free.
void Engine::SettleQuiet(Timestamp now, Effects& fx) {
  for (uint64_t fingerprint : mute_log_.Fingerprints()) {
    const AlertEntry* alert = alerts_.Find(fingerprint);
    if (alert == nullptr || !alert->firing) {
      mute_log_.End(fingerprint, now, "resolved", fx.records);
      continue;
    }
    mute_log_.Observe(
        fingerprint, alert->incident_id, "", CausesOfQuiet(*alert, nullptr, "", now),
        [&](const MuteRecord& interval) { return EndOfQuiet(interval, now); }, fx.records);
  }
}

void Engine::RecordFeedback(FeedbackRecord feedback, const std::string& address, Timestamp now, Effects& fx) {
  feedback.at = now;
  EventRecord event;
  event.at = now;
  event.incident_id = feedback.incident_id;
  event.type = "feedback";
  event.actor_kind = "human";
  event.actor = feedback.actor;
  event.via = feedback.via;
  event.address = address;
  event.reason = feedback.comment;
  event.to_value = feedback.verdict;
  Json data = Json::MakeObject();
  data.Set("via", feedback.via);
  for (const auto& [key, value] : {std::pair{"resolution", &feedback.resolution}, {"link", &feedback.link}}) {
    if (!value->empty()) {
      data.Set(key, *value);
    }
  }
  event.data = data.Dump();
  fx.records.emplace_back(std::move(event));
  fx.records.emplace_back(std::move(feedback));
}

ChangeRecord Engine::RecordChange(ChangeRecord change, Timestamp now, Effects& fx) {
  change.id = next_change_id_++;
  change.received_at = now;
  if (!IsSet(change.at)) {
    change.at = now;
  }
  fx.records.emplace_back(change);
  return change;
}

}  // namespace mlalert
