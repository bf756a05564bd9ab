#include "config/ics.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <fmt/format.h>
#include <map>
#include <optional>
#include <utility>

#include "config/config_sections.h"
#include "config/ics_event.h"

namespace mlalert {
namespace {

constexpr size_t kDaysMax = 20000;
constexpr size_t kEventsMax = 10000;
constexpr size_t kProblemsMax = 100;

struct Line {
  std::string text;
  int number = 0;
};

// Long lines are folded: a line that begins with a blank goes on with the one before.
std::vector<Line> Unfold(std::string_view text) {
  std::vector<Line> lines;
  for (int number = 1; !text.empty(); ++number) {
    size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.ends_with('\r')) {
      line.remove_suffix(1);
    }
    if (!lines.empty() && (line.starts_with(' ') || line.starts_with('\t'))) {
      lines.back().text.append(line.substr(1));
    } else {
      lines.push_back({std::string(line), number});
    }
  }
  return lines;
}

std::string Upper(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return out;
}

bool IsOfDays(std::string_view name) {
  static constexpr std::array<std::string_view, 8> kNames = {
      "DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "EXRULE", "RECURRENCE-ID"};
  return std::find(kNames.begin(), kNames.end(), name) != kNames.end();
}

// NAME;PARAMETER=value;PARAMETER="quoted: value":value. The name alone when there is no value.
IcsProperty ParseProperty(const Line& line, bool& complete) {
  const std::string_view text = line.text;
  IcsProperty out;
  out.line = line.number;
  size_t at = std::min(text.find_first_of(";:"), text.size());
  out.name = Upper(text.substr(0, at));
  while (at < text.size() && text[at] == ';') {
    const size_t equals = std::min(text.find_first_of("=;:", at + 1), text.size());
    std::string& value = out.parameters[Upper(text.substr(at + 1, equals - at - 1))];
    bool quoted = false;
    for (at = equals < text.size() && text[equals] == '=' ? equals + 1 : equals;
         at < text.size() && (quoted || (text[at] != ';' && text[at] != ':')); ++at) {
      if (text[at] == '"') {
        quoted = !quoted;
      } else {
        value.push_back(text[at]);
      }
    }
  }
  complete = at < text.size();
  out.value = complete ? std::string(text.substr(at + 1)) : std::string();
  // Words of the format are not told apart by case; what people write is kept as it is.
  if (auto type = out.parameters.find("VALUE"); type != out.parameters.end()) {
    type->second = Upper(type->second);
  }
  if (IsOfDays(out.name) || out.name == "STATUS") {
    out.value = Upper(out.value);
  }
  return out;
}

// Cuts the file into its events.
class Reader {
 public:
  explicit Reader(IcsHolidays& out) : out_(out) {}

  std::vector<IcsEvent> Read(std::string_view text) {
    if (text.starts_with("\xEF\xBB\xBF")) {
      text.remove_prefix(3);
    }
    for (const Line& line : Unfold(text)) {
      bool complete = false;
      IcsProperty property = ParseProperty(line, complete);
      if (!complete) {
        if (IsOfDays(property.name) || property.name == "BEGIN" || property.name == "END") {
          Report(line.number, fmt::format("{} has no value", property.name));
        }
      } else if (property.name == "BEGIN") {
        Begin(Upper(property.value), line.number);
      } else if (property.name == "END") {
        End(Upper(property.value), line.number);
      } else if (!open_.empty() && open_.back().first == "VEVENT") {
        events_.back().properties.push_back(std::move(property));
      }
    }
    if (!is_calendar_) {
      Report(1, "this is no iCalendar file: it has no BEGIN:VCALENDAR", "a text file in UTF-8");
    } else if (!open_.empty()) {
      Report(open_.back().second,
             fmt::format("the file ends within this {}: it is cut off", open_.back().first),
             "fetch it again");
    } else if (events_.empty()) {
      out_.problems.push_back({false, 1, "the file has no events", {}});
    }
    return std::move(events_);
  }

  void Report(int line, std::string message, std::string hint = {}) {
    if (out_.problems.size() < kProblemsMax) {
      out_.problems.push_back({true, line, std::move(message), std::move(hint)});
    }
  }

 private:
  void Begin(std::string name, int line) {
    is_calendar_ = is_calendar_ || name == "VCALENDAR";
    if (name == "VEVENT") {
      events_.emplace_back().line = line;
    }
    open_.emplace_back(std::move(name), line);
  }

  void End(std::string_view name, int line) {
    if (!open_.empty() && open_.back().first == name) {
      open_.pop_back();
      return;
    }
    if (open_.empty()) {
      Report(line, fmt::format("END:{} ends nothing", name.substr(0, 40)));
      return;
    }
    Report(line,
           fmt::format("END:{} within {}, which began in line {} and has no end", name.substr(0, 40),
                       open_.back().first.substr(0, 40), open_.back().second),
           "the file is damaged: fetch it again");
    // What it does end, so that one mistake is one error.
    auto it = std::find_if(open_.rbegin(), open_.rend(), [&](const auto& one) { return one.first == name; });
    if (it != open_.rend()) {
      open_.erase(std::prev(it.base()), open_.end());
    }
  }

  IcsHolidays& out_;
  std::vector<IcsEvent> events_;
  std::vector<std::pair<std::string, int>> open_;  // BEGIN without END yet, and the line
  bool is_calendar_ = false;
};

}  // namespace

IcsHolidays ParseIcsHolidays(std::string_view text, const std::string& time_zone) {
  IcsHolidays out;
  Reader reader(out);
  const std::vector<IcsEvent> events = reader.Read(text);
  if (events.size() > kEventsMax) {
    reader.Report(1, fmt::format("more than {} events", kEventsMax));
    return out;
  }
  // Single occurrences that were moved or called off have events of their own, with the UID of the others.
  std::map<std::string, std::vector<IcsProperty>> replaced;
  for (const IcsEvent& event : events) {
    if (const IcsProperty* id = event.Find("RECURRENCE-ID")) {
      if (id->parameters.contains("RANGE")) {
        reader.Report(id->line, "RECURRENCE-ID;RANGE is not supported", "list the events one by one");
      }
      replaced[event.Get("UID")].push_back(*id);
    }
  }
  static const std::vector<IcsProperty> kNone;
  for (const IcsEvent& event : events) {
    if (event.Get("STATUS") == "CANCELLED") {
      continue;
    }
    auto it = replaced.find(event.Get("UID"));
    const bool stands_for = event.Find("RECURRENCE-ID") != nullptr;
    auto covers =
        AddIcsDays(event, time_zone, stands_for || it == replaced.end() ? kNone : it->second, out.days);
    if (!covers) {
      reader.Report(covers.error().where.line, std::move(covers.error().message),
                    std::move(covers.error().hint));
    } else if (!*covers && out.problems.size() < kProblemsMax) {
      out.problems.push_back({false, event.line,
                              fmt::format("{} covers no day whole and closes none", event.Title()),
                              "a holiday is a whole day: DTSTART;VALUE=DATE:20261225"});
    }
  }
  if (out.days.size() > kDaysMax) {
    reader.Report(1, fmt::format("more than {} days", kDaysMax));
  }
  return out;
}

}  // namespace mlalert
