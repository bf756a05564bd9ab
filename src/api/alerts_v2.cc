// POST and GET /api/v2/alerts. POST is the hot path of the process: a Prometheus posts every firing alert
// again every minute or two, and nearly all of them change nothing.
#include <algorithm>
#include <fmt/format.h>
#include <optional>

#include "api/handlers.h"
#include "api/http_error.h"
#include "api/matcher_filter.h"
#include "api/negotiation.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/regex.h"
#include "intake/alert_decoder.h"

namespace mlalert {
namespace {

Duration ResolveTimeout(ApiContext& context) {
  ConfigPtr config = context.config ? context.config() : nullptr;
  if (config == nullptr) {
    config = context.gate.Read([](const Engine& engine) { return engine.shared_config(); });
  }
  return config->global.resolve_timeout;
}

void PostAlerts(ApiContext& context, HttpRequest& request, HttpResponse& response) {
  if (!CheckJsonBodyV2(request, response)) {
    context.metrics.CountRefused(AlertSource::kApi, IngestRefusal::kMediaType);
    return;
  }
  thread_local IngestBatch batch;
  DecodeOptions options;
  options.now = context.clock.Now();
  options.resolve_timeout = ResolveTimeout(context);
  DecodeFailure failure;
  if (!DecodeAlerts(request.body, options, batch, failure)) {
    context.metrics.CountRefused(AlertSource::kApi, IngestRefusal::kBody);
    SetErrorObject(response, failure.http_status, failure.message, failure.code);
    return;
  }
  context.metrics.CountReceived(AlertSource::kApi, batch.received_firing, batch.received_resolved);
  if (!batch.alerts.empty()) {
    context.gate.Enter(
        [&](Engine& engine, Timestamp now, Effects& fx) { engine.Ingest(batch.alerts, now, fx); });
  }
  if (!batch.errors.empty()) {
    context.metrics.CountRefused(AlertSource::kApi, IngestRefusal::kAlert,
                                 static_cast<uint32_t>(batch.errors.size()));
    SetErrorString(response, 400, fmt::format("{}", fmt::join(batch.errors, "\n")));
  }
}

// --- GET ---

struct AlertQuery {
  bool active = true;
  bool silenced = true;
  bool inhibited = true;
  Matchers filters;
  std::optional<Regex> receiver;
  Matchers receiver_matchers;
};

Result<AlertQuery> ParseAlertQuery(const HttpRequest& request) {
  AlertQuery query;
  query.active = BoolParamV2(request, "active", true);
  query.silenced = BoolParamV2(request, "silenced", true);
  query.inhibited = BoolParamV2(request, "inhibited", true);
  MLALERT_ASSIGN(query.filters, ParseFilters(request, "filter", ""));
  if (const std::string* receiver = request.Query("receiver"); receiver != nullptr && !receiver->empty()) {
    auto regex = Regex::CompileAnchored(*receiver);
    if (!regex) {
      return Fail(ErrorCode::kInvalid, "failed to parse receiver param: " + regex.error().message);
    }
    query.receiver = std::move(*regex);
  }
  MLALERT_ASSIGN(query.receiver_matchers,
                 ParseFilters(request, "receiver_matchers", "failed to parse receiver_matchers param: "));
  return query;
}

bool Shows(const AlertQuery& query, const Config& config, const AlertView& view, Timestamp now) {
  if (view.alert.ResolvedAt(now) || !query.active || !PassesFilters(query.filters, view.alert.labels)) {
    return false;
  }
  auto any_receiver = [&](auto&& test) {
    return std::any_of(view.receivers.begin(), view.receivers.end(), test);
  };
  if (query.receiver &&
      !any_receiver([&](const std::string& name) { return query.receiver->FullMatch(name); })) {
    return false;
  }
  return query.receiver_matchers.empty() || any_receiver([&](const std::string& name) {
           return PassesFilters(query.receiver_matchers, ReceiverLabels(config, name));
         });
}

void AppendLabels(std::string& out, const LabelSet& labels) {
  out += '{';
  bool first = true;
  for (Label label : labels) {
    if (!first) {
      out += ',';
    }
    first = false;
    AppendJsonString(out, label.name);
    out += ':';
    AppendJsonString(out, label.value);
  }
  out += '}';
}

void AppendTime(std::string& out, std::string_view key, Timestamp time, int offset_minutes) {
  out.append(",\"").append(key).append("\":\"");
  out += FormatRfc3339Millis(time, offset_minutes);
  out += '"';
}

void AppendAlert(std::string& out, const AlertView& view) {
  const Alert& alert = view.alert;
  out += "{\"annotations\":";
  AppendLabels(out, alert.annotations);
  AppendTime(out, "endsAt", alert.ends_at, alert.ends_offset_minutes);
  out.append(",\"fingerprint\":\"").append(Hex16(alert.fingerprint())).append("\",\"receivers\":[");
  for (size_t i = 0; i < view.receivers.size(); ++i) {
    out += i > 0 ? ",{\"name\":" : "{\"name\":";
    AppendJsonString(out, view.receivers[i]);
    out += '}';
  }
  out += ']';
  AppendTime(out, "startsAt", alert.starts_at, alert.starts_offset_minutes);
  out += ",\"status\":{\"inhibitedBy\":[],\"mutedBy\":[],\"silencedBy\":[],\"state\":\"active\"}";
  AppendTime(out, "updatedAt", alert.updated_at, 0);
  if (!alert.generator_url.empty()) {
    out += ",\"generatorURL\":";
    AppendJsonString(out, alert.generator_url);
  }
  out += ",\"labels\":";
  AppendLabels(out, alert.labels);
  out += '}';
}

void GetAlerts(ApiContext& context, HttpRequest& request, HttpResponse& response) {
  if (!CheckAcceptsJsonV2(request, response)) {
    return;
  }
  auto query = ParseAlertQuery(request);
  if (!query) {
    SetErrorString(response, 400, query.error().message);
    return;
  }
  ConfigPtr config;
  std::vector<AlertView> views = context.gate.Read([&](const Engine& engine) {
    config = engine.shared_config();
    return engine.ListAlerts();
  });
  Timestamp now = context.clock.Now();
  std::erase_if(views, [&](const AlertView& view) { return !Shows(*query, *config, view, now); });
  std::sort(views.begin(), views.end(), [](const AlertView& a, const AlertView& b) {
    return a.alert.fingerprint() < b.alert.fingerprint();
  });
  response.content_type = "application/json";
  std::string& out = response.body;
  out.reserve(views.size() * 512 + 3);
  out += '[';
  for (size_t i = 0; i < views.size(); ++i) {
    if (i > 0) {
      out += ',';
    }
    AppendAlert(out, views[i]);
  }
  out += "]\n";
}

}  // namespace

void AddAlertsV2(HttpRouter& router, ApiContext& context) {
  router.Post("/api/v2/alerts", [&context](HttpRequest& request, HttpResponse& response) {
    PostAlerts(context, request, response);
  });
  router.Get(
      "/api/v2/alerts",
      [&context](HttpRequest& request, HttpResponse& response) { GetAlerts(context, request, response); },
      {.head = false});
}

}  // namespace mlalert
