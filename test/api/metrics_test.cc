#include "api/metrics.h"

#include <algorithm>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

#include "api/api_fixture.h"
#include "support/source_dir.h"

namespace mlalert {
namespace {

using testing::ApiFixture;
using testing::Labels;
using namespace std::chrono_literals;

std::set<std::string> NamesIn(const std::string& text, const std::string& pattern) {
  std::set<std::string> names;
  std::regex regex(pattern);
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::smatch match;
    if (std::regex_search(line, match, regex)) {
      names.insert(match[1]);
    }
  }
  return names;
}

std::string Difference(const std::set<std::string>& a, const std::set<std::string>& b) {
  std::string out;
  for (const std::string& name : a) {
    out += b.count(name) == 0 ? name + " " : "";
  }
  return out;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(metrics)

BOOST_FIXTURE_TEST_CASE(docs_name_exactly_what_is_exported, ApiFixture) {
  context.rule_groups = [] {
    RuleGroupView group;
    group.name = "g";
    return std::vector{group};
  };
  context.datasources = [] { return std::vector{DatasourceView{.name = "default"}}; };
  context.forwards = [] { return ForwardStats{.targets = {{.url = "http://am"}}}; };
  context.heartbeat = [] { return HeartbeatStats(); };
  context.lanes = [] { return std::vector{LaneStats{.name = "lane"}}; };
  Get("/-/healthy");
  std::set<std::string> exported = NamesIn(Get("/metrics").body, "^# TYPE ([a-zA-Z_:0-9]+) ");
  std::ifstream file(mlalert::testing::SourceDir() + "/docs/metrics.md");
  std::stringstream docs;
  docs << file.rdbuf();
  std::set<std::string> documented = NamesIn(docs.str(), "^\\| `([a-zA-Z_:0-9]+)`");
  BOOST_TEST(Difference(exported, documented) == "",
             "exported, not in docs/metrics.md: " << Difference(exported, documented));
  BOOST_TEST(Difference(documented, exported) == "",
             "in docs/metrics.md, not exported: " << Difference(documented, exported));
}

BOOST_FIXTURE_TEST_CASE(every_family_is_exported_once, ApiFixture) {
  std::istringstream lines(Get("/metrics").body);
  std::set<std::string> seen;
  for (std::string line; std::getline(lines, line);) {
    if (line.rfind("# TYPE ", 0) == 0) {
      BOOST_TEST(seen.insert(line).second, line);
    }
  }
  BOOST_TEST(Get("/metrics").content_type == "text/plain; version=0.0.4; charset=utf-8");
}

BOOST_FIXTURE_TEST_CASE(what_alertmanager_counts_of_its_own_machinery_is_there_too, ApiFixture) {
  Post("/api/v2/alerts", R"([{"labels":{"a":"b"}},{"labels":{}}])");
  BOOST_TEST(Metric(R"(alertmanager_alerts_subscriber_channel_writes_total{subscriber="dispatcher"})") ==
             "1");
  for (const char* name : {"alertmanager_nflog_queries_total", "alertmanager_silences_snapshot_size_bytes",
                           "alertmanager_nflog_gc_duration_seconds_count",
                           R"(alertmanager_silences_query_duration_seconds_bucket{le="+Inf"})",
                           R"(alertmanager_silences_matcher_compile_errors_total{stage="index"})"}) {
    BOOST_TEST(Metric(name) == "0", name);
  }
}

BOOST_FIXTURE_TEST_CASE(counts_incidents_by_state_and_severity, ApiFixture) {
  Fire(Labels({{"alertname", "A"}, {"severity", "P3"}}));
  IncidentId id = Fire(Labels({{"alertname", "B"}, {"severity", "P3"}}));
  Fire(Labels({{"alertname", "C"}}));
  Post("/api/mlalert/v1/incidents/" + std::to_string(id) + "/ack", R"({"actor":"alice"})");
  BOOST_TEST(Metric(R"(mlalert_incidents{state="open",severity="P3"})") == "1");
  BOOST_TEST(Metric(R"(mlalert_incidents{state="open",severity="none"})") == "1");
  BOOST_TEST(Metric(R"(mlalert_incidents{state="acknowledged",severity="P3"})") == "1");
  BOOST_TEST(Metric(R"(mlalert_incidents{state="acknowledged",severity="P0"})") == "0");
  BOOST_TEST(Metric(R"(alertmanager_alerts{state="active"})") == "3");
  BOOST_TEST(Metric("mlalert_escalation_lag_seconds") == "0");
  // Timers do not run: the raise at 15m is overdue.
  clock.now += 16min;
  BOOST_TEST(Metric("mlalert_escalation_lag_seconds") == "60");
}

BOOST_FIXTURE_TEST_CASE(shows_the_journal, ApiFixture) {
  BOOST_TEST(Metric("mlalert_journal_degraded") == "0");
  BOOST_TEST(Metric(R"(mlalert_journal_state{state="healthy"})") == "1");
  journal.SetState(JournalState::kDegraded);
  Fire(Labels({{"alertname", "A"}}));
  BOOST_TEST(Metric("mlalert_journal_degraded") == "1");
  BOOST_TEST(Metric(R"(mlalert_journal_state{state="degraded"})") == "1");
  BOOST_TEST(Metric("mlalert_journal_queued_records") != "0");
}

BOOST_FIXTURE_TEST_CASE(remembers_the_last_good_reload, ApiFixture) {
  metrics.SetReload(true, FromUnixMillis(1767225600000));
  metrics.SetReload(false, FromUnixMillis(1767229200000));
  for (const char* prefix : {"alertmanager", "mlalert"}) {
    BOOST_TEST(Metric(std::string(prefix) + "_config_last_reload_successful") == "0");
    BOOST_TEST(Metric(std::string(prefix) + "_config_last_reload_success_timestamp_seconds") == "1767225600");
  }
  BOOST_TEST(Metric("mlalert_config_reload_failures_total") == "1");
}

BOOST_FIXTURE_TEST_CASE(deliveries_feed_both_sets_of_names, ApiFixture) {
  context.deliveries = [] {
    DeliveryStats stats;
    DeliveryCounters& slack = stats.by_kind[static_cast<size_t>(IntegrationKind::kSlack)];
    slack.attempts = 10;
    slack.sent = 6;
    slack.failed[static_cast<size_t>(FailureReason::kClientError)] = 1;
    slack.retry[static_cast<size_t>(FailureReason::kServerError)] = 3;
    slack.latency_total = 1500ms;
    return stats;
  };
  BOOST_TEST(Metric(R"(mlalert_notifications_sent_total{integration="slack"})") == "6");
  BOOST_TEST(Metric(R"(alertmanager_notifications_total{integration="slack"})") == "7");
  BOOST_TEST(Metric(R"(alertmanager_notifications_failed_total{integration="slack",reason="clientError"})") ==
             "1");
  BOOST_TEST(Metric(R"(alertmanager_notifications_failed_total{integration="slack",reason="serverError"})") ==
             "0");
  BOOST_TEST(Metric(R"(alertmanager_notification_requests_total{integration="slack"})") == "10");
  BOOST_TEST(Metric(R"(alertmanager_notification_requests_failed_total{integration="slack"})") == "4");
  BOOST_TEST(Metric(R"(mlalert_notification_latency_seconds_sum{integration="slack"})") == "1.5");
  BOOST_TEST(Metric(R"(alertmanager_notifications_total{integration="webhook"})") == "0");
}

BOOST_FIXTURE_TEST_CASE(lanes_of_one_name_are_one_series, ApiFixture) {
  context.lanes = [] {
    return std::vector{LaneStats{.name = "b\"", .queued = 1}, LaneStats{.name = "a", .queued = 2},
                       LaneStats{.name = "b\"", .queued = 4}};
  };
  BOOST_TEST(Metric(R"(mlalert_lane_queue{lane="b\""})") == "5");
  BOOST_TEST(Metric(R"(mlalert_lane_queue{lane="a"})") == "2");
}

BOOST_FIXTURE_TEST_CASE(what_clients_make_up_does_not_become_a_series, ApiFixture) {
  for (int i = 0; i < 20; ++i) {
    Call("M" + std::to_string(i), "/path" + std::to_string(i));
    Get("/api/mlalert/v1/incidents/" + std::to_string(i + 1));
    Post("/api/v2/alerts", R"([{"labels":{"alertname":"A)" + std::to_string(i) + R"("}}])");
  }
  std::string text = Get("/metrics").body;
  BOOST_TEST(text.find("path1") == std::string::npos);
  BOOST_TEST(text.find("M1\"") == std::string::npos);
  BOOST_TEST(text.find("A1\"") == std::string::npos);
  BOOST_TEST(Metric(R"(mlalert_http_request_duration_seconds_count{handler="other",method="other"})") ==
             "20");
  BOOST_TEST(
      Metric(
          R"(mlalert_http_request_duration_seconds_count{handler="/api/mlalert/v1/incidents/{id}",method="GET"})") ==
      "20");
}

BOOST_FIXTURE_TEST_CASE(no_secret_of_the_configuration_shows, ApiFixture) {
  Fire(Labels({{"alertname", "A"}}));
  for (const char* path :
       {"/metrics", "/api/v2/status", "/api/v2/receivers", "/api/v2/alerts", "/api/mlalert/v1/incidents"}) {
    std::string body = Get(path).body;
    BOOST_TEST(body.find("hunter2") == std::string::npos);
    BOOST_TEST(body.find("secret-path") == std::string::npos);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mlalert
