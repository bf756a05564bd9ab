#include "mute/muter.h"

#include <algorithm>
#include <utility>

#include "config/calm_config.h"

namespace mlalert {

std::string_view ToString(MuteReason reason) {
  switch (reason) {
    case MuteReason::kNone:
      return "";
    case MuteReason::kInhibition:
      return "inhibition";
    case MuteReason::kActiveTimeInterval:
      return "active_time_interval";
    case MuteReason::kMuteTimeInterval:
      return "mute_time_interval";
    case MuteReason::kSilence:
      return "silence";
  }
  return "";
}

Muter::Muter(const ConfigPtr& config, SilenceLimits limits)
    : inhibitor_(config), silences_(limits), intervals_(config->time_intervals), calm_(config->calm) {}

void Muter::SetConfig(const ConfigPtr& config) {
  inhibitor_.SetConfig(config);
  intervals_ = TimeIntervals(config->time_intervals);
  calm_ = config->calm;
}

std::vector<std::string> Muter::Recurring(const LabelSet& labels, Timestamp now) const {
  std::vector<std::string> out;
  if (calm_ == nullptr) {
    return out;
  }
  for (const RecurringSilence& silence : calm_->silences) {
    if (MatchesAll(silence.matchers, labels) &&
        std::any_of(silence.time_intervals.begin(), silence.time_intervals.end(),
                    [&](const std::string& name) { return intervals_.Contains(name, now); })) {
      out.push_back("recurring:" + silence.name);
    }
  }
  return out;
}

Timestamp Muter::NextRecurringEdge(Timestamp now) const {
  Timestamp next = kNever;
  if (calm_ != nullptr) {
    for (const RecurringSilence& silence : calm_->silences) {
      next = std::min(next, intervals_.NextEdge(silence.time_intervals, now));
    }
  }
  return next;
}

Timestamp Muter::NextEdge(const Route& route, Timestamp now) const {
  return std::min(intervals_.NextEdge(route.active_time_intervals, now),
                  intervals_.NextEdge(route.mute_time_intervals, now));
}

RouteMute Muter::MuteOf(const Route& route, Timestamp now) const {
  if (!route.active_time_intervals.empty() && intervals_.Active(route.active_time_intervals, now).empty()) {
    return {MuteReason::kActiveTimeInterval, route.active_time_intervals};
  }
  RouteMute out;
  out.names = intervals_.Active(route.mute_time_intervals, now);
  out.reason = out.names.empty() ? MuteReason::kNone : MuteReason::kMuteTimeInterval;
  return out;
}

AlertMute Muter::MuteOf(const AlertEntry& alert, Timestamp now) {
  AlertMute out{silences_.SilencedBy(alert.alert.fingerprint(), alert.effective, now),
                inhibitor_.InhibitedBy(alert.effective, now)};
  if (calm_ != nullptr) {
    std::vector<std::string> recurring = Recurring(alert.effective, now);
    out.silenced_by.insert(out.silenced_by.end(), recurring.begin(), recurring.end());
  }
  return out;
}

MuteReason Muter::Judge(const AlertEntry& alert, const RouteMute& route, Timestamp now) {
  MuteReason reason = MuteReason::kNone;
  if (inhibitor_.source_count() > 0 && inhibitor_.InhibitedBy(alert.effective, now)) {
    reason = MuteReason::kInhibition;
  } else if (route.reason != MuteReason::kNone) {
    reason = route.reason;
  } else if (silences_.IsSilenced(alert.alert.fingerprint(), alert.effective, now) ||
             (calm_ != nullptr && !Recurring(alert.effective, now).empty())) {
    reason = MuteReason::kSilence;
  }
  if (reason != MuteReason::kNone) {
    ++suppressed_[static_cast<size_t>(reason)];
  }
  return reason;
}

void Muter::Forget(uint64_t fingerprint) {
  inhibitor_.Remove(fingerprint);
  silences_.Forget(fingerprint);
}

}  // namespace mlalert
