#include "net/url.h"
#include "notify/chat_cases.h"

namespace mlalert::testing {
namespace {

constexpr auto kKind = IntegrationKind::kPushover;

Receiver Pushover() {
  Receiver r;
  PushoverConfig& c = r.pushover_configs.emplace_back();
  c.user_key = Secret("USERkey");
  c.token = Secret("APP token");
  c.title = R"({{ template "pushover.default.title" . }})";
  c.message = kTheText;
  c.url = R"({{ template "pushover.default.url" . }})";
  c.priority = R"({{ if eq .Status "firing" }}2{{ else }}0{{ end }})";
  return r;
}

std::string Query(const Notification& n) {
  std::string url = Must(Build(n)).call.url;
  BOOST_TEST(url.starts_with("https://api.pushover.net/1/messages.json?"));
  return url.substr(url.find('?') + 1);
}

std::string Field(const Notification& n, const std::string& key) {
  std::string query = "&" + Query(n) + "&";
  size_t at = query.find("&" + key + "=");
  if (at == std::string::npos) {
    return "(none)";
  }
  at += key.size() + 2;
  return query.substr(at, query.find('&', at) - at);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(pushover)

BOOST_AUTO_TEST_CASE(a_form_in_the_query_and_no_body) {
  Notification n = FiringWith(Pushover(), kKind, "  x<1 & more\n");
  PreparedCall prepared = Must(Build(n));
  BOOST_TEST(prepared.call.method == "POST");
  BOOST_TEST(prepared.call.body.empty());
  BOOST_TEST(prepared.call.headers.at(0).second == "text/plain");
  BOOST_TEST(
      Query(n) ==
      "device=&expire=3600&message=x%3C1+%26+more&priority=2&retry=60&sound=&title=%5BFIRING%3A1%5D+A+eu+"
      "&token=APP+token&url=http%3A%2F%2Fam.example.org%2F%23%2Falerts%3Freceiver%3Dall&url_title=&user="
      "USERkey");
}

BOOST_AUTO_TEST_CASE(switches_and_times) {
  Receiver r = Pushover();
  PushoverConfig& c = r.pushover_configs[0];
  c.monospace = true;
  c.retry = std::chrono::milliseconds(90500);
  c.expire = std::chrono::hours(2);
  c.ttl = std::chrono::minutes(1);
  c.device = "{{ .Status }}";
  Notification n = FiringWith(r, kKind, "x");
  BOOST_TEST(Field(n, "monospace") == "1");
  BOOST_TEST(Field(n, "html") == "(none)");
  BOOST_TEST(Field(n, "retry") == "90");
  BOOST_TEST(Field(n, "expire") == "7200");
  BOOST_TEST(Field(n, "ttl") == "60");
  BOOST_TEST(Field(n, "device") == "firing");
  r.pushover_configs[0].ttl = std::chrono::milliseconds(999);
  BOOST_TEST(Field(FiringWith(r, kKind, "x"), "ttl") == "(none)");
  Notification resolved = MakeNotification(ConfigOf(Pushover()), kKind, {GoldenAlert(true)});
  BOOST_TEST(Field(resolved, "priority") == "0");
}

BOOST_AUTO_TEST_CASE(html_is_escaped_where_it_is_html) {
  Receiver r = Pushover();
  BOOST_TEST(Field(FiringWith(r, kKind, "a<b"), "message") == QueryEscape("a<b"));
  r.pushover_configs[0].html = true;
  BOOST_TEST(Field(FiringWith(r, kKind, "a<b"), "message") == QueryEscape("a&lt;b"));
  BOOST_TEST(Field(FiringWith(r, kKind, "a<b"), "html") == "1");
}

BOOST_AUTO_TEST_CASE(limits_and_empty_messages) {
  Receiver r = Pushover();
  r.pushover_configs[0].title = r.pushover_configs[0].url = kTheText;
  Notification n = FiringWith(r, kKind, Repeated(kFire, 2000));
  BOOST_TEST(Field(n, "title") == QueryEscape(Repeated(kFire, 249) + kDots));
  BOOST_TEST(Field(n, "message") == QueryEscape(Repeated(kFire, 1023) + kDots));
  BOOST_TEST(Field(n, "url") == QueryEscape(Repeated(kFire, 511) + kDots));
  for (const char* empty : {"", " \n\t "}) {
    BOOST_TEST(Field(FiringWith(r, kKind, empty), "message") == "%28no+details%29");
  }
}

BOOST_AUTO_TEST_CASE(an_acknowledgement_is_no_emergency) {
  Notification n = AcknowledgedOf(Pushover(), kKind, "Ann", "on it");
  BOOST_TEST(Field(n, "priority") == "0");
  BOOST_TEST(Field(n, "title") == QueryEscape("[ACKNOWLEDGED] A eu (critical)"));
  BOOST_TEST(Field(n, "message") == QueryEscape("Acknowledged by Ann: on it"));
}

BOOST_AUTO_TEST_CASE(keys_are_templates_from_files_and_stay_out_of_errors) {
  Receiver r = Pushover();
  PushoverConfig& c = r.pushover_configs[0];
  c.token = Secret();
  c.token_file = "/keys/token";
  Notification n = FiringWith(r, kKind, "x");
  FakeFiles files;
  files.texts["/keys/token"] = "S3CRET/{{ .Status }}\n";
  PreparedCall prepared = Must(Build(n, files));
  BOOST_TEST(prepared.call.url.find("token=S3CRET%2Ffiring&") != std::string::npos);
  std::string error =
      JudgeAnswer(n, prepared, Answer(400, "token=S3CRET%2Ffiring, S3CRET/firing, user=USERkey"))
          .outcome.error;
  BOOST_TEST(error == "unexpected status code 400: token=<secret>, <secret>, user=<secret>");
  files.texts["/keys/token"] = "S3CRET{{ .Nope }}";
  BOOST_TEST(BuildError(n, files) == "the template in token fails (details hidden: the text is a secret)");
  BOOST_TEST(BuildError(n) == "read token_file: /keys/token: no such file");
}

BOOST_AUTO_TEST_CASE(verdicts) {
  CheckStatusVerdicts(FiringWith(Pushover(), kKind, "x"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mlalert::testing
