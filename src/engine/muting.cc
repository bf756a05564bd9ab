// The engine's part in muting: silences come and go, and listings say what keeps an alert quiet.
#include <algorithm>
#include <bit>
#include <fmt/format.h>
#include <utility>

#include "alerts/alert_order.h"
#include "base/hash.h"
#include "engine/engine.h"

namespace mlalert {
namespace {

Record SilenceEvent(std::string_view type, const Silence& silence, const std::string& actor, Timestamp now) {
  EventRecord event;
  event.at = now;
  event.type = type;
  event.actor_kind = "human";
  event.actor = actor;
  event.reason = silence.comment;
  event.to_value = silence.id;
  return event;
}

}  // namespace

// A random UUID (version 4). Hashed with time and count, so that a poor source of randomness still gives new
// ones.
std::string Engine::MakeSilenceId(Timestamp now) {
  std::string seed = fmt::format("{} {}", now.time_since_epoch().count(), ++silence_ids_);
  for (int i = 0; i < 4; ++i) {
    seed += fmt::format(" {}", std::bit_cast<uint64_t>(random_()));
  }
  std::string hex = Sha256Hex(seed);
  hex[12] = '4';
  hex[16] = "89ab"[static_cast<unsigned char>(hex[16]) % 4];
  std::string_view h = hex;
  return fmt::format("{}-{}-{}-{}-{}", h.substr(0, 8), h.substr(8, 4), h.substr(12, 4), h.substr(16, 4),
                     h.substr(20, 12));
}

Result<std::string> Engine::SetSilence(const SilenceRequest& request, Timestamp now, Effects& fx) {
  ObserveClock(now);
  MLALERT_ASSIGN(Silences::Change change,
                 muter_.silences().Set(request, now, [&] { return MakeSilenceId(now); }));
  for (Silence& silence : change.changed) {
    bool successor = silence.id == change.id;
    std::string_view type = !successor       ? "silence_expired"
                            : change.created ? "silence_created"
                                             : "silence_updated";
    ArmSilence(silence, now);
    fx.records.emplace_back(SilenceEvent(type, silence, request.created_by, now));
    fx.records.emplace_back(SilenceRecord{std::move(silence)});
  }
  ++quiet_epoch_;
  SettleQuiet(now, fx);
  RecheckMutes(now);
  return std::move(change.id);
}

Status Engine::ExpireSilence(std::string_view id, Timestamp now, Effects& fx) {
  ObserveClock(now);
  MLALERT_ASSIGN(std::optional<Silence> ended, muter_.silences().Expire(id, now));
  if (ended) {
    fx.records.emplace_back(SilenceEvent("silence_expired", *ended, "", now));
    fx.records.emplace_back(SilenceRecord{std::move(*ended)});
    SettleQuiet(now, fx);
    ++quiet_epoch_;
    RecheckMutes(now);
  }
  return {};
}

std::vector<AlertView> Engine::ListAlerts(Timestamp now) {
  std::vector<AlertView> views = std::as_const(*this).ListAlerts();
  for (AlertView& view : views) {
    AlertMute mute = muter_.MuteOf(*alerts_.Find(view.alert.fingerprint()), now);
    view.silenced_by = std::move(mute.silenced_by);
    view.inhibited_by = mute.inhibited_by;
  }
  return views;
}

std::vector<GroupView> Engine::ListGroups(Timestamp now) {
  std::vector<GroupView> out;
  for (const auto& [id, group] : dispatcher_.groups()) {
    GroupView view;
    for (const GroupMember& member : group->members) {
      if (!member.alert()->firing || member.moved) {
        continue;
      }
      AlertView alert = View(*member.alert());
      AlertMute mute = muter_.MuteOf(*member.alert(), now);
      alert.silenced_by = std::move(mute.silenced_by);
      alert.inhibited_by = mute.inhibited_by;
      view.alerts.push_back(std::move(alert));
    }
    if (view.alerts.empty()) {
      continue;
    }
    SortAlerts(view.alerts, [](const AlertView& alert) -> const LabelSet& { return alert.effective; });
    view.labels = group->labels;
    view.receiver = dispatcher_.ReceiverOf(*group);
    view.route_labels = dispatcher_.routes().node(group->route).route->labels;
    view.muted_by = group->muted_by;
    out.push_back(std::move(view));
  }
  return out;
}

}  // namespace mlalert
