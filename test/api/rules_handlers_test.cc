#include <limits>

#include "api/api_fixture.h"

namespace mlalert {
namespace {

using testing::ApiFixture;
using testing::BodyOf;
using testing::Labels;
using namespace std::chrono_literals;

RuleView MakeRule(const std::string& name) {
  auto rule = std::make_shared<AlertingRule>();
  rule->name = name;
  rule->hold = 90s;
  rule->keep_firing_for = 10min;
  rule->raw_labels = {{"severity", "P2"}};
  rule->raw_annotations = {{"summary", "{{ $value }} < 1"}};
  RuleView view;
  view.rule = rule;
  view.query = "up == 0";
  view.health = RuleHealth::kOk;
  view.evaluation_time = 1500us;
  view.last_evaluation = FromUnixMillis(1767225600000) + 123456789ns;
  return view;
}

RuleGroupView MakeGroup(const std::string& file, const std::string& name, std::vector<RuleView> rules) {
  RuleGroupView group;
  group.file = file;
  group.name = name;
  group.interval = 30s;
  group.limit = 5;
  group.evaluation_time = 2ms;
  group.last_evaluation = FromUnixMillis(1767225600000);
  group.rules = std::move(rules);
  return group;
}

struct RulesFixture : ApiFixture {
  RulesFixture() {
    RuleView firing = MakeRule("A");
    firing.state = InstanceState::kFiring;
    RuleAlertView alert;
    alert.labels = Labels({{"alertname", "A"}, {"x", "<y>"}});
    alert.annotations = Labels({{"summary", "1"}});
    alert.state = InstanceState::kFiring;
    alert.value = 0.1234567;
    alert.active_at = FromUnixMillis(1767225600000) + 500ms;
    firing.alerts.push_back(alert);
    alert.keep_firing_since = FromUnixMillis(1767225660000);
    alert.value = std::numeric_limits<double>::infinity();
    firing.alerts.push_back(alert);
    RuleView failing = MakeRule("B");
    failing.health = RuleHealth::kError;
    failing.last_error = "no such host";
    RuleView fresh = MakeRule("C");
    fresh.health = RuleHealth::kUnknown;
    fresh.last_evaluation = kUnset;
    groups = {MakeGroup("a.yml", "g1", {firing, failing}), MakeGroup("a.yml", "g2", {fresh}),
              MakeGroup("b.yml", "g1", {MakeRule("A")})};
    groups[1].recording_rules = {"job:up:sum"};
    context.rule_groups = [this] { return groups; };
  }
  std::string Names(const std::string& query) {
    HttpResponse response = Get("/api/v1/rules" + query);
    Json body = BodyOf(response);
    BOOST_REQUIRE_MESSAGE(response.status == 200, response.body);
    std::string out;
    for (const Json& group : body.Find("data")->Find("groups")->AsArray()) {
      out += group.GetString("file").substr(0, 1) + group.GetString("name") + ":";
      for (const Json& rule : group.Find("rules")->AsArray()) {
        out += rule.GetString("name") + ",";
      }
      out += " ";
    }
    return out;
  }
  std::vector<RuleGroupView> groups;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(rules_v1)

BOOST_FIXTURE_TEST_CASE(prints_what_prometheus_prints, RulesFixture) {
  HttpResponse response = Get("/api/v1/rules?rule_name[]=A&file[]=a.yml");
  BOOST_TEST(response.content_type == "application/json");
  BOOST_TEST(
      response.body ==
      R"({"status":"success","data":{"groups":[{"name":"g1","file":"a.yml","rules":[{"state":"firing","name":"A",)"
      R"("query":"up == 0","duration":90,"keepFiringFor":600,"labels":{"severity":"P2"},)"
      R"("annotations":{"summary":"{{ $value }} \u003c 1"},"alerts":[{"labels":{"alertname":"A","x":"\u003cy\u003e"},)"
      R"("annotations":{"summary":"1"},"state":"firing","activeAt":"2026-01-01T00:00:00.5Z","value":"1.234567e-01"},)"
      R"({"labels":{"alertname":"A","x":"\u003cy\u003e"},"annotations":{"summary":"1"},"state":"firing",)"
      R"("activeAt":"2026-01-01T00:00:00.5Z","keepFiringSince":"2026-01-01T00:01:00Z","value":"+Inf"}],)"
      R"("health":"ok","evaluationTime":0.0015,"lastEvaluation":"2026-01-01T00:00:00.123456789Z","type":"alerting"}],)"
      R"("interval":30,"limit":5,"evaluationTime":0.002,"lastEvaluation":"2026-01-01T00:00:00Z"}]}})");
}

BOOST_FIXTURE_TEST_CASE(health_and_state_of_failing_and_fresh_rules, RulesFixture) {
  Json data = BodyOf(Get("/api/v1/rules"));
  const auto& list = data.Find("data")->Find("groups")->AsArray();
  const Json& failing = list[0].Find("rules")->AsArray()[1];
  BOOST_TEST(failing.GetString("health") == "err");
  BOOST_TEST(failing.GetString("lastError") == "no such host");
  BOOST_TEST(failing.GetString("state") == "inactive");
  BOOST_TEST(failing.Find("alerts")->Dump() == "[]");
  const Json& fresh = list[1].Find("rules")->AsArray()[0];
  BOOST_TEST(fresh.GetString("state") == "unknown");
  BOOST_TEST(fresh.GetString("lastEvaluation") == "0001-01-01T00:00:00Z");
  BOOST_TEST(fresh.Find("lastError") == nullptr);
  const Json& recording = list[1].Find("rules")->AsArray()[1];
  BOOST_TEST(recording.GetString("type") == "recording");
  BOOST_TEST(recording.GetString("name") == "job:up:sum");
}

BOOST_FIXTURE_TEST_CASE(filters, RulesFixture) {
  struct {
    const char* query;
    const char* names;
  } const cases[] = {
      {"", "ag1:A,B, ag2:C,job:up:sum, bg1:A, "},
      {"?type=alert", "ag1:A,B, ag2:C, bg1:A, "},
      {"?type=RECORD", "ag2:job:up:sum, "},
      {"?type=", "ag1:A,B, ag2:C,job:up:sum, bg1:A, "},
      {"?rule_name[]=A&rule_name[]=C", "ag1:A, ag2:C, bg1:A, "},
      {"?rule_group%5B%5D=g1", "ag1:A,B, bg1:A, "},
      {"?file[]=b.yml", "bg1:A, "},
      {"?rule_name[]=nope", ""},
  };
  for (const auto& c : cases) {
    BOOST_TEST_CONTEXT(c.query) {
      BOOST_TEST(Names(c.query) == c.names);
    }
  }
  std::string without = Get("/api/v1/rules?exclude_alerts=true").body;
  BOOST_TEST(without.find("\"alerts\":null") != std::string::npos);
  BOOST_TEST(without.find("activeAt") == std::string::npos);
}

BOOST_FIXTURE_TEST_CASE(pages_of_groups, RulesFixture) {
  for (int limit : {1, 2, 3, 10}) {
    BOOST_TEST_CONTEXT(limit) {
      std::string all;
      std::string token;
      int pages = 0;
      do {
        std::string query =
            "?group_limit=" + std::to_string(limit) + (token.empty() ? "" : "&group_next_token=" + token);
        all += Names(query);
        Json body = BodyOf(Get("/api/v1/rules" + query));
        token = body.Find("data")->GetString("groupNextToken");
      } while (!token.empty() && ++pages < 10);
      BOOST_TEST(all == Names(""));
    }
  }
}

BOOST_FIXTURE_TEST_CASE(bad_questions, RulesFixture) {
  struct {
    const char* query;
    const char* error;
  } const cases[] = {
      {"?type=foo", "invalid parameter \"type\": not supported value \"foo\""},
      {"?exclude_alerts=maybe",
       "invalid parameter \"exclude_alerts\": strconv.ParseBool: parsing \"maybe\": invalid syntax"},
      {"?group_next_token=abc", "group_limit needs to be present in order to paginate over the groups"},
      {"?group_limit=0", "group_limit needs to be greater than 0"},
      {"?group_limit=-1", "group_limit needs to be greater than 0"},
      {"?group_limit=x",
       "invalid parameter \"group_limit\": strconv.ParseInt: parsing \"x\": invalid syntax"},
      {"?group_limit=1&group_next_token=abc", "invalid group_next_token 'abc'. were rule groups changed?"},
      {"?match[]=up", "invalid parameter \"match[]\": not supported"},
  };
  for (const auto& c : cases) {
    BOOST_TEST_CONTEXT(c.query) {
      HttpResponse response = Get("/api/v1/rules" + std::string(c.query));
      BOOST_TEST(response.status == 400);
      Json body = BodyOf(response);
      BOOST_TEST(body.GetString("status") == "error");
      BOOST_TEST(body.GetString("errorType") == "bad_data");
      BOOST_TEST(body.GetString("error") == c.error);
    }
  }
}

BOOST_FIXTURE_TEST_CASE(alerts_of_all_rules, RulesFixture) {
  Json body = BodyOf(Get("/api/v1/alerts"));
  BOOST_TEST(body.GetString("status") == "success");
  BOOST_TEST(body.Find("data")->Find("alerts")->AsArray().size() == 2u);
}

BOOST_FIXTURE_TEST_CASE(without_rules_the_lists_are_empty, ApiFixture) {
  BOOST_TEST(Get("/api/v1/rules").body == R"({"status":"success","data":{"groups":[]}})");
  BOOST_TEST(Get("/api/v1/alerts").body == R"({"status":"success","data":{"alerts":[]}})");
  BOOST_TEST(BodyOf(Get("/api/v1/status/buildinfo")).Find("data")->GetString("version") == MLALERT_VERSION);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mlalert
