#include "api/config_yaml.h"

#include <fmt/format.h>

#include "base/json.h"

namespace mlalert {
namespace {

// A JSON string is a YAML double-quoted scalar, whatever it holds.
std::string Quote(std::string_view text) {
  std::string out;
  AppendJsonString(out, text);
  return out;
}

void AddList(std::string& out, const std::string& indent, std::string_view key,
             const std::vector<std::string>& list) {
  if (list.empty()) {
    return;
  }
  out += fmt::format("{}{}:\n", indent, key);
  for (const std::string& item : list) {
    out += fmt::format("{}- {}\n", indent, Quote(item));
  }
}

void AddMatchers(std::string& out, const std::string& indent, std::string_view key,
                 const Matchers& matchers) {
  std::vector<std::string> texts;
  for (const Matcher& matcher : matchers) {
    texts.push_back(matcher.ToString());
  }
  AddList(out, indent, key, texts);
}

// `first`: indentation of the first line, which may carry the dash of a list.
void AddRoute(std::string& out, const std::string& first, const std::string& indent, const Route& route) {
  out += fmt::format("{}receiver: {}\n", first, Quote(route.receiver));
  AddList(out, indent, "group_by", route.group_by_all ? std::vector<std::string>{"..."} : route.group_by);
  AddMatchers(out, indent, "matchers", route.matchers);
  AddList(out, indent, "mute_time_intervals", route.mute_time_intervals);
  AddList(out, indent, "active_time_intervals", route.active_time_intervals);
  out += fmt::format("{}continue: {}\n", indent, route.continue_matching);
  out += fmt::format("{}group_wait: {}\n", indent, FormatDuration(route.group_wait));
  out += fmt::format("{}group_interval: {}\n", indent, FormatDuration(route.group_interval));
  out += fmt::format("{}repeat_interval: {}\n", indent, FormatDuration(route.repeat_interval));
  if (route.routes.empty()) {
    return;
  }
  out += indent + "routes:\n";
  for (const Route& child : route.routes) {
    AddRoute(out, indent + "- ", indent + "  ", child);
  }
}

}  // namespace

std::string ConfigToYaml(const Config& config) {
  std::string out =
      fmt::format("global:\n  resolve_timeout: {}\n", FormatDuration(config.global.resolve_timeout));
  out += "route:\n";
  AddRoute(out, "  ", "  ", config.route);
  if (!config.inhibit_rules.empty()) {
    out += "inhibit_rules:\n";
  }
  for (const InhibitRule& rule : config.inhibit_rules) {
    out += "-\n";
    AddMatchers(out, "  ", "source_matchers", rule.source_matchers);
    AddMatchers(out, "  ", "target_matchers", rule.target_matchers);
    AddList(out, "  ", "equal", rule.equal);
  }
  out += "receivers:\n";
  for (const Receiver& receiver : config.receivers) {
    out += fmt::format("- name: {}\n", Quote(receiver.name));
  }
  out += "templates: []\n";
  if (!config.time_intervals.empty()) {
    out += "time_intervals:\n";
  }
  for (const NamedTimeInterval& interval : config.time_intervals) {
    out += fmt::format("- name: {}\n  time_intervals: []\n", Quote(interval.name));
  }
  return out;
}

}  // namespace mlalert
