#include "config/schedules.h"

#include <algorithm>
#include <utility>

#include "config/calendars.h"
#include "config/local_time.h"

namespace mlalert {
namespace {

void AddOnce(std::vector<std::string>& out, const std::string& name) {
  if (std::find(out.begin(), out.end(), name) == out.end()) {
    out.push_back(name);
  }
}

int64_t FloorDiv(int64_t a, int64_t b) {
  return a / b - (a % b < 0 ? 1 : 0);
}

}  // namespace

Schedule::Schedule(std::string name, const std::string& time_zone, std::vector<Rotation> rotations,
                   std::vector<OnCallOverride> overrides)
    : name_(std::move(name)),
      time_zone_(time_zone.empty() ? "UTC" : time_zone),
      zone_(FindTimeZone(time_zone)),
      rotations_(std::move(rotations)),
      overrides_(std::move(overrides)) {}

Schedule::Shift Schedule::ShiftAt(const Rotation& rotation, Timestamp t) const {
  auto begins = [&](int64_t index) {
    return FromLocalSeconds(rotation.start + index * rotation.shift_seconds, zone_);
  };
  int64_t index = FloorDiv(ToLocalSeconds(t, zone_) - rotation.start, rotation.shift_seconds);
  // In the hour that comes twice the local clock has gone back: the hand-over was at its first coming.
  while (begins(index + 1) <= t) {
    ++index;
  }
  while (begins(index) > t) {
    --index;
  }
  return {index, begins(index + 1)};
}

std::vector<std::string> Schedule::OnCall(Timestamp t) const {
  std::vector<std::string> out;
  for (auto it = overrides_.rbegin(); it != overrides_.rend(); ++it) {
    if (it->from <= t && t < it->until) {
      for (const std::string& receiver : it->receivers) {
        AddOnce(out, receiver);
      }
      return out;
    }
  }
  for (const Rotation& rotation : rotations_) {
    if (rotation.calendar != nullptr && rotation.calendar->IsOpen(t) == rotation.outside) {
      continue;
    }
    const Shift shift = ShiftAt(rotation, t);
    if (shift.index >= 0) {
      AddOnce(out, rotation.receivers[static_cast<size_t>(shift.index) % rotation.receivers.size()]);
    }
  }
  return out;
}

Timestamp Schedule::NextChange(Timestamp t) const {
  Timestamp next = kNever;
  for (const OnCallOverride& one : overrides_) {
    for (Timestamp at : {one.from, one.until}) {
      next = at > t ? std::min(next, at) : next;
    }
  }
  for (const Rotation& rotation : rotations_) {
    next = std::min(next, ShiftAt(rotation, t).ends_at);
    if (rotation.calendar != nullptr) {
      next = std::min(next, rotation.calendar->NextChange(t));
    }
  }
  return next;
}

std::vector<std::string> Schedule::Receivers() const {
  std::vector<std::string> out;
  for (const Rotation& rotation : rotations_) {
    for (const std::string& receiver : rotation.receivers) {
      AddOnce(out, receiver);
    }
  }
  for (const OnCallOverride& one : overrides_) {
    for (const std::string& receiver : one.receivers) {
      AddOnce(out, receiver);
    }
  }
  return out;
}

const Schedule* Schedules::Find(std::string_view name) const {
  for (const Schedule& schedule : all_) {
    if (schedule.name() == name) {
      return &schedule;
    }
  }
  return nullptr;
}

}  // namespace mlalert
