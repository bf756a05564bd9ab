#include "config/calendars.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <date/tz.h>
#include <fmt/format.h>
#include <utility>

#include "config/local_time.h"

namespace mlalert {
namespace {

using std::chrono::days;
using std::chrono::seconds;
using std::chrono::sys_days;

// What is laid out. Outside of it every calendar is closed.
constexpr Timestamp kFrom = sys_days(std::chrono::year(2020) / 1 / 1);
constexpr Timestamp kTo = sys_days(std::chrono::year(2061) / 1 / 1);

struct RawSpan {
  Timestamp begin, end;
};

// A stretch of time in which a zone keeps its offset.
struct Segment {
  Timestamp begin, end;
  seconds offset{0};
};

std::vector<Segment> SegmentsOf(const date::time_zone* zone) {
  if (zone == nullptr) {
    return {{kFrom, kTo, seconds(0)}};
  }
  std::vector<Segment> out;
  for (Timestamp at = kFrom; at < kTo;) {
    const date::sys_info info = zone->get_info(std::chrono::floor<seconds>(at));
    // The ends of the first and the last segment lie beyond what a Timestamp can hold.
    const auto end = std::min<std::chrono::sys_seconds>(info.end, std::chrono::floor<seconds>(kTo));
    out.push_back({at, end, info.offset});
    at = end;
  }
  return out;
}

bool AnyContains(const std::optional<std::vector<IntRange>>& ranges, int value) {
  return !ranges || std::any_of(ranges->begin(), ranges->end(), [&](const IntRange& range) {
    return range.begin <= value && value <= range.end;
  });
}

// Alertmanager's rules for days of a month (mute/time_intervals.cc), negative ones from its end.
bool DayOfMonthMatches(const TimeIntervalSpec& spec, int day, int last) {
  return !spec.days_of_month ||
         std::any_of(spec.days_of_month->begin(), spec.days_of_month->end(), [&](const IntRange& range) {
           auto from_start = [&](int d) { return d < 0 ? last + d + 1 : d; };
           const int begin = from_start(range.begin);
           return begin <= last && std::clamp(begin, -last, last) <= day &&
                  day <= std::clamp(from_start(range.end), -last, last);
         });
}

bool DayMatches(const TimeIntervalSpec& spec, sys_days day) {
  const std::chrono::year_month_day date(day);
  const auto last =
      std::chrono::year_month_day_last(date.year(), std::chrono::month_day_last(date.month())).day();
  return AnyContains(spec.weekdays, static_cast<int>(std::chrono::weekday(day).c_encoding())) &&
         DayOfMonthMatches(spec, static_cast<int>(static_cast<unsigned>(date.day())),
                           static_cast<int>(static_cast<unsigned>(last))) &&
         AnyContains(spec.months, static_cast<int>(static_cast<unsigned>(date.month()))) &&
         AnyContains(spec.years, static_cast<int>(date.year()));
}

void LayOut(const TimeIntervalSpec& spec, const std::string& zone_name, const std::set<LocalDay>& holidays,
            std::vector<RawSpan>& out) {
  static const std::vector<IntRange> kAllDay = {{0, 24 * 60}};
  const std::vector<IntRange>& times = spec.times ? *spec.times : kAllDay;
  for (const Segment& segment : SegmentsOf(FindTimeZone(zone_name))) {
    // Local days are plain days on the shifted line.
    const sys_days first = std::chrono::floor<days>(segment.begin + segment.offset);
    for (sys_days day = first; Timestamp(day) - segment.offset < segment.end; day += days(1)) {
      if (!DayMatches(spec, day) ||
          holidays.contains(static_cast<LocalDay>(day.time_since_epoch().count()))) {
        continue;
      }
      for (const IntRange& time : times) {
        const Timestamp begin =
            std::max(segment.begin, Timestamp(day) + std::chrono::minutes(time.begin) - segment.offset);
        const Timestamp end =
            std::min(segment.end, Timestamp(day) + std::chrono::minutes(time.end) - segment.offset);
        if (begin < end) {
          out.push_back({begin, end});
        }
      }
    }
  }
}

// Holidays of the calendar's own zone, taken out of hours that are kept in another one.
std::vector<RawSpan> Without(std::vector<RawSpan> spans, const CalendarConfig& config) {
  const date::time_zone* zone = FindTimeZone(config.time_zone);
  for (LocalDay day : config.holidays) {
    const Timestamp begin = FromLocalSeconds(int64_t{day} * 86400, zone);
    const Timestamp end = FromLocalSeconds((int64_t{day} + 1) * 86400, zone);
    std::vector<RawSpan> left;
    for (const RawSpan& span : spans) {
      if (span.end <= begin || span.begin >= end) {
        left.push_back(span);
        continue;
      }
      if (span.begin < begin) {
        left.push_back({span.begin, begin});
      }
      if (span.end > end) {
        left.push_back({end, span.end});
      }
    }
    spans = std::move(left);
  }
  return spans;
}

}  // namespace

Calendar::Calendar(CalendarConfig config) : config_(std::move(config)) {
  std::vector<RawSpan> raw;
  std::vector<RawSpan> foreign;
  for (const TimeIntervalSpec& spec : config_.intervals) {
    const bool own = spec.location.empty() || spec.location == config_.time_zone;
    static const std::set<LocalDay> kNone;
    LayOut(spec, own ? config_.time_zone : spec.location, own ? config_.holidays : kNone,
           own ? raw : foreign);
  }
  if (!foreign.empty()) {
    foreign = Without(std::move(foreign), config_);
    raw.insert(raw.end(), foreign.begin(), foreign.end());
  }
  std::sort(raw.begin(), raw.end(), [](const RawSpan& a, const RawSpan& b) { return a.begin < b.begin; });
  for (const RawSpan& span : raw) {
    if (!spans_.empty() && span.begin <= spans_.back().end) {
      spans_.back().end = std::max(spans_.back().end, span.end);
    } else {
      spans_.push_back({span.begin, span.end, {}});
    }
  }
  Duration before{};
  for (Span& span : spans_) {
    span.before = before;
    before += span.end - span.begin;
  }
}

std::vector<Calendar::Span>::const_iterator Calendar::At(Timestamp t) const {
  auto it = std::upper_bound(spans_.begin(), spans_.end(), t,
                             [](Timestamp at, const Span& span) { return at < span.begin; });
  return it == spans_.begin() ? spans_.end() : std::prev(it);
}

bool Calendar::IsOpen(Timestamp t) const {
  auto it = At(t);
  return it != spans_.end() && t < it->end;
}

Timestamp Calendar::NextOpen(Timestamp t) const {
  if (IsOpen(t)) {
    return t;
  }
  auto it = At(t);
  it = it == spans_.end() ? spans_.begin() : std::next(it);
  return it == spans_.end() ? kNever : it->begin;
}

Timestamp Calendar::NextChange(Timestamp t) const {
  auto it = At(t);
  if (it != spans_.end() && t < it->end) {
    return it->end;
  }
  return NextOpen(t);
}

Duration Calendar::Read(Timestamp t) const {
  auto it = At(t);
  return it == spans_.end() ? Duration::zero() : it->before + (std::min(t, it->end) - it->begin);
}

Duration Calendar::OpenTime(Timestamp from, Timestamp to) const {
  return from < to ? Read(to) - Read(from) : Duration::zero();
}

Timestamp Calendar::AddOpen(Timestamp from, Duration length) const {
  if (length <= Duration::zero()) {
    return from;
  }
  const Duration want = Read(from) + length;
  // The first span at whose end that much has been read.
  auto it = std::lower_bound(spans_.begin(), spans_.end(), want, [](const Span& span, Duration reading) {
    return span.before + (span.end - span.begin) < reading;
  });
  return it == spans_.end() ? kNever : it->begin + (want - it->before);
}

Timestamp Calendar::EndOfNextBusinessDay(Timestamp t) const {
  const date::time_zone* zone = FindTimeZone(config_.time_zone);
  auto day_of = [&](Timestamp at) {
    const int64_t local = ToLocalSeconds(at, zone);
    return (local - ((local % 86400) + 86400) % 86400) / 86400;
  };
  const Timestamp tomorrow = FromLocalSeconds((day_of(t) + 1) * 86400, zone);
  const Timestamp opens = NextOpen(tomorrow);
  if (opens == kNever) {
    return kNever;
  }
  const Timestamp midnight = FromLocalSeconds((day_of(opens) + 1) * 86400, zone);
  Timestamp end = opens;
  for (auto it = At(opens); it != spans_.end() && it->begin < midnight; ++it) {
    end = std::min(it->end, midnight);
  }
  return end;
}

void Calendars::Add(CalendarConfig config) {
  all_.push_back(std::make_unique<const Calendar>(std::move(config)));
}

Result<LocalDay> ParseLocalDay(std::string_view text) {
  auto number = [&](size_t at, size_t count) {
    int out = 0;
    const char* end = text.data() + at + count;
    return std::from_chars(text.data() + at, end, out).ptr == end ? out : 0;
  };
  if (text.size() == 10 && text[4] == '-' && text[7] == '-') {
    const int month = number(5, 2);
    const int day = number(8, 2);
    const auto date = std::chrono::year(number(0, 4)) / month / day;
    if (date.year() > std::chrono::year(0) && month > 0 && day > 0 && date.ok()) {
      return static_cast<LocalDay>(sys_days(date).time_since_epoch().count());
    }
  }
  return Fail(ErrorCode::kInvalid, fmt::format("\"{}\" is not a date", text.substr(0, 40)));
}

const Calendar* Calendars::Find(std::string_view name) const {
  for (const auto& calendar : all_) {
    if (calendar->name() == name) {
      return calendar.get();
    }
  }
  return nullptr;
}

}  // namespace mlalert
