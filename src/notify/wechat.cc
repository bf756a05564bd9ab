// WeChat Work: a message by an application; its access token is fetched by corporation and secret, and kept.
#include <fmt/format.h>

#include "base/hash.h"
#include "net/url.h"
#include "notify/acknowledged.h"
#include "notify/json_object.h"
#include "notify/payload.h"

namespace mlalert {
namespace {

constexpr Duration kTokenLifetime = std::chrono::hours(2);
// Answers' own error codes.
constexpr int64_t kOk = 0;
constexpr int64_t kTokenExpired = 42001;
constexpr int64_t kTokenInvalid = 40014;

struct Plan {
  HttpCall message;  // its URL without the token
  Url url;
  std::string corp_id;
  std::string token_key;
  Timestamp now;
  ReceiverCachesPtr caches;
};
using PlanPtr = std::shared_ptr<const Plan>;

std::string MessageBody(const Notification& n, const WechatConfig& c, Renderer& render) {
  const bool markdown = c.message_type == "markdown";
  const std::string content = IsAcknowledgement(n)
                                  ? AcknowledgedMessage(n, render, markdown ? EscapeMarkdown : Unescaped)
                                  : render(c.message);
  std::string out;
  JsonObject object(out);
  auto add_content = [&](const char* key, bool used) {
    JsonObject inner(object.Key(key));
    inner.Text("content", used ? content : "");
    inner.End();
  };
  add_content("text", !markdown);
  object.TextUnlessEmpty("touser", render(c.to_user));
  object.TextUnlessEmpty("toparty", render(c.to_party));
  object.TextUnlessEmpty("totag", render(c.to_tag));
  object.TextUnlessEmpty("agentid", render(c.agent_id));
  object.Text("safe", "0");
  object.TextUnlessEmpty("msgtype", c.message_type);
  add_content("markdown", markdown);
  object.End();
  out.push_back('\n');
  return out;
}

NotificationOutcome JudgeMessage(const HttpResult& result, const Plan& plan, const std::string& token) {
  NotificationOutcome out = JudgeStatus(result, {});
  if (out.verdict != DeliveryVerdict::kSent || result.status != 200) {
    if (result.status != 0) {  // upstream tries every status but 200 again
      out.verdict = DeliveryVerdict::kRetry;
      out.error = fmt::format("unexpected status code {}", result.status);
    }
    return out;
  }
  auto answer = ParseJson(result.body);
  const Json* code = answer ? answer->Find("errcode") : nullptr;
  if (!answer || !answer->is_object()) {
    out.verdict = DeliveryVerdict::kRetry;
    out.error = "could not read the answer from WeChat: it is not valid JSON";
    return out;
  }
  const int64_t number = code == nullptr ? kOk : code->AsInt();
  if (number == kOk) {
    return out;
  }
  if (number == kTokenExpired || number == kTokenInvalid) {
    plan.caches->wechat_tokens.Drop(plan.token_key, token);
  }
  out.verdict = number == kTokenExpired ? DeliveryVerdict::kRetry : DeliveryVerdict::kFailed;
  HttpResult quoted;
  quoted.body = answer->GetString("errmsg");
  out.error = fmt::format("error {} from WeChat: {}", number, QuotedBody(quoted));
  return out;
}

PreparedCall MessageCall(const PlanPtr& plan, const std::string& token) {
  PreparedCall out;
  out.call = plan->message;
  Url url = plan->url;
  url.query = "access_token=" + QueryEscape(token);
  out.call.url = url.ToString();
  out.secrets = {token};
  out.judge = [plan, token](const HttpResult& result) { return JudgeMessage(result, *plan, token); };
  return out;
}

NextStep JudgeToken(const HttpResult& result, const PlanPtr& plan) {
  NotificationOutcome out = JudgeStatus(result, QuotedBody(result));
  out.error = out.error.empty() ? "" : "get an access token: " + out.error;
  if (out.verdict != DeliveryVerdict::kSent) {
    // The answer of a broken front, not of WeChat: those are JSON with 200.
    out.verdict = DeliveryVerdict::kRetry;
    return out;
  }
  auto answer = ParseJson(result.body);
  const std::string token = answer ? answer->GetString("access_token") : "";
  if (token.empty()) {
    out.verdict = DeliveryVerdict::kFailed;
    out.error = answer ? fmt::format("invalid APISecret for CorpID: {}", plan->corp_id)
                       : "get an access token: the answer is not valid JSON";
    return out;
  }
  plan->caches->wechat_tokens.Put(plan->token_key, token, After(plan->now, kTokenLifetime));
  return MessageCall(plan, token);
}

}  // namespace

Result<PreparedCall> BuildWechat(const Notification& n, const ReceiverContext& context) {
  const WechatConfig& c = n.receiver->wechat_configs[n.integration.index];
  MLALERT_ASSIGN(std::string secret_text,
                 ReadSecret(c.api_secret, c.api_secret_file, "api_secret_file", context.files));
  TemplateData data = DataFor(n, context);
  Renderer render(context, data);
  const std::string secret = render.Secretly("api_secret", secret_text);

  auto plan = std::make_shared<Plan>();
  plan->message = JsonPost(context).call;
  plan->message.options = c.http_config;
  plan->message.body = MessageBody(n, c, render);
  plan->corp_id = render(c.corp_id);
  plan->now = context.now;
  plan->caches = context.caches ? context.caches : std::make_shared<ReceiverCaches>();
  plan->token_key = Sha256Hex(fmt::format("{}\n{}\n{}", c.api_url, plan->corp_id, secret));
  MLALERT_TRY(render.status());
  MLALERT_ASSIGN(Url base, ParseUrl(c.api_url));
  plan->url = JoinPath(base, "message/send");

  if (auto token = plan->caches->wechat_tokens.Find(plan->token_key, context.now)) {
    PreparedCall out = MessageCall(plan, *token);
    out.secrets.push_back(secret);
    return out;
  }
  PreparedCall out;
  Url url = JoinPath(base, "gettoken");
  url.query = EncodeForm({{"corpid", plan->corp_id}, {"corpsecret", secret}});
  out.call.url = url.ToString();
  out.call.headers.emplace_back("User-Agent", context.user_agent);
  out.call.options = c.http_config;
  out.secrets = {secret};
  out.judge = [plan = PlanPtr(plan)](const HttpResult& result) { return JudgeToken(result, plan); };
  return out;
}

}  // namespace mlalert
