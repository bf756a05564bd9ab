// The generic webhook: Alertmanager's version 4 body, or a body of the user's own.
#include <algorithm>
#include <fmt/format.h>

#include "notify/json_object.h"
#include "notify/payload.h"

namespace mlalert {

namespace {

// What follows the template data in the body.
void AppendOwnFields(std::string& body, const Notification& n, std::string_view version, size_t truncated) {
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
}

}  // namespace

std::string AlertsBody(const TemplateData& data, const Notification& n, std::string_view version,
                       size_t truncated) {
  std::string body;
  data.AppendJsonFields(body);
  AppendOwnFields(body, n, version, truncated);
  return body;
}

Result<PreparedCall> BuildWebhook(const Notification& n, const ReceiverContext& context) {
  const WebhookConfig& c = n.receiver->webhook_configs[n.integration.index];
  size_t kept = c.max_alerts == 0 ? n.alerts.size() : std::min<size_t>(n.alerts.size(), c.max_alerts);

  MLALERT_ASSIGN(std::string url_text, ReadSecret(c.url, c.url_file, "url_file", context.files));
  PreparedCall out = JsonPost(context);
  out.judge = JudgeHttp;
  out.call.options = c.http_config;
  if (c.payload.is_null() && !url_text.empty() && !HasActions(url_text)) {
    // Nothing is a template: the usual webhook, and the one of storms.
    out.call.url = std::move(url_text);
    AppendJsonFields(out.call.body, n, OptionsFor(n, context, kept));
    AppendOwnFields(out.call.body, n, "4", n.alerts.size() - kept);
    return out;
  }
  TemplateData data = DataFor(n, context, kept);
  Renderer render(context, data);
  out.call.url = render.Secretly("url", url_text);
  MLALERT_TRY(render.status());
  if (out.call.url.empty()) {
    return Fail(ErrorCode::kInvalid, "webhook URL is empty after templating");
  }
  if (c.payload.is_null()) {
    out.call.body = AlertsBody(data, n, "4", n.alerts.size() - kept);
  } else {
    out.call.body = RenderTree(c.payload, render) + "\n";
    MLALERT_TRY(render.status());
  }
  return out;
}

}  // namespace mlalert
