#include "config/config_print.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "config/print_section.h"
#include "config/yaml_json.h"
#include "config/yaml_writer.h"

namespace mlalert {
namespace {

// --- routes and inhibition: as written ---

const YamlNode* Set(const YamlNode& map, std::string_view key) {
  const auto* entry = map.Find(key);
  return entry != nullptr && entry->value->kind != YamlNode::Kind::kNull ? entry->value.get() : nullptr;
}

Json TextList(const YamlNode& list) {
  Json out = Json::MakeArray();
  for (const auto& item : list.items) {
    out.Push(item->text);
  }
  return out;
}

Json TextMap(const YamlNode& map) {
  std::map<std::string, std::string> sorted;
  for (const auto& entry : map.entries) {
    sorted[entry.key] = entry.value->text;
  }
  Json out = Json::MakeObject();
  for (auto& [key, text] : sorted) {
    out.Set(key, std::move(text));
  }
  return out;
}

class WrittenPrinter {
 public:
  WrittenPrinter(const ConfigOptions& options, PrintFor reader) : options_(options), reader_(reader) {}

  Json Route(const YamlNode& route) const {  // NOLINT(misc-no-recursion)
    PrintSection out(reader_);
    Text(route, "receiver", out);
    List(route, "group_by", out);
    Map(route, "match", out);
    Map(route, "match_re", out);
    MatcherTexts(route, "matchers", out);
    List(route, "mute_time_intervals", out);
    List(route, "active_time_intervals", out);
    bool continues = false;
    if (const YamlNode* value = Set(route, "continue")) {
      ParseYamlBool(value->text, continues);
    }
    out.Put("continue", continues);
    if (const YamlNode* children = Set(route, "routes")) {
      Json list = Json::MakeArray();
      for (const auto& child : children->items) {
        list.Push(Route(*child));
      }
      out.List("routes", std::move(list));
    }
    for (std::string_view key : {"group_wait", "group_interval", "repeat_interval"}) {
      if (const YamlNode* value = Set(route, key)) {
        out.Put(key, FormatDuration(ParseDuration(value->text).value_or(Duration::zero())));
      }
    }
    Map(route, "labels", out);
    return out.Take();
  }

  Json InhibitRule(const YamlNode& rule) const {
    PrintSection out(reader_);
    Text(rule, "name", out);
    Map(rule, "source_match", out);
    Map(rule, "source_match_re", out);
    MatcherTexts(rule, "source_matchers", out);
    Map(rule, "target_match", out);
    Map(rule, "target_match_re", out);
    MatcherTexts(rule, "target_matchers", out);
    List(rule, "equal", out);
    return out.Take();
  }

 private:
  static void Text(const YamlNode& map, std::string_view key, PrintSection& out) {
    if (const YamlNode* value = Set(map, key)) {
      out.Text(key, value->text);
    }
  }
  static void List(const YamlNode& map, std::string_view key, PrintSection& out) {
    if (const YamlNode* value = Set(map, key)) {
      out.List(key, TextList(*value));
    }
  }
  static void Map(const YamlNode& map, std::string_view key, PrintSection& out) {
    if (const YamlNode* value = Set(map, key)) {
      out.Object(key, TextMap(*value));
    }
  }
  void MatcherTexts(const YamlNode& map, std::string_view key, PrintSection& out) const {
    const YamlNode* value = Set(map, key);
    if (value == nullptr) {
      return;
    }
    Matchers matchers;
    for (const auto& item : value->items) {
      if (auto parsed = ParseMatchers(item->text, options_.matcher_mode)) {
        std::move(parsed->begin(), parsed->end(), std::back_inserter(matchers));
      }
    }
    SortMatchers(matchers);
    std::vector<std::string> texts;
    for (const Matcher& matcher : matchers) {
      texts.push_back(matcher.ToString());
    }
    out.Texts(key, texts);
  }

  const ConfigOptions& options_;
  PrintFor reader_;
};

// --- time intervals ---

std::string ClockText(int minutes) {
  return fmt::format("{:02}:{:02}", minutes / 60, minutes % 60);
}

std::string NumberRange(const IntRange& range) {
  return range.begin == range.end ? std::to_string(range.begin)
                                  : fmt::format("{}:{}", range.begin, range.end);
}

std::string WeekdayRangeText(const IntRange& range) {
  static constexpr std::array<std::string_view, 7> kNames{"sunday",   "monday", "tuesday", "wednesday",
                                                          "thursday", "friday", "saturday"};
  std::string begin(kNames.at(static_cast<size_t>(range.begin)));
  return range.begin == range.end ? begin
                                  : fmt::format("{}:{}", begin, kNames.at(static_cast<size_t>(range.end)));
}

void PrintRanges(std::string_view key, const std::optional<std::vector<IntRange>>& ranges,
                 std::string (*print)(const IntRange&), PrintSection& out) {
  std::vector<std::string> texts;
  for (const IntRange& range : ranges.value_or(std::vector<IntRange>{})) {
    texts.push_back(print(range));
  }
  out.Texts(key, texts);
}

Json PrintInterval(const NamedTimeInterval& interval, PrintFor reader) {
  PrintSection out(reader);
  out.Put("name", interval.name);
  Json specs = Json::MakeArray();
  for (const TimeIntervalSpec& spec : interval.specs) {
    PrintSection item(reader);
    Json times = Json::MakeArray();
    for (const IntRange& time : spec.times.value_or(std::vector<IntRange>{})) {
      times.Push(
          Json::MakeObject().Set("start_time", ClockText(time.begin)).Set("end_time", ClockText(time.end)));
    }
    item.List("times", std::move(times));
    PrintRanges("weekdays", spec.weekdays, WeekdayRangeText, item);
    PrintRanges("days_of_month", spec.days_of_month, NumberRange, item);
    PrintRanges("months", spec.months, NumberRange, item);
    PrintRanges("years", spec.years, NumberRange, item);
    item.Text("location", spec.location);
    specs.Push(item.Take());
  }
  out.Put("time_intervals", std::move(specs));
  return out.Take();
}

size_t Count(const YamlNode& root, std::string_view key) {
  const YamlNode* list = Set(root, key);
  return list != nullptr ? list->items.size() : 0;
}

}  // namespace

std::string PrintConfig(const YamlNode& root, const Config& config, const ConfigOptions& options,
                        PrintFor reader) {
  WrittenPrinter written(options, reader);
  PrintSection out(reader);
  out.Put("global", PrintGlobal(config.global, reader));
  out.Put("route", written.Route(*Set(root, "route")));
  if (const YamlNode* rules = Set(root, "inhibit_rules")) {
    Json list = Json::MakeArray();
    for (const auto& rule : rules->items) {
      list.Push(written.InhibitRule(*rule));
    }
    out.List("inhibit_rules", std::move(list));
  }
  Json receivers = Json::MakeArray();
  for (const Receiver& receiver : config.receivers) {
    receivers.Push(PrintReceiver(receiver, reader));
  }
  out.List("receivers", std::move(receivers));
  Json templates = Json::MakeArray();
  for (const std::string& glob : config.templates) {
    templates.Push(glob);
  }
  out.Put("templates", std::move(templates));
  // The loader reads the deprecated list first.
  size_t deprecated = std::min(Count(root, "mute_time_intervals"), config.time_intervals.size());
  Json mute = Json::MakeArray();
  Json intervals = Json::MakeArray();
  for (size_t i = 0; i < config.time_intervals.size(); ++i) {
    (i < deprecated ? mute : intervals).Push(PrintInterval(config.time_intervals[i], reader));
  }
  out.List("mute_time_intervals", std::move(mute));
  out.List("time_intervals", std::move(intervals));
  return WriteYaml(out.Take());
}

}  // namespace mlalert
