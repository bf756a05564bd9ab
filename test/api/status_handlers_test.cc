// Status, receivers, management, and what is not there.
#include "api/api_fixture.h"

namespace mlalert {

using testing::ApiFixture;
using testing::BodyOf;

BOOST_AUTO_TEST_SUITE(status_v2)

BOOST_FIXTURE_TEST_CASE(status_has_every_required_key, ApiFixture) {
  context.config_yaml = [] { return std::string("route: {receiver: <secret>}\n"); };
  HttpResponse response = Get("/api/v2/status");
  BOOST_TEST(response.status == 200);
  Json status = BodyOf(response);
  BOOST_TEST(status.Find("cluster")->Dump() ==
             R"({"name":"me","peers":[{"address":"127.0.0.1:9094","name":"me"}],"status":"ready"})");
  BOOST_TEST(status.Find("config")->GetString("original") == "route: {receiver: <secret>}\n");
  BOOST_TEST(status.GetString("uptime") == "2026-01-01T00:00:00.000Z");
  for (const char* key : {"version", "revision", "branch", "buildUser", "buildDate", "goVersion"}) {
    BOOST_TEST_CONTEXT(key) {
      BOOST_REQUIRE(status.Find("versionInfo")->Find(key) != nullptr);
      BOOST_TEST(status.Find("versionInfo")->Find(key)->is_string());
    }
  }
  BOOST_TEST(Get("/api/v2/status", {{"Accept", "text/html"}}).status == 406);
}

BOOST_FIXTURE_TEST_CASE(the_shown_configuration_loads_again_and_holds_no_secret, ApiFixture) {
  config = testing::LoadApiConfig(R"(
route:
  receiver: "a\"b"
  group_by: ['...']
  routes:
  - matchers: ['a="x\ny"', b=~"c|d", e!=""]
    receiver: other
    mute_time_intervals: [night]
    continue: true
    group_wait: 10s
    routes: [{receiver: other, group_by: [a, b]}]
receivers:
- name: "a\"b"
  webhook_configs: [{url: 'http://user:hunter2@127.0.0.1/'}]
- name: other
inhibit_rules:
- {source_matchers: [a=b], target_matchers: [c=d], equal: [e]}
- {source_matchers: [a=b], target_matchers: [c=d]}
time_intervals:
- {name: night, time_intervals: [{times: [{start_time: "00:00", end_time: "06:00"}]}]}
)");
  gate.Enter([&](Engine& engine, Timestamp now, Effects& fx) { engine.SetConfig(config, now, fx); });
  std::string yaml = BodyOf(Get("/api/v2/status")).Find("config")->GetString("original");
  BOOST_TEST(yaml.find("hunter2") == std::string::npos);
  ConfigPtr again = testing::LoadApiConfig(yaml);
  BOOST_REQUIRE(again->route.routes.size() == 1u);
  const Route& child = again->route.routes[0];
  BOOST_TEST(again->route.receiver == "a\"b");
  BOOST_TEST(again->route.group_by_all);
  BOOST_TEST(ToString(child.matchers) == ToString(config->route.routes[0].matchers));
  BOOST_TEST(child.continue_matching);
  BOOST_TEST(child.mute_time_intervals.size() == 1u);
  BOOST_TEST((child.group_wait == std::chrono::seconds(10)));
  BOOST_TEST(child.routes.at(0).group_by.size() == 2u);
  BOOST_TEST(again->inhibit_rules.size() == 2u);
  BOOST_TEST(again->receivers.size() == 2u);
}

BOOST_FIXTURE_TEST_CASE(receivers_come_in_the_order_of_the_file_without_secrets, ApiFixture) {
  HttpResponse response = Get("/api/v2/receivers");
  BOOST_TEST(response.body ==
             R"([{"labels":{"name":"team","owner":"ml"},"name":"team"},)"
             R"({"labels":{"name":"pager"},"name":"pager"},{"labels":{"name":"unused"},"name":"unused"}])"
             "\n");
  BOOST_TEST(Get("/api/v2/receivers?receiver_matchers=owner%3Dml").body ==
             "[{\"labels\":{\"name\":\"team\",\"owner\":\"ml\"},\"name\":\"team\"}]\n");
  BOOST_TEST(Get("/api/v2/receivers?receiver_matchers=bad").body ==
             "\"failed to parse receiver_matchers param: bad matcher format: bad\"\n");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(unrouted)

BOOST_FIXTURE_TEST_CASE(unknown_paths_and_methods_answer_in_the_shape_of_their_api, ApiFixture) {
  struct {
    const char* method;
    const char* path;
    int status;
    const char* body;
  } const cases[] = {
      {"GET", "/api/v2/foo", 404, R"({"code":404,"message":"path /api/v2/foo was not found"})"},
      {"GET", "/api/v2/", 404, R"({"code":404,"message":"path /api/v2/ was not found"})"},
      {"PUT", "/api/v2/alerts", 405,
       R"({"code":405,"message":"method PUT is not allowed, but [POST,GET] are"})"},
      {"HEAD", "/api/v2/status", 405,
       R"({"code":405,"message":"method HEAD is not allowed, but [GET] are"})"},
      {"OPTIONS", "/api/v2/status", 405,
       R"({"code":405,"message":"method OPTIONS is not allowed, but [GET] are"})"},
      {"GET", "/api/v1/foo", 404, "404 page not found\n"},
      {"GET", "/foo", 404, "404 page not found\n"},
      {"GET", "/-/reload", 405, "Method Not Allowed\n"},
      {"GET", "/api/mlalert/v1/foo", 404, "{\"error\":\"no such path\"}\n"},
      {"DELETE", "/api/mlalert/v1/incidents", 405,
       "{\"error\":\"this path does not take that method\",\"hint\":\"allowed: GET, HEAD\"}\n"},
  };
  for (const auto& c : cases) {
    BOOST_TEST_CONTEXT(c.method << " " << c.path) {
      HttpResponse response = Call(c.method, c.path);
      BOOST_TEST(response.status == c.status);
      BOOST_TEST(response.body == c.body);
    }
  }
  HttpResponse moved = Get("/api/v2");
  BOOST_TEST(moved.status == 301);
  BOOST_TEST(moved.Header("Location") == "/api/v2/");
  BOOST_TEST(moved.body == "<a href=\"/api/v2/\">Moved Permanently</a>.\n\n");
  context.route_prefix = "/am";
  BOOST_TEST(Call("POST", "/api/v2").Header("Location") == "/am/api/v2/");
  BOOST_TEST(Call("POST", "/api/v2").body == "");
}

BOOST_FIXTURE_TEST_CASE(hostile_paths_are_escaped, ApiFixture) {
  BOOST_TEST(Get("/api/v2/%3Cb%3E%22").body ==
             R"({"code":404,"message":"path /api/v2/%3Cb%3E%22 was not found"})");
  BOOST_TEST(Get("/api/v2/<b>").body ==
             R"({"code":404,"message":"path /api/v2/\u003cb\u003e was not found"})");
  BOOST_TEST(Get("/api/v2/%ff").body == R"({"code":404,"message":"path /api/v2/%ff was not found"})");
}

BOOST_FIXTURE_TEST_CASE(browsers_may_read_and_post_v2_from_elsewhere, ApiFixture) {
  HttpResponse response = Get("/api/v2/alerts", {{"Origin", "http://ui"}});
  BOOST_TEST(response.Header("Access-Control-Allow-Origin") == "*");
  BOOST_TEST(Get("/api/v2/alerts").Header("Access-Control-Allow-Origin") == "");
  BOOST_TEST(
      Get("/api/mlalert/v1/incidents", {{"Origin", "http://ui"}}).Header("Access-Control-Allow-Origin") ==
      "");
  struct {
    const char* wanted;
    const char* allowed;
  } const cases[] = {{"GET", "GET"}, {"POST", "POST"}, {"HEAD", "HEAD"}, {"DELETE", ""}, {"PUT", ""}};
  for (const auto& c : cases) {
    HttpResponse preflight = Call("OPTIONS", "/api/v2/alerts", "",
                                  {{"Origin", "http://ui"}, {"Access-Control-Request-Method", c.wanted}});
    BOOST_TEST(preflight.status == 204);
    BOOST_TEST(preflight.Header("Access-Control-Allow-Methods") == c.allowed);
    BOOST_TEST((preflight.Header("Access-Control-Allow-Origin") == "*") == (*c.allowed != '\0'));
  }
}

BOOST_FIXTURE_TEST_CASE(the_removed_api_v1_says_so, ApiFixture) {
  struct {
    const char* method;
    const char* path;
  } const cases[] = {{"GET", "/api/v1/status"},      {"GET", "/api/v1/receivers"},
                     {"GET", "/api/v1/silences"},    {"GET", "/api/v1/silence/7"},
                     {"POST", "/api/v1/alerts"},     {"POST", "/api/v1/silences"},
                     {"DELETE", "/api/v1/silence/7"}};
  for (const auto& c : cases) {
    BOOST_TEST_CONTEXT(c.method << " " << c.path) {
      HttpResponse response = Call(c.method, c.path);
      BOOST_TEST(response.status == 410);
      BOOST_TEST(BodyOf(response).GetString("status") == "deprecated");
      BOOST_TEST(BodyOf(response).GetString("error").find("use the equivalent route in the v2 API") !=
                 std::string::npos);
    }
  }
  BOOST_TEST(Get("/api/v1/alerts").status == 200);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(management)

BOOST_FIXTURE_TEST_CASE(health_and_readiness, ApiFixture) {
  for (const char* path : {"/-/healthy", "/-/ready"}) {
    for (const char* method : {"GET", "HEAD"}) {
      HttpResponse response = Call(method, path);
      BOOST_TEST(response.status == 200);
      // As upstream, which writes nothing at all for HEAD.
      BOOST_TEST(response.body == (method == std::string_view("HEAD") ? "" : "OK"));
      BOOST_TEST(response.content_type ==
                 (method == std::string_view("HEAD") ? "" : "text/plain; charset=utf-8"));
    }
  }
  context.ready = [] { return Status(Fail(ErrorCode::kUnavailable, "restoring 12 alerts")); };
  HttpResponse response = Get("/-/ready");
  BOOST_TEST(response.status == 503);
  BOOST_TEST(response.body == "not ready: restoring 12 alerts\n");
  BOOST_TEST(Get("/-/healthy").status == 200);
  BOOST_TEST(Get("/metrics").status == 200);
  HttpResponse post = Post("/api/v2/alerts", R"([{"labels":{"alertname":"A"}}])");
  BOOST_TEST(post.status == 503);
  BOOST_TEST(post.body == "\"not ready: restoring 12 alerts\"\n");
  BOOST_TEST(Post("/api/mlalert/v1/incidents/1/ack", "{}").status == 503);
  BOOST_TEST(Get("/api/v1/rules").status == 503);
  // A start takes milliseconds: who comes a little early is answered a little late.
  int asked = 0;
  context.ready = [&asked] {
    return ++asked > 3 ? Status() : Status(Fail(ErrorCode::kUnavailable, "restoring 12 alerts"));
  };
  BOOST_TEST(Get("/api/v2/alerts").body == "[]\n");
}

BOOST_FIXTURE_TEST_CASE(reload, ApiFixture) {
  HttpResponse response = Post("/-/reload", "");
  BOOST_TEST(response.status == 500);
  int calls = 0;
  context.reload = [&] {
    ++calls;
    return Status();
  };
  response = Post("/-/reload", "");
  BOOST_TEST(response.status == 200);
  BOOST_TEST(response.body == "");
  BOOST_TEST(calls == 1);
  context.reload = [] { return Status(Fail(ErrorCode::kInvalid, "no route provided in config")); };
  response = Post("/-/reload", "");
  BOOST_TEST(response.status == 500);
  BOOST_TEST(response.body == "failed to reload config: no route provided in config\n");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mlalert
