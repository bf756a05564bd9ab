// twilio_configs: phone calls and SMS. Ours: Alertmanager has no such kind.
#include <algorithm>
#include <fmt/format.h>

#include "config/config_receivers.h"
#include "config/file_io.h"

namespace mlalert {
namespace {

// Twilio's limit.
constexpr Duration kRingMax = std::chrono::minutes(10);

constexpr std::string_view kDefaultCall =
    "{{ with .Severity }}Severity {{ . }}. {{ end }}{{ template \"__mlalert_spoken_reason\" . }}"
    "{{ range $i, $alert := .Alerts.Firing }}{{ if lt $i 3 }}{{ $alert.Labels.alertname }}. "
    "{{ with $alert.Annotations.summary }}{{ . }}. {{ end }}{{ end }}{{ end }}"
    "{{ if gt (len .Alerts.Firing) 3 }}{{ len .Alerts.Firing }} alerts in all.{{ end }}";
constexpr std::string_view kDefaultSms =
    "[{{ if eq .Status \"firing\" }}{{ or .Severity \"FIRING\" }}{{ else }}RESOLVED{{ end }}"
    "{{ template \"__mlalert_reason\" . }}] "
    "{{ range $i, $alert := .Alerts }}{{ if lt $i 3 }}{{ if $i }}; {{ end }}{{ $alert.Labels.alertname }}"
    "{{ with $alert.Annotations.summary }}: {{ . }}{{ end }}{{ end }}{{ end }}"
    "{{ if gt (len .Alerts) 3 }} ({{ len .Alerts }} alerts){{ end }}"
    "{{ if eq .Status \"firing\" }} Acknowledge: {{ .AcknowledgeURL }}{{ end }}";

// E.164.
bool IsPhoneNumber(std::string_view text) {
  return text.size() >= 8 && text.size() <= 16 && text[0] == '+' && text[1] >= '1' && text[1] <= '9' &&
         std::all_of(text.begin() + 1, text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool IsMessagingService(std::string_view text) {
  return text.size() == 34 && text.starts_with("MG");
}

void ReadNumbers(YamlMap& map, TwilioConfig& out) {
  if (auto to = map.TakeSet("to")) {
    if (to->IsScalar()) {
      to->Read(out.to.emplace_back());
    } else {
      to->Read(out.to);
    }
  }
  for (const std::string& number : out.to) {
    if (!IsPhoneNumber(number)) {
      map.At("to").Error(fmt::format("{} is not a phone number", Quoted(number)),
                         "write it with its country, quoted: \"+14155550100\"");
    } else if (number == out.from) {
      map.At("to").Error(fmt::format("{} is also `from`: it would call itself", Quoted(number)));
    }
  }
}

}  // namespace

void ReadIntegration(const YamlValue& value, const ReceiverContext& context, TwilioConfig& out) {
  YamlMap map(value, "twilio");
  HttpConfigPtr own_http = ReadCommon(map, context, out);
  map.Read("account_sid", out.account_sid);
  map.Read("auth_token", out.auth_token);
  if (map.Read("auth_token_file", out.auth_token_file) && !out.auth_token_file.empty()) {
    out.auth_token_file = JoinDirectory(context.load.directory, out.auth_token_file);
  }
  map.Read("from", out.from);
  ReadNumbers(map, out);
  std::string method = "call";
  map.Read("method", method);
  if (method == "sms") {
    out.method = TwilioMethod::kSms;
  } else if (method != "call") {
    map.At("method").Error(fmt::format("method is {}, must be call or sms", Quoted(method)));
  }
  ReadText(map, "language", out.language, "en-US");
  ReadText(map, "voice", out.voice);
  ReadText(map, "message", out.message, out.method == TwilioMethod::kCall ? kDefaultCall : kDefaultSms);
  if (ReadIfSet(map, "ring_timeout", out.ring_timeout) &&
      (out.ring_timeout < std::chrono::seconds(5) || out.ring_timeout > kRingMax)) {
    map.At("ring_timeout").Error("ring_timeout must be from 5s to 10m");
  }
  map.Read("machine_detection", out.machine_detection);
  ReadText(map, "api_url", out.api_url, "https://api.twilio.com");
  ReadUrl(map, "api_url", out.api_url);
  map.ReadGoDuration("timeout", out.timeout);
  map.Finish();
  if (map.Failed()) {
    return;
  }
  while (out.api_url.ends_with('/')) {
    out.api_url.pop_back();
  }
  if (out.account_sid.empty()) {
    value.Error("missing account_sid in Twilio config");
  } else if (out.account_sid.find_first_not_of(
                 "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789") != std::string::npos) {
    map.At("account_sid").Error("account_sid holds something else than letters and digits");
  } else if (out.auth_token.empty() && out.auth_token_file.empty()) {
    value.Error("missing auth_token or auth_token_file in Twilio config");
  } else if (!CheckExclusive(map, "auth_token", !out.auth_token.empty(), "auth_token_file",
                             !out.auth_token_file.empty())) {
    return;
  } else if (out.to.empty()) {
    value.Error("missing to in Twilio config",
                "a list of phone numbers, called in this order until one answers");
  } else if (out.from.empty()) {
    value.Error("missing from in Twilio config", "a phone number of yours at Twilio");
  } else if (out.method == TwilioMethod::kCall && !IsPhoneNumber(out.from)) {
    map.At("from").Error(fmt::format("{} is not a phone number", Quoted(out.from)));
  } else if (out.http_config->authorization || out.http_config->oauth2 ||
             (own_http != nullptr && own_http->basic_auth)) {
    value.Error("http_config of a Twilio config holds credentials",
                "account_sid and auth_token are used instead");
  } else {
    if (out.method == TwilioMethod::kCall && out.send_resolved) {
      map.At("send_resolved")
          .Warn("a call is never made to tell that it is over", "method: sms tells the end too");
    }
    out.messaging_service = IsMessagingService(out.from);
    auto http = std::make_shared<HttpClientConfig>(*out.http_config);
    BasicAuth& auth = http->basic_auth.emplace();
    auth.username = out.account_sid;
    auth.password = out.auth_token;
    auth.password_file = out.auth_token_file;
    out.http_config = std::move(http);
  }
}

}  // namespace mlalert
