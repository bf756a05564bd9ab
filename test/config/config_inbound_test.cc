// inbound, twilio_configs and Slack's buttons: what is read, what is refused, and that old clients never see
// them.
#include <boost/test/unit_test.hpp>

#include "config_case.h"

using namespace mlalert;           // NOLINT(google-build-using-namespace)
using namespace mlalert::testing;  // NOLINT(google-build-using-namespace)
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

std::string Twilio(std::string_view keys) {
  return "route: {receiver: r}\nreceivers: [{name: r, twilio_configs: [{" + std::string(keys) + "}]}]\n";
}
constexpr std::string_view kGood = "account_sid: AC1, auth_token: t0ken, from: '+14155550100', ";

std::string SlackWithButtons(std::string_view more) {
  return "route: {receiver: r}\nreceivers: [{name: r, slack_configs: [{api_url: 'http://s/x', buttons: "
         "true}]}]\n" +
         std::string(more);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(config_inbound)

BOOST_AUTO_TEST_CASE(reads_every_key) {
  ConfigPtr c = MustLoad(Minimal(R"(
inbound:
  public_url: https://alerts.example.com/ml/
  links: {key: 0123456789abcdef, expires: 48h}
  slack: {signing_secret: [old, new], users: {U1: alice}, allow_unlinked: true}
  pagerduty: {webhook_secret_file: pd.secret, trust_remote_resolve: true}
)"));
  const InboundConfig& in = c->inbound;
  BOOST_TEST(in.public_url == "https://alerts.example.com/ml");
  BOOST_TEST(in.links.key.Reveal() == "0123456789abcdef");
  BOOST_TEST((in.links.expires == hours(48)));
  BOOST_TEST(in.slack.signing.values.size() == 2U);
  BOOST_TEST(in.slack.users.at("U1") == "alice");
  BOOST_TEST(in.slack.AllowsUnlinked());
  BOOST_TEST(in.pagerduty.webhook.file == "/etc/mlalert/pd.secret");
  BOOST_TEST(in.pagerduty.trust_remote_resolve);
}

BOOST_AUTO_TEST_CASE(who_names_users_lets_no_others_in) {
  auto allows = [](std::string_view slack) {
    return MustLoad(Minimal("inbound: {slack: {signing_secret: s" + std::string(slack) + "}}\n"))
        ->inbound.slack.AllowsUnlinked();
  };
  BOOST_TEST(allows(""));
  BOOST_TEST(!allows(", users: {U1: alice}"));
  BOOST_TEST(!allows(", allow_unlinked: false"));
}

BOOST_AUTO_TEST_CASE(refuses_what_anybody_could_sign_with) {
  ExpectError(Minimal("inbound: {links: {key: short}}\n"), "the key has fewer than 16 bytes");
  ExpectError(Minimal("inbound: {links: {key: 0123456789abcdef, key_file: f}}\n"),
              "at most one of key & key_file must be configured");
  ExpectError(Minimal("inbound: {links: {expires: 1s}}\n"), "expires must be from 1m to 30d");
  ExpectError(Minimal("inbound: {slack: {}}\n"),
              "missing signing_secret or signing_secret_file in inbound.slack");
  ExpectError(Minimal("inbound: {slack: {signing_secret: ''}}\n"), "signing_secret holds an empty secret");
  ExpectError(Minimal("inbound: {pagerduty: {webhook_secret: [a, '']}}\n"),
              "webhook_secret holds an empty secret");
  ExpectError(Minimal("inbound: {pagerduty: {trust_remote_resolve: true}}\n"),
              "missing webhook_secret or webhook_secret_file in inbound.pagerduty");
  ExpectError(Minimal("inbound: {slak: {}}\n"), "field slak not found in type inbound");
}

BOOST_AUTO_TEST_CASE(buttons_need_a_secret_to_know_who_pressed) {
  ExpectError(SlackWithButtons(""), "receiver \"r\" has Slack buttons, but there is no inbound.slack");
  ExpectClean(SlackWithButtons("inbound: {slack: {signing_secret: s}}\n"));
}

BOOST_AUTO_TEST_CASE(reads_twilio_with_its_defaults) {
  ConfigPtr c = MustLoad(Twilio(std::string(kGood) + "to: ['+4917012345678', '+4917012345679']"));
  const TwilioConfig& t = c->receivers[0].twilio_configs[0];
  BOOST_TEST((t.method == TwilioMethod::kCall));
  BOOST_TEST(!t.send_resolved);
  BOOST_TEST(t.to.size() == 2U);
  BOOST_TEST(t.language == "en-US");
  BOOST_TEST((t.ring_timeout == seconds(30)));
  BOOST_TEST(t.api_url == "https://api.twilio.com");
  BOOST_TEST(t.http_config->basic_auth->username == "AC1");
  BOOST_TEST(t.http_config->basic_auth->password.Reveal() == "t0ken");
  ConfigPtr sms =
      MustLoad(Twilio("account_sid: AC1, auth_token_file: tok, from: MG00000000000000000000000000000000, to: "
                      "'+4917012345678', "
                      "method: sms, api_url: 'http://127.0.0.1:1/', ring_timeout: 1m"));
  const TwilioConfig& s = sms->receivers[0].twilio_configs[0];
  BOOST_TEST(s.messaging_service);
  BOOST_TEST(s.auth_token_file == "/etc/mlalert/tok");
  BOOST_TEST(s.http_config->basic_auth->password_file == "/etc/mlalert/tok");
  BOOST_TEST(s.api_url == "http://127.0.0.1:1");
  BOOST_TEST(s.message.find("AcknowledgeURL") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(refuses_twilio_that_could_call_nobody) {
  const std::string good(kGood);
  for (const BadCase& bad : std::vector<BadCase>{
           {"auth_token: t, from: '+14155550100', to: ['+4917012345678']",
            "missing account_sid in Twilio config"},
           {"account_sid: AC1, from: '+14155550100', to: ['+4917012345678']",
            "missing auth_token or auth_token_file in Twilio config"},
           {"account_sid: 'AC1/../x', auth_token: t, from: '+14155550100', to: ['+4917012345678']",
            "account_sid holds something else than letters and digits"},
           {good + "auth_token_file: f, to: ['+4917012345678']",
            "at most one of auth_token & auth_token_file must be configured"},
           {"account_sid: AC1, auth_token: t, to: ['+4917012345678']", "missing from in Twilio config"},
           {std::string(kGood).substr(0, kGood.size() - 2), "missing to in Twilio config"},
           {good + "to: ['0170123456']", "\"0170123456\" is not a phone number"},
           {good + "to: ['+14155550100']", "\"+14155550100\" is also `from`: it would call itself"},
           {good + "to: ['+4917012345678'], method: fax", "method is \"fax\", must be call or sms"},
           {good + "to: ['+4917012345678'], ring_timeout: 1s", "ring_timeout must be from 5s to 10m"},
           {"account_sid: AC1, auth_token: t, from: MLALERT, to: ['+4917012345678']",
            "\"MLALERT\" is not a phone number"},
           {good + "to: ['+4917012345678'], http_config: {basic_auth: {username: u, password: p}}",
            "http_config of a Twilio config holds credentials"}}) {
    ExpectError(Twilio(bad.text), bad.message);
  }
}

BOOST_AUTO_TEST_CASE(what_alertmanager_does_not_know_is_not_printed) {
  ConfigPtr c = MustLoad(
      "route: {receiver: r}\nreceivers: [{name: r, slack_configs: [{api_url: 'http://s/x', buttons: true}], "
      "twilio_configs: [{account_sid: AC1, auth_token: t0ken, from: '+14155550100', to: "
      "['+4917012345678']}]}]\n"
      "inbound: {slack: {signing_secret: s3cret}, links: {key: 0123456789abcdef}}\n");
  for (const std::string& printed : {c->printed, c->printed_for_old_clients}) {
    for (const char* word : {"twilio", "buttons", "inbound", "t0ken", "s3cret", "0123456789abcdef"}) {
      BOOST_TEST(printed.find(word) == std::string::npos, word << " in\n" << printed);
    }
  }
}

BOOST_AUTO_TEST_CASE(complaints_do_not_show_secrets) {
  const std::string text =
      Check(Minimal("inbound: {slack: {signing_secret: s3cret-value, nonsense: 1}}\n")).ToText() +
      Check(Twilio("account_sid: AC1, auth_token: s3cret-value, nonsense: 1")).ToText() +
      Check(Minimal("inbound:\n  links: {key: s3cret-value}\n")).ToText();
  BOOST_TEST(text.find("s3cret-value") == std::string::npos, text);
}

BOOST_AUTO_TEST_SUITE_END()
