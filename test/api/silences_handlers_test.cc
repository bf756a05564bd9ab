// The silence endpoints and what silences and inhibition do to the listings, as Alertmanager's clients see
// them.
#include <boost/test/unit_test.hpp>
#include <string>

#include "api/api_fixture.h"
#include "base/hash.h"

namespace mlalert::testing {
namespace {

const std::string kMatchers = R"("matchers":[{"name":"alertname","value":"Drift","isRegex":false}])";
const std::string kTimes = R"("startsAt":"2026-01-01T00:00:00Z","endsAt":"2026-01-01T01:00:00Z")";
const std::string kWho = R"("createdBy":"me","comment":"why")";
const LabelSet kDrift = Labels({{"alertname", "Drift"}, {"model", "churn"}});
const LabelSet kDown = Labels({{"alertname", "Down"}});

std::string Body(const std::string& more = "") {
  return "{" + kWho + "," + kTimes + "," + kMatchers + more + "}";
}

std::string Create(ApiFixture& api, const std::string& body = Body()) {
  HttpResponse response = api.Post("/api/v2/silences", body);
  BOOST_REQUIRE_MESSAGE(response.status == 200, response.body);
  return BodyOf(response).GetString("silenceID");
}

BOOST_AUTO_TEST_SUITE(silences_v2)

BOOST_AUTO_TEST_CASE(a_created_one_is_shown_in_alertmanagers_shape) {
  ApiFixture api;
  std::string id = Create(api);
  HttpResponse response = api.Get("/api/v2/silence/" + id);
  BOOST_TEST(response.status == 200);
  BOOST_TEST(response.content_type == "application/json");
  BOOST_TEST(
      response.body ==
      R"({"id":")" + id +
          R"(","status":{"state":"active"},"updatedAt":"2026-01-01T00:00:00.000Z","comment":"why",)"
          R"("createdBy":"me","endsAt":"2026-01-01T01:00:00.000Z","matchers":[{"isEqual":true,"isRegex":)"
          R"(false,"name":"alertname","value":"Drift"}],"startsAt":"2026-01-01T00:00:00.000Z"})"
          "\n");
  BOOST_TEST(api.Get("/api/v2/silences").body ==
             "[" + response.body.substr(0, response.body.size() - 1) + "]\n");
  BOOST_TEST(id.size() == 36U);
  BOOST_TEST(id[14] == '4');
}

BOOST_AUTO_TEST_CASE(annotations_and_kinds_of_matchers_come_back) {
  ApiFixture api;
  std::string id = Create(api, "{" + kWho + "," + kTimes +
                                   R"(,"annotations":{"ticket":"7"},"matchers":[)"
                                   R"({"name":"a","value":"x.*","isRegex":true,"isEqual":false},)"
                                   R"({"name":"b","value":"<y>","isRegex":false,"isEqual":null}]})");
  Json silence = BodyOf(api.Get("/api/v2/silence/" + id));
  BOOST_TEST(silence.Find("annotations")->GetString("ticket") == "7");
  const Json::Array& matchers = silence.Find("matchers")->AsArray();
  BOOST_REQUIRE(matchers.size() == 2U);
  BOOST_TEST(!matchers[0].Find("isEqual")->AsBool(true));
  BOOST_TEST(matchers[0].Find("isRegex")->AsBool());
  BOOST_TEST(matchers[1].Find("isEqual")->AsBool());
  BOOST_TEST(matchers[1].GetString("value") == "<y>");
}

BOOST_AUTO_TEST_CASE(bad_bodies_are_refused_in_alertmanagers_words) {
  const std::string parsing = R"({"code":400,"message":"parsing silence body from \"\" failed, because )";
  const struct {
    std::string body;
    int status;
    std::string want;
  } kTable[] = {
      {"", 422, R"({"code":602,"message":"silence in body is required"})"},
      {"{", 400, parsing + "unexpected EOF\"}"},
      {"[]", 400,
       parsing +
           R"(json: cannot unmarshal array into Go value of type struct { ID string \"json:\\\"id,omitempty\\\"\" }"})"},
      {"{}", 422, R"({"code":602,"message":"comment in body is required"})"},
      {"null", 422, R"({"code":602,"message":"comment in body is required"})"},
      {R"({"comment":""})", 422, R"({"code":602,"message":"createdBy in body is required"})"},
      {R"({"Comment":"","createdBy":""})", 422, R"({"code":602,"message":"endsAt in body is required"})"},
      {R"({"comment":"","createdBy":"","endsAt":"2027-01-01T00:00:00Z"})", 422,
       R"({"code":602,"message":"matchers in body is required"})"},
      {"{" + kWho + "," + kTimes + R"(,"matchers":[]})", 422,
       R"({"code":612,"message":"matchers in body should have at least 1 items"})"},
      {"{" + kWho + R"(,"endsAt":"2027-01-01T00:00:00Z",)" + kMatchers + "}", 422,
       R"({"code":602,"message":"startsAt in body is required"})"},
      {"{" + kWho + "," + kTimes + R"(,"matchers":[{}]})", 422,
       R"({"code":602,"message":"matchers.0.isRegex in body is required"})"},
      {"{" + kWho + "," + kTimes + R"(,"matchers":[null]})", 422,
       R"({"code":602,"message":"matchers.0.isRegex in body is required"})"},
      {"{" + kWho + "," + kTimes + R"(,"matchers":[{"isRegex":true,"value":"x"}]})", 422,
       R"({"code":602,"message":"matchers.0.name in body is required"})"},
      {"{" + kWho + "," + kTimes + R"(,"matchers":[{"isRegex":true,"name":"x"}]})", 422,
       R"({"code":602,"message":"matchers.0.value in body is required"})"},
      {R"({"id":5})", 400,
       parsing + "json: cannot unmarshal number into Go struct field .id of type string\"}"},
      {R"({"comment":[]})", 400,
       parsing + "json: cannot unmarshal array into Go struct field Silence.comment of type string\"}"},
      {R"({"matchers":5})", 400,
       parsing +
           "json: cannot unmarshal number into Go struct field Silence.matchers of type models.Matchers\"}"},
      {R"({"matchers":[5]})", 400,
       parsing +
           "json: cannot unmarshal number into Go struct field Silence.matchers of type models.Matcher\"}"},
      {R"({"matchers":[{"isRegex":5}]})", 400,
       parsing +
           "json: cannot unmarshal number into Go struct field Matcher.matchers.isRegex of type bool\"}"},
      {R"({"comment":[],"startsAt":"foo"})", 400,
       parsing + R"(parsing time \"foo\" as \"2006-01-02\": cannot parse \"foo\" as \"2006\""})"},
      {R"({"comment":5,"comment":"x"})", 400,
       parsing + "json: cannot unmarshal number into Go struct field Silence.comment of type string\"}"},
      {R"({"comment":"x","Comment":null})", 422, R"({"code":602,"message":"comment in body is required"})"},
      {R"({} x)", 422, R"({"code":602,"message":"comment in body is required"})"},
      {R"({"startsAt":"foo"})", 400,
       parsing + R"(parsing time \"foo\" as \"2006-01-02\": cannot parse \"foo\" as \"2006\""})"},
      {"{" + kWho + R"(,"startsAt":"2026-01-01T00:00:00Z","endsAt":"2026-01-01T00:00:00Z",)" + kMatchers +
           "}",
       400, "\"Failed to create silence: start time must be before end time\"\n"},
      {"{" + kWho + R"(,"startsAt":"","endsAt":"2025-12-31T23:59:59Z",)" + kMatchers + "}", 400,
       "\"Failed to create silence: end time can't be in the past\"\n"},
      {"{" + kWho + "," + kTimes + R"(,"matchers":[{"name":"a","value":"(","isRegex":true}]})", 400,
       R"("invalid silence: invalid label matcher 0 in set 0: invalid regular expression \"(\": error parsing regexp: missing closing ): `(`")"
       "\n"},
      {"{" + kWho + "," + kTimes + R"(,"matchers":[{"name":"a","value":".*","isRegex":true}]})", 400,
       "\"invalid silence: matcher set 0: at least one matcher must not match the empty string\"\n"},
      {Body(R"(,"id":"nope")"), 404, "\"silence not found\"\n"},
  };
  ApiFixture api;
  for (const auto& row : kTable) {
    BOOST_TEST_CONTEXT(row.body) {
      HttpResponse response = api.Post("/api/v2/silences", row.body);
      BOOST_TEST(response.status == row.status);
      BOOST_TEST(response.body == row.want);
      BOOST_TEST(response.content_type == "application/json");
    }
  }
  BOOST_TEST(api.Get("/api/v2/silences").body == "[]\n");
  BOOST_TEST(api.Post("/api/v2/silences", Body(), {{"Content-Type", "text/plain"}}).status == 415);
}

BOOST_AUTO_TEST_CASE(an_end_beyond_our_clock_is_the_end_of_it) {
  ApiFixture api;
  std::string id =
      Create(api, "{" + kWho + R"(,"startsAt":"","endsAt":"9999-12-31T23:59:59+02:00",)" + kMatchers + "}");
  Json silence = BodyOf(api.Get("/api/v2/silence/" + id));
  BOOST_TEST(silence.GetString("startsAt") == "2026-01-01T00:00:00.000Z");
  BOOST_TEST(silence.GetString("endsAt").starts_with("2262-"));
}

BOOST_AUTO_TEST_CASE(an_update_keeps_the_id_or_makes_another) {
  ApiFixture api;
  std::string id = Create(api);
  BOOST_TEST(Create(api, Body(R"(,"id":")" + id + "\"")) == id);
  std::string other = Create(api, "{" + kWho + "," + kTimes + R"(,"id":")" + id +
                                      R"(","matchers":[{"name":"a","value":"b","isRegex":false}]})");
  BOOST_TEST(other != id);
  BOOST_TEST(BodyOf(api.Get("/api/v2/silence/" + id)).Find("status")->GetString("state") == "expired");
}

BOOST_AUTO_TEST_CASE(delete_expires_and_repeats_well) {
  ApiFixture api;
  std::string id = Create(api);
  for (int i = 0; i < 2; ++i) {
    HttpResponse response = api.Call("DELETE", "/api/v2/silence/" + id);
    BOOST_TEST(response.status == 200);
    BOOST_TEST(response.body.empty());
    BOOST_TEST(response.content_type.empty());
  }
  BOOST_TEST(BodyOf(api.Get("/api/v2/silence/" + id)).Find("status")->GetString("state") == "expired");
}

BOOST_AUTO_TEST_CASE(unknown_ids_have_no_body_and_bad_ones_are_told) {
  ApiFixture api;
  for (const char* method : {"GET", "DELETE"}) {
    for (const char* id : {"00000000-0000-0000-0000-000000000000", "D1CCBE635FC141818A82342ADE56F256"}) {
      HttpResponse response = api.Call(method, std::string("/api/v2/silence/") + id);
      BOOST_TEST(response.status == 404);
      BOOST_TEST(response.body.empty());
      BOOST_TEST(response.content_type.empty());
    }
    HttpResponse response = api.Call(method, "/api/v2/silence/foo");
    BOOST_TEST(response.status == 422);
    BOOST_TEST(response.body ==
               R"({"code":601,"message":"silenceID in path must be of type uuid: \"foo\""})");
  }
  BOOST_TEST(api.Call("PUT", "/api/v2/silence/00000000-0000-0000-0000-000000000000").status == 405);
}

BOOST_AUTO_TEST_CASE(the_list_is_sorted_by_state_and_filtered) {
  ApiFixture api;
  auto create = [&](const std::string& name, const std::string& from, const std::string& to) {
    return Create(api, "{" + kWho + R"(,"startsAt":"2026-01-01T)" + from + R"(Z","endsAt":"2026-01-01T)" +
                           to + R"(Z","matchers":[{"name":"n","value":")" + name + R"(","isRegex":false}]})");
  };
  create("short", "00:00:00", "00:10:00");
  create("active-late", "00:00:00", "09:00:00");
  create("active-soon", "00:00:00", "08:00:00");
  create("pending-late", "05:00:00", "06:00:00");
  create("pending-soon", "04:00:00", "07:00:00");
  create("shorter", "00:00:00", "00:05:00");
  api.clock.now += hours(1);
  auto names = [&](const std::string& query) {
    std::string out;
    const Json list = BodyOf(api.Get("/api/v2/silences" + query));
    for (const Json& silence : list.AsArray()) {
      out += (out.empty() ? "" : " ") + silence.Find("matchers")->AsArray()[0].GetString("value");
    }
    return out;
  };
  BOOST_TEST(names("") == "active-soon active-late pending-soon pending-late short shorter");
  BOOST_TEST(names("?expired=false&pending=0") == "active-soon active-late");
  BOOST_TEST(names("?active=foo&pending=") == "pending-soon pending-late short shorter");
  // Not evaluated: a filter is one of the matchers.
  BOOST_TEST(names("?filter=n%3D~%22.*soon%22") == "");
  BOOST_TEST(names("?filter=n%3Dshort") == "short");
  BOOST_TEST(names("?filter=n%3Dshort&filter=other%3D%22%22") == "");
  BOOST_TEST(names("?filter=n!%3Dshort") == "");
  BOOST_TEST(api.Get("/api/v2/silences?filter=foo").status == 400);
  BOOST_TEST(api.Get("/api/v2/silences?filter=foo").body == "\"bad matcher format: foo\"\n");
  BOOST_TEST(api.Get("/api/v2/silences", {{"Accept", "text/plain"}}).status == 406);
}

BOOST_AUTO_TEST_CASE(a_change_that_is_not_on_disk_is_not_called_done) {
  MemoryJournal journal;
  journal.SetState(JournalState::kDegraded);
  ApiFixture api(&journal);
  BOOST_TEST(api.Post("/api/v2/silences", Body()).status == 503);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(muted_listings)

const std::string kMuteConfig = R"(
route:
  receiver: team
  group_by: [model]
  routes:
  - {matchers: [night=yes], receiver: pager, mute_time_intervals: [always], labels: {kind: page}, continue: true}
  - {matchers: [night=yes], receiver: team}
receivers: [{name: team, webhook_configs: [{url: 'http://127.0.0.1:1/'}]}, {name: pager}]
inhibit_rules: [{source_matchers: [alertname=Down], target_matchers: [alertname!=Down]}]
time_intervals: [{name: always, time_intervals: [{}]}]
)";

std::string Names(const HttpResponse& response) {
  std::string out;
  const Json list = BodyOf(response);
  for (const Json& alert : list.AsArray()) {
    out += (out.empty() ? "" : " ") + alert.Find("labels")->GetString("alertname");
  }
  return out;
}

BOOST_AUTO_TEST_CASE(alerts_show_and_filter_by_what_mutes_them_now) {
  ApiFixture api(nullptr, kMuteConfig);
  api.Fire(kDrift);
  BOOST_TEST(Names(api.Get("/api/v2/alerts?active=false")).empty());
  std::string id = Create(api);
  Json status = *BodyOf(api.Get("/api/v2/alerts")).AsArray()[0].Find("status");
  BOOST_TEST(status.Dump() ==
             R"({"inhibitedBy":[],"mutedBy":[],"silencedBy":[")" + id + R"("],"state":"suppressed"})");
  BOOST_TEST(Names(api.Get("/api/v2/alerts?silenced=false")).empty());
  BOOST_TEST(Names(api.Get("/api/v2/alerts?active=false")) == "Drift");
  api.Fire(kDown);
  BOOST_TEST(Names(api.Get("/api/v2/alerts?inhibited=false")) == "Down");
  status = *BodyOf(api.Get("/api/v2/alerts?active=false")).AsArray()[0].Find("status");
  BOOST_TEST(status.Find("inhibitedBy")->Dump() == "[\"" + Hex16(kDown.fingerprint()) + "\"]");
  api.Call("DELETE", "/api/v2/silence/" + id);
  api.Resolve(kDown);
  status = *BodyOf(api.Get("/api/v2/alerts")).AsArray()[0].Find("status");
  BOOST_TEST(status.GetString("state") == "active");
}

BOOST_AUTO_TEST_CASE(groups_show_their_alerts_receivers_and_marker) {
  ApiFixture api(nullptr, kMuteConfig);
  const LabelSet night = Labels({{"alertname", "Lag"}, {"model", "churn"}, {"night", "yes"}});
  api.Fire(kDrift);
  api.Fire(night);
  api.Advance(minutes(1));
  Json groups = BodyOf(api.Get("/api/v2/alerts/groups"));
  std::string lines;
  for (const Json& group : groups.AsArray()) {
    lines += group.Find("receiver")->GetString("name") + group.Find("labels")->Dump() +
             group.Find("routeLabels")->Dump();
    for (const Json& alert : group.Find("alerts")->AsArray()) {
      lines += " " + alert.Find("labels")->GetString("alertname") + alert.Find("receivers")->Dump() +
               alert.Find("status")->Find("mutedBy")->Dump() + alert.Find("status")->GetString("state");
    }
    lines += "\n";
  }
  BOOST_TEST(lines ==
             "pager{\"model\":\"churn\"}{\"kind\":\"page\"} "
             "Lag[{\"name\":\"pager\"},{\"name\":\"team\"}][\"always\"]suppressed\n"
             "team{\"model\":\"churn\"}{} Drift[{\"name\":\"team\"}][]active\n"
             "team{\"model\":\"churn\"}{} Lag[{\"name\":\"pager\"},{\"name\":\"team\"}][]active\n");
  BOOST_TEST(BodyOf(api.Get("/api/v2/alerts/groups?muted=false")).AsArray().size() == 2U);
  BOOST_TEST(BodyOf(api.Get("/api/v2/alerts/groups?receiver=pag.*")).AsArray().size() == 1U);
  BOOST_TEST(BodyOf(api.Get("/api/v2/alerts/groups?filter=alertname%3DDrift")).AsArray().size() == 1U);
  BOOST_TEST(api.Get("/api/v2/alerts/groups?active=false").body == "[]\n");
  BOOST_TEST(api.Get("/api/v2/alerts/groups?filter=x").status == 400);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mlalert::testing
