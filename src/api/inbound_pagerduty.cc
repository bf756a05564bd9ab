// POST /api/mlalert/v1/hooks/pagerduty: webhooks v3. What we answer decides what PagerDuty does next: it
// repeats after 5xx and 429, drops after any other 4xx, and after three drops stops for a day. So only what
// is not PagerDuty's at all is a 4xx: a body with a good signature is never, whatever it holds.
#include <fmt/format.h>

#include "api/durable.h"
#include "api/inbound.h"
#include "api/own_error.h"
#include "base/log.h"
#include "intake/pagerduty_event.h"
#include "intake/signatures.h"

namespace mlalert {
namespace {

constexpr size_t kWebhookIdBytesMax = 200;

void PostWebhook(ApiContext& context, HttpRequest& request, HttpResponse& response) {
  ConfigPtr config = context.config ? context.config() : nullptr;
  if (config == nullptr || config->inbound.pagerduty.webhook.empty()) {
    SetOwnError(response, 403, "webhooks of PagerDuty are not set up",
                "set inbound.pagerduty.webhook_secret in the configuration");
    return;
  }
  auto secrets = SecretsOf(config->inbound.pagerduty.webhook, context.files);
  if (!secrets) {
    SetOwnError(response, 503, "the webhook secret cannot be read: " + secrets.error().message);
    return;
  }
  const SignatureVerdict verdict =
      VerifyPagerduty(*secrets, request.Header("X-PagerDuty-Signature"), request.body);
  if (verdict != SignatureVerdict::kValid) {
    SetOwnError(response, verdict == SignatureVerdict::kMissing ? 401 : 403,
                fmt::format("the signature {}", ToString(verdict)));
    return;
  }
  auto event = DecodePagerdutyEvent(request.body);
  Json json = Json::MakeObject();
  if (!event) {
    LogWarn("a webhook of PagerDuty with a good signature could not be read, and was passed over",
            {{"err", event.error().message}, {"bytes", request.body.size()}});
    context.metrics.CountUnreadableWebhook();
    SetJson(response, json.Set("result", "ignored").Set("why", event.error().message));
    response.status = 202;
    return;
  }
  if (event->type == "pagey.ping") {
    SetJson(response, json.Set("result", "pong"));
    return;
  }
  const std::string webhook_id(request.Header("X-Webhook-Id").substr(0, kWebhookIdBytesMax));
  PagerdutyReply reply;
  const uint64_t seq = context.gate.Enter([&](Engine& engine, Timestamp now, Effects& fx) {
    reply = engine.OnPagerduty(*event, webhook_id, config->inbound.pagerduty.trust_remote_resolve, now, fx);
  });
  // Also of what was ignored: a repeat may be what the first delivery could not write.
  if (Status durable = WaitDurable(context.gate, seq); !durable) {
    SetOwnError(response, 503, "taken, but not yet safe on disk: " + durable.error().message);
    return;
  }
  json.Set("result", reply.result);
  if (!reply.why.empty()) {
    json.Set("why", reply.why);
  }
  Json incidents = Json::MakeArray();
  for (IncidentId id : reply.incidents) {
    incidents.Push(id);
  }
  json.Set("incidents", std::move(incidents));
  SetJson(response, json);
  response.status = reply.result == "ignored" ? 202 : 200;
}

}  // namespace

void AddPagerdutyHook(HttpRouter& router, ApiContext& context) {
  router.Post(
      "/api/mlalert/v1/hooks/pagerduty",
      [&context](HttpRequest& request, HttpResponse& response) { PostWebhook(context, request, response); },
      {.body_bytes_max = kInboundBodyBytesMax});
}

}  // namespace mlalert
