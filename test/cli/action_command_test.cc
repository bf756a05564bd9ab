#include "cli/action_command.h"

#include <boost/test/unit_test.hpp>

#include "cli/cli_case.h"

#include "net/local_server.h"

namespace mlalert {
namespace {

using testing::Answer;
using testing::Has;
using testing::LocalServer;
using testing::Request;
using testing::ScopedEnv;
using testing::TestConsole;

// Knows the incidents 1 and 3.
std::string Serve(const Request& request) {
  if (Has(request.target, "/incidents/2/")) {
    return Answer(404, R"({"error":"no open incident has the id 2"})");
  }
  if (Has(request.target, "/incidents/4/")) {
    return Answer(409, R"({"error":"incident 4 is already resolved"})");
  }
  bool ack = request.target.ends_with("/ack");
  return Answer(200, ack ? R"({"id":1,"state":"acknowledged","severity":"P1","alertname":"Down","model":"m",)"
                           R"("acknowledgement":{"actor":"alice","expires_at":"2026-11-23T14:00:00.000Z"}})"
                         : R"({"id":1,"state":"open","severity":"P1","alertname":"Down\u001b","model":"m"})");
}

struct Fixture {
  LocalServer server{LocalServer::Answering(Serve)};
  ActionOptions options;
  TestConsole test;
  Fixture() {
    options.server.url = server.Url("");
    options.action = "ack";
    options.ids = {1};
    options.actor = "alice";
    options.comment = "on it";
  }
  int Run() { return RunAction(options, test.console); }
};

BOOST_FIXTURE_TEST_SUITE(ack, Fixture)

BOOST_AUTO_TEST_CASE(acknowledges_and_says_until_when) {
  options.length = "2h";
  BOOST_TEST(Run() == 0);
  Request request = server.requests().at(0);
  BOOST_TEST(request.method == "POST");
  BOOST_TEST(request.target == "/api/mlalert/v1/incidents/1/ack");
  BOOST_TEST(request.body == R"({"actor":"alice","via":"cli","comment":"on it","expires_in":"2h"})");
  BOOST_TEST(test.out.str() == "acknowledged incident 1 (Down m, P1) as alice until 2026-11-23T14:00:00Z\n");
  BOOST_TEST(test.err.str() == "");
}

BOOST_AUTO_TEST_CASE(gives_back) {
  options.action = "unack";
  options.comment.clear();
  BOOST_TEST(Run() == 0);
  BOOST_TEST(server.requests().at(0).target == "/api/mlalert/v1/incidents/1/unack");
  BOOST_TEST(server.requests().at(0).body == R"({"actor":"alice","via":"cli"})");
  BOOST_TEST(test.out.str() == "gave back incident 1 (Down\\x1b m, P1): it is open again\n");
}

BOOST_AUTO_TEST_CASE(one_that_fails_does_not_keep_the_others_waiting) {
  options.ids = {4, 2, 3};
  BOOST_TEST(Run() == 1);  // of the first failure
  BOOST_TEST(server.requests().size() == 3u);
  BOOST_TEST(test.out.str() == "acknowledged incident 3 (Down m, P1) as alice until 2026-11-23T14:00:00Z\n");
  BOOST_TEST(test.err.str() ==
             "mlalert: incident 4 is already resolved\nmlalert: no open incident has the id 2\n");
  options.ids = {2};
  BOOST_TEST(Run() == 3);
}

BOOST_AUTO_TEST_CASE(a_blank_comment_or_a_bad_expiry_is_found_before_anybody_is_asked) {
  options.comment = " \n";
  BOOST_TEST(Run() == 2);
  options.comment = "x";
  for (const char* length : {"soon", "0", "0s", "-1h", "2"}) {
    options.length = length;
    BOOST_TEST_CONTEXT(length) {
      BOOST_TEST(Run() == 2);
    }
  }
  BOOST_TEST(server.requests().empty());
  BOOST_TEST(Has(test.err.str(), "--comment is empty"));
  BOOST_TEST(Has(test.err.str(), "--expires"));
}

BOOST_AUTO_TEST_CASE(the_user_acts_unless_another_is_named) {
  options.actor.clear();
  {
    ScopedEnv user("USER", "bob");
    BOOST_TEST(Run() == 0);
  }
  BOOST_TEST(Has(server.requests().at(0).body, R"("actor":"bob")"));
  ScopedEnv nobody("USER", nullptr);
  BOOST_TEST(!CurrentUser().empty());  // what the system knows
}

BOOST_AUTO_TEST_CASE(json_gives_the_incidents) {
  options.ids = {1, 2};
  options.json = true;
  BOOST_TEST(Run() == 3);
  auto json = ParseJson(test.out.str());
  BOOST_REQUIRE(json.has_value());
  BOOST_TEST(json->Find("incidents")->AsArray().size() == 1u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mlalert
