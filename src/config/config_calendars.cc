// calendars and schedules: when people work, and who is on call.
#include <fmt/format.h>
#include <memory>
#include <set>

#include "config/calendars.h"
#include "config/config_sections.h"
#include "config/file_io.h"
#include "config/ics.h"
#include "config/local_time.h"
#include "config/schedules.h"

namespace mlalert {
namespace {

constexpr size_t kIcsBytesMax = 4 * 1024 * 1024;
constexpr size_t kCalendarsMax = 100;
constexpr size_t kRotationReceiversMax = 200;

void ReadTimeZone(YamlMap& map, std::string& out) {
  if (map.Read("time_zone", out) && !TimeZoneExists(out)) {
    map.At("time_zone")
        .Error(fmt::format("unknown time zone {}", Quoted(out)), "a name such as Europe/Berlin");
  }
}

void ReadHours(YamlMap& map, const Config& config, CalendarConfig& out) {
  auto list = map.Take("time_intervals");
  if (!list) {
    map.value().Error("missing time_intervals in calendar", "the hours in which people work");
    return;
  }
  for (const YamlValue& item : list->Items("a list of time intervals")) {
    if (!item.IsScalar()) {
      ReadTimeIntervalSpec(item, out.intervals.emplace_back());
      continue;
    }
    std::string name;
    item.Read(name);
    bool found = false;
    for (const NamedTimeInterval& interval : config.time_intervals) {
      if (interval.name == name) {
        found = true;
        out.intervals.insert(out.intervals.end(), interval.specs.begin(), interval.specs.end());
        for (size_t i = out.intervals.size() - interval.specs.size(); i < out.intervals.size(); ++i) {
          // What names no zone means UTC, there as here.
          if (out.intervals[i].location.empty()) {
            out.intervals[i].location = "UTC";
          }
        }
      }
    }
    if (!found) {
      item.Error(fmt::format("undefined time interval {} used in calendar", Quoted(name)));
    }
  }
}

void ReadHolidays(YamlMap& map, const LoadContext& context, CalendarConfig& out) {
  if (auto days = map.Take("holidays")) {
    for (const YamlValue& item : days->Items("a list of dates")) {
      std::string text;
      if (!item.Read(text)) {
        continue;
      }
      if (auto day = ParseLocalDay(text)) {
        out.holidays.insert(*day);
      } else {
        item.Error(day.error().message, "write it as 2026-12-25");
      }
    }
  }
  if (auto files = map.Take("holiday_files")) {
    for (const YamlValue& item : files->Items("a list of .ics files")) {
      std::string path;
      if (!item.Read(path)) {
        continue;
      }
      auto text = ReadSmallFile(JoinDirectory(context.directory, path), kIcsBytesMax);
      if (!text) {
        item.Error(text.error().message);
        continue;
      }
      IcsHolidays parsed = ParseIcsHolidays(*text, out.time_zone);
      out.holidays.merge(parsed.days);
      for (const IcsProblem& problem : parsed.problems) {
        const std::string message = fmt::format("{}:{}: {}", path, problem.line, problem.message);
        if (problem.is_error) {
          item.Error(message, problem.hint);
        } else {
          item.Warn(message, problem.hint);
        }
      }
    }
  }
}

std::vector<std::string> ReadReceiverNames(YamlMap& map, const Config& config, std::string_view what) {
  std::vector<std::string> out;
  auto list = map.Take("receivers");
  if (!list) {
    map.value().Error(fmt::format("missing receivers in {}", what));
    return out;
  }
  for (const YamlValue& item : list->Items("[]string")) {
    std::string name;
    if (!item.Read(name)) {
      continue;
    }
    if (config.FindReceiver(name) == nullptr) {
      std::vector<std::string_view> known;
      for (const Receiver& receiver : config.receivers) {
        known.push_back(receiver.name);
      }
      item.Error(fmt::format("undefined receiver {} used in {}", Quoted(name), what),
                 DidYouMean(name, known));
    }
    out.push_back(std::move(name));
  }
  if (out.size() > kRotationReceiversMax) {
    list->Error(fmt::format("more than {} receivers", kRotationReceiversMax));
  }
  return out;
}

// "2026-01-05T09:00:00" or "2026-01-05 09:00" or "2026-01-05", on the clock of the schedule's zone.
Result<int64_t> ParseLocalTime(std::string_view text) {
  MLALERT_ASSIGN(LocalDay day, ParseLocalDay(text.substr(0, 10)));
  int64_t seconds = int64_t{day} * 86400;
  if (text.size() == 10) {
    return seconds;
  }
  auto bad = [&] {
    return Fail(ErrorCode::kInvalid, fmt::format("\"{}\" is not a local time", text.substr(0, 40)));
  };
  if ((text.size() != 16 && text.size() != 19) || (text[10] != 'T' && text[10] != ' ')) {
    return bad();
  }
  auto two = [&](size_t at) {
    const bool ok = text[at] >= '0' && text[at] <= '9' && text[at + 1] >= '0' && text[at + 1] <= '9';
    return ok ? (text[at] - '0') * 10 + (text[at + 1] - '0') : 99;
  };
  const int hour = two(11);
  const int minute = two(14);
  const int second = text.size() == 19 ? two(17) : 0;
  if (text[13] != ':' || (text.size() == 19 && text[16] != ':') || hour > 23 || minute > 59 || second > 59) {
    return bad();
  }
  return seconds + hour * 3600 + minute * 60 + second;
}

void ReadShift(YamlMap& map, Rotation& out) {
  std::string type = "weekly";
  map.Read("type", type);
  Duration shift{};
  const bool custom = ReadIfSet(map, "shift", shift);
  int length = 1;
  const bool counted = map.Read("length", length);
  if (counted && (length < 1 || length > 366)) {
    map.At("length").Error("length must be from 1 to 366");
  }
  if (type == "daily" || type == "weekly") {
    if (custom) {
      map.At("shift").Error(fmt::format("a {} rotation has a length, not a shift", type),
                            "type: custom counts in hours");
    }
    out.shift_seconds = int64_t{86400} * (type == "weekly" ? 7 : 1) * std::max(length, 1);
  } else if (type == "custom") {
    out.shift_seconds = shift / std::chrono::seconds(1);
    if (!custom) {
      map.value().Error("missing shift in custom rotation", "how long each shift lasts, such as 12h");
    } else if (shift < std::chrono::minutes(1)) {
      map.At("shift").Error("a shift lasts at least a minute");
    }
    out.shift_seconds = std::max<int64_t>(out.shift_seconds, 60);
  } else {
    map.At("type").Error(fmt::format("type is {}, must be daily, weekly or custom", Quoted(type)),
                         DidYouMean(type, {"daily", "weekly", "custom"}));
    out.shift_seconds = 86400;
  }
}

void ReadRotation(const YamlValue& value, const Config& config, Rotation& out) {
  YamlMap map(value, "rotation");
  map.Read("name", out.name);
  out.receivers = ReadReceiverNames(map, config, "rotation");
  if (out.receivers.empty()) {
    value.Error("a rotation needs at least one receiver");
    out.receivers.emplace_back();
  }
  ReadShift(map, out);
  std::string start;
  if (map.Read("start", start)) {
    if (auto parsed = ParseLocalTime(start)) {
      out.start = *parsed;
    } else {
      map.At("start").Error(parsed.error().message,
                            "on the clock of the schedule's time zone: 2026-01-05T09:00:00");
    }
  } else {
    value.Error("missing start in rotation", "when the first shift begins, such as 2026-01-05T09:00:00");
  }
  for (const char* key : {"calendar", "outside_calendar"}) {
    std::string name;
    if (!map.Read(key, name)) {
      continue;
    }
    CheckCalendarName(map.At(key), name, config);
    if (out.calendar != nullptr) {
      map.At(key).Error("give calendar or outside_calendar, not both");
    }
    out.calendar = config.calendars != nullptr ? config.calendars->Find(name) : nullptr;
    out.outside = std::string_view(key) == "outside_calendar";
  }
  map.Finish();
}

Timestamp ReadInstant(YamlMap& map, std::string_view key, const date::time_zone* zone) {
  std::string text;
  if (!map.Read(key, text)) {
    map.value().Error(fmt::format("missing {} in override", key));
    return kUnset;
  }
  if (auto local = ParseLocalTime(text)) {
    return FromLocalSeconds(*local, zone);
  }
  if (auto instant = ParseRfc3339(text)) {
    return *instant;
  }
  map.At(key).Error(fmt::format("{} is not a time", Quoted(text)),
                    "2026-12-24T18:00:00 on the clock of the schedule, or with a zone: 2026-12-24T18:00:00Z");
  return kUnset;
}

void ReadOverride(const YamlValue& value, const Config& config, const date::time_zone* zone,
                  OnCallOverride& out) {
  YamlMap map(value, "override");
  out.from = ReadInstant(map, "from", zone);
  out.until = ReadInstant(map, "until", zone);
  out.receivers = ReadReceiverNames(map, config, "override");
  if (IsSet(out.from) && IsSet(out.until) && out.until <= out.from) {
    map.At("until").Error("the override ends before it begins");
  }
  map.Finish();
}

}  // namespace

void CheckReceiverName(const YamlValue& item, const std::string& name, const Config& config) {
  if (config.FindReceiver(name) != nullptr ||
      (config.schedules != nullptr && config.schedules->Find(name) != nullptr)) {
    return;
  }
  std::vector<std::string_view> known;
  for (const Receiver& receiver : config.receivers) {
    known.push_back(receiver.name);
  }
  if (config.schedules != nullptr) {
    for (const Schedule& schedule : config.schedules->all()) {
      known.push_back(schedule.name());
    }
  }
  item.Error(fmt::format("undefined receiver {}: neither receivers nor schedules have it", Quoted(name)),
             DidYouMean(name, known));
}

void CheckCalendarName(const YamlValue& item, const std::string& name, const Config& config) {
  if (config.calendars != nullptr && config.calendars->Find(name) != nullptr) {
    return;
  }
  std::vector<std::string_view> known;
  if (config.calendars != nullptr) {
    for (const auto& calendar : config.calendars->all()) {
      known.push_back(calendar->name());
    }
  }
  item.Error(fmt::format("undefined calendar {}", Quoted(name)),
             known.empty() ? "calendars: has none" : DidYouMean(name, known));
}

void ReadCalendars(YamlMap& root, const LoadContext& context, Config& out) {
  auto list = root.Take("calendars");
  if (!list) {
    return;
  }
  auto calendars = std::make_shared<Calendars>();
  std::set<std::string> names;
  for (const YamlValue& item : list->Items("a list of calendars")) {
    YamlMap map(item, "calendar");
    CalendarConfig calendar;
    map.Read("name", calendar.name);
    if (calendar.name.empty()) {
      item.Error("missing name in calendar");
    } else if (!names.insert(calendar.name).second) {
      map.At("name").Error(fmt::format("calendar name {} is not unique", Quoted(calendar.name)));
    }
    ReadTimeZone(map, calendar.time_zone);
    ReadHours(map, out, calendar);
    ReadHolidays(map, context, calendar);
    map.Finish();
    if (names.size() > kCalendarsMax) {
      item.Error(fmt::format("more than {} calendars", kCalendarsMax));
      break;
    }
    const bool failed = map.Failed();
    if (failed) {
      calendar.intervals.clear();  // said already; nothing to lay out
    }
    calendars->Add(std::move(calendar));
    if (!failed && calendars->all().back()->NeverOpens()) {
      // Whatever waits for it would be told to nobody.
      map.At("time_intervals")
          .Error(fmt::format("calendar {} never opens", Quoted(calendars->all().back()->name())),
                 "name at least one interval in which people work, such as {weekdays: [\"monday:friday\"], "
                 "times: [{start_time: \"09:00\", end_time: \"18:00\"}]}");
    }
  }
  out.calendars = std::move(calendars);
}

void ReadSchedules(YamlMap& root, Config& out) {
  auto list = root.Take("schedules");
  if (!list) {
    return;
  }
  auto schedules = std::make_shared<Schedules>();
  for (const YamlValue& item : list->Items("a list of schedules")) {
    YamlMap map(item, "schedule");
    std::string name;
    map.Read("name", name);
    if (name.empty()) {
      item.Error("missing name in schedule");
    } else if (schedules->Find(name) != nullptr) {
      map.At("name").Error(fmt::format("schedule name {} is not unique", Quoted(name)));
    } else if (out.FindReceiver(name) != nullptr) {
      map.At("name").Error(fmt::format("{} is the name of a receiver already", Quoted(name)),
                           "routes and chains name both: the names must differ");
    }
    std::string zone = "UTC";
    ReadTimeZone(map, zone);
    std::vector<Rotation> rotations;
    if (auto items = map.Take("rotations")) {
      for (const YamlValue& rotation : items->Items("a list of rotations")) {
        ReadRotation(rotation, out, rotations.emplace_back());
      }
    }
    if (rotations.empty()) {
      item.Error("a schedule needs at least one rotation");
    }
    std::vector<OnCallOverride> overrides;
    if (auto items = map.Take("overrides")) {
      for (const YamlValue& one : items->Items("a list of overrides")) {
        ReadOverride(one, out, FindTimeZone(zone), overrides.emplace_back());
      }
    }
    map.Finish();
    schedules->Add(Schedule(std::move(name), zone, std::move(rotations), std::move(overrides)));
  }
  out.schedules = std::move(schedules);
}

}  // namespace mlalert
