// May this alert speak now, and if not, why? Alertmanager's order: inhibition, the active and then the mute
// time intervals of the route, silences. The first that says no is the reason. Fed by the engine: alerts that
// change, silences, config. Asked at every flush and by the API. Owns: inhibitor, silences, time intervals,
// counts per reason. Thread: engine only. Time: passed in.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "alerts/alert_store.h"
#include "config/config.h"
#include "mute/inhibitor.h"
#include "mute/silences.h"
#include "mute/time_intervals.h"

namespace mlalert {

enum class MuteReason : uint8_t { kNone, kInhibition, kActiveTimeInterval, kMuteTimeInterval, kSilence };
// As in alertmanager_notifications_suppressed_total; empty for kNone.
std::string_view ToString(MuteReason reason);

// What time says about a whole route.
struct RouteMute {
  MuteReason reason = MuteReason::kNone;  // kActiveTimeInterval, kMuteTimeInterval or kNone
  // The names to show: the mute intervals that contain now, or all the active ones of which none does.
  std::vector<std::string> names;
};

// What mutes one alert, whatever its route.
struct AlertMute {
  std::vector<std::string> silenced_by;  // ids of active silences, sorted
  std::optional<uint64_t> inhibited_by;  // fingerprint of a source
};

struct CalmConfig;

class Muter {
 public:
  explicit Muter(const ConfigPtr& config, SilenceLimits limits = {});

  // Silences stay. The caller then calls inhibitor().Update for every firing alert.
  void SetConfig(const ConfigPtr& config);

  RouteMute MuteOf(const Route& route, Timestamp now) const;
  AlertMute MuteOf(const AlertEntry& alert, Timestamp now);

  // One verdict per alert of a group's flush; counts what may not speak.
  MuteReason Judge(const AlertEntry& alert, const RouteMute& route, Timestamp now);

  // The entry is about to die.
  void Forget(uint64_t fingerprint);

  // Names of the recurring silences that hold now and match, as "recurring:name".
  std::vector<std::string> Recurring(const LabelSet& labels, Timestamp now) const;

  // When a recurring silence may begin or end next after `now`.
  Timestamp NextRecurringEdge(Timestamp now) const;
  // When what time says about the route may change next after `now`.
  Timestamp NextEdge(const Route& route, Timestamp now) const;

  Inhibitor& inhibitor() { return inhibitor_; }
  const Inhibitor& inhibitor() const { return inhibitor_; }
  Silences& silences() { return silences_; }
  const Silences& silences() const { return silences_; }

  // Alerts kept from speaking since the start, counted once per flush.
  uint64_t Suppressed(MuteReason reason) const { return suppressed_[static_cast<size_t>(reason)]; }

 private:
  Inhibitor inhibitor_;
  Silences silences_;
  TimeIntervals intervals_;
  std::shared_ptr<const CalmConfig> calm_;  // null: no recurring silences
  std::array<uint64_t, 5> suppressed_{};
};

}  // namespace mlalert
