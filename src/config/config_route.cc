// route and inhibit_rules.
#include <algorithm>
#include <fmt/format.h>

#include "config/config_sections.h"
#include "config/schedules.h"

namespace mlalert {
namespace {

class RouteReader {
 public:
  RouteReader(const LoadContext& context, const Config& config) : context_(context), config_(config) {}

  // `out` holds the parent's values (the defaults at the root) and leaves with this route's own.
  void Read(const YamlValue& value, bool root, Route& out) const {
    YamlMap map(value, "config.plain");
    out.line = value.pos().line;
    ReadReceiver(map, root, out);
    ReadMatchers(map, root, out);
    ReadGroupBy(map, out);
    ReadTimers(map, out);
    ReadIntervals(map, "mute_time_intervals", root, out.mute_time_intervals);
    ReadIntervals(map, "active_time_intervals", root, out.active_time_intervals);
    map.Read("continue", out.continue_matching);
    if (root && out.continue_matching) {
      map.At("continue").Error("cannot have continue in root route");
    }
    ReadLabels(map, out);
    ReadChildren(map, out);
    map.Finish();
  }

 private:
  void ReadReceiver(YamlMap& map, bool root, Route& out) const {
    std::string name;
    map.Read("receiver", name);
    if (name.empty()) {
      if (root) {
        map.At("receiver").Error("root route must specify a default receiver");
      }
      return;  // inherited
    }
    const bool is_schedule = config_.schedules != nullptr && config_.schedules->Find(name) != nullptr;
    if (!is_schedule && config_.FindReceiver(name) == nullptr) {
      std::vector<std::string_view> names;
      for (const auto& receiver : config_.receivers) {
        names.push_back(receiver.name);
      }
      map.At("receiver")
          .Error(fmt::format("undefined receiver {} used in route", Quoted(name)), DidYouMean(name, names));
    }
    out.receiver = std::move(name);
  }

  void ReadMatchers(YamlMap& map, bool root, Route& out) const {
    out.matchers.clear();
    ReadMatchMap(map, "match", false, out.matchers);
    ReadMatchMap(map, "match_re", true, out.matchers);
    ReadMatcherList(map, "matchers", context_, out.matchers);
    SortMatchers(out.matchers);
    if (root && !out.matchers.empty()) {
      map.value().Error("root route must not have any matchers");
    }
  }

  void ReadGroupBy(YamlMap& map, Route& out) const {
    auto value = map.TakeSet("group_by");
    std::vector<std::string> names;
    if (!value || !value->Read(names)) {
      return;
    }
    std::set<std::string> seen;
    bool all = std::find(names.begin(), names.end(), "...") != names.end();
    std::erase(names, "...");
    for (const auto& name : names) {
      if (!IsLabelName(name, context_)) {
        value->Error(fmt::format("invalid label name {} in group_by list", Quoted(name)));
        return;
      }
    }
    if (all && !names.empty()) {
      value->Error("cannot have wildcard group_by (`...`) and other labels at the same time");
      return;
    }
    for (const auto& name : names) {
      if (!seen.insert(name).second) {
        value->Error(fmt::format("duplicated label {} in group_by", Quoted(name)));
        return;
      }
    }
    out.group_by_all = all;
    out.group_by = all ? std::vector<std::string>{} : std::move(names);
  }

  static void ReadTimers(YamlMap& map, Route& out) {
    ReadIfSet(map, "group_wait", out.group_wait);
    bool own_interval = ReadIfSet(map, "group_interval", out.group_interval);
    bool own_repeat = ReadIfSet(map, "repeat_interval", out.repeat_interval);
    if (own_interval && out.group_interval == Duration::zero()) {
      map.At("group_interval").Error("group_interval cannot be zero");
    }
    if (own_repeat && out.repeat_interval == Duration::zero()) {
      map.At("repeat_interval").Error("repeat_interval cannot be zero");
    }
    if ((own_interval || own_repeat) && out.repeat_interval < out.group_interval) {
      map.At(own_repeat ? "repeat_interval" : "group_interval")
          .Warn(fmt::format(
              "repeat_interval ({}) is shorter than group_interval ({}): notifications repeat only every "
              "group_interval",
              FormatDuration(out.repeat_interval), FormatDuration(out.group_interval)));
    }
  }

  void ReadIntervals(YamlMap& map, std::string_view key, bool root, std::vector<std::string>& out) const {
    out.clear();
    auto value = map.Take(key);
    if (!value || !value->Read(out)) {
      return;
    }
    if (root && !out.empty()) {
      value->Error(key == "mute_time_intervals" ? "root route must not have any mute time intervals"
                                                : "root route must not have any active time intervals");
      return;
    }
    std::vector<std::string_view> known(context_.time_interval_names.begin(),
                                        context_.time_interval_names.end());
    for (const YamlValue& item : value->Items("[]string")) {
      std::string name;
      if (item.Read(name) && !context_.time_interval_names.contains(name)) {
        item.Error(fmt::format("undefined time interval {} used in route", Quoted(name)),
                   DidYouMean(name, known));
      }
    }
  }

  void ReadLabels(YamlMap& map, Route& out) const {
    auto value = map.TakeSet("labels");
    std::map<std::string, std::string> own;
    if (!value || !value->Read(own)) {
      return;
    }
    for (auto& [name, text] : own) {
      if (!IsLabelName(name, context_)) {
        value->Error(fmt::format("invalid label name {} in route labels", Quoted(name)));
      }
      out.labels[name] = std::move(text);
    }
  }

  void ReadChildren(YamlMap& map, Route& out) const {
    auto value = map.Take("routes");
    if (!value) {
      return;
    }
    Route inherited = out;
    inherited.continue_matching = false;
    inherited.routes.clear();
    for (const YamlValue& item : value->Items("[]*config.Route")) {
      if (item.IsNull()) {
        item.Error("a route cannot be null");  // upstream crashes
        continue;
      }
      Route child = inherited;
      Read(item, false, child);
      out.routes.push_back(std::move(child));
    }
  }

  const LoadContext& context_;
  const Config& config_;
};

}  // namespace

void ReadRootRoute(const YamlValue& value, const LoadContext& context, const Config& config, Route& out) {
  RouteReader(context, config).Read(value, true, out);
}

void ReadInhibitRules(const YamlValue& value, const LoadContext& context, std::vector<InhibitRule>& out) {
  for (const YamlValue& item : value.Items("[]config.InhibitRule")) {
    YamlMap map(item, "config.plain");
    InhibitRule rule;
    rule.line = item.pos().line;
    map.Read("name", rule.name);
    ReadMatchMap(map, "source_match", false, rule.source_matchers);
    ReadMatchMap(map, "source_match_re", true, rule.source_matchers);
    ReadMatcherList(map, "source_matchers", context, rule.source_matchers);
    ReadMatchMap(map, "target_match", false, rule.target_matchers);
    ReadMatchMap(map, "target_match_re", true, rule.target_matchers);
    ReadMatcherList(map, "target_matchers", context, rule.target_matchers);
    SortMatchers(rule.source_matchers);
    SortMatchers(rule.target_matchers);
    if (auto equal = map.Take("equal"); equal && equal->Read(rule.equal)) {
      for (const auto& name : rule.equal) {
        if (!IsLabelName(name, context)) {
          equal->Error(fmt::format("invalid label name {} in equal list", Quoted(name)));
        }
      }
    }
    map.Finish();
    out.push_back(std::move(rule));
  }
}

}  // namespace mlalert
