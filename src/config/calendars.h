// Business calendars: when people are at work. Made by the config loader from `calendars:` (weekly hours,
// holidays by date or from .ics files); asked by the ladder, the chain, business hours and response targets.
// The hours of all years are laid out as instants once, so that daylight saving is in them and every question
// is a search. Thread: immutable; safe from any.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "model/time_interval.h"

namespace mlalert {

// A local day, as days since 1970-01-01.
using LocalDay = int32_t;

struct CalendarConfig {
  std::string name;
  std::string time_zone = "UTC";            // of holidays, and of hours that name none
  std::vector<TimeIntervalSpec> intervals;  // open when any of them contains the time
  std::set<LocalDay> holidays;              // closed all day
};

class Calendar {
 public:
  struct Span {
    Timestamp begin, end;  // [begin, end)
    Duration before{};     // open time of all spans before this one
  };

  explicit Calendar(CalendarConfig config);

  const std::string& name() const { return config_.name; }
  // Neither now nor on any day that is laid out.
  bool NeverOpens() const { return spans_.empty(); }
  bool IsOpen(Timestamp t) const;
  // `t` itself when it is open then; kNever when it does not open again.
  Timestamp NextOpen(Timestamp t) const;
  // When it opens or closes next after `t`; kNever when never.
  Timestamp NextChange(Timestamp t) const;
  // How much of [from, to) it is open.
  Duration OpenTime(Timestamp from, Timestamp to) const;
  // First instant at which it has been open for `length` since `from`; kNever when that is never. With a
  // length of 0 or less: `from`.
  Timestamp AddOpen(Timestamp from, Duration length) const;
  // When work ends on the first day after that of `t` on which there is any; kNever when there is none.
  Timestamp EndOfNextBusinessDay(Timestamp t) const;

 private:
  // The last span that begins at or before `t`; spans_.end() when there is none.
  std::vector<Span>::const_iterator At(Timestamp t) const;
  Duration Read(Timestamp t) const;

  CalendarConfig config_;
  std::vector<Span> spans_;  // sorted, disjoint
};

class Calendars {
 public:
  void Add(CalendarConfig config);
  // Null: no such calendar.
  const Calendar* Find(std::string_view name) const;
  const std::vector<std::unique_ptr<const Calendar>>& all() const { return all_; }

 private:
  std::vector<std::unique_ptr<const Calendar>> all_;
};

// "2026-12-25"
Result<LocalDay> ParseLocalDay(std::string_view text);

}  // namespace mlalert
