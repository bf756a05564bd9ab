// On-call schedules: who is to be told at a given time. A receiver name of a route or of a step of a chain
// may be that of a schedule: then the receivers of whoever is on call at that moment are meant. Made by the
// config loader from `schedules:`. Shifts are counted on the clock of the schedule's time zone: a hand-over
// at 09:00 stays at 09:00 when the clocks change. Thread: immutable; safe from any.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"

namespace date {
class time_zone;
}

namespace mlalert {

class Calendar;

struct Rotation {
  std::string name;
  std::vector<std::string> receivers;  // they take turns
  int64_t shift_seconds = 0;           // on the local clock
  int64_t start = 0;  // of the first shift, local seconds (config/local_time.h); nobody before it
  // Only while this calendar is open (or closed); null: always.
  const Calendar* calendar = nullptr;
  bool outside = false;
};

struct OnCallOverride {
  Timestamp from = kUnset, until = kUnset;
  std::vector<std::string> receivers;  // instead of everybody else; empty: nobody
};

class Schedule {
 public:
  Schedule(std::string name, const std::string& time_zone, std::vector<Rotation> rotations,
           std::vector<OnCallOverride> overrides);

  const std::string& name() const { return name_; }
  const std::string& time_zone() const { return time_zone_; }
  // Receivers on call, in the order of the rotations, each once. Of overrides that overlap the last one
  // counts.
  std::vector<std::string> OnCall(Timestamp t) const;
  // The next instant after `t` at which that may change; kNever when never.
  Timestamp NextChange(Timestamp t) const;
  // Every receiver that it can ever name.
  std::vector<std::string> Receivers() const;

 private:
  struct Shift {
    int64_t index = 0;  // negative: before the first one
    Timestamp ends_at = kNever;
  };
  Shift ShiftAt(const Rotation& rotation, Timestamp t) const;

  std::string name_;
  std::string time_zone_;
  const date::time_zone* zone_;
  std::vector<Rotation> rotations_;
  std::vector<OnCallOverride> overrides_;
};

class Schedules {
 public:
  void Add(Schedule schedule) { all_.push_back(std::move(schedule)); }
  // Null: no such schedule.
  const Schedule* Find(std::string_view name) const;
  const std::vector<Schedule>& all() const { return all_; }

 private:
  std::vector<Schedule> all_;
};

}  // namespace mlalert
