// Discord: one embed through a webhook.
#include <algorithm>

#include "notify/acknowledged.h"
#include "notify/json_object.h"
#include "notify/payload.h"

namespace mlalert {
namespace {

// https://discord.com/developers/docs/resources/message: embed limits and `content`.
constexpr size_t kTitleRunesMax = 256;
constexpr size_t kDescriptionRunesMax = 4096;
constexpr size_t kContentRunesMax = 2000;
constexpr std::string_view kRed = "10038562";
constexpr std::string_view kGreen = "3066993";
constexpr std::string_view kGrey = "9807270";

bool HasControl(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) { return (c >= 0 && c < ' ') || c == 0x7F; });
}

}  // namespace

Result<PreparedCall> BuildDiscord(const Notification& n, const ReceiverContext& context) {
  const DiscordConfig& c = n.receiver->discord_configs[n.integration.index];
  TemplateData data = DataFor(n, context);
  Renderer render(context, data);
  PreparedCall out = JsonPost(context);
  out.judge = JudgeHttp;
  out.call.options = c.http_config;
  MLALERT_ASSIGN(out.call.url, ReadUrl(c.webhook_url, c.webhook_url_file, "webhook_url", context.files));

  std::string title = render(c.title);
  std::string description, content;
  std::string_view color = data.resolved() ? kGreen : kRed;
  if (IsAcknowledgement(n)) {
    title = AcknowledgedTitle(title);
    description = AcknowledgedText(n, EscapeMarkdown);
    color = kGrey;
  } else {
    description = render(c.message);
    content = render(c.content);
  }
  MLALERT_TRY(render.status());

  JsonObject object(out.call.body);
  object.Text("content", TruncateRunes(std::move(content), kContentRunesMax));
  object.Key("embeds").push_back('[');
  JsonObject embed(out.call.body);
  embed.Text("title", TruncateRunes(std::move(title), kTitleRunesMax));
  embed.Text("description", TruncateRunes(std::move(description), kDescriptionRunesMax));
  embed.Raw("color", color);
  embed.End();
  out.call.body.push_back(']');
  object.TextUnlessEmpty("username", c.username);
  if (!HasControl(c.avatar_url)) {  // what is no URL at all is left out
    object.TextUnlessEmpty("avatar_url", c.avatar_url);
  }
  object.End();
  out.call.body.push_back('\n');
  return out;
}

}  // namespace mlalert
