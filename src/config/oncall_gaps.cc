#include "config/oncall_gaps.h"

#include <algorithm>
#include <chrono>
#include <fmt/format.h>
#include <set>

#include "config/local_time.h"
#include "config/yaml_reader.h"
#include "model/incident_chain.h"

namespace mlalert {
namespace {

constexpr auto kLookAhead = std::chrono::days(28);

using Group = std::vector<const Schedule*>;

void CollectRoutes(const Route& route, const Schedules& schedules, std::set<Group>& out) {
  if (const Schedule* schedule = schedules.Find(route.receiver)) {
    out.insert({schedule});
  }
  for (const Route& child : route.routes) {
    CollectRoutes(child, schedules, out);
  }
}

void CollectSteps(const IncidentChain& chain, const Schedules& schedules, std::set<Group>& out) {
  if (!chain.fallback.empty()) {
    return;
  }
  for (const ChainStep& step : chain.steps) {
    Group group;
    for (const std::string& name : step.receivers) {
      group.push_back(schedules.Find(name));
    }
    if (std::find(group.begin(), group.end(), nullptr) == group.end() && !group.empty()) {
      out.insert(std::move(group));
    }
  }
}

std::string LocalText(Timestamp at, const Schedule& schedule) {
  const int64_t local = ToLocalSeconds(at, FindTimeZone(schedule.time_zone()));
  return FormatRfc3339Millis(Timestamp(std::chrono::seconds(local))).substr(0, 16).replace(10, 1, " ");
}

}  // namespace

Timestamp FirstGap(const std::vector<const Schedule*>& schedules, Timestamp from, Timestamp until) {
  for (Timestamp at = from; at < until;) {
    if (std::all_of(schedules.begin(), schedules.end(),
                    [&](const Schedule* schedule) { return schedule->OnCall(at).empty(); })) {
      return at;
    }
    Timestamp next = kNever;
    for (const Schedule* schedule : schedules) {
      next = std::min(next, schedule->NextChange(at));
    }
    at = next;
  }
  return kNever;
}

void WarnAboutGaps(const Config& config, std::string_view text, const std::string& file, Timestamp now,
                   Diagnostics& out) {
  if (config.schedules == nullptr) {
    return;
  }
  std::set<Group> used;
  CollectRoutes(config.route, *config.schedules, used);
  for (const IncidentPolicy& policy : config.incident_policies) {
    if (policy.chain != nullptr) {
      CollectSteps(*policy.chain, *config.schedules, used);
    }
  }
  Diagnostics found;
  SourceText source(file, text);
  YamlNodePtr tree = ParseYaml(text, source, found);
  if (tree == nullptr) {
    return;
  }
  const YamlMap root(YamlValue(*tree, source, found), "config.plain");
  const std::vector<YamlValue> items = root.At("schedules").Items("a list of schedules");
  for (const Group& group : used) {
    const Timestamp gap = FirstGap(group, now, now + kLookAhead);
    if (gap == kNever) {
      continue;
    }
    std::string names;
    for (const Schedule* schedule : group) {
      names += fmt::format("{}\"{}\"", names.empty() ? "" : ", ", schedule->name());
    }
    const Schedule& first = *group.front();
    const auto index = static_cast<size_t>(&first - config.schedules->all().data());
    const YamlValue at = index < items.size() ? items[index] : root.At("schedules");
    at.Warn(
        fmt::format("nobody is on call in schedule {} {} {} ({})", names, gap == now ? "now," : "at",
                    LocalText(gap, first), first.time_zone()),
        "who is told by this name then is nobody: add a rotation for these hours, an override, or a fallback "
        "of the chain");
  }
  out.Append(std::move(found));
  out.Sort();
}

}  // namespace mlalert
