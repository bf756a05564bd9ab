#include <thread>

#include "notify/fixture.h"

namespace mlalert::testing {

BOOST_AUTO_TEST_SUITE(retype_as_json)

BOOST_AUTO_TEST_CASE(table) {
  struct Case {
    const char* text;
    const char* want;
  };
  for (const Case& c : std::vector<Case>{{"over", "\"over\""},
                                         {"bar firing", "\"bar firing\""},
                                         {"0", "0"},
                                         {"-12", "-12"},
                                         {"1.5", "1.5"},
                                         {"yes", "true"},
                                         {"off", "false"},
                                         {"null", "null"},
                                         {"~", "null"},
                                         {"", "null"},
                                         {"a: b", R"({"a":"b"})"},
                                         {"{\"b\": 1, \"a\": [true, null]}", R"({"a":[true,null],"b":1})"},
                                         {"[1, yes, 'x']", R"([1,true,"x"])"},
                                         {"[]", "[]"},
                                         {"- 1\n- a", R"([1,"a"])"},
                                         {"\"quoted\"", "\"\\\"quoted\\\"\""},
                                         {"2026-01-02", "\"2026-01-02\""},
                                         {"[1234567890123456789]", "[1234567890123456789]"},
                                         {"1234567890123456789", "1234567890123456789"},
                                         {"{1: a, n: b, \"y\": c, no_: d}", R"({"no_":"d","y":"c"})"},
                                         {"# only a comment", "null"},
                                         {"[unclosed", "\"[unclosed\""},
                                         {"{{", "\"{{\""},
                                         {"a: b: c", "\"a: b: c\""},
                                         {"<b>", "\"\\u003cb\\u003e\""},
                                         {"\xff", "\"\\ufffd\""},
                                         {"v1.2.3", "\"v1.2.3\""}}) {
    BOOST_TEST_CONTEXT(c.text) {
      BOOST_TEST(RetypeAsJson(c.text) == c.want);
    }
  }
}

BOOST_AUTO_TEST_CASE(bombs_and_giants_stay_text) {
  std::string deep(100000, '[');
  BOOST_TEST(RetypeAsJson(deep) == "\"" + deep + "\"");
  std::string big = "a: " + std::string(200000, 'x');
  BOOST_TEST(RetypeAsJson(big) == "\"" + big + "\"");
  std::string bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n";
  for (char c = 'b'; c < 'k'; ++c) {
    bomb += std::string(1, c) + ": &" + c + " [";
    for (int i = 0; i < 9; ++i) {
      bomb += std::string(i > 0 ? "," : "") + "*" + static_cast<char>(c - 1);
    }
    bomb += "]\n";
  }
  BOOST_TEST(RetypeAsJson(bomb).size() < 10 * bomb.size());
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(payload_helpers)

BOOST_AUTO_TEST_CASE(truncate_runes) {
  BOOST_TEST(TruncateRunes("abc", 3) == "abc");
  BOOST_TEST(TruncateRunes("abcd", 3) == "abc");
  BOOST_TEST(TruncateRunes("abcde", 4) == "abc\xE2\x80\xA6");
  BOOST_TEST(TruncateRunes("\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9", 4) ==
             "\xC3\xA9\xC3\xA9\xC3\xA9\xE2\x80\xA6");
  BOOST_TEST(TruncateRunes("\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9", 4) == "\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9");
  BOOST_TEST(TruncateRunes("", 4) == "");
}

BOOST_AUTO_TEST_CASE(truncate_bytes_keeps_whole_characters) {
  BOOST_TEST(TruncateBytes("abcdef", 6) == "abcdef");
  BOOST_TEST(TruncateBytes("abcdefg", 6) == "abc\xE2\x80\xA6");
  BOOST_TEST(TruncateBytes("ab\xC3\xA9\xC3\xA9", 5) == "ab\xE2\x80\xA6");  // half a character would fit
  BOOST_TEST(TruncateBytes("\xF0\x9F\x94\xA5\xF0\x9F\x94\xA5", 7) == "\xF0\x9F\x94\xA5\xE2\x80\xA6");
  BOOST_TEST(TruncateBytes("abcd", 3) == "\xE2\x80\xA6");
  BOOST_TEST(TruncateBytes("", 3) == "");
}

BOOST_AUTO_TEST_CASE(escape_slack) {
  BOOST_TEST(EscapeSlack("a & <b> *c*") == "a &amp; &lt;b&gt; *c*");
}

BOOST_AUTO_TEST_CASE(scrub_takes_the_longest_first_and_ends) {
  BOOST_TEST(Scrub("x secret-long secret y", {"secret", "secret-long"}) == "x <secret> <secret> y");
  BOOST_TEST(Scrub("<secret>", {"secret"}) == "<<secret>>");
  BOOST_TEST(Scrub("abc", {"", "a", "abc"}) == "abc");
}

BOOST_AUTO_TEST_CASE(url_secrets_of_odd_urls) {
  for (const char* url :
       {"", "x", "http://", "http://h", "http://h/", "http://@", "http://u:@h?", "://a=b&==", "/=/"}) {
    std::vector<std::string> secrets;
    AddUrlSecrets(url, secrets);
    BOOST_TEST(secrets.at(0) == url);
  }
}

BOOST_AUTO_TEST_CASE(dedup_key_is_the_hash_of_the_group_key) {
  Notification n;
  n.group_key = R"({}:{alertname="HighCPU", cluster="eu"})";
  BOOST_TEST(GroupKeyHash(n) == "42ad5306caf6ed4f9f05333f2cdee9d665da6dad095d1cd79571b5b2274f39e2");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(notify_templates)

BOOST_AUTO_TEST_CASE(user_files_override_defaults) {
  FakeFiles files;
  files.texts["/t/a.tmpl"] = "{{ define \"slack.default.title\" }}mine {{ .Status }}{{ end }}";
  ConfigPtr config = ConfigWith("  slack_configs: [{api_url: 'http://x/', channel: c}]",
                                "templates: [/t/a.tmpl, /t/missing.tmpl]");
  Json body = BuildJson(MakeNotification(config, IntegrationKind::kSlack, {GoldenAlert(false)}), files);
  BOOST_TEST(body.Find("attachments")->AsArray()[0].GetString("title") == "mine firing");
}

BOOST_AUTO_TEST_CASE(a_broken_file_fails_the_load_by_name) {
  FakeFiles files;
  files.texts["/t/a.tmpl"] = "{{ define \"x\" }}{{ nope }}{{ end }}";
  ConfigPtr config = ConfigWith("  webhook_configs: [{url: 'http://x/'}]", "templates: [/t/a.tmpl]");
  auto loaded = NotifyTemplates::Load(config, files.Access());
  BOOST_REQUIRE(!loaded.has_value());
  BOOST_TEST(loaded.error().message ==
             "templates: /t/a.tmpl: template: a.tmpl:1: function \"nope\" not defined");
}

BOOST_AUTO_TEST_CASE(broken_texts_of_receivers_are_warnings_without_secrets) {
  ConfigPtr config = ConfigWith(
      "  slack_configs: [{api_url: 'http://x/', channel: c, title: '{{ nope }}', fields: [{title: a, value: "
      "'{{'}]}]\n"
      "  pagerduty_configs: [{routing_key: 'TOKEN{{ nope }}', details: {d: '{{ end }}'}}]");
  FakeFiles files;
  auto loaded = NotifyTemplates::Load(config, files.Access());
  BOOST_REQUIRE(loaded.has_value());
  std::vector<std::string> got;
  for (const Error& error : (*loaded)->warnings()) {
    got.push_back(error.message);
  }
  const std::string hidden = "the template is not valid (details hidden: the text is a secret)";
  const std::vector<std::string> want{
      "receiver all: pagerduty_configs[0].routing_key: " + hidden,
      "receiver all: pagerduty_configs[0].details.d: template: :1: unexpected {{end}}",
      "receiver all: slack_configs[0].title: template: :1: function \"nope\" not defined",
      "receiver all: slack_configs[0].fields[0].value: template: :1: unclosed action",
  };
  BOOST_TEST(got == want, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_template_that_never_ends_is_stopped) {
  ConfigPtr config = ConfigWith(
      "  slack_configs: [{api_url: 'http://x/', channel: c, text: '{{ define \"r\" }}{{ template \"r\" . "
      "}}{{ end }}"
      "{{ template \"r\" . }}'}]");
  std::string error = BuildError(MakeNotification(config, IntegrationKind::kSlack, {GoldenAlert(false)}));
  BOOST_TEST(error.find("exceeded maximum template depth") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(one_set_renders_on_several_threads) {
  ConfigPtr config = ConfigWith("  slack_configs: [{api_url: 'http://x/', channel: c}]");
  Notification n = MakeNotification(config, IntegrationKind::kSlack, {GoldenAlert(false)});
  FakeFiles files;
  FileAccess access = files.Access();
  auto templates = NotifyTemplates::Load(config, access);
  BOOST_REQUIRE(templates.has_value());
  std::vector<std::string> bodies(4);
  std::vector<std::thread> threads;
  for (std::string& body : bodies) {
    threads.emplace_back([&] {
      for (int i = 0; i < 50; ++i) {
        auto prepared = BuildPayload(n, {.templates = **templates,
                                         .files = access,
                                         .external_url = "http://am.example.org",
                                         .incident_url_prefix = "",
                                         .user_agent = "x",
                                         .now = n.flushed_at});
        body = prepared ? prepared->call.body : prepared.error().message;
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  for (const std::string& body : bodies) {
    BOOST_TEST(body == bodies.front());
  }
  BOOST_TEST(bodies.front().find("[FIRING:1]") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mlalert::testing
