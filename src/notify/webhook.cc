// The generic webhook: Alertmanager's version 4 body.
#include <fmt/format.h>

#include "notify/json_object.h"
#include "notify/payload.h"

namespace mlalert {

Result<PreparedCall> BuildWebhook(const Notification& n, const ReceiverContext& context) {
  const WebhookConfig& c = n.receiver->webhook_configs[n.integration.index];
  size_t kept = c.max_alerts == 0 ? n.alerts.size() : std::min<size_t>(n.alerts.size(), c.max_alerts);
  TemplateData data = DataFor(n, context, kept);

  MLALERT_ASSIGN(std::string url_text, ReadSecret(c.url, c.url_file, "url_file", context.files));
  Renderer render(context, data);
  PreparedCall out = JsonPost(context);
  out.judge = JudgeWebhook;
  out.call.url = render.Secretly("url", url_text);
  MLALERT_TRY(render.status());
  if (out.call.url.empty()) {
    return Fail(ErrorCode::kInvalid, "webhook URL is empty after templating");
  }
  out.call.options = c.http_config;

  std::string& body = out.call.body;
  data.AppendJsonFields(body);
  body += R"(,"version":"4","groupKey":)";
  AppendJsonString(body, n.group_key);
  body += fmt::format(R"(,"truncatedAlerts":{}}})", n.alerts.size() - kept);
  body.push_back('\n');
  return out;
}

NotificationOutcome JudgeWebhook(const HttpResult& result) {
  return JudgeStatus(result, QuotedBody(result));
}

}  // namespace mlalert
