// Rocket.Chat: chat.postMessage of the REST API, with a personal access token.
#include <fmt/format.h>

#include "net/url.h"
#include "notify/acknowledged.h"
#include "notify/json_object.h"
#include "notify/payload.h"

namespace mlalert {
namespace {

constexpr size_t kTitleRunesMax = 1024;

void AppendFields(JsonObject& attachment, const RocketchatConfig& c, Renderer& render) {
  if (c.fields.empty()) {
    return;
  }
  std::string& out = attachment.Key("fields");
  const char* separator = "[";
  for (const SlackField& field : c.fields) {
    out += separator;
    JsonObject object(out);
    object.Raw("short", field.short_field.value_or(c.short_fields) ? "true" : "false");
    object.TextUnlessEmpty("title", render(field.title));
    object.TextUnlessEmpty("value", render(field.value));
    object.End();
    separator = ",";
  }
  out.push_back(']');
}

void AppendActions(JsonObject& attachment, const RocketchatConfig& c, Renderer& render) {
  if (c.actions.empty()) {
    return;
  }
  std::string& out = attachment.Key("actions");
  const char* separator = "[";
  for (const RocketchatAction& action : c.actions) {
    out += separator;
    JsonObject object(out);
    object.Text("type", "button");  // there is no other
    object.TextUnlessEmpty("text", render(action.text));
    object.TextUnlessEmpty("url", render(action.url));
    object.Raw("is_webview", "false");
    object.TextUnlessEmpty("msg", render(action.msg));
    object.Raw("msg_in_chat_window", "false");
    object.End();
    separator = ",";
  }
  out.push_back(']');
}

void AppendAttachment(std::string& out, const RocketchatConfig& c, const Notification& n, Renderer& render) {
  bool acknowledged = IsAcknowledgement(n);
  std::string title = render(c.title);
  if (acknowledged) {
    title = AcknowledgedTitle(title);
  }
  JsonObject object(out);
  object.TextUnlessEmpty("title", TruncateRunes(std::move(title), kTitleRunesMax));
  object.TextUnlessEmpty("title_link", render(c.title_link));
  object.TextUnlessEmpty("text", acknowledged ? AcknowledgedText(n, EscapeMarkdown) : render(c.text));
  object.TextUnlessEmpty("image_url", render(c.image_url));
  object.TextUnlessEmpty("thumb_url", render(c.thumb_url));
  object.TextUnlessEmpty("color", acknowledged ? "yellow" : render(c.color));
  AppendFields(object, c, render);
  AppendActions(object, c, render);
  object.End();
}

}  // namespace

Result<PreparedCall> BuildRocketchat(const Notification& n, const ReceiverContext& context) {
  const RocketchatConfig& c = n.receiver->rocketchat_configs[n.integration.index];
  MLALERT_ASSIGN(std::string token, ReadSecret(c.token, c.token_file, "token_file", context.files));
  MLALERT_ASSIGN(std::string user_id,
                 ReadSecret(c.token_id, c.token_id_file, "token_id_file", context.files));
  MLALERT_ASSIGN(Url url, ParseUrl(c.api_url));
  TemplateData data = DataFor(n, context);
  Renderer render(context, data);

  PreparedCall out = JsonPost(context);
  out.judge = JudgeRocketchat;
  out.call.options = c.http_config;
  out.call.url = JoinPath(std::move(url), "api/v1/chat.postMessage").ToString();
  out.call.headers.emplace_back("X-Auth-Token", token);
  out.call.headers.emplace_back("X-User-Id", user_id);
  out.secrets = {token, user_id};
  std::string channel = render(c.channel);
  out.error_prefix = fmt::format("channel {}: ", GoQuote(channel));
  JsonObject object(out.call.body);
  object.TextUnlessEmpty("channel", channel);
  object.TextUnlessEmpty("emoji", render(c.emoji));
  object.TextUnlessEmpty("avatar", render(c.icon_url));
  object.Key("attachments").push_back('[');
  AppendAttachment(out.call.body, c, n, render);
  out.call.body.push_back(']');
  object.End();
  out.call.body.push_back('\n');
  MLALERT_TRY(render.status());
  return out;
}

NotificationOutcome JudgeRocketchat(const HttpResult& result) {
  NotificationOutcome out = JudgeHttp(result);
  // An answer that broke off after its status has still been given.
  if (out.verdict != DeliveryVerdict::kSent || !result.ok()) {
    return out;
  }
  auto answer = ParseJson(result.body);
  const Json* success = answer ? answer->Find("success") : nullptr;
  if (!answer || !answer->is_object()) {
    out.verdict = DeliveryVerdict::kRetry;
    out.error = "could not read the answer from Rocketchat: it is not valid JSON";
  } else if (success == nullptr || !success->AsBool()) {
    HttpResult quoted;
    quoted.body = answer->GetString("error");
    out.verdict = DeliveryVerdict::kFailed;
    out.error = fmt::format("error response from Rocketchat: {}", QuotedBody(quoted));
  }
  return out;
}

}  // namespace mlalert
