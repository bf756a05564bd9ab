// AWS SNS: a signed Publish, after an AssumeRole where a role is configured.
#include <algorithm>
#include <fmt/format.h>
#include <map>

#include "base/hash.h"
#include "notify/acknowledged.h"
#include "notify/aws_credentials.h"
#include "notify/payload.h"
#include "notify/sigv4.h"

namespace mlalert {
namespace {

constexpr size_t kMessageBytesMax = 256 * 1024;
constexpr size_t kSmsBytesMax = 1600;
constexpr std::string_view kForm = "application/x-www-form-urlencoded; charset=utf-8";
constexpr Duration kSession = std::chrono::minutes(15);
// A session is not used for its last moments: clocks differ.
constexpr Duration kSessionReserve = std::chrono::minutes(1);

struct Plan {
  HttpCall publish;  // not signed yet
  Url url, sts_url;
  SigV4Scope scope, sts_scope;
  AwsCredentials base;
  std::string session_key;
  Timestamp now;
  ReceiverCachesPtr caches;
};
using PlanPtr = std::shared_ptr<const Plan>;

std::string Endpoint(std::string_view service, const std::string& region) {
  return fmt::format("https://{}.{}.amazonaws.com{}/", service, region,
                     region.starts_with("cn-") ? ".cn" : "");
}

// The text of the first <name> element: AWS' answers are flat enough for that.
std::string XmlText(std::string_view xml, std::string_view name) {
  const std::string open = fmt::format("<{}>", name), close = fmt::format("</{}>", name);
  const size_t begin = xml.find(open);
  const size_t end = begin == std::string_view::npos ? begin : xml.find(close, begin);
  if (end == std::string_view::npos) {
    return {};
  }
  std::string out(xml.substr(begin + open.size(), end - begin - open.size()));
  for (auto [entity, c] : {std::pair<std::string_view, const char*>{"&lt;", "<"},
                           {"&gt;", ">"},
                           {"&quot;", "\""},
                           {"&apos;", "'"},
                           {"&amp;", "&"}}) {
    for (size_t at = 0; (at = out.find(entity, at)) != std::string::npos; ++at) {
      out.replace(at, entity.size(), c);
    }
  }
  return out;
}

// "InvalidParameter: Invalid parameter: TopicArn", or the answer as it is.
std::string ErrorDetails(const HttpResult& result) {
  const std::string code = XmlText(result.body, "Code");
  if (code.empty()) {
    return QuotedBody(result);
  }
  HttpResult quoted;
  quoted.body = fmt::format("{}: {}", code, XmlText(result.body, "Message"));
  return QuotedBody(quoted);
}

NotificationOutcome JudgePublish(const HttpResult& result, const Plan& plan, const AwsCredentials& used) {
  NotificationOutcome out = JudgeStatus(result, ErrorDetails(result));
  if (result.status == 403 && !plan.session_key.empty()) {
    plan.caches->aws_sessions.Drop(plan.session_key, used);
  }
  return out;
}

PreparedCall PublishCall(const PlanPtr& plan, const AwsCredentials& credentials) {
  PreparedCall out;
  out.call = plan->publish;
  SignCall(out.call, plan->url, credentials, plan->scope, plan->now);
  out.secrets = {credentials.secret_key, credentials.session_token};
  out.judge = [plan, credentials](const HttpResult& r) -> NextStep {
    return JudgePublish(r, *plan, credentials);
  };
  return out;
}

NextStep JudgeAssumeRole(const HttpResult& result, const PlanPtr& plan) {
  NotificationOutcome out = JudgeStatus(result, ErrorDetails(result));
  if (out.verdict != DeliveryVerdict::kSent) {
    out.error = "assume role: " + out.error;
    return out;
  }
  AwsCredentials session{XmlText(result.body, "AccessKeyId"), XmlText(result.body, "SecretAccessKey"),
                         XmlText(result.body, "SessionToken")};
  if (session.access_key.empty() || session.secret_key.empty() || session.session_token.empty()) {
    out.verdict = DeliveryVerdict::kRetry;
    out.error = "assume role: the answer holds no credentials";
    return out;
  }
  auto expires = ParseRfc3339(XmlText(result.body, "Expiration"));
  plan->caches->aws_sessions.Put(plan->session_key, session,
                                 (expires ? *expires : After(plan->now, kSession)) - kSessionReserve);
  return PublishCall(plan, session);
}

PreparedCall AssumeRoleCall(const PlanPtr& plan, const SnsSigV4& config) {
  std::vector<std::pair<std::string, std::string>> form{
      {"Action", "AssumeRole"},
      {"Version", "2011-06-15"},
      {"RoleArn", config.role_arn},
      {"RoleSessionName", fmt::format("mlalert-{}", ToUnixMillis(plan->now))},
      {"DurationSeconds", "900"}};
  if (!config.external_id.empty()) {
    form.emplace_back("ExternalId", config.external_id);
  }
  PreparedCall out;
  out.call = plan->publish;
  out.call.url = plan->sts_url.ToString();
  out.call.body = AwsForm(form);
  SignCall(out.call, plan->sts_url, plan->base, plan->sts_scope, plan->now);
  out.secrets = {plan->base.secret_key, plan->base.session_token, config.external_id};
  out.judge = [plan](const HttpResult& r) { return JudgeAssumeRole(r, plan); };
  return out;
}

Result<std::string> PublishBody(const Notification& n, const SnsConfig& c, Renderer& render) {
  std::vector<std::pair<std::string, std::string>> form{{"Action", "Publish"}, {"Version", "2010-03-31"}};
  size_t bytes_max = kMessageBytesMax;
  if (!c.topic_arn.empty()) {
    const std::string topic = render(c.topic_arn);
    form.emplace_back("TopicArn", topic);
    if (topic.ends_with(".fifo")) {
      form.emplace_back("MessageGroupId", GroupKeyHash(n));
      form.emplace_back("MessageDeduplicationId", GroupKeyHash(n));
    }
  }
  if (!c.phone_number.empty()) {
    form.emplace_back("PhoneNumber", render(c.phone_number));
    bytes_max = kSmsBytesMax;
  }
  if (!c.target_arn.empty()) {
    form.emplace_back("TargetArn", render(c.target_arn));
  }
  std::map<std::string, std::string> attributes;
  for (const auto& [key, value] : c.attributes) {
    attributes[render(key)] = render(value);
  }
  const bool acknowledged = IsAcknowledgement(n);
  std::string message = acknowledged ? AcknowledgedMessage(n, render, Unescaped) : render(c.message);
  if (render.ok() && !IsValidUtf8(message)) {
    return Fail(ErrorCode::kInvalid, "non utf8 encoded message string");
  }
  if (message.size() > bytes_max) {
    // AWS counts bytes, and takes no half characters.
    size_t cut = bytes_max;
    while (cut > 0 && (static_cast<unsigned char>(message[cut]) & 0xC0) == 0x80) {
      --cut;
    }
    message.resize(cut);
    attributes["truncated"] = "true";
  }
  form.emplace_back("Message", std::move(message));
  if (!c.subject.empty()) {
    std::string subject = render(c.subject);
    form.emplace_back("Subject", acknowledged ? AcknowledgedTitle(subject) : subject);
  }
  int number = 0;
  for (const auto& [key, value] : attributes) {
    const std::string entry = fmt::format("MessageAttributes.entry.{}.", ++number);
    form.emplace_back(entry + "Name", key);
    form.emplace_back(entry + "Value.DataType", "String");
    form.emplace_back(entry + "Value.StringValue", value);
  }
  MLALERT_TRY(render.status());
  return AwsForm(form);
}

}  // namespace

Result<PreparedCall> BuildSns(const Notification& n, const ReceiverContext& context) {
  const SnsConfig& c = n.receiver->sns_configs[n.integration.index];
  TemplateData data = DataFor(n, context);
  Renderer render(context, data);
  auto plan = std::make_shared<Plan>();
  plan->now = context.now;
  plan->caches = context.caches ? context.caches : std::make_shared<ReceiverCaches>();
  plan->publish.method = "POST";
  plan->publish.headers.emplace_back("Content-Type", kForm);
  plan->publish.headers.emplace_back("User-Agent", context.user_agent);
  plan->publish.options = c.http_config;
  const std::string api_url = render(c.api_url);
  MLALERT_ASSIGN(plan->publish.body, PublishBody(n, c, render));

  const AwsSources sources{context.files, context.environment};
  MLALERT_ASSIGN(const std::string region, FindAwsRegion(c.sigv4, sources));
  MLALERT_ASSIGN(plan->base, FindAwsCredentials(c.sigv4, sources));
  MLALERT_ASSIGN(plan->url, ParseUrl(api_url.empty() ? Endpoint("sns", region) : api_url));
  if (plan->url.path.empty()) {
    plan->url.path = "/";
  }
  plan->publish.url = plan->url.ToString();
  plan->scope = {region, "sns"};
  if (c.sigv4.role_arn.empty()) {
    return PublishCall(plan, plan->base);
  }
  plan->session_key =
      Sha256Hex(fmt::format("{}\n{}\n{}\n{}\n{}", region, c.sigv4.role_arn, c.sigv4.external_id,
                            plan->base.access_key, plan->base.secret_key));
  if (auto session = plan->caches->aws_sessions.Find(plan->session_key, context.now)) {
    return PublishCall(plan, *session);
  }
  std::string sts = sources.Variable("AWS_ENDPOINT_URL_STS");
  MLALERT_ASSIGN(plan->sts_url, ParseUrl(sts.empty() ? Endpoint("sts", region) : sts));
  if (plan->sts_url.path.empty()) {
    plan->sts_url.path = "/";
  }
  plan->sts_scope = {region, "sts"};
  return AssumeRoleCall(plan, c.sigv4);
}

}  // namespace mlalert
