// A backtest says what production would have said (T12), and asks the data source within its limits.
#include "backtest/replay.h"

#include <boost/test/unit_test.hpp>
#include <deque>

#include "backtest/report.h"
#include "config/config_loader.h"
#include "config/rule_loader.h"
#include "engine/engine.h"
#include "fake_prometheus.h"
#include "rules/rule_manager.h"

namespace mlalert {
namespace {

using namespace std::chrono_literals;
using testing::FakePrometheus;

constexpr Timestamp kMonday = FromUnixMillis(1763942400000);  // 2025-11-24

constexpr const char* kConfig = R"(
route:
  receiver: chat
  group_by: [alertname, model]
  group_wait: 30s
  group_interval: 5m
  repeat_interval: 4h
  routes:
  - {matchers: ['severity=~"P0|P1"'], receiver: page}
receivers:
- name: page
  pagerduty_configs: [{routing_key: k}]
- name: chat
  slack_configs: [{api_url: "http://127.0.0.1:9/", channel: c}]
inhibit_rules:
- {source_matchers: [alertname=Down], target_matchers: [alertname=Slow], equal: [model]}
incidents: {identity: [alertname, model], reopen_window: 20m}
incident_policies:
- name: climb
  matchers: ['severity="P3"']
  cooldown: 10m
  ladder: {steps: [{after: 15m, severity: P3}, {after: 30m, severity: P2}, {after: 60m, severity: P1}]}
datasources: [{name: default, url: "http://127.0.0.1:9"}]
)";

constexpr const char* kRules = R"(
groups:
- name: a
  interval: 1m
  rules:
  - {alert: Drift, expr: drift > 0.5, for: 5m, labels: {severity: P3}}
  - {alert: Slow, expr: latency > 10, for: 2m, keep_firing_for: 4m, labels: {severity: P2}, annotations: {summary: "{{ $value }}"}}
- name: b
  interval: 30s
  rules:
  - {alert: Down, expr: down > 0, labels: {severity: P0}}
)";

ConfigPtr Config() {
  ConfigPtr config;
  auto diagnostics = LoadConfigText(kConfig, "c.yml", config);
  BOOST_REQUIRE_MESSAGE(diagnostics.ToStatus(), "config");
  return config;
}

std::vector<RuleGroup> Rules(const mlalert::Config& config, const std::string& text = kRules) {
  std::vector<RuleGroup> groups;
  auto diagnostics = LoadRuleText(text, "r.yml", RuleDefaultsOf(config), groups);
  BOOST_REQUIRE_MESSAGE(diagnostics.ToStatus(), "rules");
  return groups;
}

// A busy week: waves, spikes, a flapping one, an outage by night.
void Fill(FakePrometheus& source) {
  auto hour = [](int64_t ms) { return static_cast<double>(ms - ToUnixMillis(kMonday)) / 3'600'000; };
  source.Add("drift", R"("model":"fraud")", [=](int64_t t) { return 0.4 + 0.3 * std::sin(hour(t) / 3); });
  source.Add("drift", R"("model":"churn")",
             [=](int64_t t) { return std::fmod(hour(t), 24) < 1.5 ? 0.9 : 0.1; });
  source.Add("latency", R"("model":"fraud")",
             [=](int64_t t) { return std::fmod(hour(t) * 60, 11) < 5 ? 20 : 1; });
  source.Add("latency", R"("model":"llm")", [=](int64_t t) { return std::fmod(hour(t), 7) < 0.1 ? 30 : 2; });
  source.Add("down", R"("model":"fraud")", [=](int64_t t) { return hour(t) > 51 && hour(t) < 51.7 ? 1 : 0; });
}

std::string Line(Timestamp at, const std::string& receiver, const std::string& reason, uint32_t firing,
                 uint32_t resolved, Severity severity) {
  return FormatRfc3339Millis(at) + " " + receiver + " " + reason + " " + std::to_string(firing) + "/" +
         std::to_string(resolved) + " " + std::string(ToString(severity));
}

// The daemon's loop with a clock of ours: evaluator, engine, instant queries only. Written apart from
// replay.cc.
std::vector<std::string> Production(FakePrometheus& source, const Span& span) {
  ConfigPtr config = Config();
  Engine engine(config, [] { return 0.5; });
  RuleManager manager({.external_url = "", .random = [] { return 0.5; }});
  std::vector<std::string> heard;
  Timestamp now = span.from;
  auto drain = [&](Effects fx) {
    std::deque<NotificationAttempt> attempts(fx.attempts.begin(), fx.attempts.end());
    while (!attempts.empty()) {
      const NotificationPtr n = attempts.front().notification;
      attempts.pop_front();
      heard.push_back(Line(now, n->receiver->name, std::string(ToString(n->reason)),
                           static_cast<uint32_t>(n->firing.size()), static_cast<uint32_t>(n->resolved.size()),
                           n->MaxSeverity()));
      Effects more;
      engine.OnOutcome({.notification_id = n->id, .attempt = 1, .verdict = DeliveryVerdict::kSent}, now,
                       more);
      attempts.insert(attempts.end(), more.attempts.begin(), more.attempts.end());
    }
  };
  std::function<void(RuleEffects)> evaluate = [&](RuleEffects fx) {
    if (!fx.alerts.empty()) {
      std::vector<Label> labels;
      Effects effects;
      engine.Ingest(ToDecoded(fx.alerts, labels), now, effects);
      drain(std::move(effects));
    }
    for (QueryRequest& query : fx.queries) {
      RuleEffects next;
      manager.OnQueryResult(query.id, source.Answer(query.call), now, next);
      evaluate(std::move(next));
    }
  };
  Effects start;
  engine.Restore({}, now, start);
  drain(std::move(start));
  RuleEffects rules;
  manager.SetRules(Rules(*config), *config, now, rules);
  manager.Restore({}, now, rules);
  evaluate(std::move(rules));
  while (true) {
    const Timestamp due = std::min(manager.NextDue(), engine.NextDue());
    if (due >= span.until) {
      return heard;
    }
    now = std::max(now, due);
    if (manager.NextDue() <= now) {
      RuleEffects fx;
      manager.RunDue(now, fx);
      evaluate(std::move(fx));
    } else {
      Effects fx;
      engine.RunDue(now, fx);
      drain(std::move(fx));
    }
  }
}

std::vector<std::string> Lines(const Replay& replay) {
  std::vector<std::string> out;
  for (const NotificationRecord& n : replay.notifications) {
    out.push_back(Line(n.at, n.receiver, n.reason, n.firing, n.resolved, n.severity));
  }
  return out;
}

Replay Backtest(FakePrometheus& source, const Span& span, Progress progress = {}) {
  ReplayInput input;
  input.config = Config();
  input.groups = Rules(*input.config);
  input.span = span;
  input.fetch = [&](const HttpCall& call) { return source.Answer(call); };
  input.progress = std::move(progress);
  auto replay = ReplayRules(std::move(input));
  BOOST_REQUIRE_MESSAGE(replay, (replay ? "" : replay.error().ToString()));
  return std::move(*replay);
}

BOOST_AUTO_TEST_SUITE(replay_rules)

BOOST_AUTO_TEST_CASE(says_what_production_said_for_a_whole_week) {
  const Span week{kMonday, kMonday + 168h};
  FakePrometheus live, past;
  Fill(live);
  Fill(past);
  const std::vector<std::string> production = Production(live, week);
  const Replay replay = Backtest(past, week);
  const std::vector<std::string> backtest = Lines(replay);
  BOOST_TEST(production.size() > 100);
  BOOST_REQUIRE_EQUAL(backtest.size(), production.size());
  for (size_t i = 0; i < production.size(); ++i) {
    BOOST_REQUIRE_EQUAL(backtest[i], production[i]);
  }
  // A few big questions instead of thousands of small ones.
  BOOST_TEST(past.longest_range <= kRangePointsMax);
  BOOST_TEST(past.longest_range == kRangePointsMax);  // of the groups of 30 seconds
  BOOST_TEST(past.calls * 10 < live.calls);
}

BOOST_AUTO_TEST_CASE(takes_smaller_pieces_when_the_server_allows_less) {
  const Span day{kMonday, kMonday + 24h};
  FakePrometheus whole, small;
  Fill(whole);
  Fill(small);
  const auto expected = Lines(Backtest(whole, day));
  ReplayInput input;
  input.config = Config();
  input.groups = Rules(*input.config);
  input.span = day;
  input.fetch = [&](const HttpCall& call) {
    HttpResult result = small.Answer(call);
    if (result.body.size() > 20'000) {
      result = {};
      result.failure = Failure::kTooLarge;
      result.error = "too large";
    }
    return result;
  };
  auto replay = ReplayRules(std::move(input));
  BOOST_REQUIRE_MESSAGE(replay, (replay ? "" : replay.error().ToString()));
  BOOST_TEST((Lines(*replay) == expected));
}

BOOST_AUTO_TEST_CASE(a_source_that_does_not_answer_is_an_error_not_an_empty_past) {
  for (int status : {0, 400, 500}) {
    ReplayInput input;
    input.config = Config();
    input.groups = Rules(*input.config);
    input.span = {kMonday, kMonday + 1h};
    input.fetch = [&](const HttpCall&) {
      HttpResult result;
      result.status = status;
      result.failure = status == 0 ? Failure::kConnect : Failure::kNone;
      result.error = status == 0 ? "connection refused" : "";
      return result;
    };
    auto replay = ReplayRules(std::move(input));
    BOOST_REQUIRE(!replay);
    BOOST_TEST(replay.error().message.find("data source") != std::string::npos, replay.error().message);
  }
}

BOOST_AUTO_TEST_CASE(progress_rises_and_may_stop_it) {
  FakePrometheus source;
  Fill(source);
  double last = 0;
  Backtest(source, {kMonday, kMonday + 24h}, [&](double done) {
    BOOST_TEST(done >= last);
    last = done;
    return true;
  });
  BOOST_TEST(last > 0.9);
  ReplayInput input;
  input.config = Config();
  input.groups = Rules(*input.config);
  input.span = {kMonday, kMonday + 24h};
  input.fetch = [&](const HttpCall& call) { return source.Answer(call); };
  input.progress = [](double done) { return done < 0.5; };
  BOOST_TEST(!ReplayRules(std::move(input)).has_value());
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(replay_episodes)

BOOST_AUTO_TEST_CASE(stored_episodes_give_what_their_rules_gave) {
  const Span week{kMonday, kMonday + 168h};
  FakePrometheus source;
  Fill(source);
  const Replay rules = Backtest(source, week);
  std::vector<StoredEpisode> episodes;
  for (const auto& [id, e] : rules.episodes) {
    episodes.push_back({e.labels, e.annotations, e.received_at, e.ended_at, e.incident_id});
  }
  auto again = ReplayEpisodes(Config(), episodes, {}, week);
  BOOST_REQUIRE(again);
  BOOST_TEST(again->incidents.size() == rules.incidents.size());
  BOOST_TEST(Lines(*again) == Lines(rules), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(an_acknowledgement_keeps_it_quiet) {
  StoredEpisode episode;
  episode.labels = LabelSet::From({{"alertname", "Drift"}, {"model", "m"}, {"severity", "P3"}});
  episode.started_at = kMonday + 1h;
  episode.ended_at = kMonday + 5h;
  const Span day{kMonday, kMonday + 24h};
  auto alone = ReplayEpisodes(Config(), {episode}, {}, day);
  auto taken = ReplayEpisodes(Config(), {episode}, {{episode.labels, kMonday + 1h + 20min, "ada"}}, day);
  BOOST_REQUIRE((alone && taken));
  auto pages = [](const Replay& replay) { return PagesOf(replay).size(); };
  BOOST_TEST(pages(*alone) == 1);
  BOOST_TEST(pages(*taken) == 0);
  BOOST_TEST((FactsOf(*taken).at(0).level == ActionLevel::kAcknowledged));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(report)

BOOST_AUTO_TEST_CASE(counts_weeks_hours_and_the_worst_night) {
  FakePrometheus source;
  Fill(source);
  const Replay replay = Backtest(source, {kMonday, kMonday + 14 * 24h});
  const Json json = BacktestReport(replay, TimeZone());
  BOOST_TEST(json.Find("weeks")->AsArray().size() == 2);
  int64_t by_hour = 0, by_week = 0;
  for (const Json& value : json.Find("totals")->Find("interruptions_by_hour")->AsArray()) {
    by_hour += value.AsInt();
  }
  for (const Json& week : json.Find("weeks")->AsArray()) {
    by_week += week.Find("interruptions")->AsInt();
  }
  const int64_t total = json.Find("totals")->Find("interruptions")->AsInt();
  BOOST_TEST(total > 0);
  BOOST_TEST(by_hour == total);
  BOOST_TEST(by_week == total);
  BOOST_TEST(json.Find("worst_night")->Find("interruptions")->AsInt() > 0);
  BOOST_TEST(json.Find("longest")->GetString("rule") == "Drift");
  BOOST_TEST(BacktestAsText(json).find("Worst night") != std::string::npos);
  const Json same = CompareReports(json, json);
  BOOST_TEST(same.Find("change_per_week")->Find("interruptions")->AsDouble() == 0);
  BOOST_TEST(ComparisonAsMarkdown(same).find("No rule behaves differently") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mlalert
