// GET /api/v2/status and /api/v2/receivers.
#include <fmt/format.h>

#include "api/config_yaml.h"
#include "api/handlers.h"
#include "api/http_error.h"
#include "api/matcher_filter.h"
#include "api/negotiation.h"
#include "api/version.h"
#include "base/json.h"

namespace mlalert {
namespace {

void SetV2Json(HttpResponse& response, const Json& json) {
  response.content_type = "application/json";
  response.body = json.Dump();
  response.body += '\n';
}

void GetStatus(ApiContext& context, HttpRequest& request, HttpResponse& response) {
  if (!CheckAcceptsJsonV2(request, response)) {
    return;
  }
  Json cluster = Json::MakeObject();
  Json peers = Json::MakeArray();
  if (context.cluster.enabled) {
    Json self = Json::MakeObject();
    self.Set("address", context.cluster.address);
    self.Set("name", context.cluster.name);
    peers.Push(std::move(self));
    cluster.Set("name", context.cluster.name);
  }
  cluster.Set("peers", std::move(peers));
  cluster.Set("status", context.cluster.enabled ? "ready" : "disabled");
  Json config = Json::MakeObject();
  ConfigPtr loaded = context.gate.Read([](const Engine& engine) { return engine.shared_config(); });
  config.Set("original", context.config_yaml ? context.config_yaml()
                                             : ConfigToYaml(*loaded, request.Header("User-Agent")));
  Json version = Json::MakeObject();
  version.Set("branch", "");
  version.Set("buildDate", "");
  version.Set("buildUser", "");
  version.Set("goVersion", "");
  version.Set("revision", fmt::format("mlalert {}", MLALERT_VERSION));
  version.Set("version", kAlertmanagerVersion);
  Json status = Json::MakeObject();
  status.Set("cluster", std::move(cluster));
  status.Set("config", std::move(config));
  status.Set("uptime", FormatRfc3339Millis(context.started_at));
  status.Set("versionInfo", std::move(version));
  SetV2Json(response, status);
}

void GetReceivers(ApiContext& context, HttpRequest& request, HttpResponse& response) {
  if (!CheckAcceptsJsonV2(request, response)) {
    return;
  }
  auto filters = ParseFilters(request, "receiver_matchers",
                              "failed to parse receiver_matchers param: ", context.matcher_mode);
  if (!filters) {
    SetErrorString(response, 400, filters.error().message);
    return;
  }
  ConfigPtr config = context.gate.Read([](const Engine& engine) { return engine.shared_config(); });
  Json list = Json::MakeArray();
  for (const Receiver& receiver : config->receivers) {
    LabelSet labels = ReceiverLabels(*config, receiver.name);
    if (!PassesFilters(*filters, labels)) {
      continue;
    }
    Json shown = Json::MakeObject();
    for (Label label : labels) {
      shown.Set(std::string(label.name), label.value);
    }
    Json one = Json::MakeObject();
    one.Set("labels", std::move(shown));
    one.Set("name", receiver.name);
    list.Push(std::move(one));
  }
  SetV2Json(response, list);
}

}  // namespace

void AddStatusV2(HttpRouter& router, ApiContext& context) {
  router.Get(
      "/api/v2/status",
      [&context](HttpRequest& request, HttpResponse& response) { GetStatus(context, request, response); },
      {.head = false});
  router.Get(
      "/api/v2/receivers",
      [&context](HttpRequest& request, HttpResponse& response) { GetReceivers(context, request, response); },
      {.head = false});
}

}  // namespace mlalert
