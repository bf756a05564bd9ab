#include <algorithm>

#include "api/api_fixture.h"
#include "base/hash.h"

namespace mlalert {
namespace {

using testing::ApiFixture;
using testing::BodyOf;
using testing::Labels;
using namespace std::chrono_literals;

constexpr const char* kOneAlert =
    R"([{"labels":{"alertname":"Drift","severity":"P2"},"annotations":{"summary":"x<1"},)"
    R"("startsAt":"2026-01-01T01:00:00.123456789+02:00","endsAt":"2026-01-01T00:05:00Z",)"
    R"("generatorURL":"http://p/g?a=1&b=2"}])";

}  // namespace

BOOST_AUTO_TEST_SUITE(post_alerts_v2)

BOOST_FIXTURE_TEST_CASE(takes_alerts_and_says_nothing, ApiFixture) {
  HttpResponse response = Post("/api/v2/alerts", kOneAlert);
  BOOST_TEST(response.status == 200);
  BOOST_TEST(response.body.empty());
  BOOST_TEST(response.content_type.empty());
  BOOST_TEST(response.Header("Cache-Control") == "no-store");
  BOOST_TEST(response.Header("Vary") == "Origin");
  BOOST_TEST(BodyOf(Get("/api/v2/alerts")).AsArray().size() == 1u);
}

BOOST_FIXTURE_TEST_CASE(errors_have_the_shapes_clients_know, ApiFixture) {
  struct {
    const char* body;
    int status;
    const char* want;
  } const cases[] = {
      {"", 422, R"({"code":602,"message":"alerts in body is required"})"},
      {"null", 200, ""},
      {"[]", 200, ""},
      {"[", 400, R"({"code":400,"message":"parsing alerts body from \"\" failed, because unexpected EOF"})"},
      {"{}", 400,
       R"({"code":400,"message":"parsing alerts body from \"\" failed, because json: cannot unmarshal object into Go value of type models.PostableAlerts"})"},
      {"[{}]", 422, R"({"code":602,"message":"0.labels in body is required"})"},
      {R"([{"labels":{"a":"b"},"generatorURL":"foo"}])", 422,
       R"({"code":601,"message":"0.generatorURL in body must be of type uri: \"foo\""})"},
      {R"([{"labels":{}}])", 400, "\"at least one label pair required\"\n"},
      {R"([{"labels":{"":"x"}}])", 400, "\"invalid label set: invalid name \\\"\\\"\"\n"},
  };
  for (const auto& c : cases) {
    BOOST_TEST_CONTEXT(c.body) {
      HttpResponse response = Post("/api/v2/alerts", c.body);
      BOOST_TEST(response.status == c.status);
      BOOST_TEST(response.body == c.want);
      BOOST_TEST(response.content_type == (response.body.empty() ? "" : "application/json"));
    }
  }
}

BOOST_FIXTURE_TEST_CASE(the_valid_alerts_of_a_bad_batch_count, ApiFixture) {
  HttpResponse response =
      Post("/api/v2/alerts",
           R"([{"labels":{}},{"labels":{"alertname":"Good"}},)"
           R"({"labels":{"a":"b"},"startsAt":"2026-01-02T00:00:00Z","endsAt":"2026-01-01T00:00:00Z"}])");
  BOOST_TEST(response.status == 400);
  BOOST_TEST(response.body == "\"at least one label pair required\\nstart time must be before end time\"\n");
  Json alerts = BodyOf(Get("/api/v2/alerts"));
  BOOST_REQUIRE(alerts.AsArray().size() == 1u);
  BOOST_TEST(alerts.AsArray()[0].Find("labels")->GetString("alertname") == "Good");
}

BOOST_FIXTURE_TEST_CASE(content_type_must_be_json_or_absent, ApiFixture) {
  struct {
    ApiFixture::Headers headers;
    int status;
  } const cases[] = {
      {{{"X", "y"}}, 200},
      {{{"Content-Type", "application/json"}}, 200},
      {{{"content-type", "Application/JSON; charset=utf-8"}}, 200},
      {{{"Content-Type", "text/plain"}}, 415},
      {{{"Content-Type", "application/jsonx"}}, 415},
      {{{"Content-Type", ";;"}}, 400},
      {{{"Content-Type", ""}}, 400},
  };
  for (const auto& c : cases) {
    BOOST_TEST_CONTEXT(c.headers[0].second) {
      HttpResponse response = Post("/api/v2/alerts", "[]", c.headers);
      BOOST_TEST(response.status == c.status);
      if (c.status == 415) {
        BOOST_TEST(response.body == R"({"code":415,"message":"unsupported media type \")" +
                                        c.headers[0].second + R"(\", only [application/json] are allowed"})");
      }
    }
  }
}

BOOST_FIXTURE_TEST_CASE(an_alert_without_end_lives_for_resolve_timeout, ApiFixture) {
  Post("/api/v2/alerts", R"([{"labels":{"alertname":"A"}}])");
  Json alert = BodyOf(Get("/api/v2/alerts")).AsArray().at(0);
  BOOST_TEST(alert.GetString("startsAt") == "2026-01-01T00:00:00.000Z");
  BOOST_TEST(alert.GetString("endsAt") == "2026-01-01T00:05:00.000Z");
  Advance(5min);
  BOOST_TEST(Get("/api/v2/alerts").body == "[]\n");
}

BOOST_FIXTURE_TEST_CASE(a_refresh_writes_nothing, ApiFixture) {
  Post("/api/v2/alerts", kOneAlert);
  size_t records = journal.records().size();
  for (int i = 0; i < 10; ++i) {
    clock.now += 10s;
    BOOST_TEST(Post("/api/v2/alerts", kOneAlert).status == 200);
  }
  BOOST_TEST(journal.records().size() == records);
}

BOOST_FIXTURE_TEST_CASE(answers_while_the_journal_cannot_write, ApiFixture) {
  journal.SetState(JournalState::kDegraded);
  BOOST_TEST(Post("/api/v2/alerts", kOneAlert).status == 200);
  journal.SetState(JournalState::kOverflow);
  BOOST_TEST(Post("/api/v2/alerts", R"([{"labels":{"alertname":"B"}}])").status == 200);
  BOOST_TEST(BodyOf(Get("/api/v2/alerts")).AsArray().size() == 2u);
}

BOOST_FIXTURE_TEST_CASE(counts_what_came_in, ApiFixture) {
  Post("/api/v2/alerts",
       R"([{"labels":{"a":"1"}},{"labels":{"a":"2"},"endsAt":"2025-12-31T00:00:00Z"},{"labels":{}}])");
  Post("/api/v2/alerts", "{");
  Post("/api/v2/alerts", "[]", {{"Content-Type", "text/xml"}});
  BOOST_TEST(Metric(R"(mlalert_alerts_received_total{source="api",status="firing"})") == "2");
  BOOST_TEST(Metric(R"(mlalert_alerts_received_total{source="api",status="resolved"})") == "1");
  BOOST_TEST(Metric(R"(alertmanager_alerts_received_total{status="firing",version="v2"})") == "2");
  BOOST_TEST(Metric(R"(alertmanager_alerts_received_total{status="resolved",version="v2"})") == "1");
  BOOST_TEST(Metric(R"(alertmanager_alerts_invalid_total{version="v2"})") == "1");
  BOOST_TEST(Metric(R"(mlalert_ingest_refused_total{reason="alert",source="api"})") == "1");
  BOOST_TEST(Metric(R"(mlalert_ingest_refused_total{reason="body",source="api"})") == "1");
  BOOST_TEST(Metric(R"(mlalert_ingest_refused_total{reason="media_type",source="api"})") == "1");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(get_alerts_v2)

BOOST_FIXTURE_TEST_CASE(shows_an_alert_as_it_was_received, ApiFixture) {
  Post("/api/v2/alerts", kOneAlert);
  HttpResponse response = Get("/api/v2/alerts");
  BOOST_TEST(response.status == 200);
  BOOST_TEST(response.content_type == "application/json");
  BOOST_TEST(response.body ==
             R"([{"annotations":{"summary":"x\u003c1"},"endsAt":"2026-01-01T00:05:00.000Z",)"
             R"("fingerprint":")" +
                 Hex16(Labels({{"alertname", "Drift"}, {"severity", "P2"}}).fingerprint()) +
                 R"(","receivers":[{"name":"team"}],"startsAt":"2026-01-01T01:00:00.123+02:00",)"
                 R"("status":{"inhibitedBy":[],"mutedBy":[],"silencedBy":[],"state":"active"},)"
                 R"("updatedAt":"2026-01-01T00:00:00.000Z","generatorURL":"http://p/g?a=1\u0026b=2",)"
                 R"("labels":{"alertname":"Drift","severity":"P2"}}])"
                 "\n");
}

BOOST_FIXTURE_TEST_CASE(leaves_out_an_empty_generator_and_escapes_everything, ApiFixture) {
  Fire(Labels({{"alertname", "</script>\"\\\n\x01"}}), Labels({{"k\"", "\xE2\x80\xA8"}}));
  HttpResponse response = Get("/api/v2/alerts");
  BOOST_TEST(response.body.find("generatorURL") == std::string::npos);
  BOOST_TEST(response.body.find('<') == std::string::npos);
  BOOST_TEST(response.body.find("\\u2028") != std::string::npos);
  Json alert = BodyOf(response).AsArray().at(0);
  BOOST_TEST(alert.Find("labels")->GetString("alertname") == "</script>\"\\\n\x01");
}

BOOST_FIXTURE_TEST_CASE(is_sorted_by_fingerprint, ApiFixture) {
  for (int i = 0; i < 50; ++i) {
    Fire(Labels({{"alertname", "A"}, {"n", std::to_string(i)}}));
  }
  Json alerts = BodyOf(Get("/api/v2/alerts"));
  BOOST_REQUIRE(alerts.AsArray().size() == 50u);
  for (size_t i = 1; i < 50; ++i) {
    BOOST_TEST(alerts.AsArray()[i - 1].GetString("fingerprint") <
               alerts.AsArray()[i].GetString("fingerprint"));
  }
}

BOOST_FIXTURE_TEST_CASE(filters, ApiFixture) {
  Fire(Labels({{"alertname", "A"}, {"severity", "P0"}, {"model", "m1"}}));
  Fire(Labels({{"alertname", "B"}, {"severity", "P2"}}));
  struct {
    const char* query;
    const char* names;
  } const cases[] = {
      {"", "AB"},
      {"?filter=alertname%3D%22A%22", "A"},
      {"?filter=alertname%3DA&filter=severity%3DP2", ""},
      {"?filter=alertname%3D~%22A%7CB%22", "AB"},
      {"?filter=alertname%3D~%22A%22&filter=model!%3Dm2", "A"},
      {"?filter=model%3D%22%22", "B"},
      {"?filter=model!%3D%22%22", "A"},
      {"?filter=model!~%22%22", "A"},
      {"?active=false", ""},
      {"?active=FALSE", ""},
      {"?active=foo", ""},
      {"?active=yes", "AB"},
      {"?active=", "AB"},
      {"?silenced=false&inhibited=false&unprocessed=false", "AB"},
      {"?receiver=", "AB"},
      {"?receiver=team", "AB"},
      {"?receiver=pag.*", "A"},
      {"?receiver=pag", ""},
      {"?receiver_matchers=owner%3Dml", "AB"},
      {"?receiver_matchers=name%3Dpager", "A"},
      {"?receiver_matchers=owner%3D%22%22", "A"},
      {"?receiver_matchers=name%3Dpager&receiver_matchers=owner%3Dml", ""},
      {"?unknown=1", "AB"},
  };
  for (const auto& c : cases) {
    BOOST_TEST_CONTEXT(c.query) {
      std::string names;
      Json alerts = BodyOf(Get("/api/v2/alerts" + std::string(c.query)));
      for (const Json& alert : alerts.AsArray()) {
        names += alert.Find("labels")->GetString("alertname");
      }
      std::sort(names.begin(), names.end());
      BOOST_TEST(names == c.names);
    }
  }
}

BOOST_FIXTURE_TEST_CASE(lists_receivers_in_the_order_of_routing, ApiFixture) {
  Fire(Labels({{"alertname", "A"}, {"severity", "P0"}}));
  BOOST_TEST(Get("/api/v2/alerts").body.find(R"("receivers":[{"name":"pager"},{"name":"team"}])") !=
             std::string::npos);
}

BOOST_FIXTURE_TEST_CASE(refuses_bad_questions, ApiFixture) {
  struct {
    const char* query;
    const char* body;
  } const cases[] = {
      {"?filter=foo", "\"bad matcher format: foo\"\n"},
      {"?filter=", "\"bad matcher format: \"\n"},
      {"?receiver=(",
       "\"failed to parse receiver param: error parsing regexp: missing closing ): `^(?:()$`\"\n"},
      {"?receiver_matchers=bad", "\"failed to parse receiver_matchers param: bad matcher format: bad\"\n"},
  };
  for (const auto& c : cases) {
    BOOST_TEST_CONTEXT(c.query) {
      HttpResponse response = Get("/api/v2/alerts" + std::string(c.query));
      BOOST_TEST(response.status == 400);
      BOOST_TEST(response.body == c.body);
    }
  }
  std::string many = "/api/v2/alerts?filter=a%3Db";
  for (int i = 0; i < 200; ++i) {
    many += "&filter=a%3Db";
  }
  BOOST_TEST(Get(many).status == 400);
}

BOOST_FIXTURE_TEST_CASE(speaks_json_only, ApiFixture) {
  struct {
    const char* accept;
    int status;
  } const cases[] = {
      {"application/json", 200},
      {"*/*", 200},
      {"application/*", 200},
      {"text/html", 406},
      {"text/html,*/*;q=0.1", 200},
      {"application/json;q=0", 406},
      {"text/plain;q=0.5, APPLICATION/JSON;q=0.2", 200},
  };
  for (const auto& c : cases) {
    BOOST_TEST_CONTEXT(c.accept) {
      HttpResponse response = Get("/api/v2/alerts", {{"Accept", c.accept}});
      BOOST_TEST(response.status == c.status);
      if (c.status == 406) {
        BOOST_TEST(
            response.body ==
            R"({"code":406,"message":"unsupported media type requested, only [application/json] are available"})");
      }
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mlalert
