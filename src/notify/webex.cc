// Webex: a Markdown message; http_config brings the bot's token.
#include "notify/acknowledged.h"
#include "notify/json_object.h"
#include "notify/payload.h"

namespace mlalert {
namespace {

// https://developer.webex.com/docs/api/v1/messages/create-a-message
constexpr size_t kMarkdownBytesMax = 7439;

}  // namespace

Result<PreparedCall> BuildWebex(const Notification& n, const ReceiverContext& context) {
  const WebexConfig& c = n.receiver->webex_configs[n.integration.index];
  TemplateData data = DataFor(n, context);
  Renderer render(context, data);
  std::string markdown =
      IsAcknowledgement(n) ? AcknowledgedMessage(n, render, EscapeMarkdown) : render(c.message);
  std::string room_id = render(c.room_id);
  MLALERT_TRY(render.status());

  PreparedCall out = JsonPost(context);
  out.judge = JudgeHttp;
  out.call.options = c.http_config;
  out.call.url = c.api_url;
  JsonObject object(out.call.body);
  object.Text("markdown", TruncateBytes(std::move(markdown), kMarkdownBytesMax));
  object.TextUnlessEmpty("roomId", room_id);
  object.End();
  out.call.body.push_back('\n');
  return out;
}

}  // namespace mlalert
