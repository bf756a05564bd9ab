// storm, rate_limits and recurring_silences.
#include <algorithm>
#include <fmt/format.h>
#include <memory>
#include <set>

#include "config/calm_config.h"
#include "config/config_sections.h"
#include "config/schedules.h"
#include "model/matcher_empty.h"

namespace mlalert {
namespace {

constexpr int kStormIncidentsMax = 100000;
constexpr int kRateCountMax = 10000;

void ReadStorm(YamlMap& root, const LoadContext& context, StormConfig& out) {
  auto value = root.TakeSet("storm");
  if (!value) {
    return;
  }
  YamlMap map(*value, "storm");
  out.line = value->pos().line;
  if (!map.Read("incidents", out.incidents)) {
    value->Error("missing incidents in storm", "how many new incidents are a storm, such as 20");
  } else if (out.incidents < 2 || out.incidents > kStormIncidentsMax) {
    map.At("incidents").Error(fmt::format("incidents must be from 2 to {}", kStormIncidentsMax));
  }
  if (ReadIfSet(map, "within", out.within) && out.within < std::chrono::seconds(1)) {
    map.At("within").Error("within must be at least 1s");
  }
  if (ReadIfSet(map, "quiet", out.quiet) && out.quiet < std::chrono::seconds(1)) {
    map.At("quiet").Error("quiet must be at least 1s");
  }
  if (auto by = map.Take("by"); by && by->Read(out.by)) {
    for (const YamlValue& item : by->Items("[]string")) {
      if (!IsLabelName(item.node().text, context)) {
        item.Error(fmt::format("invalid label name {} in by", Quoted(item.node().text)));
      }
    }
  }
  std::string severity;
  if (map.Read("severity", severity)) {
    if (auto parsed = ParseSeverity(severity)) {
      out.severity = *parsed;
    } else {
      map.At("severity").Error(fmt::format("severity {} is not one of P3, P2, P1, P0", Quoted(severity)));
    }
  }
  map.Finish();
  if (!map.Failed() && out.quiet < out.within) {
    map.At("quiet").Warn(
        fmt::format(
            "a storm that was quiet for {} and is over begins anew with the next incident: those of the "
            "last {} count",
            FormatDuration(out.quiet), FormatDuration(out.within)),
        fmt::format("quiet: {} or more, or a shorter within", FormatDuration(out.within)));
  }
}

void ReadRateLimits(YamlMap& root, const Config& config, CalmConfig& out) {
  auto list = root.Take("rate_limits");
  if (!list) {
    return;
  }
  for (const YamlValue& item : list->Items("a list of rate limits")) {
    YamlMap map(item, "rate limit");
    std::string receiver;
    RateLimit limit;
    limit.line = item.pos().line;
    if (map.Read("receiver", receiver)) {
      const Schedule* schedule = config.schedules != nullptr ? config.schedules->Find(receiver) : nullptr;
      if (schedule != nullptr) {
        map.At("receiver")
            .Error(fmt::format("{} is a schedule: a rate limit is for a receiver", Quoted(receiver)),
                   fmt::format("name the receivers that are on call in it, one limit for each: {}",
                               fmt::join(schedule->Receivers(), ", ")));
      } else if (config.FindReceiver(receiver) == nullptr) {
        CheckReceiverName(map.At("receiver"), receiver, config);
      }
    } else {
      item.Error("missing receiver in rate limit");
    }
    if (!map.Read("count", limit.count)) {
      item.Error("missing count in rate limit");
    } else if (limit.count < 1 || limit.count > kRateCountMax) {
      map.At("count").Error(fmt::format("count must be from 1 to {}", kRateCountMax));
    }
    if (!ReadIfSet(map, "per", limit.per)) {
      item.Error("missing per in rate limit", "in which time, such as 15m");
    } else if (limit.per < std::chrono::seconds(1)) {
      map.At("per").Error("per must be at least 1s");
    }
    map.Finish();
    if (!out.rate_limits.emplace(receiver, limit).second) {
      map.At("receiver").Error(fmt::format("receiver {} has a rate limit already", Quoted(receiver)));
    }
  }
}

void ReadRecurring(YamlMap& root, const LoadContext& context, CalmConfig& out) {
  auto list = root.Take("recurring_silences");
  if (!list) {
    return;
  }
  std::set<std::string> names;
  for (const YamlValue& item : list->Items("a list of silences")) {
    YamlMap map(item, "recurring silence");
    RecurringSilence silence;
    silence.line = item.pos().line;
    map.Read("name", silence.name);
    if (silence.name.empty()) {
      item.Error("missing name in recurring silence");
    } else if (!names.insert(silence.name).second) {
      map.At("name").Error(fmt::format("recurring silence name {} is not unique", Quoted(silence.name)));
    }
    ReadMatcherList(map, "matchers", context, silence.matchers);
    if (silence.matchers.empty() && !map.Failed()) {
      item.Error("missing matchers in recurring silence", "one without matchers would keep everything quiet");
    } else if (!silence.matchers.empty() &&
               std::all_of(silence.matchers.begin(), silence.matchers.end(), MatchesEmpty)) {
      map.At("matchers")
          .Error("at least one matcher must not match the empty string",
                 "as in a silence: one that matches everything would keep everything quiet");
    }
    if (auto intervals = map.Take("time_intervals"); intervals && intervals->Read(silence.time_intervals)) {
      for (const YamlValue& name : intervals->Items("[]string")) {
        if (!context.time_interval_names.contains(name.node().text)) {
          name.Error(
              fmt::format("undefined time interval {} used in recurring silence", Quoted(name.node().text)));
        }
      }
    }
    if (silence.time_intervals.empty()) {
      item.Error("missing time_intervals in recurring silence");
    }
    std::string comment;
    map.Read("comment", comment);
    map.Finish();
    out.silences.push_back(std::move(silence));
  }
}

}  // namespace

void ReadCalm(YamlMap& root, const LoadContext& context, Config& out) {
  auto calm = std::make_shared<CalmConfig>();
  ReadStorm(root, context, calm->storm);
  ReadRateLimits(root, out, *calm);
  ReadRecurring(root, context, *calm);
  if (calm->storm.incidents > 0 || !calm->rate_limits.empty() || !calm->silences.empty()) {
    out.calm = std::move(calm);
  }
}

}  // namespace mlalert
