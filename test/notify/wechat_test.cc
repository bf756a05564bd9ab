#include "notify/exchange.h"

namespace mlalert::testing {
namespace {

constexpr const char* kJson = "application/json";
WechatConfig Golden() {
  WechatConfig c;
  c.api_secret = Secret("s3cr3t");
  c.api_url = "http://127.0.0.1/wechat/";
  c.corp_id = "c";
  c.to_user = "u";
  c.message = "{{ template \"wechat.default.message\" . }}";
  c.message_type = "text";
  c.http_config = DefaultHttp();
  return c;
}

Notification Wechat(WechatConfig c, bool resolved = false) {
  Receiver receiver;
  receiver.wechat_configs = {std::move(c)};
  return MakeNotification(ConfigOf(std::move(receiver)), IntegrationKind::kWechat, {GoldenAlert(resolved)});
}

HttpResult Token(const char* token) {
  return Answer(200, std::string(R"({"errcode":0,"access_token":")") + token + "\"}", kJson);
}
HttpResult Code(int code, const char* text = "") {
  return Answer(200, "{\"errcode\":" + std::to_string(code) + ",\"errmsg\":\"" + text + "\"}", kJson);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(wechat)

BOOST_AUTO_TEST_CASE(fetches_a_token_and_sends_as_upstream_does) {
  Exchange e = Run(Wechat(Golden()), {Token("TOK"), Code(0)});
  BOOST_TEST(e.Lines() ==
                 (std::vector<std::string>{"GET http://127.0.0.1/wechat/gettoken?corpid=c&corpsecret=s3cr3t",
                                           "POST http://127.0.0.1/wechat/message/send?access_token=TOK"}),
             boost::test_tools::per_element());
  BOOST_TEST(e.calls[1].body == ReadGolden("wechat_firing.json"));
  BOOST_TEST(Name(e.outcome.verdict) == "sent");
}

BOOST_AUTO_TEST_CASE(tells_of_the_end_as_upstream_does) {
  Exchange e = Run(Wechat(Golden(), true), {Token("TOK"), Code(0)});
  BOOST_TEST(e.calls[1].body == ReadGolden("wechat_resolved.json"));
}

BOOST_AUTO_TEST_CASE(markdown_goes_to_its_own_object) {
  WechatConfig c = Golden();
  c.message_type = "markdown";
  c.message = "m";
  c.to_user = "";
  c.to_party = "{{ .Status }}p";
  c.to_tag = "{{ .Status }}t";
  c.agent_id = "{{ .Status }}a";
  Exchange e = Run(Wechat(c), {Token("TOK"), Code(0)});
  BOOST_TEST(e.calls[1].body ==
             R"({"text":{"content":""},"toparty":"firingp","totag":"firingt","agentid":"firinga",)"
             R"("safe":"0","msgtype":"markdown","markdown":{"content":"m"}})"
             "\n");
}

BOOST_AUTO_TEST_CASE(keeps_the_token_for_two_hours) {
  ExchangeSetting setting;
  setting.caches = std::make_shared<ReceiverCaches>();
  Run(Wechat(Golden()), {Token("TOK"), Code(0)}, setting);
  setting.now += std::chrono::minutes(119);
  BOOST_TEST(Run(Wechat(Golden()), {Code(0)}, setting).calls[0].method == "POST");
  setting.now += std::chrono::minutes(1);
  BOOST_TEST(Run(Wechat(Golden()), {Token("NEW"), Code(0)}, setting).calls[0].method == "GET");
  // Another secret is another token.
  WechatConfig other = Golden();
  other.api_secret = Secret("other");
  BOOST_TEST(Run(Wechat(other), {Token("X"), Code(0)}, setting).calls[0].method == "GET");
}

BOOST_AUTO_TEST_CASE(an_expired_token_is_dropped_and_the_attempt_repeated) {
  ExchangeSetting setting;
  setting.caches = std::make_shared<ReceiverCaches>();
  Exchange e = Run(Wechat(Golden()), {Token("TOK"), Code(42001, "access_token expired")}, setting);
  BOOST_TEST(Name(e.outcome.verdict) == "retry");
  BOOST_TEST(e.outcome.error == "error 42001 from WeChat: access_token expired");
  BOOST_TEST(Run(Wechat(Golden()), {Token("NEW"), Code(0)}, setting).calls.size() == 2);
}

BOOST_AUTO_TEST_CASE(verdicts) {
  struct Case {
    HttpResult answer;
    const char* verdict;
  };
  for (const Case& c : {Case{Code(40003, "invalid openid"), "failed"},
                        {Answer(200, "<html>"), "retry"},
                        {Answer(404), "retry"},
                        {Answer(500), "retry"},
                        {Answer(302), "retry"},
                        {Answer(200, "{}"), "sent"},
                        {Broken(Failure::kTimeout, "slow"), "retry"}}) {
    Exchange e = Run(Wechat(Golden()), {Token("TOKEN"), c.answer});
    BOOST_TEST(Name(e.outcome.verdict) == c.verdict, c.answer.body << c.answer.status);
  }
  BOOST_TEST(Name(Run(Wechat(Golden()), {Answer(500)}).outcome.verdict) == "retry");
  BOOST_TEST(Name(Run(Wechat(Golden()), {Broken(Failure::kDns, "x")}).outcome.verdict) == "retry");
  Exchange refused = Run(Wechat(Golden()), {Code(40001, "invalid credential")});
  BOOST_TEST(Name(refused.outcome.verdict) == "failed");
  BOOST_TEST(refused.outcome.error == "invalid APISecret for CorpID: c");
  BOOST_TEST(Name(Run(Wechat(Golden()), {Answer(200, "<html>")}).outcome.verdict) == "failed");
}

BOOST_AUTO_TEST_CASE(no_error_shows_secret_or_token) {
  Exchange e = Run(Wechat(Golden()), {Token("TOKEN"), Code(1, "TOKEN of s3cr3t is bad")});
  BOOST_TEST(e.outcome.error == "error 1 from WeChat: <secret> of <secret> is bad");
  Exchange early = Run(Wechat(Golden()), {Answer(500, "corpsecret=s3cr3t?")});
  BOOST_TEST(early.outcome.error.find("s3cr3t") == std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mlalert::testing
