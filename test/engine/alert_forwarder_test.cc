// What other Alertmanagers get of the alerts of rules.
#include "engine/alert_forwarder.h"

#include <boost/test/unit_test.hpp>

#include "base/json.h"
#include "notify/fake_transport.h"

namespace mlalert {
namespace {

using namespace std::chrono_literals;
using testing::FakeTransport;

const Timestamp kStart = FromUnixMillis(1767225600123);

RuleAlert Alert(std::string name, std::string more = "") {
  static const SharedText kLink = "http://p/graph?g0.expr=a+%3C+b&g0.tab=1";
  return {LabelSet::From({{"alertname", name}, {"more", more}}), LabelSet::From({{"summary", "<b>"}}), kLink,
          kStart, kStart + 4min};
}

RelabelConfig Step(RelabelAction action, std::vector<std::string> sources, std::string regex,
                   std::string target = "", std::string replacement = "$1") {
  RelabelConfig out;
  out.action = action;
  out.source_labels = std::move(sources);
  out.regex = std::move(regex);
  out.target_label = std::move(target);
  out.replacement = std::move(replacement);
  BOOST_REQUIRE(out.Compile());
  return out;
}

HttpResult Status(int status) {
  HttpResult out;
  out.status = status;
  return out;
}

struct Fixture {
  Fixture() {
    config.alerting.alertmanagers.push_back({.targets = {{"a:9093", {}}, {"b:9093", {{"zone", "x"}}}}});
  }
  void Apply() { forwarder.SetConfig(config); }
  FakeTransport::Pending Take(const std::string& host) {
    return transport.Take("alertmanager/http://" + host + ":9093/api/v2/alerts");
  }
  static size_t CountOf(const FakeTransport::Pending& call) {
    return ParseJson(call.call.body)->AsArray().size();
  }
  const ForwardTargetStats& StatsOf(size_t i) {
    stats = forwarder.Stats();
    return stats.targets.at(i);
  }

  Config config;
  FakeTransport transport;
  AlertForwarder forwarder{transport};
  ForwardStats stats;
};

BOOST_AUTO_TEST_SUITE(alert_forwarder)

BOOST_FIXTURE_TEST_CASE(posts_what_prometheus_would_post_to_every_target, Fixture) {
  config.evaluation.external_labels = {{"dc", "x"}, {"more", "ignored where there is one"}};
  Apply();
  const std::vector<RuleAlert> alerts{Alert("A", "m")};
  forwarder.Send(alerts);
  for (const char* host : {"a", "b"}) {
    const auto call = Take(host);
    BOOST_TEST(call.call.method == "POST");
    BOOST_TEST(call.call.url == "http://" + std::string(host) + ":9093/api/v2/alerts");
    BOOST_TEST((call.call.timeout == 10s));
    BOOST_TEST(
        call.call.body ==
        R"([{"annotations":{"summary":"\u003cb\u003e"},"endsAt":"2026-01-01T00:04:00.123Z",)"
        R"("startsAt":"2026-01-01T00:00:00.123Z","generatorURL":"http://p/graph?g0.expr=a+%3C+b\u0026g0.tab=1",)"
        R"("labels":{"alertname":"A","dc":"x","more":"m"}}])");
  }
}

BOOST_FIXTURE_TEST_CASE(annotations_that_are_not_there_are_left_out, Fixture) {
  RuleAlert alert = Alert("A");
  alert.annotations = {};
  BOOST_TEST(ForwardedAlertJson({{"a", "b"}}, alert).starts_with(R"({"endsAt")"));
}

BOOST_FIXTURE_TEST_CASE(relabeling_of_all_comes_before_that_of_one, Fixture) {
  using enum RelabelAction;
  config.alerting.alert_relabel_configs = {Step(kDrop, {"alertname"}, "Secret"),
                                           Step(kReplace, {"alertname"}, "(.*)", "first", "1-$1")};
  config.alerting.alertmanagers[0].targets.pop_back();
  config.alerting.alertmanagers.push_back(
      {.targets = {{"c:9093", {}}},
       .alert_relabel_configs = {Step(kKeep, {"first"}, "1-B"), Step(kLabelDrop, {}, "more")}});
  Apply();
  const std::vector<RuleAlert> alerts{Alert("Secret"), Alert("A", "m"), Alert("B", "m")};
  forwarder.Send(alerts);
  const auto first = Take("a");
  BOOST_TEST(CountOf(first) == 2U);
  BOOST_TEST(first.call.body.find("Secret") == std::string::npos);
  const auto second = Take("c");
  BOOST_TEST(CountOf(second) == 1U);
  BOOST_TEST(second.call.body.find(R"("labels":{"alertname":"B","first":"1-B"})") != std::string::npos);
}

BOOST_FIXTURE_TEST_CASE(targets_are_relabeled_dropped_and_called_once, Fixture) {
  using enum RelabelAction;
  AlertmanagerConfig& one = config.alerting.alertmanagers[0];
  one.scheme = "https";
  one.path_prefix = "am/";
  one.targets.push_back({"c:9093", {}});
  one.relabel_configs = {Step(kDrop, {"zone"}, "x"),
                         Step(kReplace, {"__address__"}, "c:9093", "__address__", "a:9093")};
  Apply();
  const ForwardStats seen = forwarder.Stats();
  BOOST_REQUIRE(seen.targets.size() == 1U);
  BOOST_TEST(seen.targets[0].url == "https://a:9093/am/api/v2/alerts");
  BOOST_REQUIRE(seen.dropped_urls.size() == 1U);
  BOOST_TEST(seen.dropped_urls[0] == "https://b:9093/am/api/v2/alerts");
  BOOST_TEST(seen.queue_capacity == 10000U);
}

BOOST_FIXTURE_TEST_CASE(one_batch_at_a_time_and_a_target_that_hangs_delays_no_other, Fixture) {
  Apply();
  std::vector<RuleAlert> alerts(600, Alert("A"));
  forwarder.Send(alerts);
  auto hangs = Take("a");
  BOOST_TEST(CountOf(hangs) == 256U);
  for (const size_t size : {256U, 256U, 88U}) {
    auto call = Take("b");
    BOOST_TEST(CountOf(call) == size);
    call.done(Status(200));
  }
  BOOST_TEST(StatsOf(1).sent == 600U);
  BOOST_TEST(StatsOf(1).queued == 0U);
  BOOST_TEST(StatsOf(0).queued == 344U);
  BOOST_TEST(!forwarder.Drain(1ms));
  hangs.done(Status(200));
  Take("a").done(Status(200));
  Take("a").done(Status(202));
  BOOST_TEST(forwarder.Drain(1ms));
  BOOST_TEST(StatsOf(0).batches == 3U);
}

BOOST_FIXTURE_TEST_CASE(a_batch_that_is_refused_is_not_tried_again, Fixture) {
  Apply();
  const std::vector<RuleAlert> alerts{Alert("A"), Alert("B")};
  forwarder.Send(alerts);
  Take("a").done(Status(503));
  BOOST_TEST(StatsOf(0).errors == 2U);
  BOOST_TEST(StatsOf(0).dropped == 2U);
  BOOST_TEST(StatsOf(0).last_error == "bad response status 503");
  BOOST_TEST(forwarder.Stats().targets[0].queued == 0U);
  forwarder.Send(alerts);
  Take("a").done(Status(200));
  BOOST_TEST(StatsOf(0).errors == 2U);
  BOOST_TEST(StatsOf(0).last_error.empty());
}

BOOST_FIXTURE_TEST_CASE(a_full_queue_drops_the_oldest, Fixture) {
  Apply();
  const std::vector<RuleAlert> first{Alert("Old")};
  forwarder.Send(first);
  auto hangs = Take("a");
  std::vector<RuleAlert> many(10000, Alert("Old"));
  many.push_back(Alert("New"));
  forwarder.Send(many);
  BOOST_TEST(StatsOf(0).dropped == 1U);
  BOOST_TEST(StatsOf(0).queued == 10000U);
  hangs.done(Status(200));
  std::string last;
  for (int i = 0; i < 40; ++i) {
    auto call = Take("a");
    last = call.call.body;
    call.done(Status(200));
  }
  BOOST_TEST(StatsOf(0).queued == 0U);
  BOOST_TEST(last.find("New") != std::string::npos);
}

BOOST_FIXTURE_TEST_CASE(a_reload_keeps_the_queue_of_a_target_that_stays, Fixture) {
  Apply();
  const std::vector<RuleAlert> alerts{Alert("A")};
  forwarder.Send(alerts);
  auto hangs = Take("a");
  forwarder.Send(alerts);
  config.alerting.alertmanagers[0].targets.pop_back();
  config.alerting.alertmanagers[0].timeout = 3s;
  Apply();
  BOOST_TEST(StatsOf(0).queued == 1U);
  BOOST_REQUIRE(transport.closed().size() == 1U);
  hangs.done(Status(200));
  BOOST_TEST((Take("a").call.timeout == 3s));
}

BOOST_FIXTURE_TEST_CASE(nobody_to_tell_costs_nothing, Fixture) {
  config.alerting = {};
  Apply();
  const std::vector<RuleAlert> alerts{Alert("A")};
  forwarder.Send(alerts);
  BOOST_TEST(transport.sent() == 0U);
  BOOST_TEST(forwarder.Drain(1ms));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mlalert
