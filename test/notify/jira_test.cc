#include "notify/exchange.h"

namespace mlalert::testing {
namespace {

constexpr const char* kLabel = "ALERT{b495a0897ab953205c648ba23694763770b3f7dfd10e2a837e441637841db22e}";
constexpr const char* kApi = "http://127.0.0.1/rest/api/2/";
JiraConfig Golden() {
  JiraConfig c;
  c.api_url = kApi;
  c.api_type = "auto";
  c.project = "PRJ";
  c.issue_type = "Bug";
  c.summary.text = "{{ template \"jira.default.summary\" . }}";
  c.description.text = "{{ template \"jira.default.description\" . }}";
  c.labels = {"l{{ .Status }}"};
  c.priority = "{{ template \"jira.default.priority\" . }}";
  c.fields["customfield_1"] = Json(Json::Object{{"value", "{{ .Status }}"}});
  c.fields["components"] = Json(Json::Object{{"name", "M"}});
  c.http_config = DefaultHttp();
  return c;
}

Notification Jira(JiraConfig c, bool resolved = false) {
  Receiver receiver;
  receiver.jira_configs = {std::move(c)};
  return MakeNotification(ConfigOf(std::move(receiver)), IntegrationKind::kJira, {GoldenAlert(resolved)});
}

HttpResult Found(const std::string& category) {
  return Answer(200, R"({"issues":[{"key":"PRJ-1","fields":{"status":{"name":"s","statusCategory":{"key":")" +
                         category + "\"}}}},{\"key\":\"PRJ-0\"}]}");
}
const HttpResult kNone = Answer(200, R"({"issues":[]})");
const HttpResult kTransitions =
    Answer(200, R"({"transitions":[{"id":"11","name":"Close"},{"id":"21","name":"Reopen"}]})");

std::string Jql(const Exchange& e) {
  return Must(ParseJson(e.calls.at(0).body)).GetString("jql");
}
std::string Tail() {
  return std::string("project=\"PRJ\" and labels=\"") + kLabel + "\" order by status ASC,resolutiondate DESC";
}

}  // namespace

BOOST_AUTO_TEST_SUITE(jira)

BOOST_AUTO_TEST_CASE(creates_an_issue_as_upstream_does) {
  Exchange e = Run(Jira(Golden()), {kNone, Answer(201)});
  BOOST_TEST(e.Lines() == (std::vector<std::string>{"POST http://127.0.0.1/rest/api/2/search",
                                                    "POST http://127.0.0.1/rest/api/2/issue"}),
             boost::test_tools::per_element());
  BOOST_TEST(e.calls[0].body == ReadGolden("jira_search.json"));
  BOOST_TEST(e.calls[1].body == ReadGolden("jira_create.json"));
  for (const HttpCall& call : e.calls) {
    BOOST_TEST(HeaderOf(call, "Accept-Language") == "en");
    BOOST_TEST(HeaderOf(call, "Content-Type") == "application/json");
  }
  BOOST_TEST(Name(e.outcome.verdict) == "sent");
}

BOOST_AUTO_TEST_CASE(a_resolved_group_without_an_issue_needs_nothing) {
  Exchange e = Run(Jira(Golden(), true), {kNone});
  BOOST_TEST(Name(e.outcome.verdict) == "sent");
}

BOOST_AUTO_TEST_CASE(brings_a_found_issue_up_to_date) {
  Exchange e = Run(Jira(Golden()), {Found("new"), Answer(204)});
  BOOST_TEST(e.Lines()[1] == "PUT http://127.0.0.1/rest/api/2/issue/PRJ-1");
  BOOST_TEST(e.calls[1].body == ReadGolden("jira_create.json"));
  JiraConfig c = Golden();
  c.summary.enable_update = false;
  c.description.enable_update = false;
  e = Run(Jira(c), {Found("new"), Answer(204)});
  const Json body = Must(ParseJson(e.calls[1].body));
  BOOST_TEST((body.Find("fields")->Find("summary") == nullptr));
  BOOST_TEST((body.Find("fields")->Find("description") == nullptr));
  BOOST_TEST((body.Find("fields")->Find("labels") != nullptr));
  // A new issue has them anyway.
  e = Run(Jira(c), {kNone, Answer(201)});
  BOOST_TEST(e.calls[1].body == ReadGolden("jira_create.json"));
}

BOOST_AUTO_TEST_CASE(moves_the_issue_when_the_group_resolves_and_when_it_fires_again) {
  JiraConfig c = Golden();
  c.resolve_transition = "Close";
  c.reopen_transition = "Reopen";
  Exchange closed = Run(Jira(c, true), {Found("indeterminate"), Answer(204), kTransitions, Answer(204)});
  BOOST_TEST(closed.Lines()[2] == "GET http://127.0.0.1/rest/api/2/issue/PRJ-1/transitions");
  BOOST_TEST(closed.Lines()[3] == "POST http://127.0.0.1/rest/api/2/issue/PRJ-1/transitions");
  BOOST_TEST(closed.calls[2].body.empty());
  BOOST_TEST(closed.calls[3].body == "{\"transition\":{\"id\":\"11\"}}\n");
  Exchange reopened = Run(Jira(c), {Found("done"), Answer(204), kTransitions, Answer(204)});
  BOOST_TEST(reopened.calls[3].body == "{\"transition\":{\"id\":\"21\"}}\n");
  // Already there.
  BOOST_TEST(Run(Jira(c, true), {Found("done"), Answer(204)}).calls.size() == 2);
  BOOST_TEST(Run(Jira(c), {Found("new"), Answer(204)}).calls.size() == 2);
  // Not wanted.
  BOOST_TEST(Run(Jira(Golden(), true), {Found("new"), Answer(204)}).calls.size() == 2);
  c.resolve_transition = "Nope";
  Exchange unknown = Run(Jira(c, true), {Found("new"), Answer(204), kTransitions});
  BOOST_TEST(Name(unknown.outcome.verdict) == "failed");
  BOOST_TEST(unknown.outcome.error == "can't find transition Nope for issue PRJ-1");
}

BOOST_AUTO_TEST_CASE(searches_closed_issues_only_to_reopen_them) {
  JiraConfig c = Golden();
  BOOST_TEST(Jql(Run(Jira(c), {kNone, Answer(201)})) == "statusCategory != Done and " + Tail());
  BOOST_TEST(Jql(Run(Jira(c, true), {kNone})) == "statusCategory != Done and " + Tail());
  c.reopen_transition = "Reopen";
  c.reopen_duration = std::chrono::minutes(90);
  BOOST_TEST(Jql(Run(Jira(c), {kNone, Answer(201)})) ==
             "(resolutiondate is EMPTY OR resolutiondate >= -90m) and " + Tail());
  BOOST_TEST(Jql(Run(Jira(c, true), {kNone})) == "statusCategory != Done and " + Tail());
  c.wont_fix_resolution = "Won't \"Fix";
  BOOST_TEST(Jql(Run(Jira(c, true), {kNone})) ==
             "(resolution is EMPTY or resolution != \"Won't \\\"Fix\") and statusCategory != Done and " +
                 Tail());
}

BOOST_AUTO_TEST_CASE(a_project_from_a_label_cannot_change_the_search) {
  JiraConfig c = Golden();
  c.project = "{{ .CommonAnnotations.p }}";
  Notification n = Jira(c);
  n.alerts[0].alert.annotations = LabelSet::From({{"p", "X\" or project != \"Y"}});
  BOOST_TEST(Jql(Run(n, {kNone, Answer(201)})).find(R"(project="X\" or project != \"Y" and labels=)") !=
             std::string::npos);
}

BOOST_AUTO_TEST_CASE(the_search_of_the_cloud_has_another_address) {
  JiraConfig c = Golden();
  c.api_type = "cloud";
  BOOST_TEST(Run(Jira(c), {kNone, Answer(201)}).Lines()[0] == "POST http://127.0.0.1/rest/api/3/search/jql");
  c.api_type = "auto";
  c.api_url = "https://x.atlassian.net/rest/api/2";
  Exchange e = Run(Jira(c), {kNone, Answer(201)});
  BOOST_TEST(e.Lines()[0] == "POST https://x.atlassian.net/rest/api/3/search/jql");
  BOOST_TEST(e.Lines()[1] == "POST https://x.atlassian.net/rest/api/2/issue");
  c.api_type = "datacenter";
  BOOST_TEST(Run(Jira(c), {kNone, Answer(201)}).Lines()[0] ==
             "POST https://x.atlassian.net/rest/api/2/search");
}

BOOST_AUTO_TEST_CASE(version_3_takes_a_document_as_description) {
  JiraConfig c = Golden();
  c.api_url = "http://127.0.0.1/rest/api/3/";
  BOOST_TEST(Run(Jira(c), {}).build_error.find("description template: invalid JSON for API v3") !=
             std::string::npos);
  c.description.text = R"({"type": "doc", "text": "{{ .Status }}"})";
  Exchange e = Run(Jira(c), {kNone, Answer(201)});
  BOOST_TEST(e.calls[1].body.find(R"("description":{"type":"doc","text":"firing"},)") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(texts_are_cut_in_characters) {
  JiraConfig c = Golden();
  c.summary.text = std::string(256, 's');
  c.description.text = std::string(32768, 'd');
  Exchange e = Run(Jira(c), {kNone, Answer(201)});
  const Json body = Must(ParseJson(e.calls[1].body));
  BOOST_TEST(body.Find("fields")->GetString("summary") == std::string(254, 's') + "\xE2\x80\xA6");
  BOOST_TEST(body.Find("fields")->GetString("description") == std::string(32766, 'd') + "\xE2\x80\xA6");
}

BOOST_AUTO_TEST_CASE(custom_fields_win_and_keep_their_types) {
  JiraConfig c = Golden();
  c.labels = {"z", "A"};
  c.priority = "{{ .CommonLabels.nope }}";
  c.fields.clear();
  c.fields["summary"] = Json("mine");
  c.fields["n"] = Json("{{ len .Alerts }}");
  c.fields["list"] = Json(Json::Array{Json("{{ .Status }}"), Json(2), Json(true), Json()});
  c.description.text = "d";
  Exchange e = Run(Jira(c), {kNone, Answer(201)});
  BOOST_TEST(e.calls[1].body ==
             R"({"fields":{"description":"d","issuetype":{"name":"Bug"},"labels":["A",")" +
                 std::string(kLabel) +
                 R"(","z"],"list":["firing",2,true,null],"n":1,"project":{"key":"PRJ"},"summary":"mine"}})"
                 "\n");
}

BOOST_AUTO_TEST_CASE(answers_are_tried_again_by_status_and_broken_calls_never) {
  struct Case {
    HttpResult answer;
    const char* verdict;
  };
  for (const Case& c : {Case{Answer(429), "retry"},
                        {Answer(500), "retry"},
                        {Answer(400, "bad jql"), "failed"},
                        {Answer(401), "failed"},
                        {Broken(Failure::kConnect, "refused"), "failed"},
                        {Broken(Failure::kTimeout, "slow"), "failed"}}) {
    BOOST_TEST_CONTEXT(c.answer.status << c.answer.error) {
      BOOST_TEST(Name(Run(Jira(Golden()), {c.answer}).outcome.verdict) == c.verdict);
      BOOST_TEST(Name(Run(Jira(Golden()), {kNone, c.answer}).outcome.verdict) == c.verdict);
      BOOST_TEST(Name(Run(Jira(Golden()), {Found("new"), c.answer}).outcome.verdict) == c.verdict);
    }
  }
  BOOST_TEST(
      Run(Jira(Golden()), {Answer(400, "bad jql")}).outcome.error ==
      "failed to look up existing issues: HTTP request to JIRA API: unexpected status code 400: bad jql");
  BOOST_TEST(Run(Jira(Golden()), {kNone, Answer(400, "no")}).outcome.error ==
             "failed to POST request to \"issue\": unexpected status code 400: no");
  BOOST_TEST(Name(Run(Jira(Golden()), {Answer(200, "<html>")}).outcome.verdict) == "failed");
}

BOOST_AUTO_TEST_CASE(a_key_from_the_server_stays_one_path_segment) {
  Exchange e =
      Run(Jira(Golden()), {Answer(200, R"({"issues":[{"key":"../../x?y","fields":null}]})"), Answer(204)});
  BOOST_TEST(e.Lines()[1] == "PUT http://127.0.0.1/rest/api/2/issue/..%2F..%2Fx%3Fy");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mlalert::testing
