// Microsoft Teams: the message card of Office 365 connectors (msteams), and the adaptive card that Power
// Automate workflows post (msteamsv2).
#include "notify/acknowledged.h"
#include "notify/json_object.h"
#include "notify/payload.h"

namespace mlalert {

Result<PreparedCall> BuildMsteams(const Notification& n, const ReceiverContext& context) {
  const MsteamsConfig& c = n.receiver->msteams_configs[n.integration.index];
  TemplateData data = DataFor(n, context);
  Renderer render(context, data);
  PreparedCall out = JsonPost(context);
  out.judge = JudgeHttp;
  out.call.options = c.http_config;
  MLALERT_ASSIGN(out.call.url, ReadUrl(c.webhook_url, c.webhook_url_file, "webhook_url", context.files));

  std::string title = render(c.title);
  std::string summary = render(c.summary);
  std::string text;
  std::string_view color = data.resolved() ? "2DC72D" : "8C1A1A";
  if (IsAcknowledgement(n)) {
    title = AcknowledgedTitle(title);
    summary = AcknowledgedTitle(summary);
    text = AcknowledgedText(n, EscapeMarkdown);
    color = "808080";
  } else {
    text = render(c.text);
  }
  MLALERT_TRY(render.status());

  JsonObject object(out.call.body);
  object.Text("@context", "http://schema.org/extensions");
  object.Text("type", "MessageCard");
  object.Text("title", title);
  object.Text("summary", summary);
  object.Text("text", text);
  object.Text("themeColor", color);
  object.End();
  out.call.body.push_back('\n');
  return out;
}

Result<PreparedCall> BuildMsteamsV2(const Notification& n, const ReceiverContext& context) {
  const MsteamsV2Config& c = n.receiver->msteamsv2_configs[n.integration.index];
  TemplateData data = DataFor(n, context);
  Renderer render(context, data);
  PreparedCall out = JsonPost(context);
  out.judge = JudgeHttp;
  out.call.options = c.http_config;
  MLALERT_ASSIGN(out.call.url, ReadUrl(c.webhook_url, c.webhook_url_file, "webhook_url", context.files));

  std::string title = render(c.title);
  std::string text;
  std::string_view color = data.resolved() ? "Good" : "Attention";
  if (IsAcknowledgement(n)) {
    title = AcknowledgedTitle(title);
    text = AcknowledgedText(n, EscapeMarkdown);
    color = "Warning";
  } else {
    text = render(c.text);
  }
  MLALERT_TRY(render.status());

  std::string& body = out.call.body;
  body += R"({"type":"message","attachments":[{"contentType":"application/vnd.microsoft.card.adaptive",)"
          R"("contentUrl":null,"content":{"$schema":"http://adaptivecards.io/schemas/adaptive-card.json",)"
          R"("type":"AdaptiveCard","version":"1.2","body":[)";
  JsonObject heading(body);
  heading.Text("type", "TextBlock");
  heading.Text("text", title);
  heading.Text("weight", "Bolder");
  heading.Text("size", "Medium");
  heading.Raw("wrap", "true");
  heading.Text("style", "heading");
  heading.Text("color", color);
  heading.End();
  body.push_back(',');
  JsonObject block(body);
  block.Text("type", "TextBlock");
  block.Text("text", text);
  block.Raw("wrap", "true");
  block.End();
  body += R"(],"msteams":{"width":"full"}}}]})";
  body.push_back('\n');
  return out;
}

}  // namespace mlalert
