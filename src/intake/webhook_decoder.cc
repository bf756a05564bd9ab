#include "intake/webhook_decoder.h"

#include <fmt/format.h>

#include "base/json.h"
#include "intake/alert_decoder.h"

namespace mlalert {
namespace {

Result<uint32_t> AddMap(const Json* map, std::string_view what, IngestBatch& batch) {
  if (map == nullptr || map->is_null()) {
    return 0U;
  }
  if (!map->is_object()) {
    return Fail(ErrorCode::kInvalid, fmt::format("{} must be an object of strings", what));
  }
  if (map->AsObject().size() > kAlertLabelsMax) {
    return Fail(ErrorCode::kLimit, fmt::format("an alert has more than {} {}", kAlertLabelsMax, what));
  }
  for (const auto& [name, value] : map->AsObject()) {
    if (!value.is_string()) {
      return Fail(ErrorCode::kInvalid, fmt::format("{}.{} must be a string", what, name.substr(0, 128)));
    }
    batch.texts.push_back(name);
    std::string_view stored_name = batch.texts.back();
    batch.texts.push_back(value.AsString());
    batch.labels.push_back({stored_name, batch.texts.back()});
  }
  return static_cast<uint32_t>(map->AsObject().size());
}

Result<Timestamp> ReadTime(const Json& alert, std::string_view key) {
  const std::string& text = alert.GetString(key);
  if (text.empty()) {
    return kUnset;
  }
  auto time = ParseRfc3339(text);
  if (!time) {
    return Fail(std::move(time.error()).Context(key));
  }
  return *time;
}

}  // namespace

Result<WebhookInfo> DecodeWebhook(std::string_view body, Timestamp now, IngestBatch& batch) {
  batch.Clear();
  MLALERT_ASSIGN(Json payload, ParseJson(body));
  if (!payload.is_object()) {
    return Fail(ErrorCode::kInvalid, "the webhook payload must be a JSON object");
  }
  if (payload.GetString("version") != "4") {
    return Fail(Error{
        ErrorCode::kInvalid,
        fmt::format("unsupported webhook payload version \"{}\"", payload.GetString("version").substr(0, 32)),
        {},
        "only Alertmanager's version \"4\" is understood; do not set `payload` in webhook_configs"});
  }
  const Json* alerts = payload.Find("alerts");
  if (alerts == nullptr || !alerts->is_array()) {
    return Fail(ErrorCode::kInvalid, "the webhook payload has no list \"alerts\"");
  }
  struct Span {
    uint32_t labels_begin, labels, annotations_begin, annotations;
  };
  std::vector<Span> spans;
  for (size_t i = 0; i < alerts->AsArray().size(); ++i) {
    const Json& in = alerts->AsArray()[i];
    auto at = [&](Error error) { return Fail(std::move(error).Context(fmt::format("alerts[{}]", i))); };
    DecodedAlert alert;
    alert.source = AlertSource::kWebhook;
    Span span{};
    span.labels_begin = static_cast<uint32_t>(batch.labels.size());
    auto labels = AddMap(in.Find("labels"), "labels", batch);
    if (!labels) {
      return at(labels.error());
    }
    span.labels = *labels;
    span.annotations_begin = static_cast<uint32_t>(batch.labels.size());
    auto annotations = AddMap(in.Find("annotations"), "annotations", batch);
    if (!annotations) {
      return at(annotations.error());
    }
    span.annotations = *annotations;
    auto starts = ReadTime(in, "startsAt");
    auto ends = ReadTime(in, "endsAt");
    if (!starts || !ends) {
      return at(!starts ? starts.error() : ends.error());
    }
    alert.starts_at = *starts;
    const std::string& status = in.GetString("status");
    if (status == "firing") {
      alert.ends_at = now + kWebhookHold;
      alert.timeout = true;
      // A sender whose clock is ahead must not make the alert invalid.
      alert.starts_at = IsSet(alert.starts_at) ? std::min(alert.starts_at, now) : now;
    } else if (status == "resolved") {
      alert.ends_at = IsSet(*ends) ? std::min(*ends, now) : now;
      alert.starts_at = IsSet(alert.starts_at) ? std::min(alert.starts_at, alert.ends_at) : alert.ends_at;
    } else {
      return at(Error{ErrorCode::kInvalid,
                      fmt::format("status is \"{}\"", status.substr(0, 32)),
                      {},
                      "firing or resolved"});
    }
    batch.texts.push_back(in.GetString("generatorURL"));
    alert.generator_url = batch.texts.back();
    batch.alerts.push_back(alert);
    spans.push_back(span);
  }
  size_t kept = 0;
  for (size_t i = 0; i < spans.size(); ++i) {
    DecodedAlert& alert = batch.alerts[i];
    Label* labels = batch.labels.data() + spans[i].labels_begin;
    Label* annotations = batch.labels.data() + spans[i].annotations_begin;
    alert.labels = {labels, NormaliseLabels(labels, spans[i].labels, true)};
    alert.annotations = {annotations, NormaliseLabels(annotations, spans[i].annotations, false)};
    bool timeout = alert.timeout;
    std::string error = FinishAlert(alert, now, kWebhookHold);
    alert.timeout = timeout;
    ++(alert.ends_at > now ? batch.received_firing : batch.received_resolved);
    if (!error.empty()) {
      batch.errors.push_back(fmt::format("alerts[{}]: {}", i, error));
      continue;
    }
    batch.alerts[kept++] = alert;
  }
  batch.alerts.resize(kept);
  WebhookInfo info;
  if (const Json* truncated = payload.Find("truncatedAlerts")) {
    info.truncated_alerts = static_cast<uint64_t>(std::max<int64_t>(0, truncated->AsInt()));
  }
  return info;
}

}  // namespace mlalert
