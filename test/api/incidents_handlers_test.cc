#include <algorithm>
#include <fmt/format.h>
#include <optional>

#include "api/api_fixture.h"
#include "storage/migrator.h"
#include "storage/sqlite_journal.h"
#include "storage/temp_dir.h"

namespace mlalert {
namespace {

using testing::ApiFixture;
using testing::BodyOf;
using testing::Labels;
using testing::TempDir;
using namespace std::chrono_literals;

const std::string kPath = "/api/mlalert/v1/incidents";

std::string AlertnamesOf(const HttpResponse& response) {
  Json body = BodyOf(response);
  BOOST_REQUIRE_MESSAGE(body.Find("incidents") != nullptr, response.body);
  std::string names;
  for (const Json& incident : body.Find("incidents")->AsArray()) {
    names += incident.GetString("alertname");
  }
  return names;
}

// Nobody to tell: what is sent with a real journal leaves on its thread.
constexpr const char* kSilentConfig = R"(
route: {receiver: nobody}
receivers: [{name: nobody}]
incidents: {identity: [alertname, model]}
incident_policies:
- name: climb
  matchers: ['severity=~"P2|P3"']
  ladder: {steps: [{after: 15m, severity: P3}, {after: 30m, severity: P2}]}
)";

// With the real journal and history behind it.
struct StoredFixture {
  StoredFixture() {
    auto db = OpenAndMigrate(dir.File());
    BOOST_REQUIRE(db);
    auto started = SqliteJournal::Start(std::move(*db));
    BOOST_REQUIRE(started);
    journal = std::move(*started);
    api.emplace(journal.get(), kSilentConfig);
    api->context.history = [this]() -> History* {
      if (history == nullptr) {
        auto opened = History::Open(dir.File());
        BOOST_REQUIRE(opened);
        history = std::move(*opened);
      }
      return history.get();
    };
  }
  // The journal reports commits to the gate until it is closed.
  ~StoredFixture() { BOOST_TEST(journal->Close(10s).has_value()); }
  void Commit() { BOOST_REQUIRE(journal->WaitCommitted(journal->Append({}), 10s)); }

  TempDir dir;
  std::unique_ptr<SqliteJournal> journal;
  std::unique_ptr<History> history;
  std::optional<ApiFixture> api;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(incidents_list)

BOOST_FIXTURE_TEST_CASE(is_empty_at_first, ApiFixture) {
  HttpResponse response = Get(kPath);
  BOOST_TEST(response.status == 200);
  BOOST_TEST(response.content_type == "application/json");
  BOOST_TEST(response.body == "{\"incidents\":[],\"next_before_id\":null}\n");
}

BOOST_FIXTURE_TEST_CASE(filters, ApiFixture) {
  Fire(Labels({{"alertname", "A"}, {"model", "m1"}, {"severity", "P0"}}));
  clock.now += 1min;
  IncidentId b = Fire(Labels({{"alertname", "B"}, {"pipeline", "p1"}, {"severity", "P3"}}));
  clock.now += 1min;
  Fire(Labels({{"alertname", "C"}, {"team", "t1"}}));
  Post(kPath + "/" + std::to_string(b) + "/ack", R"({"actor":"alice"})");
  Resolve(Labels({{"alertname", "C"}, {"team", "t1"}}));
  struct {
    const char* query;
    const char* names;
  } const cases[] = {
      {"", "BA"},
      {"?state=", "BA"},
      {"?state=open", "A"},
      {"?state=acknowledged", "B"},
      {"?state=resolved", "C"},
      {"?state=all", "CBA"},
      {"?alertname=A", "A"},
      {"?alertname=a", ""},
      {"?model=m1", "A"},
      {"?pipeline=p1", "B"},
      {"?state=all&team=t1", "C"},
      {"?severity=P3", "B"},
      {"?severity=p3&severity=P0", "BA"},
      {"?since=2026-01-01T00:01:00Z", "B"},
      {"?until=2026-01-01T00:01:00Z", "A"},
      {"?state=all&limit=2", "CB"},
      {"?state=all&limit=2&before_id=2", "A"},
      {"?state=all&before_id=1", ""},
      {"?state=all&before_id=99", ""},
  };
  for (const auto& c : cases) {
    BOOST_TEST_CONTEXT(c.query) {
      BOOST_TEST(AlertnamesOf(Get(kPath + c.query)) == c.names);
    }
  }
  BOOST_TEST(BodyOf(Get(kPath + "?state=all&limit=2")).Find("next_before_id")->AsInt() == 2);
  BOOST_TEST(BodyOf(Get(kPath + "?state=all&limit=4")).Find("next_before_id")->is_null());
}

BOOST_FIXTURE_TEST_CASE(filters_by_what_has_become_of_the_response_target, ApiFixture) {
  const IncidentId taken = Fire(Labels({{"alertname", "A"}, {"severity", "P0"}}));
  Post(kPath + "/" + std::to_string(taken) + "/ack", R"({"actor":"alice"})");
  Fire(Labels({{"alertname", "B"}, {"severity", "P0"}}));
  // Timers do not run: B is late all the same.
  clock.now += 16min;
  Fire(Labels({{"alertname", "C"}, {"severity", "P0"}}));
  Fire(Labels({{"alertname", "D"}}));
  BOOST_TEST(AlertnamesOf(Get(kPath + "?response=met")) == "A");
  BOOST_TEST(AlertnamesOf(Get(kPath + "?response=breached")) == "B");
  BOOST_TEST(AlertnamesOf(Get(kPath + "?response=due")) == "C");
  BOOST_TEST(AlertnamesOf(Get(kPath + "?response=")) == "DCBA");
  BOOST_TEST(AlertnamesOf(Get(kPath + "?response=met&state=open")) == "");
  for (const char* state : {"met", "breached", "due"}) {
    BOOST_TEST(Metric(std::string(R"(mlalert_incidents_response{state=")") + state + R"("})") == "1");
  }
}

BOOST_FIXTURE_TEST_CASE(bad_questions_are_errors_with_a_hint, ApiFixture) {
  struct {
    const char* query;
    const char* error;
    const char* hint;
  } const cases[] = {
      {"?stat=open", "unknown query parameter \"stat\"", "did you mean \"state\"?"},
      {"?zzzzzz=1", "unknown query parameter \"zzzzzz\"",
       "known: state, alertname, model, pipeline, team, severity, response, since, until, limit, before_id"},
      {"?state=closed", "unknown state \"closed\"",
       "open, acknowledged, resolved or all; without it: open and acknowledged"},
      {"?severity=P9", "unknown severity \"P9\"", "P0, P1, P2 or P3; repeat the parameter for several"},
      {"?response=late", "unknown response \"late\"", "due, met or breached"},
      {"?response=not_needed", "unknown response \"not_needed\"", "due, met or breached"},
      {"?model=a&model=b", "query parameter \"model\" is given twice", ""},
      {"?limit=0", "query parameter \"limit\" must be a whole number from 1 to 1000", ""},
      {"?limit=1001", "query parameter \"limit\" must be a whole number from 1 to 1000", ""},
      {"?limit=1e2", "query parameter \"limit\" must be a whole number from 1 to 1000", ""},
      {"?limit=99999999999999999999", "query parameter \"limit\" must be a whole number from 1 to 1000", ""},
      {"?before_id=-1", "query parameter \"before_id\" must be a whole number from 1", ""},
      {"?since=yesterday", "query parameter \"since\" is not a time: \"yesterday\"",
       "write it as 2026-01-31T09:00:00Z"},
  };
  for (const auto& c : cases) {
    BOOST_TEST_CONTEXT(c.query) {
      HttpResponse response = Get(kPath + c.query);
      BOOST_TEST(response.status == 400);
      BOOST_TEST(BodyOf(response).GetString("error") == c.error);
      BOOST_TEST(BodyOf(response).GetString("hint") == c.hint);
    }
  }
}

BOOST_FIXTURE_TEST_CASE(resolved_incidents_come_from_history_and_pages_fit_together, StoredFixture) {
  for (int i = 0; i < 5; ++i) {
    LabelSet labels = Labels({{"alertname", std::string(1, static_cast<char>('A' + i))}, {"model", "m"}});
    api->Fire(labels);
    api->clock.now += 1min;
    if (i < 3) {
      api->Resolve(labels);
    }
  }
  // The engine forgets the resolved ones; history has them.
  for (int i = 0; i < 4; ++i) {
    api->Advance(3h);
  }
  Commit();
  BOOST_TEST_REQUIRE(api->gate.Read([](Engine& engine) { return engine.ListIncidents().size(); }) == 2u);
  BOOST_TEST(AlertnamesOf(api->Get(kPath)) == "ED");
  BOOST_TEST(AlertnamesOf(api->Get(kPath + "?state=resolved")) == "CBA");
  BOOST_TEST(AlertnamesOf(api->Get(kPath + "?state=all")) == "EDCBA");
  for (int limit : {1, 2, 3, 5}) {
    BOOST_TEST_CONTEXT(limit) {
      std::string all;
      std::string before;
      for (int page = 0; page < 10; ++page) {
        HttpResponse response = api->Get(kPath + "?state=all&limit=" + std::to_string(limit) + before);
        all += AlertnamesOf(response);
        Json body = BodyOf(response);
        const Json* next = body.Find("next_before_id");
        if (next->is_null()) {
          break;
        }
        before = "&before_id=" + std::to_string(next->AsInt());
      }
      BOOST_TEST(all == "EDCBA");
    }
  }
}

BOOST_FIXTURE_TEST_CASE(what_has_become_of_the_target_is_in_history_too, StoredFixture) {
  auto labels = [](const char* name) { return Labels({{"alertname", name}, {"severity", "P0"}}); };
  api->Fire(labels("A"));
  const IncidentId taken = api->Fire(labels("B"));
  api->Fire(labels("C"));
  api->Fire(Labels({{"alertname", "D"}}));
  api->Post(kPath + "/" + std::to_string(taken) + "/ack", R"({"actor":"alice"})");
  api->Resolve(labels("C"));
  api->Advance(16min);
  api->Resolve(labels("A"));
  api->Resolve(labels("B"));
  api->Resolve(Labels({{"alertname", "D"}}));
  for (int i = 0; i < 4; ++i) {
    api->Advance(3h);
  }
  Commit();
  BOOST_TEST_REQUIRE(api->gate.Read([](Engine& engine) { return engine.ListIncidents().size(); }) == 0u);
  BOOST_TEST(AlertnamesOf(api->Get(kPath + "?state=all")) == "DCBA");
  for (const char* more : {"?state=all", "?state=resolved", "?state=all&severity=P0"}) {
    BOOST_TEST_CONTEXT(more) {
      BOOST_TEST(AlertnamesOf(api->Get(kPath + more + "&response=breached")) == "A");
      BOOST_TEST(AlertnamesOf(api->Get(kPath + more + "&response=met")) == "B");
      BOOST_TEST(AlertnamesOf(api->Get(kPath + more + "&response=due")) == "");
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(incident_detail)

BOOST_FIXTURE_TEST_CASE(shows_the_incident_and_what_comes_next, ApiFixture) {
  IncidentId id = Fire(Labels({{"alertname", "Drift"}, {"model", "m"}, {"severity", "P3"}}),
                       Labels({{"summary", "<b>"}}));
  Advance(20min);
  Json incident = BodyOf(Get(kPath + "/" + std::to_string(id)));
  BOOST_TEST(incident.Find("id")->AsInt() == id);
  BOOST_TEST(incident.GetString("state") == "open");
  BOOST_TEST(incident.GetString("severity") == "P3");
  BOOST_TEST(incident.GetString("alertname") == "Drift");
  BOOST_TEST(incident.Find("pipeline")->is_null());
  BOOST_TEST(incident.GetString("opened_at") == "2026-01-01T00:00:00.000Z");
  BOOST_TEST(incident.Find("resolved_at")->is_null());
  BOOST_TEST(incident.GetString("next_severity_at") == "2026-01-01T00:30:00.000Z");
  BOOST_TEST(incident.Find("quiet")->AsBool(true) == false);
  BOOST_TEST(incident.Find("key")->GetString("model") == "m");
  BOOST_TEST(incident.Find("policy")->GetString("name") == "climb");
  BOOST_TEST(incident.Find("policy")->GetString("cooldown") == "30m");
  const Json* plan = incident.Find("ladder");
  BOOST_REQUIRE(plan != nullptr);
  BOOST_TEST(plan->GetString("next_severity") == "P2");
  BOOST_TEST(plan->Find("clock_seconds")->AsDouble() == 1200.0);
  BOOST_TEST(plan->Find("steps")->Dump() ==
             R"([{"after":"15m","severity":"P3","reached":true,"at":"2026-01-01T00:15:00.000Z"},)"
             R"({"after":"30m","severity":"P2","reached":false,"at":"2026-01-01T00:30:00.000Z"},)"
             R"({"after":"1h","severity":"P1","reached":false,"at":"2026-01-01T01:00:00.000Z"}])");
}

BOOST_FIXTURE_TEST_CASE(a_quiet_incident_says_so, ApiFixture) {
  IncidentId id = Fire(Labels({{"alertname", "Drift"}, {"severity", "P3"}}));
  Json incident = BodyOf(Get(kPath + "/" + std::to_string(id)));
  BOOST_TEST(incident.Find("quiet")->AsBool());
  BOOST_TEST(incident.Find("ladder")->Find("quiet")->AsBool());
}

BOOST_FIXTURE_TEST_CASE(an_incident_without_policy_has_no_plan_ahead, ApiFixture) {
  IncidentId id = Fire(Labels({{"alertname", "X"}}));
  Json incident = BodyOf(Get(kPath + "/" + std::to_string(id)));
  BOOST_TEST(incident.Find("policy")->is_null());
  BOOST_TEST(incident.Find("severity")->is_null());
  BOOST_TEST(incident.Find("ladder")->Find("steps")->AsArray().empty());
  BOOST_TEST(incident.Find("ladder")->Find("next_severity")->is_null());
}

BOOST_FIXTURE_TEST_CASE(unknown_and_malformed_ids, ApiFixture) {
  struct {
    const char* id;
    int status;
  } const cases[] = {{"1", 404},  {"9223372036854775807", 404},  {"0", 400},      {"-1", 400}, {"abc", 400},
                     {"1x", 400}, {"99999999999999999999", 400}, {"%2e%2e", 400}, {"%00", 0}};
  for (const auto& c : cases) {
    if (c.status == 0) {
      continue;  // the server refuses it before any handler
    }
    BOOST_TEST_CONTEXT(c.id) {
      HttpResponse response = Get(kPath + "/" + c.id);
      BOOST_TEST(response.status == c.status);
      BOOST_TEST(!BodyOf(response).GetString("error").empty());
    }
  }
  BOOST_TEST(Get(kPath + "/1?verbose=1").status == 400);
}

std::string TextOfRoute(const HttpResponse& response, const std::string& receiver) {
  const Json body = BodyOf(response);
  for (const Json& step : body.Find("now")->AsArray()) {
    if (step.GetString("what") == "route" && step.GetString("receiver") == receiver) {
      return step.GetString("text");
    }
  }
  return "";
}

BOOST_FIXTURE_TEST_CASE(why_a_receiver_hears_nothing_is_said_also_when_nothing_leads_there, ApiFixture) {
  const IncidentId id = Fire(Labels({{"alertname", "A"}, {"model", "m"}, {"severity", "P1"}}));
  const std::string path = fmt::format("{}/{}/why", kPath, id);
  BOOST_TEST(TextOfRoute(Get(path + "?receiver=pager"), "pager") ==
             "no route leads there: it is P1 now, and no step of a chain or schedule does either");
  BOOST_TEST(TextOfRoute(Get(path + "?receiver=team"), "team").starts_with("team of route"));
  BOOST_TEST(TextOfRoute(Get(path), "pager") == "");
  HttpResponse unknown = Get(path + "?receiver=nobody");
  BOOST_TEST(unknown.status == 400);
  BOOST_TEST(unknown.body.find("the config has no receiver \\\"nobody\\\"") != std::string::npos,
             unknown.body);
  BOOST_TEST(unknown.body.find("team, pager, unused") != std::string::npos, unknown.body);
  // What its plan will lead to is said.
  const IncidentId rising = Fire(Labels({{"alertname", "B"}, {"model", "m"}, {"severity", "P2"}}));
  BOOST_TEST(TextOfRoute(Get(fmt::format("{}/{}/why?receiver=pager", kPath, rising)), "pager")
                 .starts_with("no route leads there: it"));
}

BOOST_FIXTURE_TEST_CASE(why_at_an_earlier_moment_says_that_there_was_nothing, StoredFixture) {
  const Timestamp before = api->clock.now;
  api->Advance(1h);
  const IncidentId id = api->Fire(Labels({{"alertname", "A"}, {"model", "m"}, {"severity", "P1"}}));
  const std::string path = fmt::format("{}/{}/why", kPath, id);
  BOOST_TEST(BodyOf(api->Get(path)).Find("note")->is_null());
  const Json early = BodyOf(api->Get(path + "?at=" + FormatRfc3339Millis(before + 10min)));
  BOOST_TEST(early.GetString("note") ==
             "it had not opened yet at 2026-01-01T00:10:00.000Z: it opened at 2026-01-01T01:00:00.000Z");
  BOOST_TEST(early.Find("now")->AsArray().empty());
  api->Advance(1h);
  Commit();
  BOOST_TEST(BodyOf(api->Get(path + "?at=" + FormatRfc3339Millis(before + 90min))).Find("note")->is_null());
}

BOOST_FIXTURE_TEST_CASE(history_fills_in_the_past, StoredFixture) {
  LabelSet labels = Labels({{"alertname", "Drift"}, {"model", "m"}, {"severity", "P3"}});
  IncidentId id = api->Fire(labels);
  std::string path = kPath + "/" + std::to_string(id);
  api->Advance(30min);
  BOOST_TEST(api->Post(path + "/ack", R"({"actor":"alice","comment":"on it"})").status == 200);
  api->clock.now += 5min;
  api->Resolve(labels);
  Commit();
  Json incident = BodyOf(api->Get(path));
  BOOST_TEST(incident.GetString("state") == "resolved");
  BOOST_TEST(incident.GetString("resolve_reason") == "condition");
  BOOST_TEST(incident.GetString("severity") == "P2");
  BOOST_REQUIRE(incident.Find("episodes")->AsArray().size() == 1u);
  BOOST_TEST(incident.Find("episodes")->AsArray()[0].GetString("ended_at") == "2026-01-01T00:35:00.000Z");
  BOOST_REQUIRE(incident.Find("acknowledgements")->AsArray().size() == 1u);
  const Json& ack = incident.Find("acknowledgements")->AsArray()[0];
  BOOST_TEST(ack.GetString("actor") == "alice");
  BOOST_TEST(ack.GetString("comment") == "on it");
  BOOST_TEST(ack.GetString("end_reason") == "resolved");
  std::string types;
  for (const Json& event : incident.Find("events")->AsArray()) {
    types += event.GetString("type") + " ";
  }
  BOOST_TEST(types.find("opened") == 0u);
  BOOST_TEST(types.find("raised") != std::string::npos);
  BOOST_TEST(types.find("acknowledged") != std::string::npos);
  BOOST_TEST(types.find("resolved") != std::string::npos);
  // Long after the engine has forgotten it, the answer is the same but for the clock.
  api->Advance(48h);
  BOOST_TEST(BodyOf(api->Get(path)).GetString("state") == "resolved");
  BOOST_TEST(BodyOf(api->Get(path)).Find("events")->AsArray().size() ==
             incident.Find("events")->AsArray().size());
  BOOST_TEST(api->Post(path + "/ack", R"({"actor":"bob"})").status == 409);
  BOOST_TEST(api->Get(kPath + "/77").status == 404);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(incident_actions)

BOOST_FIXTURE_TEST_CASE(acknowledge_and_take_it_back, ApiFixture) {
  IncidentId id = Fire(Labels({{"alertname", "Drift"}, {"severity", "P3"}}));
  std::string path = kPath + "/" + std::to_string(id);
  Advance(16min);
  HttpResponse response = Post(path + "/ack", R"({"actor":"alice","comment":"looking","expires_in":"2h"})");
  BOOST_TEST(response.status == 200);
  Json incident = BodyOf(response);
  BOOST_TEST(incident.GetString("state") == "acknowledged");
  BOOST_TEST(incident.Find("acknowledgement")->GetString("actor") == "alice");
  BOOST_TEST(incident.Find("acknowledgement")->GetString("comment") == "looking");
  BOOST_TEST(incident.Find("acknowledgement")->GetString("at") == "2026-01-01T00:16:00.000Z");
  BOOST_TEST(incident.Find("acknowledgement")->GetString("expires_at") == "2026-01-01T02:16:00.000Z");
  BOOST_TEST(incident.Find("next_severity_at")->is_null());
  BOOST_TEST(incident.Find("ladder")->Find("clock_running")->AsBool(true) == false);

  // Again replaces; the policy says how long.
  incident = BodyOf(Post(path + "/ack", R"({"actor":"bob"})"));
  BOOST_TEST(incident.Find("acknowledgement")->GetString("actor") == "bob");
  BOOST_TEST(incident.Find("acknowledgement")->GetString("expires_at") == "2026-01-01T04:16:00.000Z");

  clock.now += 1h;
  response = Post(path + "/unack", R"({"actor":"carol","comment":"not mine"})");
  BOOST_TEST(response.status == 200);
  incident = BodyOf(response);
  BOOST_TEST(incident.GetString("state") == "open");
  BOOST_TEST(incident.Find("acknowledgement")->is_null());
  BOOST_TEST(incident.GetString("next_severity_at") == "2026-01-01T01:30:00.000Z");
  BOOST_TEST(incident.Find("changed")->AsBool());
  response = Post(path + "/unack", R"({"actor":"carol"})");
  BOOST_TEST(response.status == 200);
  BOOST_TEST(!BodyOf(response).Find("changed")->AsBool(true));
}

BOOST_FIXTURE_TEST_CASE(all_that_people_do, ApiFixture) {
  IncidentId id = Fire(Labels({{"alertname", "Drift"}, {"severity", "P3"}}));
  std::string path = kPath + "/" + std::to_string(id);
  Json incident = BodyOf(Post(path + "/snooze", R"({"actor":"alice","for":"2h","via":"cli"})"));
  BOOST_TEST(incident.GetString("snoozed_until") == "2026-01-01T02:00:00.000Z");
  BOOST_TEST(incident.GetString("snoozed_by") == "alice");
  BOOST_TEST(
      BodyOf(Post(path + "/comment", R"({"actor":"bob","comment":"on it"})")).Find("changed")->AsBool());
  BOOST_TEST(BodyOf(Post(path + "/assign", R"({"actor":"bob","assignee":"carol"})")).GetString("assignee") ==
             "carol");
  incident = BodyOf(Post(path + "/raise", R"({"actor":"bob","severity":"P1","reason":"customers see it"})"));
  BOOST_TEST(incident.GetString("severity") == "P1");
  BOOST_TEST(incident.GetString("raised_severity") == "P1");
  BOOST_TEST(incident.Find("snoozed_until")->is_null());
  incident = BodyOf(Post(path + "/lower", R"({"actor":"bob","severity":"P2","reason":"one customer"})"));
  BOOST_TEST(incident.GetString("severity") == "P2");
  incident = BodyOf(Post(path + "/resolve", R"({"actor":"bob","comment":"rolled back","hold_for":"1h"})"));
  BOOST_TEST(incident.GetString("state") == "resolved");
  BOOST_TEST(incident.GetString("resolve_reason") == "manual");
  BOOST_TEST(incident.GetString("resolved_by") == "bob");
  BOOST_TEST(incident.GetString("held_until") == "2026-01-01T01:00:00.000Z");
  BOOST_TEST(!BodyOf(Post(path + "/resolve", R"({"actor":"bob"})")).Find("changed")->AsBool(true));
}

BOOST_FIXTURE_TEST_CASE(what_an_action_needs_is_said, ApiFixture) {
  IncidentId id = Fire(Labels({{"alertname", "Drift"}, {"severity", "P3"}}));
  std::string path = kPath + "/" + std::to_string(id);
  const std::pair<std::string, std::string> bad[] = {
      {"/snooze", R"({"actor":"a"})"},
      {"/snooze", R"({"actor":"a","for":"8d"})"},
      {"/snooze", R"({"actor":"a","for":"1h","until":"2026-01-01T09:00:00Z"})"},
      {"/snooze", R"({"actor":"a","until":"2025-12-31T09:00:00Z"})"},
      {"/comment", R"({"actor":"a"})"},
      {"/comment", R"({"actor":"a","comment":" "})"},
      {"/assign", R"({"actor":"a"})"},
      {"/assign", R"({"actor":"a","assignee":"x\ny"})"},
      {"/raise", R"({"actor":"a","severity":"P9","reason":"r"})"},
      {"/raise", R"({"actor":"a","severity":"P1"})"},
      {"/lower", R"({"actor":"a","reason":"r"})"},
      {"/resolve", R"({"actor":"a","hold_for":"-1h"})"},
      {"/resolve", R"({"actor":"a","expires_in":"1h"})"},
      {"/ack", R"({"actor":"a","via":"telepathy"})"},
      {"/ack", R"({"actor":"a","generation":"x"})"},
  };
  for (const auto& [action, body] : bad) {
    BOOST_TEST_CONTEXT(action << " " << body) {
      BOOST_TEST(Post(path + action, body).status == 400);
    }
  }
  BOOST_TEST(Post(path + "/ack", R"({"actor":"a","generation":99})").status == 409);
  BOOST_TEST(Post(path + "/raise", R"({"actor":"a","severity":"P3","reason":"r"})").status == 200);
  BOOST_TEST(Post(path + "/lower", R"({"actor":"a","severity":"P1","reason":"r"})").status == 409);
}

BOOST_FIXTURE_TEST_CASE(expires_at_in_another_zone, ApiFixture) {
  IncidentId id = Fire(Labels({{"alertname", "X"}}));
  HttpResponse response = Post(kPath + "/" + std::to_string(id) + "/ack",
                               R"({"actor":"alice","expires_at":"2026-01-01T09:00:00+02:00"})");
  BOOST_TEST(BodyOf(response).Find("acknowledgement")->GetString("expires_at") == "2026-01-01T07:00:00.000Z");
}

BOOST_FIXTURE_TEST_CASE(bad_bodies_change_nothing, ApiFixture) {
  IncidentId id = Fire(Labels({{"alertname", "X"}}));
  std::string path = kPath + "/" + std::to_string(id) + "/ack";
  struct {
    std::string body;
    std::string error;
    std::string hint;
  } const cases[] = {
      {"{}", "\"actor\" is required", "say who acts, e.g. {\"actor\": \"alice\"}"},
      {R"({"actor":""})", "\"actor\" is required", "say who acts, e.g. {\"actor\": \"alice\"}"},
      {R"({"actor":"  "})", "\"actor\" is required", "say who acts, e.g. {\"actor\": \"alice\"}"},
      {R"({"actor":null})", "\"actor\" is required", "say who acts, e.g. {\"actor\": \"alice\"}"},
      {R"({"actor":1})", "\"actor\" must be a string", ""},
      {R"({"actor":"a\nb"})", "\"actor\" holds control characters", ""},
      {R"({"actor":"a\u0000b"})", "\"actor\" holds control characters", ""},
      {R"({"actr":"alice"})", "unknown field \"actr\"", "did you mean \"actor\"?"},
      {R"({"actor":"alice","expires":"2h"})", "unknown field \"expires\"",
       "known: actor, comment, reason, via, generation, expires_at, expires_in"},
      {R"({"actor":"alice","expires_in":"2 hours"})",
       "\"expires_in\": unknown unit \" hours\" in duration \"2 hours\"", "write it as 4h"},
      {R"({"actor":"alice","expires_in":"0s"})", "an acknowledgement would already be over", ""},
      {R"({"actor":"alice","expires_in":"100y"})", "an acknowledgement lasts at most a year", ""},
      {R"({"actor":"alice","expires_at":"tomorrow"})", "\"expires_at\" is not a time: \"tomorrow\"",
       "write it as 2026-01-31T09:00:00Z"},
      {R"({"actor":"alice","expires_at":"2025-01-01T00:00:00Z"})", "an acknowledgement would already be over",
       ""},
      {R"({"actor":"alice","expires_at":"2026-01-01T09:00:00Z","expires_in":"1h"})",
       "give expires_at or expires_in, not both", ""},
      {R"({"actor":")" + std::string(257, 'a') + R"("})", "\"actor\" is longer than 256 bytes", ""},
      {R"({"actor":"a","comment":")" + std::string(4097, 'a') + R"("})",
       "\"comment\" is longer than 4096 bytes", ""},
      {"[]", "the body must be a JSON object", ""},
      {"{", "line 1, column 2: Missing a name for object member.", ""},
      {"\xff", "line 1, column 1: Invalid value.", ""},
  };
  for (const auto& c : cases) {
    BOOST_TEST_CONTEXT(c.body) {
      HttpResponse response = Post(path, c.body);
      BOOST_TEST(response.status == 400);
      BOOST_TEST(BodyOf(response).GetString("error") == c.error);
      BOOST_TEST(BodyOf(response).GetString("hint") == c.hint);
    }
  }
  BOOST_TEST(Post(path, std::string(1000, '[')).status == 413);
  BOOST_TEST(Post(path, "").status == 415);
  BOOST_TEST(BodyOf(Get(kPath + "/" + std::to_string(id))).GetString("state") == "open");
}

BOOST_FIXTURE_TEST_CASE(the_body_must_be_announced_as_json, ApiFixture) {
  IncidentId id = Fire(Labels({{"alertname", "X"}}));
  std::string path = kPath + "/" + std::to_string(id) + "/ack";
  for (ApiFixture::Headers headers : {ApiFixture::Headers{{"X", "y"}},
                                      {{"Content-Type", "text/plain"}},
                                      {{"Content-Type", "application/x-www-form-urlencoded"}}}) {
    HttpResponse response = Post(path, R"({"actor":"eve"})", headers);
    BOOST_TEST(response.status == 415);
    BOOST_TEST(BodyOf(response).GetString("hint") == "send the header Content-Type: application/json");
  }
}

BOOST_FIXTURE_TEST_CASE(unknown_and_resolved_incidents, ApiFixture) {
  HttpResponse response = Post(kPath + "/5/ack", R"({"actor":"alice"})");
  BOOST_TEST(response.status == 404);
  BOOST_TEST(BodyOf(response).GetString("error") == "no open incident has the id 5");
  BOOST_TEST(Post(kPath + "/x/ack", R"({"actor":"alice"})").status == 400);
  IncidentId id = Fire(Labels({{"alertname", "X"}}));
  Resolve(Labels({{"alertname", "X"}}));
  response = Post(kPath + "/" + std::to_string(id) + "/ack", R"({"actor":"alice"})");
  BOOST_TEST(response.status == 409);
  BOOST_TEST(
      Post(kPath + "/" + std::to_string(id) + "/unack", R"({"actor":"alice","expires_in":"1h"})").status ==
      400);
  BOOST_TEST(Post(kPath + "/" + std::to_string(id) + "/unack", R"({"actor":"alice"})").status == 409);
}

BOOST_FIXTURE_TEST_CASE(says_so_when_it_is_not_safe_on_disk, ApiFixture) {
  IncidentId id = Fire(Labels({{"alertname", "X"}}));
  journal.SetState(JournalState::kDegraded, "disk is full");
  HttpResponse response = Post(kPath + "/" + std::to_string(id) + "/ack", R"({"actor":"alice"})");
  BOOST_TEST(response.status == 503);
  BOOST_TEST(BodyOf(response).GetString("error") == "done, but not yet safe on disk: journal: disk is full");
  // It counts all the same: nobody is paged for what somebody has taken.
  BOOST_TEST(BodyOf(Get(kPath + "/" + std::to_string(id))).GetString("state") == "acknowledged");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mlalert
