#include "notify/fixture.h"

namespace mlalert::testing {
namespace {

// `tree` as a webhook's payload, for the golden alert.
Result<PreparedCall> BuildTree(const std::string& tree, NotifiedAlert alert = GoldenAlert(false)) {
  Receiver receiver;
  WebhookConfig& c = receiver.webhook_configs.emplace_back();
  c.url = Secret("http://x/");
  c.payload = Must(ParseJson(tree));
  return Build(
      MakeNotification(ConfigOf(std::move(receiver)), IntegrationKind::kWebhook, {std::move(alert)}));
}

std::string Rendered(const std::string& tree, NotifiedAlert alert = GoldenAlert(false)) {
  return Must(BuildTree(tree, std::move(alert))).call.body;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(render_tree)

BOOST_AUTO_TEST_CASE(equals_upstream_byte_for_byte) {
  for (bool resolved : {false, true}) {
    BOOST_TEST(
        Rendered(
            R"({"status": "{{ .Status }}", "k{{ .Status }}": [1, true, "{{ .CommonLabels.cluster }}", "yes",
                     "1.5", "null", "{\"a\": 1}", "a: b", "{{ .Alerts | toJson }}"]})",
            GoldenAlert(resolved)) == GoldenBody("POST /whcustom", resolved));
  }
}

BOOST_AUTO_TEST_CASE(values_take_the_type_that_their_text_means) {
  struct Case {
    const char* tree;
    const char* want;
  };
  for (const Case& c : std::vector<Case>{
           {R"({"b": 1, "a": {"d": [], "c": {}}})", R"({"a":{"c":{},"d":[]},"b":1})"},
           {R"(["{{ .Status }}", 2.5, null, false])", R"(["firing",2.5,null,false])"},
           {R"("{{ len .Alerts }}")", "1"},
           {R"({"x": ""})", R"({"x":null})"},
           {R"({"x": "{{ .CommonLabels.nope }}"})", R"({"x":null})"},
           {R"({"{{ .Status }}": "a", "1": "b", "yes": "c"})", R"({"1":"b","firing":"a","yes":"c"})"},
           // Inside a parsed text everything stays as it is (since 0.34; before, "" became null).
           {R"({"x": "{\"a\": \"\", \"b\": \"yes\", \"c\": \"{{ .Status }}\"}"})",
            R"({"x":{"a":"","b":"yes","c":"firing"}})"},
           {R"({"x": "['', '1']"})", R"({"x":["","1"]})"},
           // go-yaml reads no further than the end of the list.
           {R"({"x": "[FIRING:1] A eu"})", R"({"x":["FIRING:1"]})"},
           {R"({"x": "<&>"})", R"({"x":"\u003c\u0026\u003e"})"},
       }) {
    BOOST_TEST_CONTEXT(c.tree) {
      BOOST_TEST(Rendered(c.tree) == std::string(c.want) + "\n");
    }
  }
}

BOOST_AUTO_TEST_CASE(templates_that_come_with_alerts_are_not_run) {
  NotifiedAlert alert = MakeAlert({{"alertname", "A"}}, {{"s", R"(["{{ .ExternalURL }}"])"}});
  BOOST_TEST(Rendered(R"({"x": "{{ .CommonAnnotations.s }}", "{{ .CommonAnnotations.s }}": 1})", alert) ==
             R"({"[\"{{ .ExternalURL }}\"]":1,"x":["{{ .ExternalURL }}"]})"
             "\n");
}

BOOST_AUTO_TEST_CASE(of_keys_that_become_equal_the_last_one_wins) {
  BOOST_TEST(Rendered(R"({"{{ .Status }}": 1, "firing": 2})") == "{\"firing\":2}\n");
}

BOOST_AUTO_TEST_CASE(a_text_that_fails_fails_the_call) {
  for (const char* tree : {R"({"x": [{"y": "{{ .Nope }}"}]})", R"({"{{ .Nope }}": 1})"}) {
    auto built = BuildTree(tree);
    BOOST_REQUIRE(!built.has_value());
    BOOST_TEST(built.error().message.find("can't evaluate field Nope") != std::string::npos);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mlalert::testing
