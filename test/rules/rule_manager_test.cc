#include "rules/rule_manager.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <set>

#include "rules/harness.h"
#include "rules/rule_slots.h"

namespace mlalert {
namespace {

using namespace std::chrono_literals;
using testing::At;
using testing::Broken;
using testing::Field;
using testing::Harness;
using testing::MakeConfig;
using testing::MakeGroup;
using testing::MakeRule;
using testing::Query;
using testing::Series;
using testing::Vector;

const LabelSet kModelA = LabelSet::From({{"model", "a"}});

HttpResult Firing(const std::string&) {
  return Vector({{kModelA, 1}});
}

std::vector<RuleAlert> Named(const std::vector<RuleAlert>& alerts, std::string_view name) {
  std::vector<RuleAlert> out;
  std::copy_if(alerts.begin(), alerts.end(), std::back_inserter(out),
               [&](const RuleAlert& alert) { return alert.labels.Get("alertname") == name; });
  return out;
}

std::vector<RuleGroup> OneRule(Duration interval = 1min, Duration hold = 0s, Duration keep = 0s) {
  std::vector<RuleGroup> groups;
  groups.push_back(MakeGroup("g", interval, {MakeRule("A", "m > 0", hold, keep)}));
  return groups;
}

BOOST_AUTO_TEST_SUITE(slots)

BOOST_AUTO_TEST_CASE(offset_is_that_of_prometheus) {
  BOOST_TEST(SlotOffset("off.yml", "off", 10s).count() == 2325781712);
  const std::string long_name(300, 'x');
  BOOST_TEST(SlotOffset(long_name, "g", 1min).count() >= 0);
  BOOST_TEST(SlotOffset(long_name, "g", 1min).count() != SlotOffset(long_name, "h", 1min).count());
}

BOOST_AUTO_TEST_CASE(slot_at_or_before) {
  const Timestamp grid = Timestamp(3s);
  BOOST_TEST((SlotAtOrBefore(Timestamp(13s), grid, 10s) == Timestamp(13s)));
  BOOST_TEST((SlotAtOrBefore(Timestamp(22s), grid, 10s) == Timestamp(13s)));
  BOOST_TEST((SlotAtOrBefore(Timestamp(-1s), grid, 10s) == Timestamp(-7s)));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(schedule)

BOOST_AUTO_TEST_CASE(slots_are_exact_and_queries_carry_their_time) {
  Harness h;
  h.source = Firing;
  auto groups = OneRule();
  groups[0].query_offset = 30s;
  h.SetRules(std::move(groups));
  const Timestamp first = h.manager->NextDue();
  BOOST_TEST((first > h.now && first <= h.now + 1min));
  BOOST_TEST(((first.time_since_epoch() - SlotOffset("rules.yml", "g", 1min)) % Duration(1min)).count() == 0);
  h.RunUntil(first + 2min);
  std::vector<QueryRequest> main;
  std::copy_if(h.queries.begin(), h.queries.end(), std::back_inserter(main),
               [](const auto& q) { return Query(q.call) == "m > 0"; });
  BOOST_TEST(main.size() == 3);
  for (size_t i = 0; i < main.size(); ++i) {
    const int64_t ms = ToUnixMillis(first + i * 1min - 30s);
    BOOST_TEST(Field(main[i].call, "time") == fmt::format("{}.{:03}", ms / 1000, ms % 1000));
  }
  BOOST_TEST(main[0].call.method == "POST");
  BOOST_TEST(main[0].call.url == "http://prometheus:9090/prom/api/v1/query");
  BOOST_TEST(Field(main[0].call, "timeout") == "30s");
  BOOST_TEST((main[0].call.timeout == 30s));
  BOOST_TEST(main[0].datasource == "default");
  // Only the query moves by the offset.
  BOOST_TEST((h.TakeAlerts().at(0).starts_at == first));
}

BOOST_AUTO_TEST_CASE(late_calls_skip_slots_and_count_them) {
  Harness h;
  h.source = Firing;
  h.SetRules(OneRule());
  const Timestamp first = h.manager->NextDue();
  h.RunUntil(first);
  h.now = first + 5min + 30s;
  h.manager->RunDue(h.now, h.fx);
  h.AnswerAll();
  const auto group = h.manager->Snapshot(h.now).at(0);
  BOOST_TEST(group.iterations == 6);
  BOOST_TEST(group.iterations_missed == 4);
  BOOST_TEST((h.manager->NextDue() == first + 6min));
}

BOOST_AUTO_TEST_CASE(a_slow_group_never_overlaps_and_what_fires_is_refreshed) {
  Harness h;
  h.source = Firing;
  h.SetRules(OneRule());
  const Timestamp first = h.manager->NextDue();
  h.RunUntil(first);
  h.TakeAlerts();
  const size_t asked = h.queries.size();
  // The next answer takes twelve minutes.
  h.now = first + 1min;
  h.manager->RunDue(h.now, h.fx);
  h.Drain();
  BOOST_TEST(h.open.size() == 1);
  while (h.manager->NextDue() <= first + 12min) {
    h.now = h.manager->NextDue();
    h.manager->RunDue(h.now, h.fx);
  }
  h.Drain();
  BOOST_TEST(h.queries.size() == asked + 1);
  const auto refreshed = h.TakeAlerts();
  BOOST_TEST(refreshed.size() == 6);
  for (const auto& alert : refreshed) {
    BOOST_TEST((alert.ends_at >= alert.starts_at + 4min));
  }
  // It comes at last, empty of alerts: resolved at the time of its slot, and sent although that is long ago.
  h.manager->OnQueryResult(h.open.at(0).id, Vector({}), h.now, h.fx);
  h.open.clear();
  h.source = [](const std::string& query) { return query == "m > 0" ? Vector({}) : Firing(query); };
  h.AnswerAll();
  const auto resolved = h.TakeAlerts();
  BOOST_TEST(resolved.size() == 1);
  BOOST_TEST((resolved.at(0).ends_at == first + 1min));
}

BOOST_AUTO_TEST_CASE(small_steps_back_never_evaluate_a_timestamp_twice) {
  Harness h;
  h.source = Firing;
  h.SetRules(OneRule());
  const Timestamp first = h.manager->NextDue();
  h.RunUntil(first + 3min);
  for (Duration back = 1s; back <= 60s; back += 7s) {
    h.now = first + 3min - back;
    h.manager->RunDue(h.now, h.fx);
    h.AnswerAll();
  }
  h.RunUntil(first + 10min);
  std::multiset<std::string> times;
  for (const auto& query : h.queries) {
    if (Query(query.call) == "m > 0") {
      times.insert(Field(query.call, "time"));
    }
  }
  BOOST_TEST(times.size() == 11);
  BOOST_TEST(std::set<std::string>(times.begin(), times.end()).size() == 11);
  BOOST_TEST(h.manager->Stats().clock_resets == 0);
}

BOOST_AUTO_TEST_CASE(a_clock_put_right_does_not_blind_us) {
  Harness h;
  h.source = Firing;
  h.SetRules(OneRule(1min, 5min));
  const Timestamp first = h.manager->NextDue();
  h.RunUntil(first + 3min);
  BOOST_TEST(h.State() == 'p');
  h.now = first - 3h + 1s;
  h.manager->RunDue(h.now, h.fx);
  BOOST_TEST(h.manager->Stats().clock_resets == 1);
  // `for` goes on where it was.
  h.RunUntil(first - 3h + 1min);
  BOOST_TEST(h.State() == 'p');
  h.RunUntil(first - 3h + 2min);
  BOOST_TEST(h.State() == 'F');
}

BOOST_AUTO_TEST_CASE(rules_are_asked_in_order_and_groups_share_the_places) {
  Config config = MakeConfig();
  config.evaluation.concurrency = 3;
  Harness h(config);
  std::vector<RuleGroup> groups;
  for (int i = 0; i < 10; ++i) {
    groups.push_back(MakeGroup(fmt::format("g{}", i), 1s,
                               {MakeRule("A", fmt::format("a{}", i)), MakeRule("B", fmt::format("b{}", i))}));
  }
  h.SetRules(std::move(groups));
  h.now += 1s;
  h.manager->RunDue(h.now, h.fx);
  h.Drain();
  BOOST_TEST(h.open.size() == 3);
  std::vector<std::string> asked;
  while (!h.open.empty()) {
    BOOST_TEST(h.open.size() <= 3);
    const QueryRequest query = h.open.back();
    h.open.pop_back();
    asked.push_back(Query(query.call));
    h.manager->OnQueryResult(query.id, Vector({}), h.now, h.fx);
    h.Drain();
  }
  BOOST_TEST(asked.size() == 20);
  for (int i = 0; i < 10; ++i) {
    const auto a = std::find(asked.begin(), asked.end(), fmt::format("a{}", i));
    const auto b = std::find(asked.begin(), asked.end(), fmt::format("b{}", i));
    BOOST_TEST((a < b));
  }
  std::set<std::string> times;
  BOOST_TEST(h.manager->Datasources().at(0).queries_in_flight == 0);
}

BOOST_AUTO_TEST_CASE(without_a_data_source_nothing_is_due) {
  Harness h(Config{});
  h.SetRules(OneRule());
  BOOST_TEST((h.manager->NextDue() == kNever));
  h.RunFor(1h);
  BOOST_TEST(h.queries.empty());
  BOOST_TEST((h.Rule().health == RuleHealth::kUnknown));
}

BOOST_AUTO_TEST_CASE(no_rules_no_work) {
  Harness h;
  h.SetRules({});
  BOOST_TEST((h.manager->NextDue() == kNever));
  h.SetRules({MakeGroup("empty", 1min, {})});
  BOOST_TEST((h.manager->NextDue() == kNever));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(retries)

struct Scripted {
  explicit Scripted(Duration interval = 1min) {
    h.source = [this](const std::string& query) {
      if (script.empty()) {
        return Firing(query);
      }
      HttpResult out = script.front();
      script.erase(script.begin());
      return out;
    };
    h.SetRules(OneRule(interval));
    first = h.manager->NextDue();
  }
  Harness h;
  std::vector<HttpResult> script;
  Timestamp first;
};

BOOST_AUTO_TEST_CASE(network_and_busy_servers_are_asked_again_with_the_same_time) {
  for (const HttpResult& failure :
       {Broken(Failure::kConnect), Broken(Failure::kReset), testing::Status(429, ""),
        testing::Status(502, "<html>"), testing::Status(503, "not ready"), testing::Status(504, "")}) {
    BOOST_TEST_CONTEXT(failure.status << FailureName(failure.failure)) {
      Scripted s;
      s.script = {failure, failure};
      s.h.RunUntil(s.first);
      BOOST_TEST(s.h.queries.size() == 1);
      s.h.RunUntil(s.first + 10s);
      BOOST_TEST(Field(s.h.queries.at(0).call, "time") == Field(s.h.queries.at(2).call, "time"));
      BOOST_TEST((s.h.queries.at(2).call.timeout < 30s));
      BOOST_TEST(s.h.State() == 'F');
      BOOST_TEST((s.h.Rule().health == RuleHealth::kOk));
      BOOST_TEST(s.h.manager->Stats().query_retries == 2);
    }
  }
}

BOOST_AUTO_TEST_CASE(refusals_are_not_asked_again) {
  for (const int status : {400, 401, 403, 404, 422, 500}) {
    BOOST_TEST_CONTEXT(status) {
      Scripted s;
      s.script = {testing::Status(status, "")};
      s.h.RunUntil(s.first + 30s);
      BOOST_TEST(s.h.queries.size() == 1);
      BOOST_TEST((s.h.Rule().health == RuleHealth::kError));
    }
  }
}

BOOST_AUTO_TEST_CASE(gives_up_after_three) {
  Scripted s;
  s.script.assign(10, Broken(Failure::kConnect));
  s.h.RunUntil(s.first + 59s);
  BOOST_TEST(s.h.queries.size() == 3);
  BOOST_TEST(s.h.Rule().last_error == "connect: connection refused");
}

BOOST_AUTO_TEST_CASE(retry_after_is_obeyed_within_the_slot) {
  Scripted s;
  HttpResult busy = testing::Status(429, "");
  busy.retry_after = 7s;
  s.script = {busy};
  s.h.RunUntil(s.first + 7s - 1ns);
  BOOST_TEST(s.h.queries.size() == 1);
  s.h.RunUntil(s.first + 7s);
  BOOST_TEST(s.h.Rule().alerts.size() == 1);
  Scripted long_wait;
  busy.retry_after = 40s;
  long_wait.script = {busy};
  long_wait.h.RunUntil(long_wait.first + 59s);
  BOOST_TEST(long_wait.h.queries.size() == 1);
  BOOST_TEST((long_wait.h.Rule().health == RuleHealth::kError));
}

BOOST_AUTO_TEST_CASE(get_after_405) {
  Scripted s;
  s.script = {testing::Status(405, "")};
  s.h.RunUntil(s.first);
  BOOST_TEST(s.h.State() == 'F');
  BOOST_TEST(s.h.queries.at(0).call.method == "POST");
  const HttpCall& get = s.h.queries.at(1).call;
  BOOST_TEST(get.method == "GET");
  BOOST_TEST(get.body.empty());
  BOOST_TEST(get.url.starts_with("http://prometheus:9090/prom/api/v1/query?query=m+%3E+0&timeout=30s&time="));
  s.h.RunFor(1min);
  BOOST_TEST(s.h.queries.back().call.method == "GET");
  // A server that wants neither is an error.
  Scripted neither;
  neither.script.assign(2, testing::Status(405, ""));
  neither.h.RunUntil(neither.first);
  BOOST_TEST((neither.h.Rule().health == RuleHealth::kError));
}

BOOST_AUTO_TEST_CASE(deadline_is_the_shorter_of_interval_and_timeout) {
  Scripted s(5s);
  s.h.RunUntil(s.first);
  BOOST_TEST((s.h.queries.at(0).call.timeout == 5s));
  BOOST_TEST(Field(s.h.queries.at(0).call, "timeout") == "5s");
}

BOOST_AUTO_TEST_CASE(a_cancelled_query_is_no_failure) {
  Scripted s;
  s.script = {Broken(Failure::kCancelled)};
  s.h.RunUntil(s.first);
  BOOST_TEST((s.h.Rule().health == RuleHealth::kUnknown));
  BOOST_TEST(s.h.manager->Datasources().at(0).failures_in_a_row == 0);
  s.h.RunFor(1min);
  BOOST_TEST(s.h.State() == 'F');
}

BOOST_AUTO_TEST_CASE(headers_and_http_config_go_along) {
  Config config = MakeConfig();
  config.datasources[0].headers = {{"X-Scope-OrgID", "ml"}};
  config.datasources[0].http_config = std::make_shared<HttpClientConfig>();
  Harness h(config);
  h.SetRules(OneRule());
  h.RunFor(1min);
  const HttpCall& call = h.queries.at(0).call;
  BOOST_TEST((call.headers ==
              HttpHeaders{{"X-Scope-OrgID", "ml"}, {"Content-Type", "application/x-www-form-urlencoded"}}));
  BOOST_TEST((call.options == config.datasources[0].http_config));
  BOOST_TEST(call.response_bytes_max == kQueryAnswerBytesMax);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(failures)

BOOST_AUTO_TEST_CASE(an_outage_holds_what_fires_and_is_one_alert) {
  Harness h;
  bool down = false;
  h.source = [&](const std::string& query) { return down ? Broken(Failure::kConnect) : Firing(query); };
  std::vector<RuleGroup> groups;
  for (int g = 0; g < 5; ++g) {
    std::vector<AlertingRule> rules;
    for (int r = 0; r < 10; ++r) {
      rules.push_back(MakeRule(fmt::format("R{}", r), fmt::format("m{}_{}", g, r)));
    }
    groups.push_back(MakeGroup(fmt::format("g{}", g), 1min, std::move(rules)));
  }
  h.SetRules(std::move(groups));
  h.RunFor(3min);
  h.TakeAlerts();
  h.TakeRecords<EventRecord>();
  down = true;
  const Timestamp broke = h.now;
  h.RunFor(30min);
  const auto during = h.TakeAlerts();
  const auto outage = Named(during, "DatasourceUnreachable");
  BOOST_TEST(!outage.empty());
  BOOST_TEST(outage[0].labels.ToString() ==
             R"({alertname="DatasourceUnreachable", datasource="default", severity="P1"})");
  BOOST_TEST(outage[0].annotations.Get("error") == "connect: connection refused");
  BOOST_TEST((outage[0].starts_at > broke && outage[0].starts_at <= broke + 3min));
  for (const auto& alert : outage) {
    BOOST_TEST((alert.starts_at == outage[0].starts_at));
    BOOST_TEST((alert.ends_at > alert.starts_at));
  }
  BOOST_TEST(Named(during, "RuleEvaluationFailing").empty());
  // Each of the 50 alerts was always good for longer than its next refresh.
  std::map<std::string, Timestamp> good_until;
  for (const auto& alert : during) {
    good_until[alert.labels.ToString()] = alert.ends_at;
  }
  BOOST_TEST(good_until.size() == 11);
  for (const auto& [labels, until] : good_until) {
    BOOST_TEST_CONTEXT(labels) {
      BOOST_TEST((until > h.now));
    }
  }
  BOOST_TEST(h.manager->Datasources().at(0).unreachable);
  BOOST_TEST(h.Rule(0, 7).last_error == "connect: connection refused");
  auto events = h.TakeRecords<EventRecord>();
  BOOST_TEST(events.size() == 1);
  BOOST_TEST(events[0].type == "datasource_unreachable");
  // A source known to be down is probed once per group and slot.
  const size_t asked = h.queries.size();
  h.RunFor(10min);
  BOOST_TEST(h.queries.size() - asked == 50);
  h.TakeAlerts();
  down = false;
  h.RunFor(1min);
  const auto after = Named(h.TakeAlerts(), "DatasourceUnreachable");
  BOOST_TEST(after.size() == 1);
  BOOST_TEST((after.at(0).ends_at <= h.now));
  h.RunFor(1min);
  for (size_t g = 0; g < 5; ++g) {
    for (size_t r = 0; r < 10; ++r) {
      BOOST_TEST((h.Rule(g, r).health == RuleHealth::kOk));
      BOOST_TEST(h.State(g, r) == 'F');
    }
  }
  events = h.TakeRecords<EventRecord>();
  BOOST_TEST(events.size() == 1);
  BOOST_TEST(events[0].type == "datasource_recovered");
}

BOOST_AUTO_TEST_CASE(a_short_outage_pages_nobody) {
  Harness h;
  Timestamp until = kNever;
  h.source = [&](const std::string& query) {
    return h.now < until ? Broken(Failure::kConnect) : Firing(query);
  };
  std::vector<RuleGroup> groups;
  for (int g = 0; g < 20; ++g) {
    groups.push_back(MakeGroup(fmt::format("g{}", g), 1min, {MakeRule("A", "m")}));
  }
  h.SetRules(std::move(groups));
  until = h.now + 50s;
  h.RunFor(5min);
  BOOST_TEST(Named(h.TakeAlerts(), "DatasourceUnreachable").empty());
}

BOOST_AUTO_TEST_CASE(time_in_error_counts_toward_for) {
  Harness h;
  bool down = false;
  h.source = [&](const std::string& query) { return down ? Broken(Failure::kConnect) : Firing(query); };
  h.SetRules(OneRule(1min, 10min));
  h.RunFor(1min);
  BOOST_TEST(h.State() == 'p');
  down = true;
  h.RunFor(20min);
  BOOST_TEST(h.State() == 'p');
  down = false;
  h.RunFor(1min);
  BOOST_TEST(h.State() == 'F');
}

BOOST_AUTO_TEST_CASE(a_rule_that_cannot_be_evaluated_says_so) {
  Harness h;
  bool broken = true;
  h.source = [&](const std::string& query) {
    return query == "bad" && broken
               ? testing::Status(
                     422, R"({"status":"error","errorType":"execution","error":"many-to-many matching"})")
               : Firing(query);
  };
  h.SetRules({MakeGroup("g", 30s, {MakeRule("Bad", "bad"), MakeRule("Good", "good")})});
  const Timestamp first = h.manager->NextDue();
  h.RunUntil(first + 90s);
  auto alerts = h.TakeAlerts();
  BOOST_TEST(Named(alerts, "RuleEvaluationFailing").empty());
  // The rules behind it are not stopped.
  BOOST_TEST(!Named(alerts, "Good").empty());
  h.RunUntil(first + 2min);
  alerts = Named(h.TakeAlerts(), "RuleEvaluationFailing");
  BOOST_TEST(alerts.size() == 1);
  BOOST_TEST(alerts.at(0).labels.ToString() ==
             R"({alertname="RuleEvaluationFailing", group="g", rule="Bad", severity="P2"})");
  BOOST_TEST(alerts.at(0).annotations.Get("error") == "execution: many-to-many matching");
  BOOST_TEST(h.manager->Stats().evaluation_failures == 5);
  h.RunFor(30min);
  alerts = Named(h.TakeAlerts(), "RuleEvaluationFailing");
  BOOST_TEST((alerts.back().ends_at > h.now));
  BOOST_TEST((alerts.back().starts_at == first + 2min));
  BOOST_TEST(!h.manager->Datasources().at(0).unreachable);
  broken = false;
  h.RunFor(30s);
  alerts = Named(h.TakeAlerts(), "RuleEvaluationFailing");
  BOOST_TEST(alerts.size() == 1);
  BOOST_TEST((alerts.at(0).ends_at <= h.now));
  std::vector<std::string> types;
  for (const auto& event : h.TakeRecords<EventRecord>()) {
    types.push_back(event.type);
  }
  BOOST_TEST(types == (std::vector<std::string>{"rule_failing", "rule_recovered"}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(rules_of_one_name_share_the_alert) {
  Harness h;
  std::string broken = "a b";
  h.source = [&](const std::string& query) {
    return broken.find(query) != std::string::npos
               ? testing::Status(400, R"({"status":"error","errorType":"bad_data","error":"x"})")
               : Firing(query);
  };
  h.SetRules({MakeGroup(
      "g", 1min,
      {MakeRule("A", "a", 0s, 0s, {{"severity", "P1"}}), MakeRule("A", "b", 0s, 0s, {{"severity", "P2"}})})});
  h.RunFor(5min);
  BOOST_TEST(!Named(h.TakeAlerts(), "RuleEvaluationFailing").empty());
  broken = "b";
  h.RunFor(1min);
  for (const auto& alert : Named(h.TakeAlerts(), "RuleEvaluationFailing")) {
    BOOST_TEST((alert.ends_at > h.now));
  }
  broken = "";
  h.RunFor(1min);
  BOOST_TEST((Named(h.TakeAlerts(), "RuleEvaluationFailing").back().ends_at <= h.now));
}

BOOST_AUTO_TEST_CASE(one_rule_that_always_times_out_does_not_starve_the_others) {
  Harness h;
  h.source = [&](const std::string& query) {
    return query == "slow" ? Broken(Failure::kTimeout, "30s passed") : Firing(query);
  };
  h.SetRules({MakeGroup("g", 1min, {MakeRule("Slow", "slow"), MakeRule("Good", "good")})});
  h.RunFor(10min);
  const auto alerts = h.TakeAlerts();
  BOOST_TEST(Named(alerts, "DatasourceUnreachable").empty());
  BOOST_TEST(!Named(alerts, "Good").empty());
  BOOST_TEST(!Named(alerts, "RuleEvaluationFailing").empty());
  BOOST_TEST((h.Rule(0, 1).health == RuleHealth::kOk));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(reload)

BOOST_AUTO_TEST_CASE(unchanged_groups_go_on_even_with_a_query_in_flight) {
  Harness h;
  h.source = Firing;
  h.SetRules(OneRule(1min, 5min));
  const Timestamp first = h.manager->NextDue();
  h.RunUntil(first + 2min);
  h.now = first + 3min;
  h.manager->RunDue(h.now, h.fx);
  h.Drain();
  h.SetRules(OneRule(1min, 5min));
  h.AnswerAll();
  BOOST_TEST((h.Rule().alerts.at(0).active_at == first));
  BOOST_TEST((h.manager->NextDue() == first + 4min));
  BOOST_TEST(h.manager->Snapshot(h.now)[0].iterations == 4);
}

BOOST_AUTO_TEST_CASE(edited_expressions_and_durations_keep_the_alert) {
  Harness h;
  h.source = Firing;
  h.SetRules(OneRule(1min, 3min));
  const Timestamp first = h.manager->NextDue();
  h.RunUntil(first + 3min);
  BOOST_TEST(h.State() == 'F');
  h.now = first + 4min;
  h.manager->RunDue(h.now, h.fx);
  h.Drain();
  h.SetRules(
      {MakeGroup("g", 1min, {MakeRule("New", "x"), MakeRule("A", "m > 1", 2min, 0s, {}, {{"s", "new"}})})});
  BOOST_TEST(h.State(0, 1) == 'F');
  h.TakeAlerts();
  // The answer to the old question is ignored; the group asks again in its next slot.
  h.AnswerAll();
  BOOST_TEST(h.TakeAlerts().empty());
  BOOST_TEST((h.manager->NextDue() == first + 5min));
  h.RunUntil(first + 6min);
  BOOST_TEST((h.Rule(0, 1).alerts.at(0).active_at == first));
  BOOST_TEST(h.Rule(0, 1).alerts.at(0).annotations.Get("s") == "new");
  BOOST_TEST(Named(h.TakeAlerts(), "New").size() == 1);
  BOOST_TEST(h.manager->Datasources().at(0).queries_in_flight == 0);
}

BOOST_AUTO_TEST_CASE(a_longer_for_takes_a_firing_alert_back_to_pending) {
  Harness h;
  h.source = Firing;
  h.SetRules(OneRule(1min, 1min));
  h.RunFor(3min);
  BOOST_TEST(h.State() == 'F');
  h.SetRules(OneRule(1min, 30min));
  h.TakeAlerts();
  h.RunFor(1min);
  BOOST_TEST(h.State() == 'p');
  BOOST_TEST(h.TakeAlerts().empty());
}

BOOST_AUTO_TEST_CASE(alerts_of_what_is_gone_resolve_at_once) {
  struct Case {
    const char* what = "";
    std::vector<RuleGroup> after;
    size_t sent_after = 0;  // of a new alert of that name, in 20 minutes
  };
  std::vector<Case> cases(4);
  cases[2].sent_after = cases[3].sent_after = 10;
  cases[0].what = "everything";
  cases[1].what = "the rule";
  cases[1].after.push_back(MakeGroup("g", 1min, {MakeRule("B", "m > 0")}));
  cases[2].what = "its labels";
  cases[2].after.push_back(MakeGroup("g", 1min, {MakeRule("A", "m > 0", 0s, 0s, {{"x", "y"}})}));
  cases[3].what = "its group's name";
  cases[3].after.push_back(MakeGroup("h", 1min, {MakeRule("A", "m > 0")}));
  for (auto& c : cases) {
    BOOST_TEST_CONTEXT(c.what) {
      Harness h;
      h.source = Firing;
      h.SetRules(OneRule());
      h.RunFor(2min);
      h.TakeAlerts();
      h.SetRules(std::move(c.after));
      const auto alerts = h.TakeAlerts();
      BOOST_TEST(alerts.size() == 1);
      BOOST_TEST(alerts.at(0).labels.Get("alertname") == "A");
      BOOST_TEST((alerts.at(0).ends_at == h.now));
      BOOST_TEST(h.Stored().empty());
      h.RunFor(20min);
      BOOST_TEST(Named(h.TakeAlerts(), "A").size() == c.sent_after);
    }
  }
}

BOOST_AUTO_TEST_CASE(rules_of_one_name_are_told_apart_by_labels_and_order) {
  Harness h;
  h.source = [](const std::string& query) { return Vector({{LabelSet::From({{"q", query}}), 1}}); };
  const auto rules = [](std::vector<std::string> exprs) {
    std::vector<AlertingRule> out;
    for (const auto& expr : exprs) {
      out.push_back(MakeRule("A", expr, 10min));
    }
    out.push_back(MakeRule("A", "z", 10min, 0s, {{"severity", "P1"}}));
    std::vector<RuleGroup> groups;
    groups.push_back(MakeGroup("g", 1min, std::move(out)));
    return groups;
  };
  h.SetRules(rules({"a", "b"}));
  h.RunFor(2min);
  h.SetRules(rules({"a"}));
  BOOST_TEST(h.Rule(0, 0).alerts.at(0).labels.Get("q") == "a");
  BOOST_TEST(h.Rule(0, 1).alerts.at(0).labels.Get("severity") == "P1");
  const auto stored = h.Stored();
  BOOST_TEST(stored.size() == 2);
}

BOOST_AUTO_TEST_CASE(a_removed_data_source_takes_its_alert_along) {
  Harness h;
  h.source = [](const std::string&) { return Broken(Failure::kDns); };
  h.SetRules(OneRule());
  h.RunFor(5min);
  BOOST_TEST(Named(h.TakeAlerts(), "DatasourceUnreachable").size() > 0);
  h.config.datasources[0].url = "http://elsewhere";
  h.source = Firing;
  h.SetRules(OneRule());
  const auto alerts = Named(h.TakeAlerts(), "DatasourceUnreachable");
  BOOST_TEST(alerts.size() == 1);
  BOOST_TEST((alerts.at(0).ends_at == h.now));
  h.RunFor(1min);
  BOOST_TEST(h.queries.back().call.url == "http://elsewhere/api/v1/query");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(restore)

BOOST_AUTO_TEST_CASE(at_any_point_nothing_changes) {
  // What a manager that was never restarted does, against one restarted after each number of minutes.
  const std::string values = "1111110011111110000001111111000000000000000000000000001111";
  const auto play = [&](size_t restart_at) {
    Harness h;
    size_t minute = 0;
    h.source = [&](const std::string& query) {
      return Vector(query == "m > 0" && values[minute] == '0' ? std::vector<Series>{}
                                                              : std::vector<Series>{{kModelA, 1}});
    };
    h.SetRules(OneRule(1min, 2min, 3min));
    const Timestamp first = h.manager->NextDue();
    std::string states;
    std::vector<std::string> active;
    for (; minute < values.size(); ++minute) {
      h.RunUntil(first + minute * 1min);
      states += h.State();
      for (const auto& alert : h.Rule().alerts) {
        active.push_back(FormatRfc3339Nano(alert.active_at) + FormatRfc3339Nano(alert.fired_at));
      }
      if (minute == restart_at) {
        h.Restart(OneRule(1min, 2min, 3min));
        BOOST_TEST((h.manager->NextDue() == first + (minute + 1) * 1min));
        BOOST_TEST(h.State() == states.back());
      }
    }
    active.push_back(states);
    return active;
  };
  const auto expected = play(values.size());
  for (size_t i = 0; i < values.size(); ++i) {
    BOOST_TEST_CONTEXT("restart after minute " << i) {
      BOOST_TEST(play(i) == expected, boost::test_tools::per_element());
    }
  }
}

BOOST_AUTO_TEST_CASE(firing_alerts_are_sent_at_once_and_good_for_long) {
  Harness h;
  h.source = Firing;
  h.SetRules(OneRule());
  h.RunFor(5min);
  const Timestamp fired = h.Rule().alerts.at(0).fired_at;
  h.TakeAlerts();
  h.now += 3h;
  h.Restart(OneRule());
  const auto alerts = h.TakeAlerts();
  BOOST_TEST(alerts.size() == 1);
  BOOST_TEST((alerts.at(0).ends_at == h.now + 4min));
  BOOST_TEST((alerts.at(0).starts_at == fired));
}

BOOST_AUTO_TEST_CASE(states_of_rules_that_are_gone_resolve_at_once) {
  Harness h;
  h.source = Firing;
  h.SetRules(OneRule());
  h.RunFor(5min);
  h.TakeAlerts();
  h.Restart({MakeGroup("other", 1min, {MakeRule("B", "m > 0", 0s)})});
  const auto alerts = h.TakeAlerts();
  BOOST_TEST(alerts.size() == 1);
  BOOST_TEST((alerts.at(0).ends_at == h.now));
  BOOST_TEST(h.Stored().empty());
}

BOOST_AUTO_TEST_CASE(stored_nonsense_is_survived) {
  Harness h;
  h.source = Firing;
  h.SetRules(OneRule());
  std::vector<RuleStateRecord> records(5);
  for (auto& record : records) {
    record.file = "rules.yml";
    record.group = "g";
    record.rule = "A";
    record.labels = LabelSet::From({{"alertname", "A"}});
    record.active_at = At(-1h);
    record.state = "firing";
  }
  records[0].data = "{{{";
  records[1].state = "whatever";
  records[2].labels = LabelSet();
  records[3].active_at = kUnset;
  records[4].data = R"({"expr":1,"present":[[99999,"x"]],"no_data_since":1e300})";
  h.manager->Restore(records, h.now, h.fx);
  BOOST_TEST(h.Rule().alerts.size() == 1);
  h.RunFor(5min);
  BOOST_TEST(h.Rule().alerts.size() == 1);
}

BOOST_AUTO_TEST_CASE(an_outage_right_after_the_restart_changes_nothing) {
  Harness h;
  h.source = Firing;
  h.SetRules(OneRule());
  h.RunFor(5min);
  h.source = [](const std::string&) { return Broken(Failure::kConnect); };
  h.Restart(OneRule());
  h.RunFor(30min);
  const auto alerts = Named(h.TakeAlerts(), "A");
  BOOST_TEST((alerts.back().ends_at > h.now));
  BOOST_TEST(h.State() == 'F');
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mlalert
