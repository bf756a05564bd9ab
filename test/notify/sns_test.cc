#include "notify/exchange.h"

namespace mlalert::testing {
namespace {

constexpr const char* kKeyHash = "b495a0897ab953205c648ba23694763770b3f7dfd10e2a837e441637841db22e";
constexpr const char* kSession = R"(<AssumeRoleResponse><AssumeRoleResult><Credentials>
<AccessKeyId>ASIA1</AccessKeyId><SecretAccessKey>role-secret</SecretAccessKey><SessionToken>role-token</SessionToken>
<Expiration>2026-01-02T03:20:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>)";

SnsConfig Topic(const char* arn = "arn:aws:sns:eu-west-1:1:t") {
  SnsConfig c;
  c.topic_arn = arn;
  c.message = "m {{ .Status }}";
  c.subject = "s {{ .Status }}";
  c.sigv4.region = "eu-west-1";
  c.sigv4.access_key = "AKIA1";
  c.sigv4.secret_key = Secret("base-secret");
  c.http_config = DefaultHttp();
  return c;
}

Notification Sns(SnsConfig c) {
  Receiver receiver;
  receiver.sns_configs = {std::move(c)};
  return MakeNotification(ConfigOf(std::move(receiver)), IntegrationKind::kSns, {GoldenAlert(false)});
}

HttpResult Ok() {
  return Answer(200,
                "<PublishResponse><PublishResult><MessageId>1</MessageId></PublishResult></PublishResponse>");
}

std::string CredentialOf(const HttpCall& call) {
  const std::string value = HeaderOf(call, "Authorization");
  const size_t start = value.find("Credential=") + 11;
  return value.substr(start, value.find(',') - start);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(sns)

BOOST_AUTO_TEST_CASE(publishes_to_a_topic) {
  SnsConfig c = Topic();
  c.attributes = {{"k{{ .Status }}", "v {{ .Status }}"}, {"a", "b"}};
  Exchange e = Run(Sns(c), {Ok()});
  BOOST_TEST(e.Lines()[0] == "POST https://sns.eu-west-1.amazonaws.com/");
  BOOST_TEST(
      e.calls[0].body ==
      "Action=Publish&Version=2010-03-31&TopicArn=arn%3Aaws%3Asns%3Aeu-west-1%3A1%3At&Message=m%20firing&"
      "Subject=s%20firing&MessageAttributes.entry.1.Name=a&MessageAttributes.entry.1.Value.DataType=String&"
      "MessageAttributes.entry.1.Value.StringValue=b&MessageAttributes.entry.2.Name=kfiring&"
      "MessageAttributes.entry.2.Value.DataType=String&MessageAttributes.entry.2.Value.StringValue=v%"
      "20firing");
  BOOST_TEST(CredentialOf(e.calls[0]) == "AKIA1/20260102/eu-west-1/sns/aws4_request");
  BOOST_TEST(HeaderOf(e.calls[0], "Host") == "sns.eu-west-1.amazonaws.com");
  BOOST_TEST(Name(e.outcome.verdict) == "sent");
}

BOOST_AUTO_TEST_CASE(fifo_topics_get_group_and_deduplication_ids) {
  Exchange e = Run(Sns(Topic("arn:x.fifo")), {Ok()});
  BOOST_TEST(e.calls[0].body.find(std::string("&MessageGroupId=") + kKeyHash +
                                  "&MessageDeduplicationId=" + kKeyHash) != std::string::npos);
  BOOST_TEST(Run(Sns(Topic()), {Ok()}).calls[0].body.find("MessageGroupId") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(messages_are_cut_in_bytes_but_not_in_characters) {
  SnsConfig c = Topic();
  c.topic_arn = "";
  c.subject = "";
  c.phone_number = "+1";
  c.message = std::string(1599, 'x') + "\xC3\xA9";
  Exchange e = Run(Sns(c), {Ok()});
  BOOST_TEST(e.calls[0].body ==
             "Action=Publish&Version=2010-03-31&PhoneNumber=%2B1&Message=" + std::string(1599, 'x') +
                 "&MessageAttributes.entry.1.Name=truncated&MessageAttributes.entry.1.Value.DataType=String&"
                 "MessageAttributes.entry.1.Value.StringValue=true");
  c.message = std::string(1598, 'x') + "\xC3\xA9";
  BOOST_TEST(Run(Sns(c), {Ok()}).calls[0].body.find("truncated") == std::string::npos);
  SnsConfig topic = Topic();
  topic.message = std::string(262145, 'x');
  BOOST_TEST(Run(Sns(topic), {Ok()}).calls[0].body.find("Message=" + std::string(262144, 'x') + "&") !=
             std::string::npos);
  SnsConfig target = Topic();
  target.topic_arn = "";
  target.target_arn = "arn:t";
  BOOST_TEST(Run(Sns(target), {Ok()}).calls[0].body.find("&TargetArn=arn%3At&") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(api_url_is_a_template_and_china_has_its_own_domain) {
  SnsConfig c = Topic();
  c.api_url = "http://127.0.0.1:1/{{ .Status }}";
  BOOST_TEST(Run(Sns(c), {Ok()}).Lines()[0] == "POST http://127.0.0.1:1/firing");
  c.api_url = "";
  c.sigv4.region = "cn-north-1";
  BOOST_TEST(Run(Sns(c), {Ok()}).Lines()[0] == "POST https://sns.cn-north-1.amazonaws.com.cn/");
}

BOOST_AUTO_TEST_CASE(keys_come_from_the_config_then_the_environment_then_the_files) {
  SnsConfig c = Topic();
  ExchangeSetting setting;
  setting.environment = {{"AWS_ACCESS_KEY_ID", "AKENV"},
                         {"AWS_SECRET_ACCESS_KEY", "envsecret"},
                         {"AWS_SESSION_TOKEN", "envtoken"},
                         {"HOME", "/h"}};
  setting.files.texts["/h/.aws/credentials"] =
      "# c\n[default]\naws_access_key_id = AKFILE\naws_secret_access_key=filesecret\n"
      "[ops]\naws_access_key_id=AKOPS\naws_secret_access_key=opssecret\naws_session_token = opstoken\n";
  auto key = [&] { return CredentialOf(Run(Sns(c), {Ok()}, setting).calls.at(0)).substr(0, 5); };
  BOOST_TEST(key() == "AKIA1");
  c.sigv4.access_key = "";
  c.sigv4.secret_key = Secret();
  BOOST_TEST(key() == "AKENV");
  BOOST_TEST(HeaderOf(Run(Sns(c), {Ok()}, setting).calls[0], "X-Amz-Security-Token") == "envtoken");
  c.sigv4.profile = "ops";
  BOOST_TEST(key() == "AKOPS");
  c.sigv4.profile = "";
  setting.environment.erase("AWS_ACCESS_KEY_ID");
  BOOST_TEST(key() == "AKFIL");
  setting.environment["AWS_PROFILE"] = "ops";
  BOOST_TEST(key() == "AKOPS");
  setting.environment["AWS_SHARED_CREDENTIALS_FILE"] = "/nowhere";
  setting.files.texts["/h/.aws/config"] = "[profile ops]\naws_access_key_id=AKCFG\naws_secret_access_key=s\n";
  BOOST_TEST(key() == "AKCFG");
  setting.environment["AWS_PROFILE"] = "none";
  const std::string error = Run(Sns(c), {}, setting).build_error;
  BOOST_TEST(error.find("no AWS credentials found") != std::string::npos);
  BOOST_TEST(error.find("instance metadata, container credentials and web identity are not supported") !=
             std::string::npos);
}

BOOST_AUTO_TEST_CASE(the_region_comes_from_the_same_places) {
  SnsConfig c = Topic();
  c.sigv4.region = "";
  ExchangeSetting setting;
  BOOST_TEST(Run(Sns(c), {}, setting)
                 .build_error.find("region not configured in sigv4 or in default credentials chain") !=
             std::string::npos);
  setting.environment["AWS_CONFIG_FILE"] = "/c";
  setting.files.texts["/c"] = "[default]\nregion = us-west-2\n";
  BOOST_TEST(Run(Sns(c), {Ok()}, setting).Lines()[0] == "POST https://sns.us-west-2.amazonaws.com/");
  setting.environment["AWS_REGION"] = "us-east-2";
  BOOST_TEST(Run(Sns(c), {Ok()}, setting).Lines()[0] == "POST https://sns.us-east-2.amazonaws.com/");
}

BOOST_AUTO_TEST_CASE(a_role_is_assumed_once_for_a_session) {
  SnsConfig c = Topic();
  c.sigv4.role_arn = "arn:aws:iam::1:role/r";
  c.sigv4.external_id = "ext-123";
  ExchangeSetting setting;
  setting.caches = std::make_shared<ReceiverCaches>();
  Exchange e = Run(Sns(c), {Answer(200, kSession), Ok()}, setting);
  BOOST_TEST(e.Lines()[0] == "POST https://sts.eu-west-1.amazonaws.com/");
  BOOST_TEST(
      e.calls[0].body.find("Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fr&"
                           "RoleSessionName=mlalert-") == 0U);
  BOOST_TEST(e.calls[0].body.ends_with("&DurationSeconds=900&ExternalId=ext-123"));
  BOOST_TEST(CredentialOf(e.calls[0]) == "AKIA1/20260102/eu-west-1/sts/aws4_request");
  BOOST_TEST(CredentialOf(e.calls[1]) == "ASIA1/20260102/eu-west-1/sns/aws4_request");
  BOOST_TEST(HeaderOf(e.calls[1], "X-Amz-Security-Token") == "role-token");
  BOOST_TEST(Run(Sns(c), {Ok()}, setting).calls.size() == 1U);
  setting.now = At("2026-01-02T03:19:00Z");
  BOOST_TEST(Run(Sns(c), {Answer(200, kSession), Ok()}, setting).calls.size() == 2U);
  // Refused keys are not used again.
  setting.now = At("2026-01-02T03:05:00Z");
  Run(Sns(c), {Answer(403, "<Code>ExpiredToken</Code>")}, setting);
  BOOST_TEST(Run(Sns(c), {Answer(200, kSession), Ok()}, setting).calls.size() == 2U);
}

BOOST_AUTO_TEST_CASE(verdicts_and_words_of_refusals) {
  const char* body =
      "<ErrorResponse><Error><Type>Sender</Type><Code>InvalidParameter</Code><Message>Invalid parameter: "
      "&quot;TopicArn&quot; base-secret</Message></Error></ErrorResponse>";
  Exchange e = Run(Sns(Topic()), {Answer(400, body)});
  BOOST_TEST(Name(e.outcome.verdict) == "failed");
  BOOST_TEST(e.outcome.error ==
             "unexpected status code 400: InvalidParameter: Invalid parameter: \"TopicArn\" <secret>");
  BOOST_TEST(Name(Run(Sns(Topic()), {Answer(500)}).outcome.verdict) == "retry");
  BOOST_TEST(Name(Run(Sns(Topic()), {Broken(Failure::kConnect, "x")}).outcome.verdict) == "retry");
  SnsConfig c = Topic();
  c.sigv4.role_arn = "arn:r";
  BOOST_TEST(Run(Sns(c), {Answer(403, "<Code>AccessDenied</Code><Message>no</Message>")}).outcome.error ==
             "assume role: unexpected status code 403: AccessDenied: no");
  BOOST_TEST(Name(Run(Sns(c), {Answer(200, "<x/>")}).outcome.verdict) == "retry");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mlalert::testing
