#include "api/alert_json.h"

#include "api/matcher_filter.h"
#include "api/negotiation.h"
#include "base/hash.h"
#include "base/json.h"

namespace mlalert {
namespace {

void AppendTime(std::string& out, std::string_view key, Timestamp time, int offset_minutes) {
  out.append(",\"").append(key).append("\":\"");
  out += FormatRfc3339Millis(time, offset_minutes);
  out += '"';
}

void AppendStrings(std::string& out, const std::vector<std::string>& texts) {
  out += '[';
  for (size_t i = 0; i < texts.size(); ++i) {
    if (i > 0) {
      out += ',';
    }
    AppendJsonString(out, texts[i]);
  }
  out += ']';
}

}  // namespace

Result<AlertQuery> ParseAlertQuery(const HttpRequest& request, MatcherMode mode) {
  AlertQuery query;
  query.active = BoolParamV2(request, "active", true);
  query.silenced = BoolParamV2(request, "silenced", true);
  query.inhibited = BoolParamV2(request, "inhibited", true);
  MLALERT_ASSIGN(query.filters, ParseFilters(request, "filter", "", mode));
  if (const std::string* receiver = LastParamV2(request, "receiver");
      receiver != nullptr && !receiver->empty()) {
    auto regex = Regex::CompileAnchored(*receiver);
    if (!regex) {
      return Fail(ErrorCode::kInvalid, "failed to parse receiver param: " + regex.error().message);
    }
    query.receiver = std::move(*regex);
  }
  MLALERT_ASSIGN(query.receiver_matchers, ParseFilters(request, "receiver_matchers",
                                                       "failed to parse receiver_matchers param: ", mode));
  return query;
}

bool ShowsAlert(const AlertQuery& query, const AlertView& view, Timestamp now) {
  const bool is_silenced = !view.silenced_by.empty();
  const bool is_inhibited = view.inhibited_by.has_value();
  return !view.alert.ResolvedAt(now) && PassesFilters(query.filters, view.alert.labels) &&
         (query.active || is_silenced || is_inhibited) && (query.silenced || !is_silenced) &&
         (query.inhibited || !is_inhibited);
}

bool ShowsReceiver(const AlertQuery& query, const Config& config, const std::string& receiver) {
  return (!query.receiver || query.receiver->FullMatch(receiver)) &&
         (query.receiver_matchers.empty() ||
          PassesFilters(query.receiver_matchers, ReceiverLabels(config, receiver)));
}

void AppendLabelsJson(std::string& out, const LabelSet& labels) {
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

void AppendAlertJson(std::string& out, const AlertView& view, const std::vector<std::string>& muted_by) {
  const Alert& alert = view.alert;
  out += "{\"annotations\":";
  AppendLabelsJson(out, alert.annotations);
  AppendTime(out, "endsAt", alert.ends_at, alert.ends_offset_minutes);
  out.append(",\"fingerprint\":\"").append(Hex16(alert.fingerprint())).append("\",\"receivers\":[");
  for (size_t i = 0; i < view.receivers.size(); ++i) {
    out += i > 0 ? ",{\"name\":" : "{\"name\":";
    AppendJsonString(out, view.receivers[i]);
    out += '}';
  }
  out += ']';
  AppendTime(out, "startsAt", alert.starts_at, alert.starts_offset_minutes);
  bool suppressed = view.inhibited_by || !view.silenced_by.empty() || !muted_by.empty();
  out += ",\"status\":{\"inhibitedBy\":[";
  if (view.inhibited_by) {
    AppendJsonString(out, Hex16(*view.inhibited_by));
  }
  out += "],\"mutedBy\":";
  AppendStrings(out, muted_by);
  out += ",\"silencedBy\":";
  AppendStrings(out, view.silenced_by);
  out += suppressed ? ",\"state\":\"suppressed\"}" : ",\"state\":\"active\"}";
  AppendTime(out, "updatedAt", alert.updated_at, 0);
  if (!alert.generator_url.empty()) {
    out += ",\"generatorURL\":";
    AppendJsonString(out, alert.generator_url);
  }
  out += ",\"labels\":";
  AppendLabelsJson(out, alert.labels);
  out += '}';
}

}  // namespace mlalert
