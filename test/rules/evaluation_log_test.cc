// What a rule remembers of its evaluations, and how it is shown.
#include "rules/evaluation_log.h"

#include <boost/test/unit_test.hpp>

#include "rules/curl_command.h"
#include "rules/harness.h"

namespace mlalert {
namespace {

using namespace std::chrono_literals;
using testing::At;
using testing::Broken;
using testing::Harness;
using testing::MakeConfig;
using testing::MakeGroup;
using testing::MakeRule;
using testing::Series;
using testing::Vector;

BOOST_AUTO_TEST_SUITE(evaluation_log)

BOOST_AUTO_TEST_CASE(keeps_the_newest_and_shares_equal_errors) {
  EvaluationLog log(3);
  BOOST_TEST(log.Newest().empty());
  for (int i = 0; i < 5; ++i) {
    log.Add(At(i * 1min), At(i * 1min + 1s), 3ms, static_cast<uint64_t>(i), i >= 3 ? "down" : "");
  }
  const auto newest = log.Newest();
  BOOST_REQUIRE(newest.size() == 3U);
  BOOST_TEST((newest[0].at == At(4min)));
  BOOST_TEST(newest[0].series == 4U);
  BOOST_TEST(newest[0].duration_us == 3000U);
  BOOST_TEST((newest[2].at == At(2min)));
  BOOST_TEST(newest[2].error.empty());
  BOOST_TEST((newest[0].error == newest[1].error));
}

BOOST_AUTO_TEST_CASE(shows_what_it_was_given_whatever_the_clock_does) {
  const std::vector<Duration> times{0s, 15s, 30s, 25s, -1h, 400 * 24h, 400 * 24h, 401 * 24h};
  const std::vector<std::string> errors{"", "down", "down", "slow", "", "odd", "slow", "new"};
  EvaluationLog log(4);
  for (size_t i = 0; i < times.size(); ++i) {
    const Timestamp at = At(times[i]);
    log.Add(at, at + (i % 2 == 0 ? 70s : Duration(-3s)), std::chrono::microseconds(i * 1000), i * 300,
            errors[i]);
    const auto newest = log.Newest();
    BOOST_REQUIRE(newest.size() == std::min<size_t>(i + 1, 4));
    for (size_t back = 0; back < newest.size(); ++back) {
      const RuleEvaluation& one = newest[back];
      const size_t then = i - back;
      BOOST_TEST((one.at == At(times[then])));
      BOOST_TEST((one.started - one.at == (then % 2 == 0 ? 70s : Duration(-3s))));
      BOOST_TEST(one.duration_us == then * 1000);
      BOOST_TEST(one.series == then * 300);
      BOOST_TEST(one.error.view() == errors[then]);
    }
  }
}

BOOST_AUTO_TEST_CASE(numbers_saturate) {
  EvaluationLog log(1);
  log.Add(At(0s), At(0s), 24h, uint64_t{1} << 40, "");
  BOOST_TEST(log.Newest()[0].duration_us == UINT32_MAX);
  BOOST_TEST(log.Newest()[0].series == UINT32_MAX);
}

BOOST_AUTO_TEST_CASE(a_rule_shows_its_last_fifty_and_how_to_ask_again) {
  Harness h;
  bool broken = false;
  h.source = [&](const std::string&) {
    return broken ? testing::Status(422, R"({"status":"error","errorType":"execution","error":"too hot"})")
                  : Vector({{LabelSet::From({{"m", "a"}}), 1}, {LabelSet::From({{"m", "b"}}), 1}});
  };
  h.SetRules({MakeGroup("g", 1min, {MakeRule("A", "m > 0")})});
  h.RunFor(70min);
  broken = true;
  h.RunFor(1min);
  const uint64_t id = h.Rule().id;
  const auto history = h.manager->History(id, h.now);
  BOOST_REQUIRE(history.has_value());
  BOOST_TEST(history->datasource == "default");
  BOOST_REQUIRE(history->evaluations.size() == 50U);
  BOOST_TEST(history->evaluations[0].error.view().find("too hot") != std::string::npos);
  BOOST_TEST(history->evaluations[0].series == 0U);
  BOOST_TEST(history->evaluations[1].error.empty());
  BOOST_TEST(history->evaluations[1].series == 2U);
  BOOST_TEST((history->evaluations[0].at - history->evaluations[1].at == 1min));
  const std::string expected = fmt::format("&time={}.", ToUnixMillis(history->evaluations[1].at) / 1000);
  BOOST_TEST(history->evaluations[1].curl.find(expected) != std::string::npos, history->evaluations[1].curl);
  BOOST_TEST(!h.manager->History(id + 1, h.now).has_value());
  // The id outlives a restart and an edit of the expression.
  h.Restart({MakeGroup("g", 1min, {MakeRule("A", "m > 1")})});
  BOOST_TEST(h.Rule().id == id);
}

BOOST_AUTO_TEST_CASE(what_was_not_asked_for_want_of_a_source_is_in_the_log_of_every_rule) {
  Harness h;
  h.source = [](const std::string&) { return Broken(Failure::kConnect); };
  h.SetRules({MakeGroup("g", 1min, {MakeRule("A", "a > 0"), MakeRule("B", "b > 0")})});
  h.RunFor(10min);
  for (size_t i : {0U, 1U}) {
    const auto history = h.manager->History(h.Rule(0, i).id, h.now);
    BOOST_TEST(history->evaluations.size() >= 9U);
    BOOST_TEST(!history->evaluations[0].error.empty());
  }
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(curl_command)

BOOST_AUTO_TEST_CASE(can_be_pasted_and_holds_no_secret) {
  HttpCall call;
  call.method = "POST";
  call.url = "http://prom:9090/api/v1/query?api_key=hunter2&a=b";
  call.headers = {{"X-Scope-OrgID", "it's"}, {"X-Api-Token", "hunter2"}, {"Content-Type", "x"}};
  call.body = "query=up%3D%3D0&auth=hunter2&time=1.000";
  HttpClientConfig http;
  http.basic_auth = BasicAuth{.username = "hunter2", .password = Secret("hunter2")};
  http.http_headers.push_back(
      {.name = "X-Other", .values = {"v"}, .secrets = {Secret("hunter2")}, .files = {}});
  http.tls.ca_file = "/ca.pem";
  call.options = std::make_shared<const HttpClientConfig>(http);
  const std::string text = CurlCommand(call);
  BOOST_TEST(text.find("hunter2") == std::string::npos, text);
  BOOST_TEST(text ==
             "curl -H 'X-Scope-OrgID: it'\\''s' -H 'X-Api-Token: <secret>' -u '<secret>' -H 'X-Other: v' -H "
             "'X-Other: "
             "<secret>' --cacert '/ca.pem' -d 'query=up%3D%3D0&auth=<secret>&time=1.000' "
             "'http://prom:9090/api/v1/query?api_key=<secret>&a=b'");
}

BOOST_AUTO_TEST_CASE(parameters_and_headers_of_the_group_win_over_those_of_the_source) {
  Config config = MakeConfig();
  config.datasources[0].params = {{"nocache", "0"}, {"dedup", "1"}};
  config.datasources[0].headers = {{"X-Scope-OrgID", "all"}};
  Harness h(config);
  RuleGroup group = MakeGroup("g", 1min, {MakeRule("A", "m > 0")});
  group.extras.params = {{"nocache", "1"}};
  group.extras.headers = {{"x-scope-orgid", "ml"}};
  group.extras.eval_offset = -10s;
  h.SetRules({group});
  h.RunFor(1min);
  const HttpCall& call = h.queries.at(0).call;
  BOOST_TEST(call.body.starts_with("dedup=1&nocache=1&query="));
  BOOST_TEST(std::count_if(call.headers.begin(), call.headers.end(),
                           [](const auto& header) { return header.second == "all"; }) == 0);
  BOOST_TEST(call.body.ends_with("50.000"), call.body);  // ten seconds before the minute
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mlalert
