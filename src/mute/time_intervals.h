// Named time intervals as Alertmanager's: is `now` inside the night, the weekend, the last days of a month?
// Made from the config's time_intervals, which the loader has checked; asked by muter.h for the names on a
// route. Local time comes from the zone database of the system: daylight saving moves the clock, never the
// day of month. Owns: the specs with their zones looked up. Thread: immutable; safe from any.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/time.h"
#include "model/time_interval.h"

namespace date {
class time_zone;
}

namespace mlalert {

class TimeIntervals {
 public:
  // A zone that the system does not know (it was there when the config was checked) counts as UTC. "Local" is
  // the zone of the machine: $TZ, else /etc/localtime.
  explicit TimeIntervals(std::span<const NamedTimeInterval> intervals);

  // Those of `names` that contain `now`, in the given order. As upstream, whose listing shows it, a name
  // comes once for each of its specs that contains `now`. Unknown names contain nothing.
  std::vector<std::string> Active(std::span<const std::string> names, Timestamp now) const;

  bool Contains(std::string_view name, Timestamp now) const;

  // The first instant after `now` at which one of `names` begins or ends. Where none does within 400 days:
  // the end of these, to look again; kNever without names.
  Timestamp NextEdge(std::span<const std::string> names, Timestamp now) const;

 private:
  struct Spec {
    TimeIntervalSpec spec;
    const date::time_zone* zone = nullptr;  // null: UTC
  };
  static bool Contains(const Spec& spec, Timestamp now);
  static Timestamp NextCandidate(const Spec& spec, Timestamp t);
  Timestamp NextEdgeOf(const std::string& name, Timestamp now) const;
  size_t CountContaining(const std::string& name, Timestamp now) const;

  std::unordered_map<std::string, std::vector<Spec>> by_name_;
};

}  // namespace mlalert
