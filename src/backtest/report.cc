#include "backtest/report.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <fmt/format.h>
#include <map>

#include "review/render.h"

namespace mlalert {
namespace {

using std::chrono::hours;

constexpr std::array<const char*, 5> kSeverities = {"P0", "P1", "P2", "P3", "none"};

struct Counts {
  int64_t alerts = 0, incidents = 0, notifications = 0, interruptions = 0;
  std::array<int64_t, kBuckets> buckets{};
  std::array<int64_t, 5> incidents_by_severity{}, notifications_by_severity{};
  std::array<int64_t, 24> notifications_by_hour{}, interruptions_by_hour{};
};

Json HoursJson(const std::array<int64_t, 24>& values) {
  Json list = Json::MakeArray();
  for (int64_t value : values) {
    list.Push(value);
  }
  return list;
}

Json CountsJson(const Counts& c) {
  Json json = Json::MakeObject();
  json.Set("alerts", c.alerts).Set("incidents", c.incidents).Set("notifications", c.notifications);
  json.Set("interruptions", c.interruptions);
  Json buckets = Json::MakeObject();
  for (size_t i = 0; i < kBuckets; ++i) {
    buckets.Set(std::string(ToString(static_cast<Bucket>(i))), c.buckets[i]);
  }
  json.Set("interruptions_by_bucket", std::move(buckets));
  Json severities = Json::MakeObject();
  for (size_t i = 0; i < kSeverities.size(); ++i) {
    Json one = Json::MakeObject();
    one.Set("incidents", c.incidents_by_severity[i]).Set("notifications", c.notifications_by_severity[i]);
    severities.Set(kSeverities[i], std::move(one));
  }
  json.Set("by_severity", std::move(severities));
  json.Set("notifications_by_hour", HoursJson(c.notifications_by_hour));
  json.Set("interruptions_by_hour", HoursJson(c.interruptions_by_hour));
  return json;
}

size_t HourOf(Timestamp t, const TimeZone& zone) {
  const Timestamp local = zone.ToLocal(t);
  return static_cast<size_t>((local - std::chrono::floor<std::chrono::days>(local)) / hours(1));
}

// The evening's date of the night that `t` lies in.
std::string NightOf(Timestamp t, const TimeZone& zone) {
  return FormatRfc3339Millis(zone.ToLocal(t) - hours(12)).substr(0, 10);
}

double Weeks(const Span& span) {
  return ToSeconds(span.until - span.from) / (7 * 86400.0);
}

double Rounded(double value) {
  return std::round(value * 100) / 100;
}

const Json& At(const Json& json, std::string_view key) {
  static const Json kNull;
  const Json* found = json.Find(key);
  return found != nullptr ? *found : kNull;
}

}  // namespace

Json BacktestReport(const Replay& replay, const TimeZone& zone) {
  Counts totals;
  std::map<std::string, Counts> weeks;
  struct Rule {
    int64_t alerts = 0, incidents = 0, notifications = 0, interruptions = 0, sleep = 0;
    double longest = 0;
  };
  std::map<std::string, Rule> rules;
  auto each = [&](Timestamp at, auto&& count) {
    count(totals);
    count(weeks[WeekOf(at, zone).name]);
  };
  // Weeks without anything count as well.
  for (Timestamp t = replay.span.from; t < replay.span.until; t = WeekOf(t, zone).span.until) {
    weeks[WeekOf(t, zone).name];
  }
  const EpisodeRecord* longest = nullptr;
  auto length_of = [&](const EpisodeRecord& e) {
    return ToSeconds((IsSet(e.ended_at) ? e.ended_at : replay.span.until) - e.started_at);
  };
  for (const auto& [id, episode] : replay.episodes) {
    each(episode.started_at, [](Counts& c) { ++c.alerts; });
    Rule& rule = rules[std::string(episode.labels.Get("alertname"))];
    ++rule.alerts;
    rule.longest = std::max(rule.longest, length_of(episode));
    if (longest == nullptr || length_of(episode) > length_of(*longest)) {
      longest = &episode;
    }
  }
  auto name_of = [&](IncidentId id) {
    auto it = replay.incidents.find(id);
    return it != replay.incidents.end() ? std::string(it->second.labels.Get("alertname")) : std::string();
  };
  for (const auto& [id, incident] : replay.incidents) {
    each(incident.opened_at, [&, rank = Rank(incident.severity)](Counts& c) {
      ++c.incidents;
      ++c.incidents_by_severity[rank];
    });
    ++rules[name_of(id)].incidents;
  }
  auto rules_of = [&](const std::vector<int64_t>& ids) {
    std::vector<std::string> names;
    names.reserve(ids.size());
    for (int64_t id : ids) {
      names.push_back(name_of(id));
    }
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    return names;
  };
  for (const NotificationRecord& n : replay.notifications) {
    each(n.at, [&, rank = Rank(n.severity), hour = HourOf(n.at, zone)](Counts& c) {
      ++c.notifications;
      ++c.notifications_by_severity[rank];
      ++c.notifications_by_hour[hour];
    });
    for (const std::string& name : rules_of(IncidentsOf(n))) {
      ++rules[name].notifications;
    }
  }
  std::map<std::string, int64_t> nights;
  for (const PageFacts& page : PagesOf(replay)) {
    if (!page.interruption) {
      continue;
    }
    const Bucket bucket = BucketOf(page.at, zone);
    each(page.at, [&, hour = HourOf(page.at, zone)](Counts& c) {
      ++c.interruptions;
      ++c.buckets[static_cast<size_t>(bucket)];
      ++c.interruptions_by_hour[hour];
    });
    if (bucket == Bucket::kSleep) {
      ++nights[NightOf(page.at, zone)];
    }
    for (const std::string& name : rules_of(page.incidents)) {
      ++rules[name].interruptions;
      rules[name].sleep += bucket == Bucket::kSleep ? 1 : 0;
    }
  }

  Json json = Json::MakeObject();
  json.Set("from", FormatRfc3339Millis(replay.span.from))
      .Set("until", FormatRfc3339Millis(replay.span.until));
  json.Set("time_zone", zone.name()).Set("weeks_covered", Rounded(Weeks(replay.span)));
  json.Set("evaluations", replay.evaluations).Set("calls", replay.calls);
  json.Set("totals", CountsJson(totals));
  Json per_week = Json::MakeObject();
  const double span_weeks = std::max(Weeks(replay.span), 1e-9);
  for (const auto& [key, value] :
       {std::pair{"alerts", totals.alerts},
        {"incidents", totals.incidents},
        {"notifications", totals.notifications},
        {"interruptions", totals.interruptions},
        {"sleep_interruptions", totals.buckets[static_cast<size_t>(Bucket::kSleep)]}}) {
    per_week.Set(key, Rounded(static_cast<double>(value) / span_weeks));
  }
  json.Set("per_week", std::move(per_week));
  Json list = Json::MakeArray();
  for (const auto& [week, counts] : weeks) {
    Json one = CountsJson(counts);
    one.Set("week", week);
    list.Push(std::move(one));
  }
  json.Set("weeks", std::move(list));
  auto worst = std::max_element(nights.begin(), nights.end(),
                                [](const auto& a, const auto& b) { return a.second < b.second; });
  Json night;
  if (worst != nights.end()) {
    night.Set("evening_of", worst->first).Set("interruptions", worst->second);
  }
  json.Set("worst_night", std::move(night));
  Json longest_json;
  if (longest != nullptr) {
    longest_json.Set("rule", longest->labels.Get("alertname")).Set("labels", longest->labels.ToString());
    longest_json.Set("started_at", FormatRfc3339Millis(longest->started_at))
        .Set("seconds", length_of(*longest));
    longest_json.Set("still_fires", !IsSet(longest->ended_at));
  }
  json.Set("longest", std::move(longest_json));
  Json rule_list = Json::MakeArray();
  for (const auto& [name, rule] : rules) {
    Json one = Json::MakeObject();
    one.Set("rule", name).Set("alerts", rule.alerts).Set("incidents", rule.incidents);
    one.Set("notifications", rule.notifications).Set("interruptions", rule.interruptions);
    one.Set("sleep_interruptions", rule.sleep).Set("longest_seconds", rule.longest);
    rule_list.Push(std::move(one));
  }
  json.Set("rules", std::move(rule_list));
  Json warnings = Json::MakeArray();
  for (const std::string& warning : replay.warnings) {
    warnings.Push(warning);
  }
  json.Set("warnings", std::move(warnings));
  return json;
}

Json KnownIncidents(const Replay& replay, const std::vector<IncidentFacts>& known) {
  int64_t total = 0;
  int64_t missed = 0;
  Json ids = Json::MakeArray();
  for (const IncidentFacts& k : known) {
    if (k.level != ActionLevel::kActed || k.test || !replay.span.Contains(k.opened_at)) {
      continue;
    }
    ++total;
    const Timestamp end = k.resolved ? k.resolved_at : replay.span.until;
    const bool caught = std::any_of(replay.incidents.begin(), replay.incidents.end(), [&](const auto& item) {
      const Incident& i = item.second;
      return i.labels.Get("alertname") == k.alertname && i.labels.Get("model") == k.model &&
             i.labels.Get("pipeline") == k.pipeline && i.opened_at <= end &&
             (!IsSet(i.resolved_at) || i.resolved_at >= k.opened_at);
    });
    if (!caught) {
      ++missed;
      ids.Push(k.id);
    }
  }
  Json json = Json::MakeObject();
  json.Set("acted_on", total).Set("missed", missed).Set("missed_incidents", std::move(ids));
  return json;
}

Json CompareReports(const Json& before, const Json& after) {
  Json change = Json::MakeObject();
  for (const auto& [key, value] : At(after, "per_week").AsObject()) {
    change.Set(key, Rounded(value.AsDouble() - At(At(before, "per_week"), key).AsDouble()));
  }
  Json rules = Json::MakeArray();
  std::map<std::string, std::pair<Json, Json>> by_name;
  for (const Json& rule : At(before, "rules").AsArray()) {
    by_name[rule.GetString("rule")].first = rule;
  }
  for (const Json& rule : At(after, "rules").AsArray()) {
    by_name[rule.GetString("rule")].second = rule;
  }
  for (const auto& [name, pair] : by_name) {
    Json one = Json::MakeObject();
    one.Set("rule", name);
    bool same = true;
    for (const char* key : {"alerts", "incidents", "notifications", "interruptions"}) {
      const int64_t old_value = At(pair.first, key).AsInt();
      const int64_t new_value = At(pair.second, key).AsInt();
      Json both = Json::MakeObject();
      both.Set("before", old_value).Set("after", new_value);
      one.Set(key, std::move(both));
      same = same && old_value == new_value;
    }
    if (!same) {
      rules.Push(std::move(one));
    }
  }
  Json json = Json::MakeObject();
  json.Set("before", before).Set("after", after).Set("change_per_week", std::move(change));
  json.Set("rules", std::move(rules));
  return json;
}

namespace {

std::string One(double value) {
  std::string text = fmt::format("{:.1f}", value);
  return text == "-0.0" ? "0.0" : text;
}

std::string HourLine(const Json& hours_json) {
  std::string out;
  size_t hour = 0;
  for (const Json& value : hours_json.AsArray()) {
    if (value.AsInt() > 0) {
      out += fmt::format("{}{:02}h {}", out.empty() ? "" : ", ", hour, value.AsInt());
    }
    ++hour;
  }
  return out.empty() ? "none" : out;
}

std::string SeverityLine(const Json& counts) {
  std::string out;
  for (const auto& [name, value] : At(counts, "by_severity").AsObject()) {
    if (At(value, "incidents").AsInt() + At(value, "notifications").AsInt() > 0) {
      out += fmt::format("{}{} {}", out.empty() ? "" : ", ", name, At(value, "incidents").AsInt());
    }
  }
  return out.empty() ? "-" : out;
}

std::string Extremes(const Json& report) {
  std::string out;
  const Json& night = At(report, "worst_night");
  out += night.is_object() ? fmt::format("Worst night: {} interruptions in the night of {}.\n",
                                         At(night, "interruptions").AsInt(), night.GetString("evening_of"))
                           : "Worst night: none was interrupted.\n";
  const Json& longest = At(report, "longest");
  if (longest.is_object()) {
    out += fmt::format("Longest: {} for {}{}, from {}.\n", longest.GetString("labels"),
                       MinutesText(At(longest, "seconds").AsDouble()),
                       At(longest, "still_fires").AsBool() ? " and on" : "", longest.GetString("started_at"));
  }
  return out;
}

std::string KnownLine(const Json& report) {
  const Json& known = At(report, "known_incidents");
  return known.is_object() ? fmt::format("Misses {} of {} known incidents that were acted on.\n",
                                         At(known, "missed").AsInt(), At(known, "acted_on").AsInt())
                           : "";
}

std::string Escaped(const std::string& text) {
  std::string out;
  for (char c : text) {
    if (std::string_view("\\`*_{}[]<>|#").find(c) != std::string_view::npos) {
      out += '\\';
    }
    out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  return out;
}

}  // namespace

std::string BacktestAsText(const Json& report) {
  const Json& week = At(report, "per_week");
  std::string out = fmt::format(
      "{} to {} ({} weeks, {}): {} evaluations with {} queries\n\n"
      "Per week: {} alerts, {} incidents, {} notifications, {} interruptions, {} of them in sleep hours\n",
      report.GetString("from"), report.GetString("until"), One(At(report, "weeks_covered").AsDouble()),
      report.GetString("time_zone"), At(report, "evaluations").AsInt(), At(report, "calls").AsInt(),
      One(At(week, "alerts").AsDouble()), One(At(week, "incidents").AsDouble()),
      One(At(week, "notifications").AsDouble()), One(At(week, "interruptions").AsDouble()),
      One(At(week, "sleep_interruptions").AsDouble()));
  out += fmt::format("\n{:<9}  {:>7}  {:>9}  {:>13}  {:>13}  {:>8}  {:>5}  {:>5}  {}\n", "WEEK", "ALERTS",
                     "INCIDENTS", "NOTIFICATIONS", "INTERRUPTIONS", "BUSINESS", "OFF", "SLEEP",
                     "INCIDENTS BY SEVERITY");
  for (const Json& one : At(report, "weeks").AsArray()) {
    const Json& buckets = At(one, "interruptions_by_bucket");
    out +=
        fmt::format("{:<9}  {:>7}  {:>9}  {:>13}  {:>13}  {:>8}  {:>5}  {:>5}  {}\n", one.GetString("week"),
                    At(one, "alerts").AsInt(), At(one, "incidents").AsInt(), At(one, "notifications").AsInt(),
                    At(one, "interruptions").AsInt(), At(buckets, "business").AsInt(),
                    At(buckets, "off").AsInt(), At(buckets, "sleep").AsInt(), SeverityLine(one));
  }
  out += "\nNotifications by hour: " + HourLine(At(At(report, "totals"), "notifications_by_hour")) + "\n";
  out += "Interruptions by hour: " + HourLine(At(At(report, "totals"), "interruptions_by_hour")) + "\n";
  out += Extremes(report) + KnownLine(report);
  out += fmt::format("\n{:<36}  {:>7}  {:>9}  {:>13}  {:>13}  {}\n", "RULE", "ALERTS", "INCIDENTS",
                     "NOTIFICATIONS", "INTERRUPTIONS", "LONGEST");
  for (const Json& rule : At(report, "rules").AsArray()) {
    out += fmt::format("{:<36}  {:>7}  {:>9}  {:>13}  {:>13}  {}\n", rule.GetString("rule"),
                       At(rule, "alerts").AsInt(), At(rule, "incidents").AsInt(),
                       At(rule, "notifications").AsInt(), At(rule, "interruptions").AsInt(),
                       MinutesText(At(rule, "longest_seconds").AsDouble()));
  }
  for (const Json& warning : At(report, "warnings").AsArray()) {
    out += "warning of the data source: " + warning.AsString() + "\n";
  }
  return out;
}

std::string BacktestAsMarkdown(const Json& report) {
  const Json& week = At(report, "per_week");
  std::string out = fmt::format(
      "### Backtest, {} to {}\n\n**{} interruptions per week**, {} of them in sleep hours; {} notifications, "
      "{} "
      "incidents per week.\n\n| Week | Alerts | Incidents | Notifications | Interruptions | Business | Off | "
      "Sleep |\n"
      "|---|---|---|---|---|---|---|---|\n",
      report.GetString("from"), report.GetString("until"), One(At(week, "interruptions").AsDouble()),
      One(At(week, "sleep_interruptions").AsDouble()), One(At(week, "notifications").AsDouble()),
      One(At(week, "incidents").AsDouble()));
  for (const Json& one : At(report, "weeks").AsArray()) {
    const Json& buckets = At(one, "interruptions_by_bucket");
    out += fmt::format(
        "| {} | {} | {} | {} | {} | {} | {} | {} |\n", one.GetString("week"), At(one, "alerts").AsInt(),
        At(one, "incidents").AsInt(), At(one, "notifications").AsInt(), At(one, "interruptions").AsInt(),
        At(buckets, "business").AsInt(), At(buckets, "off").AsInt(), At(buckets, "sleep").AsInt());
  }
  return out + "\n" + Escaped(Extremes(report)) + "\n" + KnownLine(report);
}

std::string ComparisonAsMarkdown(const Json& comparison) {
  const Json& before = At(At(comparison, "before"), "per_week");
  const Json& after = At(At(comparison, "after"), "per_week");
  const double change = At(At(comparison, "change_per_week"), "interruptions").AsDouble();
  std::string out = fmt::format(
      "### Backtest of this change\n\n**This change: {} → {} interruptions per week ({}{})**, {} in sleep "
      "hours; {} → {} "
      "notifications per week.",
      One(At(before, "interruptions").AsDouble()), One(At(after, "interruptions").AsDouble()),
      change >= 0 ? "+" : "", One(change), One(At(after, "sleep_interruptions").AsDouble()),
      One(At(before, "notifications").AsDouble()), One(At(after, "notifications").AsDouble()));
  const std::string known = KnownLine(At(comparison, "after"));
  out += known.empty() ? "\n" : " " + known;
  out += fmt::format("\n{} to {}\n", At(comparison, "after").GetString("from"),
                     At(comparison, "after").GetString("until"));
  const auto& rules = At(comparison, "rules").AsArray();
  if (rules.empty()) {
    return out + "\nNo rule behaves differently.\n";
  }
  out += "\n| Rule | Incidents | Notifications | Interruptions |\n|---|---|---|---|\n";
  for (const Json& rule : rules) {
    auto both = [&](const char* key) {
      return fmt::format("{} → {}", At(At(rule, key), "before").AsInt(), At(At(rule, key), "after").AsInt());
    };
    out += fmt::format("| {} | {} | {} | {} |\n", Escaped(rule.GetString("rule")), both("incidents"),
                       both("notifications"), both("interruptions"));
  }
  return out;
}

std::string ComparisonAsText(const Json& comparison) {
  std::string out = "before\n" + BacktestAsText(At(comparison, "before")) + "\nafter\n" +
                    BacktestAsText(At(comparison, "after"));
  const Json& change = At(comparison, "change_per_week");
  return out + fmt::format("\nChange per week: {} interruptions ({} in sleep hours), {} notifications\n",
                           One(At(change, "interruptions").AsDouble()),
                           One(At(change, "sleep_interruptions").AsDouble()),
                           One(At(change, "notifications").AsDouble()));
}

}  // namespace mlalert
