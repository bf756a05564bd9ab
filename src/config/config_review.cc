// review: who gets the weekly review, and when.
#include <fmt/format.h>
#include <set>

#include "config/config_sections.h"

namespace mlalert {
namespace {

void ReadReceiverNames(YamlMap& map, const Config& config, std::vector<std::string>& out) {
  auto list = map.Take("receivers");
  if (!list || !list->Read(out)) {
    return;
  }
  for (const YamlValue& item : list->Items("[]string")) {
    const std::string& name = item.node().text;
    if (config.FindReceiver(name) == nullptr) {
      item.Error(fmt::format("undefined receiver {} used in review", Quoted(name)));
    }
  }
}

void ReadZone(YamlMap& map, std::string& out) {
  if (map.Read("time_zone", out) && !IsTimeZone(out)) {
    map.At("time_zone")
        .Error(fmt::format("unknown time zone {}", Quoted(out)), "a name such as Europe/Paris");
  }
}

}  // namespace

void ReadReview(YamlMap& root, Config& out) {
  auto value = root.TakeSet("review");
  if (!value) {
    return;
  }
  YamlMap map(*value, "review");
  ReviewConfig& review = out.review;
  ReadReceiverNames(map, out, review.receivers);
  ReadZone(map, review.time_zone);
  std::string starts = "monday";
  if (map.Read("week_starts", starts) && starts != "monday") {
    map.At("week_starts")
        .Error(fmt::format("week_starts is {}, must be monday", Quoted(starts)),
               "weeks are those of ISO 8601");
  }
  if (ReadIfSet(map, "deliver_after", review.deliver_after) &&
      review.deliver_after > std::chrono::hours(24 * 6)) {
    map.At("deliver_after").Error("deliver_after must be less than a week");
  }
  if (auto teams = map.Take("teams")) {
    std::set<std::string> names;
    for (const YamlValue& item : teams->Items("a list of teams")) {
      YamlMap fields(item, "team");
      ReviewTeam& team = review.teams.emplace_back();
      fields.Read("name", team.name);
      if (team.name.empty()) {
        item.Error("missing name of team in review");
      } else if (!names.insert(team.name).second) {
        fields.At("name").Error(fmt::format("team {} is there twice", Quoted(team.name)));
      }
      ReadReceiverNames(fields, out, team.receivers);
      team.time_zone = review.time_zone;
      ReadZone(fields, team.time_zone);
      fields.Finish();
    }
  }
  map.Finish();
}

}  // namespace mlalert
