#include "cli/incidents_command.h"

#include <boost/test/unit_test.hpp>
#include <fmt/format.h>

#include "cli/cli_case.h"

#include "net/local_server.h"

namespace mlalert {
namespace {

using testing::Answer;
using testing::Has;
using testing::LocalServer;
using testing::Request;
using testing::TestConsole;

const Timestamp kNow = *ParseRfc3339("2026-11-23T12:00:00Z");

constexpr const char* kOpen =
    R"({"id":7,"state":"open","severity":"P2","base_severity":"P3","ladder_severity":"P2","alertname":"Drift","model":"m1",)"
    R"("opened_at":"2026-11-23T11:30:00.000Z","resolved_at":null,"next_severity_at":"2026-11-23T12:30:00.000Z","acknowledgement":null})";

struct Told {
  int exit_code = 0;
  std::string out;
  std::string err;
  std::vector<Request> requests;
};
Told List(LocalServer& server, IncidentsOptions options = {}) {
  options.server.url = server.Url("");
  TestConsole test;
  Told out;
  out.exit_code = RunIncidentsList(options, kNow, test.console);
  out.out = test.out.str();
  out.err = test.err.str();
  out.requests = server.requests();
  return out;
}
Told ListOf(const std::string& body, IncidentsOptions options = {}) {
  LocalServer server(LocalServer::Answering([&](const Request&) { return Answer(200, body); }));
  return List(server, std::move(options));
}

BOOST_AUTO_TEST_SUITE(incidents)

BOOST_AUTO_TEST_CASE(lists_what_is_active) {
  Told got = ListOf(fmt::format(R"({{"incidents":[{}],"next_before_id":null}})", kOpen));
  BOOST_TEST(got.exit_code == 0);
  BOOST_TEST(got.err == "");
  BOOST_TEST(got.requests.at(0).target == "/api/mlalert/v1/incidents?limit=100");
  BOOST_TEST(got.out ==
             "ID  SEVERITY  STATE  ALERT  MODEL/PIPELINE  OPENED                LASTED  NOTE\n"
             " 7  P2        open   Drift  m1              2026-11-23T11:30:00Z  30m     next rung in 30m\n");
}

BOOST_AUTO_TEST_CASE(passes_every_filter_on) {
  IncidentsOptions options;
  options.state = "resolved";
  options.selection.model = "a b&c";
  options.selection.alertname = "X";
  options.selection.severities = {"p0", "P1"};
  options.selection.limit = 5;
  Told got = ListOf(R"({"incidents":[],"next_before_id":null})", options);
  BOOST_TEST(
      got.requests.at(0).target ==
      "/api/mlalert/v1/incidents?state=resolved&model=a+b%26c&alertname=X&severity=P0&severity=P1&limit=5");
  BOOST_TEST(got.exit_code == 0);
  BOOST_TEST(got.out == "");
  BOOST_TEST(got.err == "no resolved incidents\n");
}

BOOST_AUTO_TEST_CASE(says_which_are_none) {
  IncidentsOptions options;
  BOOST_TEST(ListOf(R"({"incidents":[]})", options).err == "no open or acknowledged incidents\n");
  options.state = "all";
  BOOST_TEST(ListOf(R"({"incidents":[]})", options).err == "no incidents\n");
}

BOOST_AUTO_TEST_CASE(asks_page_by_page_up_to_the_limit) {
  // Endless: every page is full.
  int64_t next = 10'000;
  LocalServer server(LocalServer::Answering([&](const Request& request) {
    int64_t limit = std::stoll(request.target.substr(request.target.find("limit=") + 6));
    std::string rows;
    for (int64_t i = 0; i < limit; ++i) {
      rows += fmt::format("{}{{\"id\":{}}}", rows.empty() ? "" : ",", next--);
    }
    return Answer(200, fmt::format(R"({{"incidents":[{}],"next_before_id":{}}})", rows, next + 1));
  }));
  IncidentsOptions options;
  options.selection.limit = 2300;
  options.selection.json = true;
  Told got = List(server, options);
  BOOST_REQUIRE(got.requests.size() == 3u);
  BOOST_TEST(Has(got.requests[1].target, "limit=1000&before_id=9001"));
  BOOST_TEST(Has(got.requests[2].target, "limit=300&before_id=8001"));
  auto json = ParseJson(got.out);
  BOOST_REQUIRE(json.has_value());
  BOOST_TEST(json->Find("incidents")->AsArray().size() == 2300u);
  options.selection.json = false;
  options.selection.limit = 1;
  BOOST_TEST(Has(List(server, options).err, "note: the newest 1 are shown"));
}

BOOST_AUTO_TEST_CASE(a_server_that_repeats_a_page_does_not_hold_us_for_ever) {
  IncidentsOptions options;
  options.selection.limit = 100'000;
  Told got = ListOf(R"({"incidents":[{"id":5}],"next_before_id":5})", options);
  BOOST_TEST(got.exit_code == 0);
  BOOST_TEST(got.requests.size() == 2u);
  got = ListOf(R"({"incidents":[],"next_before_id":5})", options);
  BOOST_TEST(got.requests.size() == 1u);
}

BOOST_AUTO_TEST_CASE(fields_that_are_missing_or_odd_print_as_dashes) {
  Told got =
      ListOf(R"({"incidents":[{},{"id":"x","severity":7,"opened_at":"soon","acknowledgement":[]},7,null]})");
  BOOST_TEST(got.exit_code == 0);
  BOOST_TEST(got.out ==
             "ID  SEVERITY  STATE  ALERT  MODEL/PIPELINE  OPENED  LASTED  NOTE\n"
             " -  -         -      -      -               -       -       -\n"
             " -  -         -      -      -               -       -       -\n"
             " -  -         -      -      -               -       -       -\n"
             " -  -         -      -      -               -       -       -\n");
}

BOOST_AUTO_TEST_CASE(an_answer_without_the_list_is_an_error) {
  Told got = ListOf(R"({"data":[]})");
  BOOST_TEST(got.exit_code == 1);
  BOOST_TEST(Has(got.err, "no list of incidents"));
}

BOOST_AUTO_TEST_CASE(bad_severities_and_timeouts_are_found_before_anybody_is_asked) {
  LocalServer server(LocalServer::Answering([](const Request&) { return Answer(200, "{}"); }));
  IncidentsOptions options;
  options.selection.severities = {"critical"};
  BOOST_TEST(List(server, options).exit_code == 2);
  options.selection.severities.clear();
  options.server.timeout = "0s";
  Told got = List(server, options);
  BOOST_TEST(got.exit_code == 2);
  BOOST_TEST(Has(got.err, "--timeout"));
  BOOST_TEST(got.requests.empty());
}

BOOST_AUTO_TEST_CASE(shows_one_with_plan_and_timeline) {
  LocalServer server(LocalServer::Answering([](const Request&) {
    std::string body = kOpen;
    body.pop_back();
    body +=
        R"(,"labels":{"alertname":"Drift","x":"\u001b[2J"},"policy":{"name":"climb"},"reopen_count":2,)"
        R"("plan":[{"at":"2026-11-23T12:30:00.000Z","kind":"raise","severity":"P1","receivers":["page"],"why":null}],)"
        R"("notifications":[{"at":"2026-11-23T11:31:00.000Z","receiver":"chat","integration":"slack","outcome":"retrying",)"
        R"("http_status":503,"attempt":2,"error":"try later","reason":"first"}],)"
        R"("events":[{"at":"2026-11-23T11:45:00.000Z","type":"raised","actor_kind":"system","from":"P3","to":"P2","reason":"age"},)"
        R"({"at":"2026-11-23T11:30:00.000Z","type":"opened","actor":"prometheus"}],"history_error":"disk\u001b"})";
    return Answer(200, body);
  }));
  IncidentsOptions options;
  options.server.url = server.Url("");
  TestConsole test;
  BOOST_TEST(RunIncidentsShow(options, 7, kNow, test.console) == 0);
  BOOST_TEST(server.requests().at(0).target == "/api/mlalert/v1/incidents/7");
  BOOST_TEST(test.out.str() ==
             "Incident 7: Drift m1\n"
             "  state         open\n"
             "  severity      P2 (base P3, by age P2)\n"
             "  opened        2026-11-23T11:30:00Z (30m ago)\n"
             "  lasted        30m\n"
             "  next          2026-11-23T12:30:00Z (in 30m) raised to P1: page\n"
             "  policy        climb\n"
             "  reopened      2 times\n"
             "  labels        alertname: Drift\n"
             "                x: \\x1b[2J\n"
             "\n"
             "TIME                  WHAT          WHO         DETAIL\n"
             "2026-11-23T11:30:00Z  opened        prometheus  -\n"
             "2026-11-23T11:31:00Z  notification  chat/slack  retrying 503, attempt 2: try later (first)\n"
             "2026-11-23T11:45:00Z  raised        system      P3 -> P2: age\n");
  BOOST_TEST(test.err.str() == "note: its history cannot be read now: disk\\x1b\n");
}

BOOST_AUTO_TEST_CASE(an_assignment_that_is_taken_back_does_not_look_like_one) {
  LocalServer server(LocalServer::Answering([](const Request&) {
    std::string body = kOpen;
    body.pop_back();
    body +=
        R"(,"events":[{"at":"2026-11-23T11:31:00.000Z","type":"assigned","actor":"bob","from":null,"to":"ann"},)"
        R"({"at":"2026-11-23T11:32:00.000Z","type":"assigned","actor":"bob","from":"ann","to":"cy"},)"
        R"({"at":"2026-11-23T11:33:00.000Z","type":"assigned","actor":"bob","from":"cy","to":null,"reason":"ill"}]})";
    return Answer(200, body);
  }));
  IncidentsOptions options;
  options.server.url = server.Url("");
  TestConsole test;
  BOOST_TEST(RunIncidentsShow(options, 7, kNow, test.console) == 0);
  BOOST_TEST(test.out.str().ends_with("11:31:00Z  assigned  bob  ann\n"
                                      "2026-11-23T11:32:00Z  assigned  bob  ann -> cy\n"
                                      "2026-11-23T11:33:00Z  assigned  bob  cy -> nobody: ill\n"),
             test.out.str());
}

BOOST_AUTO_TEST_CASE(why_prints_the_note_of_a_moment_with_nothing_to_tell) {
  LocalServer server(LocalServer::Answering([](const Request&) {
    return Answer(200, R"({"note":"it had not opened yet","now":[],"events":[],"notifications":[]})");
  }));
  WhyOptions options;
  options.server.url = server.Url("");
  options.receiver = "a b";
  options.at = "2026-11-23T11:30:00Z";
  TestConsole test;
  BOOST_TEST(RunIncidentsWhy(options, 7, test.console) == 0);
  BOOST_TEST(server.requests().at(0).target ==
             "/api/mlalert/v1/incidents/7/why?receiver=a+b&at=2026-11-23T11%3A30%3A00Z");
  BOOST_TEST(test.out.str() == "it had not opened yet\n");
}

BOOST_AUTO_TEST_CASE(one_that_is_not_there_exits_3) {
  LocalServer server(LocalServer::Answering(
      [](const Request&) { return Answer(404, R"({"error":"there is no incident 7"})"); }));
  IncidentsOptions options;
  options.server.url = server.Url("");
  TestConsole test;
  BOOST_TEST(RunIncidentsShow(options, 7, kNow, test.console) == 3);
  BOOST_TEST(test.out.str() == "");
  BOOST_TEST(test.err.str() == "mlalert: there is no incident 7\n");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mlalert
