// Mattermost: an incoming webhook with Slack-like attachments.
#include <fmt/format.h>

#include "notify/acknowledged.h"
#include "notify/json_object.h"
#include "notify/payload.h"
#include "template/utf8.h"

namespace mlalert {
namespace {

// https://developers.mattermost.com/integrate/webhooks/incoming/#tips-and-best-practices
constexpr size_t kTextRunesMax = 16383;

void AppendFields(JsonObject& attachment, const std::vector<SlackField>& fields, Renderer& render) {
  if (fields.empty()) {
    return;
  }
  std::string& out = attachment.Key("fields");
  const char* separator = "[";
  for (const SlackField& field : fields) {
    out += separator;
    JsonObject object(out);
    object.TextUnlessEmpty("title", render(field.title));
    object.TextUnlessEmpty("value", render(field.value));
    if (field.short_field) {
      object.Raw("short", *field.short_field ? "true" : "false");
    }
    object.End();
    separator = ",";
  }
  out.push_back(']');
}

void AppendAttachment(std::string& out, const MattermostAttachment& a, const std::string& text,
                      Renderer& render) {
  JsonObject object(out);
  object.TextUnlessEmpty("fallback", render(a.fallback));
  object.TextUnlessEmpty("color", render(a.color));
  object.TextUnlessEmpty("pretext", render(a.pretext));
  object.TextUnlessEmpty("text", render(text));
  object.TextUnlessEmpty("author_name", render(a.author_name));
  object.TextUnlessEmpty("author_link", render(a.author_link));
  object.TextUnlessEmpty("author_icon", render(a.author_icon));
  object.TextUnlessEmpty("title", render(a.title));
  object.TextUnlessEmpty("title_link", render(a.title_link));
  AppendFields(object, a.fields, render);
  object.TextUnlessEmpty("thumb_url", render(a.thumb_url));
  object.TextUnlessEmpty("footer", render(a.footer));
  object.TextUnlessEmpty("footer_icon", render(a.footer_icon));
  object.TextUnlessEmpty("image_url", render(a.image_url));
  object.End();
}

void AppendAcknowledgement(std::string& out, const MattermostConfig& c, const Notification& n,
                           Renderer& render) {
  std::string title = AcknowledgedTitle(render(c.attachment.title));
  JsonObject object(out);
  object.Text("fallback", title);
  object.Text("color", "warning");
  object.Text("text", AcknowledgedText(n, EscapeMarkdown));
  object.Text("title", title);
  object.TextUnlessEmpty("title_link", render(c.attachment.title_link));
  object.End();
}

void AppendPriority(JsonObject& message, const MattermostConfig::Priority& priority, Renderer& render) {
  std::string name = tmpl::ToLower(render(priority.priority));
  if (name != "urgent" && name != "important") {
    name = "standard";
  }
  JsonObject object(message.Key("priority"));
  object.Text("priority", name);
  if (priority.requested_ack && name != "standard") {
    object.Raw("requested_ack", "true");
  }
  if (priority.persistent_notifications && name == "urgent") {
    object.Raw("persistent_notifications", "true");
  }
  object.End();
}

}  // namespace

Result<PreparedCall> BuildMattermost(const Notification& n, const ReceiverContext& context) {
  const MattermostConfig& c = n.receiver->mattermost_configs[n.integration.index];
  TemplateData data = DataFor(n, context);
  Renderer render(context, data);
  PreparedCall out = JsonPost(context);
  out.judge = JudgeHttp;
  out.call.options = c.http_config;
  MLALERT_ASSIGN(out.call.url, ReadUrl(c.webhook_url, c.webhook_url_file, "webhook_url", context.files));

  bool acknowledged = IsAcknowledgement(n);
  std::string channel = render(c.channel);
  out.error_prefix = fmt::format("channel {}: ", GoQuote(channel));
  JsonObject object(out.call.body);
  if (!c.attachments.empty() && !acknowledged) {
    object.TextUnlessEmpty("text", TruncateRunes(render(c.text), kTextRunesMax));
  }
  object.TextUnlessEmpty("channel", channel);
  object.TextUnlessEmpty("username", render(c.username));
  object.TextUnlessEmpty("icon_url", render(c.icon_url));
  object.TextUnlessEmpty("icon_emoji", render(c.icon_emoji));
  std::string& list = object.Key("attachments");
  list.push_back('[');
  if (acknowledged) {
    AppendAcknowledgement(list, c, n, render);
  } else if (c.attachments.empty()) {
    AppendAttachment(list, c.attachment, c.text, render);
  }
  const char* separator = "";
  for (size_t i = 0; i < c.attachments.size() && !acknowledged; ++i) {
    list += separator;
    AppendAttachment(list, c.attachments[i], c.attachments[i].text, render);
    separator = ",";
  }
  list.push_back(']');
  object.TextUnlessEmpty("type", render(c.type));
  if (!acknowledged) {
    if (!c.props_card.empty()) {
      JsonObject props(object.Key("props"));
      props.TextUnlessEmpty("card", render(c.props_card));
      props.End();
    }
    if (c.priority && !c.priority->priority.empty()) {
      AppendPriority(object, *c.priority, render);
    }
  }
  object.End();
  out.call.body.push_back('\n');
  MLALERT_TRY(render.status());
  return out;
}

}  // namespace mlalert
