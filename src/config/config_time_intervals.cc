// time_intervals and mute_time_intervals.
#include <algorithm>
#include <array>
#include <charconv>
#include <fmt/format.h>
#include <functional>

#include "config/config_sections.h"
#include "config/local_time.h"

namespace mlalert {
namespace {

constexpr std::array<std::string_view, 7> kWeekdays{"sunday",   "monday", "tuesday", "wednesday",
                                                    "thursday", "friday", "saturday"};
constexpr std::array<std::string_view, 12> kMonths{"january",   "february", "march",    "april",
                                                   "may",       "june",     "july",     "august",
                                                   "september", "october",  "november", "december"};

std::string Lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return out;
}

Result<int> Number(std::string_view text) {
  int out = 0;
  std::string_view digits = text;
  if (digits.starts_with('+') && digits.size() > 1 && digits[1] != '-') {
    digits.remove_prefix(1);
  }
  auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), out);
  if (parsed.ec == std::errc::result_out_of_range) {
    return Fail(ErrorCode::kInvalid,
                fmt::format("strconv.Atoi: parsing {}: value out of range", Quoted(text)));
  }
  if (digits.empty() || parsed.ec != std::errc() || parsed.ptr != digits.data() + digits.size()) {
    return Fail(ErrorCode::kInvalid, fmt::format("strconv.Atoi: parsing {}: invalid syntax", Quoted(text)));
  }
  return out;
}

Result<int> Weekday(std::string_view text) {
  auto it = std::find(kWeekdays.begin(), kWeekdays.end(), text);
  if (it == kWeekdays.end()) {
    return Fail(ErrorCode::kInvalid, fmt::format("{} is not a valid weekday", text));
  }
  return static_cast<int>(it - kWeekdays.begin());
}

Result<int> Month(std::string_view text) {
  auto it = std::find(kMonths.begin(), kMonths.end(), text);
  if (it != kMonths.end()) {
    return static_cast<int>(it - kMonths.begin()) + 1;
  }
  auto number = Number(text);
  if (!number) {
    return Fail(ErrorCode::kInvalid, fmt::format("{} is not a valid month", text));
  }
  return number;
}

// "a" or "a:b" with one reading of both ends.
Result<IntRange> Range(std::string_view text, const std::function<Result<int>(std::string_view)>& end) {
  size_t colon = text.find(':');
  if (colon == std::string_view::npos) {
    MLALERT_ASSIGN(int value, end(text));
    return IntRange{value, value};
  }
  if (text.find(':', colon + 1) != std::string_view::npos) {
    return Fail(ErrorCode::kInvalid, fmt::format("couldn't parse range {}, invalid format", text));
  }
  MLALERT_ASSIGN(int first, end(text.substr(0, colon)));
  MLALERT_ASSIGN(int last, end(text.substr(colon + 1)));
  return IntRange{first, last};
}

Result<IntRange> WeekdayRange(const std::string& raw) {
  MLALERT_ASSIGN(IntRange range, Range(Lower(raw), Weekday));
  if (range.begin > range.end) {
    return Fail(ErrorCode::kInvalid, "start day cannot be before end day");
  }
  return range;
}

Result<IntRange> DayOfMonthRange(const std::string& raw) {
  MLALERT_ASSIGN(IntRange range, Range(raw, Number));
  for (int day : {range.begin, range.end}) {
    if (day == 0 || day < -31 || day > 31) {
      return Fail(ErrorCode::kInvalid, fmt::format("{} is not a valid day of the month: out of range", day));
    }
  }
  if (range.begin < 0 && range.end > 0) {
    return Fail(ErrorCode::kInvalid, "end day must be negative if start day is negative");
  }
  // Negative days are compared in the shortest month, so that the range holds in every month.
  auto in_february = [](int day) { return day < 0 ? 28 + day : day; };
  if (in_february(range.begin) > in_february(range.end)) {
    return Fail(ErrorCode::kInvalid,
                fmt::format("end day {} is always before start day {}", range.end, range.begin));
  }
  return range;
}

Result<IntRange> MonthRange(const std::string& raw) {
  std::string text = Lower(raw);
  MLALERT_ASSIGN(IntRange range, Range(text, Month));
  if (range.begin > range.end) {
    size_t colon = text.find(':');
    return Fail(ErrorCode::kInvalid, fmt::format("end month {} is before start month {}",
                                                 text.substr(colon + 1), text.substr(0, colon)));
  }
  return range;
}

Result<IntRange> YearRange(const std::string& raw) {
  MLALERT_ASSIGN(IntRange range, Range(raw, Number));
  if (range.begin > range.end) {
    return Fail(ErrorCode::kInvalid,
                fmt::format("end year {} is before start year {}", range.end, range.begin));
  }
  return range;
}

// HH:MM, 00:00 to 24:00, in minutes.
Result<int> ClockMinutes(std::string_view text) {
  auto digit = [&](size_t i) { return text[i] >= '0' && text[i] <= '9' ? text[i] - '0' : -100; };
  bool shape = text.size() == 5 && text[2] == ':';
  int hour = shape ? digit(0) * 10 + digit(1) : -1;
  int minute = shape ? digit(3) * 10 + digit(4) : -1;
  bool valid = hour >= 0 && minute >= 0 && minute < 60 && (hour < 24 || (hour == 24 && minute == 0));
  if (!valid) {
    return Fail(ErrorCode::kInvalid, fmt::format("couldn't parse timestamp {}, invalid format", text));
  }
  return hour * 60 + minute;
}

void ReadTime(const YamlValue& item, std::vector<IntRange>& out) {
  if (item.IsNull()) {
    out.push_back({});
    return;
  }
  YamlMap map(item, "timeinterval.yamlTimeRange");
  std::string start;
  std::string end;
  map.Read("start_time", start);
  map.Read("end_time", end);
  map.Finish();
  if (map.Failed()) {
    return;
  }
  if (start.empty() || end.empty()) {
    item.Error("both start and end times must be provided");
    return;
  }
  auto from = ClockMinutes(start);
  auto to = ClockMinutes(end);
  if (!from || !to) {
    map.At(from ? "end_time" : "start_time").Error(from ? to.error().message : from.error().message);
    return;
  }
  if (*from >= *to) {
    item.Error("start time cannot be equal or greater than end time");
    return;
  }
  out.push_back({*from, *to});
}

// An absent or null list is no constraint; an empty one contains nothing.
std::optional<std::vector<IntRange>> ReadRanges(YamlMap& map, std::string_view key, std::string_view go_type,
                                                Result<IntRange> (*parse)(const std::string&)) {
  auto value = map.TakeSet(key);
  if (!value) {
    return std::nullopt;
  }
  std::vector<IntRange> out;
  for (const YamlValue& item : value->Items(go_type)) {
    std::string text;
    if (item.IsNull()) {
      out.push_back({});  // upstream's zero value
      continue;
    }
    if (!item.Read(text)) {
      continue;
    }
    auto range = parse(text);
    if (range) {
      out.push_back(*range);
    } else {
      item.Error(range.error().message);
    }
  }
  return out;
}

}  // namespace

void ReadTimeIntervalSpec(const YamlValue& item, TimeIntervalSpec& out) {
  YamlMap map(item, "timeinterval.TimeInterval");
  if (auto times = map.TakeSet("times")) {
    out.times.emplace();
    for (const YamlValue& time : times->Items("[]timeinterval.TimeRange")) {
      ReadTime(time, *out.times);
    }
  }
  out.weekdays = ReadRanges(map, "weekdays", "[]timeinterval.WeekdayRange", WeekdayRange);
  out.days_of_month = ReadRanges(map, "days_of_month", "[]timeinterval.DayOfMonthRange", DayOfMonthRange);
  out.months = ReadRanges(map, "months", "[]timeinterval.MonthRange", MonthRange);
  out.years = ReadRanges(map, "years", "[]timeinterval.YearRange", YearRange);
  if (map.Read("location", out.location) && !TimeZoneExists(out.location)) {
    map.At("location").Error(fmt::format("unknown time zone {}", out.location));
  }
  map.Finish();
}

bool IsTimeZone(const std::string& name) {
  return name != "Local" && TimeZoneExists(name);
}

void ReadTimeIntervals(const YamlValue& value, bool deprecated_key, LoadContext& context,
                       std::vector<NamedTimeInterval>& out) {
  std::string_view kind = deprecated_key ? "mute time interval" : "time interval";
  for (const YamlValue& item : value.Items("[]config.TimeInterval")) {
    YamlMap map(item, "config.plain");
    NamedTimeInterval interval;
    interval.line = item.pos().line;
    map.Read("name", interval.name);
    if (auto specs = map.Take("time_intervals")) {
      for (const YamlValue& spec : specs->Items("[]timeinterval.TimeInterval")) {
        ReadTimeIntervalSpec(spec, interval.specs.emplace_back());
      }
    }
    map.Finish();
    if (map.Failed()) {
      // Said already; its name counts all the same, or every route that uses it would be wrong too.
      context.time_interval_names.insert(interval.name);
    } else if (interval.name.empty() && !item.IsNull()) {
      item.Error(fmt::format("missing name in {}", kind));
    } else if (!context.time_interval_names.insert(interval.name).second) {
      map.At("name").Error(fmt::format("{} {} is not unique", kind, Quoted(interval.name)));
    }
    out.push_back(std::move(interval));
  }
}

}  // namespace mlalert
