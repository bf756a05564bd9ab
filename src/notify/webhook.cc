// The generic webhook: Alertmanager's version 4 body, or a body of the user's own.
#include <algorithm>
#include <fmt/format.h>

#include "notify/json_object.h"
#include "notify/payload.h"

namespace mlalert {

std::string AlertsBody(const TemplateData& data, const Notification& n, std::string_view version,
                       size_t truncated) {
  std::string body;
  data.AppendJsonFields(body);
  body += fmt::format(R"(,"version":"{}","groupKey":)", version);
  AppendJsonString(body, n.group_key);
  body += fmt::format(R"(,"truncatedAlerts":{})", truncated);
  if (n.reason == NotifyReason::kAcknowledged) {
    body += R"(,"acknowledgedBy":)";
    AppendJsonString(body, n.acknowledged_by);
    body += R"(,"acknowledgeComment":)";
    AppendJsonString(body, n.acknowledge_comment);
  }
  body += "}\n";
  return body;
}

Result<PreparedCall> BuildWebhook(const Notification& n, const ReceiverContext& context) {
  const WebhookConfig& c = n.receiver->webhook_configs[n.integration.index];
  size_t kept = c.max_alerts == 0 ? n.alerts.size() : std::min<size_t>(n.alerts.size(), c.max_alerts);
  TemplateData data = DataFor(n, context, kept);

  MLALERT_ASSIGN(std::string url_text, ReadSecret(c.url, c.url_file, "url_file", context.files));
  Renderer render(context, data);
  PreparedCall out = JsonPost(context);
  out.judge = JudgeHttp;
  out.call.url = render.Secretly("url", url_text);
  MLALERT_TRY(render.status());
  if (out.call.url.empty()) {
    return Fail(ErrorCode::kInvalid, "webhook URL is empty after templating");
  }
  out.call.options = c.http_config;
  if (c.payload.is_null()) {
    out.call.body = AlertsBody(data, n, "4", n.alerts.size() - kept);
  } else {
    out.call.body = RenderTree(c.payload, render) + "\n";
    MLALERT_TRY(render.status());
  }
  return out;
}

}  // namespace mlalert
