// A config as plain data: what the oracle of grouping and muting understands, and the YAML that the engine
// gets for it.
#pragma once

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace mlalert::testing {

using LabelMap = std::map<std::string, std::string>;

struct RouteSpec {
  LabelMap equals;  // matches when the alert has these values; "" is a missing label
  std::string receiver;
  std::vector<std::string> group_by;
  bool group_by_all = false;
  bool go_on = false;
  int64_t wait = 30, interval = 300, repeat = 14400;  // seconds
  std::vector<std::string> mute, active;              // names of intervals
  std::vector<RouteSpec> children;
};

struct IntegrationSpec {
  std::string name;  // "web/webhook[0]"
  bool send_resolved = true;
};

struct InhibitSpec {
  LabelMap source, target;
  std::vector<std::string> equal;
};

struct DispatchSpec {
  RouteSpec root;
  std::map<std::string, std::vector<IntegrationSpec>> receivers;
  std::vector<InhibitSpec> inhibit;
  std::map<std::string, std::pair<int64_t, int64_t>> intervals;  // minutes of the day, UTC: from, to
};

inline std::string MatchersYaml(const LabelMap& equals) {
  std::vector<std::string> out;
  for (const auto& [name, value] : equals) {
    out.push_back(fmt::format("'{}=\"{}\"'", name, value));
  }
  return fmt::format("[{}]", fmt::join(out, ", "));
}

inline std::string RouteYaml(const RouteSpec& route, bool is_root) {
  std::string out = fmt::format(
      "{{receiver: {}, group_by: [{}], group_wait: {}s, group_interval: {}s, repeat_interval: {}s",
      route.receiver, route.group_by_all ? "'...'" : fmt::format("{}", fmt::join(route.group_by, ", ")),
      route.wait, route.interval, route.repeat);
  if (!is_root) {
    out += fmt::format(", matchers: {}, continue: {}, mute_time_intervals: [{}], active_time_intervals: [{}]",
                       MatchersYaml(route.equals), route.go_on, fmt::join(route.mute, ", "),
                       fmt::join(route.active, ", "));
  }
  if (!route.children.empty()) {
    std::vector<std::string> children;
    for (const RouteSpec& child : route.children) {
      children.push_back(RouteYaml(child, false));
    }
    out += fmt::format(", routes: [{}]", fmt::join(children, ", "));
  }
  return out + "}";
}

inline std::string ToYaml(const DispatchSpec& spec) {
  std::string out = "route: " + RouteYaml(spec.root, true) + "\nreceivers:\n";
  for (const auto& [name, integrations] : spec.receivers) {
    std::vector<std::string> hooks;
    for (const IntegrationSpec& one : integrations) {
      hooks.push_back(fmt::format("{{url: 'http://127.0.0.1:9/', send_resolved: {}}}", one.send_resolved));
    }
    out += fmt::format("- {{name: {}, webhook_configs: [{}]}}\n", name, fmt::join(hooks, ", "));
  }
  out += spec.inhibit.empty() ? "" : "inhibit_rules:\n";
  for (const InhibitSpec& rule : spec.inhibit) {
    out += fmt::format("- {{source_matchers: {}, target_matchers: {}, equal: [{}]}}\n",
                       MatchersYaml(rule.source), MatchersYaml(rule.target), fmt::join(rule.equal, ", "));
  }
  out += spec.intervals.empty() ? "" : "time_intervals:\n";
  for (const auto& [name, span] : spec.intervals) {
    out += fmt::format(
        "- {{name: {}, time_intervals: [{{times: [{{start_time: '{:02}:{:02}', end_time: "
        "'{:02}:{:02}'}}]}}]}}\n",
        name, span.first / 60, span.first % 60, span.second / 60, span.second % 60);
  }
  return out;
}

}  // namespace mlalert::testing
