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
  rule->expr = "up==0";
  rule->raw_labels = LabelSet::From({{"severity", "P2"}});
  rule->raw_annotations = LabelSet::From({{"summary", "{{ $value }} < 1"}});
  RuleView view;
  view.rule = rule;
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
    RecordingRule recording;
    recording.name = "job:up:sum";
    recording.expr = "sum by (job) (up)";
    recording.raw_labels = LabelSet::From({{"team", "infra"}});
    recording.position = 9;
    groups[1].recording_rules = {recording};
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
  BOOST_TEST(recording.GetString("query") == "sum by (job) (up)");
  BOOST_TEST(recording.Find("labels")->Dump() == R"({"team":"infra"})");
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
      {"?match[]={severity=\"P2\"}", "ag1:A,B, ag2:C, bg1:A, "},
      {"?match[]={team=~\"in.*\"}", "ag2:job:up:sum, "},
      {"?match[]={team=\"infra\"}&match[]={severity=\"P2\"}&file[]=a.yml", "ag1:A,B, ag2:C,job:up:sum, "},
      {"?match[]={severity=\"P2\",team!=\"\"}", ""},
      {"?match[]=up", ""},
      {"?health=err", "ag1:B, "},
      {"?health=err&health=unknown", "ag1:B, ag2:C,job:up:sum, "},
      {"?state=firing", "ag1:A, "},
      {"?state=unknown&type=alert", "ag2:C, "},
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
      {"?match[]={", "1:2: parse error: unexpected end of input inside braces"},
      {"?match[]={a=\"\"}", "match[] must contain at least one non-empty matcher"},
      {"?match[]=rate(up[5m])", "1:1: parse error: \"rate(up[5m])\" is not a series selector"},
      {"?state=normal", "invalid parameter \"state\": not supported value \"normal\""},
      {"?health=bad", "invalid parameter \"health\": not supported value \"bad\""},
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

BOOST_AUTO_TEST_SUITE(rules_own)

BOOST_FIXTURE_TEST_CASE(lists_rules_with_what_prometheus_has_no_place_for, RulesFixture) {
  groups[0].rules[0].warnings = {"a store did not answer"};
  groups[0].rules[0].partial = true;
  groups[0].rules[0].alerts[0].no_data_since = FromUnixMillis(1767225600000);
  groups[0].rules[1].failing_since = FromUnixMillis(1767225600000);
  Json body = BodyOf(Get("/api/mlalert/v1/rules"));
  BOOST_TEST(body.Find("rules")->AsArray().size() == 4U);
  const Json& first = body.Find("rules")->AsArray()[0];
  BOOST_TEST(first.GetString("name") == "A");
  BOOST_TEST(first.Find("warnings")->Dump() == R"(["a store did not answer"])");
  BOOST_TEST(first.Find("partial")->AsBool());
  BOOST_TEST(first.Find("firing")->AsInt() == 2);
  BOOST_TEST(first.Find("held_without_data")->AsInt() == 1);
  Json failing = BodyOf(Get("/api/mlalert/v1/rules?health=err"));
  BOOST_REQUIRE(failing.Find("rules")->AsArray().size() == 1U);
  BOOST_TEST(failing.Find("rules")->AsArray()[0].GetString("failing_since") == "2026-01-01T00:00:00Z");
  BOOST_TEST(Get("/api/mlalert/v1/rules?nmae=A").status == 400);
}

BOOST_FIXTURE_TEST_CASE(one_rule_comes_with_its_evaluations, RulesFixture) {
  context.rule_history = [](uint64_t id) -> std::optional<RuleHistory> {
    if (id != 0xab) {
      return std::nullopt;
    }
    RuleHistory out;
    out.rule = MakeRule("A");
    out.rule.id = id;
    RuleHistory::Evaluation& one = out.evaluations.emplace_back();
    one.at = FromUnixMillis(1767225600000);
    one.started = one.at + 250ms;
    one.duration_us = 1500;
    one.series = 3;
    one.error = "no such host";
    one.curl = "curl 'http://p'";
    return out;
  };
  Json body = BodyOf(Get("/api/mlalert/v1/rules/00000000000000ab"));
  BOOST_TEST(body.GetString("id") == "00000000000000ab");
  BOOST_TEST(body.Find("evaluations")->Dump() ==
             R"([{"at":"2026-01-01T00:00:00Z","started":"2026-01-01T00:00:00.25Z","duration_seconds":0.0015,)"
             R"("series":3,"error":"no such host","curl":"curl 'http://p'"}])");
  for (const char* id : {"ac", "zz", "1ffffffffffffffff", "-1"}) {
    BOOST_TEST(Get(std::string("/api/mlalert/v1/rules/") + id).status == 404);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mlalert
