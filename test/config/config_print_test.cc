// config.original: as upstream prints it, readable by amtool's strict loader, and without a secret.
#include <boost/test/unit_test.hpp>
#include <fstream>
#include <sstream>

#include "config/yaml_writer.h"
#include "config_case.h"
#include "support/amtool.h"
#include "support/source_dir.h"

using namespace mlalert;           // NOLINT(google-build-using-namespace)
using namespace mlalert::testing;  // NOLINT(google-build-using-namespace)

namespace {

std::string CorpusFile(const std::string& name) {
  std::ifstream in(SourceDir() + "/test/config/corpus/" + name);
  BOOST_REQUIRE(in.good());
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

ConfigPtr LoadHere(const std::string& text) {
  ConfigPtr config;
  Diagnostics diagnostics = LoadConfigText(text, "a.yml", config);
  BOOST_REQUIRE_MESSAGE(config != nullptr, diagnostics.ToText());
  return config;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(config_print)

BOOST_AUTO_TEST_CASE(the_sample_is_printed_byte_for_byte_as_upstream_prints_it) {
  BOOST_TEST(LoadHere(CorpusFile("sample-config.yml"))->printed == CorpusFile("sample-config.original.yml"));
}

BOOST_AUTO_TEST_CASE(what_is_printed_loads_and_prints_the_same) {
  for (const char* file : {"sample-config.yml", "all-receivers.yml", "every-key-0.25.yml"}) {
    const std::string printed = LoadHere(CorpusFile(file))->printed;
    BOOST_TEST(LoadHere(printed)->printed == printed, file);
    const std::string old = LoadHere(CorpusFile(file))->printed_for_old_clients;
    BOOST_TEST(LoadHere(old)->printed == printed, file);
  }
}

BOOST_AUTO_TEST_CASE(amtool_loads_what_is_printed_for_it) {
  if (!AmtoolIsInstalled()) {
    BOOST_TEST_MESSAGE("amtool is not installed: skipped");
    return;
  }
  const std::vector<bool> verdicts =
      AmtoolVerdicts({LoadHere(CorpusFile("sample-config.yml"))->printed_for_old_clients,
                      LoadHere(CorpusFile("every-key-0.25.yml"))->printed_for_old_clients});
  BOOST_TEST(verdicts[0]);
  BOOST_TEST(verdicts[1]);
}

BOOST_AUTO_TEST_CASE(no_secret_is_printed) {
  std::string text = R"(
global: {http_config: {basic_auth: {username: u, password: S}, proxy_url: 'http://u:S@p', http_headers: {X: {secrets: [S]}}, proxy_connect_header: {Y: [S]}, tls_config: {cert: c, key: S}}, smtp_auth_password: S, smtp_auth_secret: S, slack_api_url: 'http://a/S', opsgenie_api_key: S, wechat_api_secret: S, victorops_api_key: S, telegram_bot_token: S, rocketchat_token: S, rocketchat_token_id: S, mattermost_webhook_url: 'http://a/S'}
route: {receiver: r}
receivers:
- name: r
  webhook_configs: [{url: 'http://a/S'}, {url: 'http://a/{{ .Status }}/S'}]
  pagerduty_configs: [{routing_key: S, service_key: S}]
  slack_configs: [{api_url: 'http://a/S'}, {api_url: 'http://a/S', http_config: {bearer_token: S}}]
  opsgenie_configs: [{api_key: S, http_config: {oauth2: {client_id: c, token_url: 'http://t', client_secret: S}}}]
  webex_configs: [{room_id: r, http_config: {authorization: {credentials: S}}}]
  sns_configs: [{topic_arn: t, sigv4: {access_key: a, secret_key: S}}]
  pushover_configs: [{user_key: S, token: S}]
  discord_configs: [{webhook_url: 'http://a/S'}]
  telegram_configs: [{chat_id: 1, bot_token: S}]
  incidentio_configs: [{url: 'http://a', alert_source_token: S}]
  email_configs: [{to: a, from: b, smarthost: 'c:1', auth_password: S}]
)";
  for (size_t at = text.find('S'); at != std::string::npos; at = text.find('S', at + 1)) {
    if (text.compare(at, 2, "St") != 0) {
      text.replace(at, 1, "s3cr3t");
    }
  }
  ConfigPtr config = LoadHere(text);
  BOOST_TEST(config->printed.find("s3cr3t") == std::string::npos, config->printed);
  BOOST_TEST(config->printed.find("http://u:xxxxx@p") != std::string::npos);
  BOOST_TEST(LoadHere(config->printed)->printed == config->printed);
}

BOOST_AUTO_TEST_CASE(a_slack_token_is_printed_so_that_it_loads_again) {
  ConfigPtr config = LoadHere(
      "global: {slack_app_token: t}\nroute: {receiver: r}\nreceivers: [{name: r, slack_configs: [{channel: "
      "c}]}]\n");
  BOOST_TEST(config->printed.find("app_token: <secret>") != std::string::npos);
  BOOST_TEST(LoadHere(config->printed)->printed == config->printed);
}

BOOST_AUTO_TEST_CASE(texts_are_quoted_as_yaml_v2_quotes_them) {
  Json tree = Json::MakeObject();
  tree.Set("a", "plain text");
  tree.Set("b", "17:00");
  tree.Set("c", "yes");
  tree.Set("d", "#x");
  tree.Set("e", "a: b");
  tree.Set("f", "it's");
  tree.Set("g", "{{ x }}");
  tree.Set("h", "one\ntwo");
  tree.Set("i", "one\n");
  tree.Set("j", "2024-01-01");
  tree.Set("k", "'");
  tree.Set("l", "tab\there");
  tree.Set("m", Json::MakeArray().Push(Json::MakeArray().Push(1).Push("1")));
  tree.Set("o", Json::MakeObject());
  BOOST_TEST(WriteYaml(tree) == R"(a: plain text
b: "17:00"
c: "yes"
d: '#x'
e: 'a: b'
f: it's
g: '{{ x }}'
h: |-
  one
  two
i: |
  one
j: "2024-01-01"
k: ''''
l: "tab\there"
m:
- - 1
  - "1"
o: {}
)");
}

BOOST_AUTO_TEST_SUITE_END()
