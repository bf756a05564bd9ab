// Slack: one message with one attachment, by incoming webhook or by chat.postMessage / chat.update.
#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <optional>

#include "notify/acknowledged.h"
#include "notify/json_object.h"
#include "notify/payload.h"
#include "notify/slack_buttons.h"

namespace mlalert {
namespace {

constexpr size_t kTitleRunesMax = 1024;
// Slack cuts or refuses longer messages.
constexpr size_t kTextRunesMax = 40000;
constexpr std::string_view kPostMessage = "/chat.postMessage";
constexpr std::string_view kUpdate = "/chat.update";

// Errors of the Web API that pass by themselves; all others are final.
constexpr std::array<std::string_view, 6> kPassingErrors{
    "ratelimited", "rate_limited", "internal_error", "fatal_error", "service_unavailable", "request_timeout"};

// Where the message of this alert group is.
struct MessagePlace {
  std::string ts, channel;
};
MessagePlace FindMessage(const Notification& n) {
  if (n.receiver_data.empty()) {
    return {};
  }
  auto data = ParseJson(n.receiver_data);
  if (!data) {
    return {};
  }
  MessagePlace place{data->GetString("threadTs"), data->GetString("channelId")};
  return place.ts.empty() || place.channel.empty() ? MessagePlace{} : place;
}

// Others are told by now: who got the message only hears of it, below it.
bool IsNewsOfRaise(const Notification& n) {
  return n.reason == NotifyReason::kRaised &&
         std::all_of(n.alerts.begin(), n.alerts.end(),
                     [](const NotifiedAlert& told) { return told.resolved || told.quiet_repeat; });
}

// What is remembered of a message that Slack has taken: where it is, and how severe it said that it is.
std::optional<std::string> Remembered(const std::optional<std::string>& place, Severity severity) {
  auto data = place ? ParseJson(*place) : Result<Json>(Json());
  if (!data || !data->is_object() || data->GetString("threadTs").empty()) {
    return place;
  }
  return data->Set("severity", ToString(severity)).Dump();
}

void AppendFields(JsonObject& attachment, const SlackConfig& c, Renderer& render) {
  if (c.fields.empty()) {
    return;
  }
  std::string& out = attachment.Key("fields");
  const char* separator = "[";
  for (const SlackField& field : c.fields) {
    out += separator;
    JsonObject object(out);
    object.Text("title", render(field.title));
    object.Text("value", render(field.value));
    object.Raw("short", field.short_field.value_or(c.short_fields) ? "true" : "false");
    object.End();
    separator = ",";
  }
  out.push_back(']');
}

void AppendActions(JsonObject& attachment, const SlackConfig& c, Renderer& render) {
  if (c.actions.empty()) {
    return;
  }
  std::string& out = attachment.Key("actions");
  const char* separator = "[";
  for (const SlackAction& action : c.actions) {
    out += separator;
    JsonObject object(out);
    object.Text("type", render(action.type));
    object.Text("text", render(action.text));
    object.TextUnlessEmpty("url", render(action.url));
    object.TextUnlessEmpty("style", render(action.style));
    object.TextUnlessEmpty("name", render(action.name));
    object.TextUnlessEmpty("value", render(action.value));
    if (action.confirm) {
      JsonObject confirm(object.Key("confirm"));
      confirm.Text("text", render(action.confirm->text));
      confirm.TextUnlessEmpty("title", render(action.confirm->title));
      confirm.TextUnlessEmpty("ok_text", render(action.confirm->ok_text));
      confirm.TextUnlessEmpty("dismiss_text", render(action.confirm->dismiss_text));
      confirm.End();
    }
    object.End();
    separator = ",";
  }
  out.push_back(']');
}

void AppendAttachment(std::string& out, const SlackConfig& c, const Notification& n, Renderer& render) {
  bool acknowledged = IsAcknowledgement(n);
  std::string title = render(c.title);
  std::string title_link = render(c.title_link);
  std::string fallback = render(c.fallback);
  if (acknowledged) {
    title = AcknowledgedTitle(title);
    fallback = AcknowledgedTitle(fallback);
  }
  JsonObject object(out);
  object.TextUnlessEmpty("title", TruncateRunes(std::move(title), kTitleRunesMax));
  object.TextUnlessEmpty("title_link", title_link);
  if (!acknowledged) {  // where people put their @mentions: nobody needs to be called for this
    object.TextUnlessEmpty("pretext", TruncateRunes(render(c.pretext), kTextRunesMax));
  }
  object.Text("text",
              acknowledged ? AcknowledgedText(n, EscapeSlack) : TruncateRunes(render(c.text), kTextRunesMax));
  object.Text("fallback", TruncateRunes(std::move(fallback), kTextRunesMax));
  object.Text("callback_id", render(c.callback_id));
  AppendFields(object, c, render);
  AppendActions(object, c, render);
  object.TextUnlessEmpty("image_url", render(c.image_url));
  object.TextUnlessEmpty("thumb_url", render(c.thumb_url));
  object.Text("footer", render(c.footer));
  object.TextUnlessEmpty("color", acknowledged ? "warning" : render(c.color));
  static const std::vector<std::string> kMarkdownIn{"fallback", "pretext", "text"};
  std::string& list = object.Key("mrkdwn_in");
  const char* separator = "[";
  for (const std::string& name : c.mrkdwn_in.empty() ? kMarkdownIn : c.mrkdwn_in) {
    list += separator;
    AppendJsonString(list, name);
    separator = ",";
  }
  list.push_back(']');
  object.End();
}

std::string ButtonRow(const Notification& n, const ReceiverContext& context) {
  SlackButtonRow row;
  row.targets = TargetsOf(n);
  row.judged = JudgedOf(n);
  row.recipient = fmt::format("{}/{}", n.integration.index, n.receiver->name);
  row.acknowledged = AllAreTaken(n);
  if (row.judged.empty()) {
    return {};
  }
  row.incident_url = fmt::format("{}{}", context.incident_url_prefix, row.judged.front().id);
  return SlackButtonsAttachment(*context.links, row);
}

// An answer in JSON is the Web API's: HTTP 200 whatever happened.
NotificationOutcome JudgeWebApi(NotificationOutcome out, const HttpResult& result, bool update_message) {
  auto answer = ParseJson(result.body);
  const Json* ok = answer ? answer->Find("ok") : nullptr;
  if (!answer || !answer->is_object()) {
    out.verdict = DeliveryVerdict::kRetry;
    out.error = "could not read the answer from Slack: it is not valid JSON";
  } else if (ok == nullptr || !ok->AsBool()) {
    const std::string& error = answer->GetString("error");
    bool passes = std::find(kPassingErrors.begin(), kPassingErrors.end(), error) != kPassingErrors.end();
    out.verdict = passes ? DeliveryVerdict::kRetry : DeliveryVerdict::kFailed;
    out.retry_after = passes ? result.retry_after : std::nullopt;
    out.error = fmt::format("error response from Slack: {}", error.substr(0, kErrorBodyBytesMax));
  } else if (update_message && !answer->GetString("ts").empty() && !answer->GetString("channel").empty()) {
    Json data = Json::MakeObject();
    data.Set("threadTs", answer->GetString("ts")).Set("channelId", answer->GetString("channel"));
    out.receiver_data = data.Dump();
  }
  return out;
}

}  // namespace

Result<PreparedCall> BuildSlack(const Notification& n, const ReceiverContext& context) {
  const SlackConfig& c = n.receiver->slack_configs[n.integration.index];
  PreparedCall out = JsonPost(context);
  const MessagePlace place = FindMessage(n);
  const bool in_thread = IsNewsOfRaise(n) && !place.ts.empty();
  out.judge = [in_thread, severity = n.MaxSeverity(), known = n.receiver_data](const HttpResult& result) {
    NotificationOutcome outcome = JudgeSlack(result, true);
    if (outcome.verdict == DeliveryVerdict::kSent) {
      outcome.receiver_data = Remembered(in_thread ? known : outcome.receiver_data, severity);
    }
    return outcome;
  };
  // With an app token the loader has put app_url here and the token into http_config.
  MLALERT_ASSIGN(out.call.url, ReadUrl(c.api_url, c.api_url_file, "api_url", context.files));
  out.call.options = c.http_config;
  TemplateData data = DataFor(n, context);
  Renderer render(context, data);

  const MessagePlace message = c.update_message && !in_thread ? place : MessagePlace{};
  if (!message.ts.empty() && out.call.url.ends_with(kPostMessage)) {
    out.call.url.replace(out.call.url.size() - kPostMessage.size(), kPostMessage.size(), kUpdate);
  }
  std::string channel = in_thread                 ? place.channel
                        : message.channel.empty() ? render(c.channel)
                                                  : message.channel;
  out.error_prefix = fmt::format("channel {}: ", GoQuote(channel));
  JsonObject object(out.call.body);
  object.TextUnlessEmpty("channel", channel);
  object.TextUnlessEmpty("ts", message.ts);
  if (in_thread) {
    object.Text("thread_ts", place.ts);
  }
  object.TextUnlessEmpty("username", render(c.username));
  object.TextUnlessEmpty("icon_emoji", render(c.icon_emoji));
  object.TextUnlessEmpty("icon_url", render(c.icon_url));
  if (c.link_names) {
    object.Raw("link_names", "true");
  }
  if (in_thread) {
    object.Text("text",
                fmt::format("Severity raised to *{}*. Others are told now; here you hear only the end.",
                            ToString(n.MaxSeverity())));
  } else if (!IsAcknowledgement(n)) {
    object.TextUnlessEmpty("text", TruncateRunes(render(c.message_text), kTextRunesMax));
  }
  if (in_thread) {
    object.End();
    out.call.body.push_back('\n');
    MLALERT_TRY(render.status());
    return out;
  }
  object.Key("attachments").push_back('[');
  AppendAttachment(out.call.body, c, n, render);
  if (std::string row = c.buttons && context.links != nullptr ? ButtonRow(n, context) : ""; !row.empty()) {
    out.call.body += "," + row;
  }
  out.call.body.push_back(']');
  object.End();
  out.call.body.push_back('\n');
  MLALERT_TRY(render.status());
  return out;
}

NotificationOutcome JudgeSlack(const HttpResult& result, bool update_message) {
  NotificationOutcome out = JudgeStatus(result, QuotedBody(result));
  if (out.verdict != DeliveryVerdict::kSent) {
    return out;
  }
  const std::string* type = result.Header("content-type");
  if (type != nullptr && type->starts_with("application/json")) {
    return JudgeWebApi(std::move(out), result, update_message);
  }
  // The body is the answer: of half of it nobody knows what it would have been.
  if (!result.ok()) {
    out.verdict = DeliveryVerdict::kRetry;
    out.error = fmt::format("could not read the answer from Slack: {}", result.error);
  } else if (result.body != "ok") {
    out.verdict = DeliveryVerdict::kFailed;
    out.error = fmt::format("received an error response from Slack: {}", QuotedBody(result));
  }
  return out;
}

}  // namespace mlalert
