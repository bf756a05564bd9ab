// incident.io: the webhook's body under version "1", with a bearer token.
#include <algorithm>
#include <fmt/format.h>

#include "base/json.h"
#include "notify/payload.h"

namespace mlalert {
namespace {

constexpr size_t kBodyBytesMax = size_t{512} << 10;

// Only the first alert stays: incident.io makes one alert of the whole group anyway. What is said about the
// group still counts all.
std::string WithFirstAlertOnly(std::string body) {
  auto parsed = ParseJson(body, {.bytes_max = SIZE_MAX});
  if (!parsed) {
    return body;
  }
  Json out = Json::MakeObject();
  for (const auto& [key, value] : parsed->AsObject()) {
    if (key == "alerts" && value.AsArray().size() > 1) {
      out.Set(key, Json::Array{value.AsArray().front()});
    } else {
      out.Set(key, value);
    }
  }
  return out.Dump() + "\n";
}

// "<message>: <error>: <errors joined by ', '>", what there is of it.
std::string ErrorDetails(const HttpResult& result) {
  auto answer = ParseJson(result.body);
  if (!answer) {
    return {};
  }
  std::string list;
  if (const Json* errors = answer->Find("errors"); errors != nullptr) {
    for (const Json& error : errors->AsArray()) {
      list += (list.empty() ? "" : ", ") + error.AsString();
    }
  }
  HttpResult quoted;
  for (const std::string& part : {answer->GetString("message"), answer->GetString("error"), list}) {
    if (!part.empty()) {
      quoted.body += (quoted.body.empty() ? "" : ": ") + part;
    }
  }
  return QuotedBody(quoted);
}

}  // namespace

Result<PreparedCall> BuildIncidentio(const Notification& n, const ReceiverContext& context) {
  const IncidentioConfig& c = n.receiver->incidentio_configs[n.integration.index];
  size_t kept = c.max_alerts == 0 ? n.alerts.size() : std::min<size_t>(n.alerts.size(), c.max_alerts);
  PreparedCall out = JsonPost(context);
  out.judge = JudgeIncidentio;
  out.call.options = c.http_config;
  MLALERT_ASSIGN(out.call.url, ReadUrl(c.url, c.url_file, "url", context.files));
  MLALERT_ASSIGN(std::string token, ReadSecret(c.alert_source_token, c.alert_source_token_file,
                                               "alert_source_token_file", context.files));
  if (!token.empty()) {  // else http_config brings one
    out.call.headers.emplace_back("Authorization", "Bearer " + token);
    out.secrets.push_back(token);
  }
  out.call.body = AlertsBody(DataFor(n, context, kept), n, "1", n.alerts.size() - kept);
  if (out.call.body.size() > kBodyBytesMax) {
    out.call.body = WithFirstAlertOnly(std::move(out.call.body));
  }
  return out;
}

NotificationOutcome JudgeIncidentio(const HttpResult& result) {
  return JudgeStatus(result, ErrorDetails(result), kTooManyRequests);
}

}  // namespace mlalert
