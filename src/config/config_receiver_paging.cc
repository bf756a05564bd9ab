// Receivers that wake people: pagerduty, opsgenie, victorops, pushover, sns.
#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "config/config_receivers.h"
#include "template/notify_funcs.h"
#include "template/template.h"

namespace mlalert {
namespace {

void ReadDetails(YamlMap& map, std::map<std::string, Json>& out) {
  ReadTrees(map, "details", out);
  out.emplace("firing", "{{ .Alerts.Firing | toJson }}");
  out.emplace("resolved", "{{ .Alerts.Resolved | toJson }}");
  out.emplace("num_firing", "{{ .Alerts.Firing | len }}");
  out.emplace("num_resolved", "{{ .Alerts.Resolved | len }}");
}

void ReadImagesAndLinks(YamlMap& map, PagerdutyConfig& out) {
  if (auto list = map.Take("images")) {
    for (const YamlValue& item : list->Items("[]pagerduty.PagerdutyImage")) {
      YamlMap fields(item, "pagerduty.PagerdutyImage");
      PagerdutyImage& image = out.images.emplace_back();
      fields.Read("src", image.src);
      fields.Read("alt", image.alt);
      fields.Read("href", image.href);
      fields.Finish();
    }
  }
  if (auto list = map.Take("links")) {
    for (const YamlValue& item : list->Items("[]pagerduty.PagerdutyLink")) {
      YamlMap fields(item, "pagerduty.PagerdutyLink");
      PagerdutyLink& link = out.links.emplace_back();
      fields.Read("href", link.href);
      fields.Read("text", link.text);
      fields.Finish();
    }
  }
}

std::string Lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return out;
}

// The first responder that is wrong.
void CheckResponders(const YamlMap& map, const std::vector<OpsgenieResponder>& responders) {
  static constexpr std::array<std::string_view, 5> kTypes{"team", "teams", "user", "escalation", "schedule"};
  for (const OpsgenieResponder& responder : responders) {
    auto print = [&](const std::string& type) {  // as Go prints the struct
      return fmt::format("opsGenieConfig responder {{{} {} {} {}}}", responder.id, responder.name,
                         responder.username, type);
    };
    if (responder.id.empty() && responder.username.empty() && responder.name.empty()) {
      map.At("responders")
          .Error(print(responder.type) + " has to have at least one of id, username or name specified");
      return;
    }
    if (responder.type.find("{{") != std::string::npos) {
      if (auto parsed = tmpl::Template::Parse("", responder.type, tmpl::NotifyFunctions()); !parsed) {
        map.At("responders")
            .Error(fmt::format("{} type contains invalid template syntax: {}", print(responder.type),
                               parsed.error().message));
        return;
      }
      continue;
    }
    std::string type = Lower(responder.type);
    if (std::find(kTypes.begin(), kTypes.end(), type) == kTypes.end()) {
      map.At("responders")
          .Error(print(type) + " type does not match valid options ^(team|teams|user|escalation|schedule)$");
      return;
    }
  }
}

// Go's time.ParseDuration with its own words, also for a number without unit.
void ReadPlainDuration(YamlMap& map, std::string_view key, Duration& out) {
  auto value = map.Take(key);
  std::string text;
  if (!value) {
    return;
  }
  if (value->IsNull()) {
    out = Duration::zero();
    return;
  }
  if (!value->IsScalar()) {
    value->WrongType("pushover.duration");
    return;
  }
  value->Read(text);
  if (auto parsed = ParseGoDuration(text)) {
    out = *parsed;
  } else {
    value->Error(parsed.error().message);
  }
}

void ReadSigV4(const YamlValue& value, SnsSigV4& out) {
  YamlMap map(value, "sigv4.plain");
  map.Read("region", out.region);
  map.Read("access_key", out.access_key);
  map.Read("secret_key", out.secret_key);
  map.Read("profile", out.profile);
  map.Read("role_arn", out.role_arn);
  map.Read("external_id", out.external_id);
  map.Finish();
  if (!map.Failed() && out.access_key.empty() != out.secret_key.empty()) {
    value.Error(
        "must provide a AWS SigV4 Access key and Secret Key if credentials are specified in the SigV4 "
        "config");
  }
}

}  // namespace

void ReadIntegration(const YamlValue& value, const ReceiverContext& context, PagerdutyConfig& out) {
  YamlMap map(value, "pagerduty.plain");
  ReadCommon(map, context, out);
  map.Read("service_key", out.service_key);
  map.Read("service_key_file", out.service_key_file);
  map.Read("routing_key", out.routing_key);
  map.Read("routing_key_file", out.routing_key_file);
  out.url = context.global.pagerduty_url;
  ReadUrl(map, "url", out.url);
  ReadText(map, "client", out.client, R"({{ template "pagerduty.default.client" . }})");
  ReadText(map, "client_url", out.client_url, R"({{ template "pagerduty.default.clientURL" . }})");
  ReadText(map, "description", out.description, R"({{ template "pagerduty.default.description" .}})");
  ReadDetails(map, out.details);
  ReadImagesAndLinks(map, out);
  map.Read("source", out.source);
  map.Read("severity", out.severity);
  map.Read("class", out.class_name);
  map.Read("component", out.component);
  map.Read("group", out.group);
  map.ReadGoDuration("timeout", out.timeout);
  map.Finish();
  if (out.source.empty()) {
    out.source = out.client;
  }
  if (out.severity.empty()) {
    out.severity = "error";
  }
  if (map.Failed()) {
    return;
  }
  bool routing = !out.routing_key.empty() || !out.routing_key_file.empty();
  if (!routing && out.service_key.empty() && out.service_key_file.empty()) {
    value.Error("missing service or routing key in PagerDuty config");
    return;
  }
  CheckPair(map, "routing_key", !out.routing_key.empty(), "routing_key_file", !out.routing_key_file.empty());
  CheckPair(map, "service_key", !out.service_key.empty(), "service_key_file", !out.service_key_file.empty());
}

void ReadIntegration(const YamlValue& value, const ReceiverContext& context, OpsgenieConfig& out) {
  const GlobalConfig& global = context.global;
  YamlMap map(value, "opsgenie.plain");
  ReadCommon(map, context, out);
  map.Read("api_key", out.api_key);
  map.Read("api_key_file", out.api_key_file);
  out.api_url = global.opsgenie_api_url;
  ReadUrl(map, "api_url", out.api_url);
  ReadText(map, "message", out.message, R"({{ template "opsgenie.default.message" . }})");
  ReadText(map, "description", out.description, R"({{ template "opsgenie.default.description" . }})");
  ReadText(map, "source", out.source, R"({{ template "opsgenie.default.source" . }})");
  map.Read("details", out.details);
  map.Read("entity", out.entity);
  if (auto list = map.Take("responders")) {
    for (const YamlValue& item : list->Items("[]opsgenie.OpsGenieConfigResponder")) {
      YamlMap fields(item, "opsgenie.OpsGenieConfigResponder");
      OpsgenieResponder& responder = out.responders.emplace_back();
      fields.Read("id", responder.id);
      fields.Read("name", responder.name);
      fields.Read("username", responder.username);
      fields.Read("type", responder.type);
      fields.Finish();
    }
  }
  map.Read("actions", out.actions);
  map.Read("tags", out.tags);
  map.Read("note", out.note);
  map.Read("priority", out.priority);
  map.Read("update_alerts", out.update_alerts);
  map.Finish();
  if (map.Failed() ||
      !CheckExclusive(map, "api_key", !out.api_key.empty(), "api_key_file", !out.api_key_file.empty())) {
    return;
  }
  CheckResponders(map, out.responders);
  if (map.Failed()) {
    return;
  }
  out.api_url = WithTrailingSlash(out.api_url);
  FallBack(out.api_key, out.api_key_file, global.opsgenie_api_key, global.opsgenie_api_key_file);
  if (out.api_key.empty() && out.api_key_file.empty()) {
    value.Error("no global OpsGenie API Key set either inline or in a file");
  }
}

void ReadIntegration(const YamlValue& value, const ReceiverContext& context, VictoropsConfig& out) {
  static constexpr std::array<std::string_view, 7> kReserved{
      "routing_key",     "message_type", "state_message", "entity_display_name",
      "monitoring_tool", "entity_id",    "entity_state"};
  const GlobalConfig& global = context.global;
  YamlMap map(value, "config.plain");
  ReadCommon(map, context, out);
  map.Read("api_key", out.api_key);
  map.Read("api_key_file", out.api_key_file);
  out.api_url = global.victorops_api_url;
  ReadUrl(map, "api_url", out.api_url);
  map.Read("routing_key", out.routing_key);
  ReadText(map, "message_type", out.message_type, "CRITICAL");
  ReadText(map, "state_message", out.state_message, R"({{ template "victorops.default.state_message" . }})");
  ReadText(map, "entity_display_name", out.entity_display_name,
           R"({{ template "victorops.default.entity_display_name" . }})");
  ReadText(map, "monitoring_tool", out.monitoring_tool,
           R"({{ template "victorops.default.monitoring_tool" . }})");
  map.Read("custom_fields", out.custom_fields);
  map.Finish();
  if (map.Failed()) {
    return;
  }
  if (out.routing_key.empty()) {
    value.Error("missing Routing key in VictorOps config");
    return;
  }
  if (!CheckExclusive(map, "api_key", !out.api_key.empty(), "api_key_file", !out.api_key_file.empty())) {
    return;
  }
  for (std::string_view name : kReserved) {
    if (out.custom_fields.contains(std::string(name))) {
      map.At("custom_fields")
          .Error(fmt::format("victorOps config contains custom field {} which cannot be used as it conflicts "
                             "with the fixed/static fields",
                             name));
      return;
    }
  }
  out.api_url = WithTrailingSlash(out.api_url);
  FallBack(out.api_key, out.api_key_file, global.victorops_api_key, global.victorops_api_key_file);
  if (out.api_key.empty() && out.api_key_file.empty()) {
    value.Error("no global VictorOps API Key set");
  }
}

void ReadIntegration(const YamlValue& value, const ReceiverContext& context, PushoverConfig& out) {
  YamlMap map(value, "pushover.plain");
  ReadCommon(map, context, out);
  map.Read("user_key", out.user_key);
  map.Read("user_key_file", out.user_key_file);
  map.Read("token", out.token);
  map.Read("token_file", out.token_file);
  ReadText(map, "title", out.title, R"({{ template "pushover.default.title" . }})");
  ReadText(map, "message", out.message, R"({{ template "pushover.default.message" . }})");
  ReadText(map, "url", out.url, R"({{ template "pushover.default.url" . }})");
  map.Read("url_title", out.url_title);
  map.Read("device", out.device);
  map.Read("sound", out.sound);
  ReadText(map, "priority", out.priority, R"({{ if eq .Status "firing" }}2{{ else }}0{{ end }})");
  ReadPlainDuration(map, "retry", out.retry);
  ReadPlainDuration(map, "expire", out.expire);
  ReadPlainDuration(map, "ttl", out.ttl);
  map.Read("html", out.html);
  map.Read("monospace", out.monospace);
  map.Finish();
  if (map.Failed()) {
    return;
  }
  if (out.user_key.empty() && out.user_key_file.empty()) {
    value.Error("one of user_key or user_key_file must be configured");
  } else if (!CheckExclusive(map, "user_key", !out.user_key.empty(), "user_key_file",
                             !out.user_key_file.empty())) {
    return;
  } else if (out.token.empty() && out.token_file.empty()) {
    value.Error("one of token or token_file must be configured");
  } else if (CheckExclusive(map, "token", !out.token.empty(), "token_file", !out.token_file.empty()) &&
             out.html && out.monospace) {
    map.At("monospace").Error("at most one of monospace & html must be configured");
  }
}

void ReadIntegration(const YamlValue& value, const ReceiverContext& context, SnsConfig& out) {
  YamlMap map(value, "sns.plain");
  ReadCommon(map, context, out);
  map.Read("api_url", out.api_url);
  if (auto sigv4 = map.TakeSet("sigv4")) {
    ReadSigV4(*sigv4, out.sigv4);
  }
  map.Read("topic_arn", out.topic_arn);
  map.Read("phone_number", out.phone_number);
  map.Read("target_arn", out.target_arn);
  ReadText(map, "subject", out.subject, R"({{ template "sns.default.subject" . }})");
  ReadText(map, "message", out.message, R"({{ template "sns.default.message" . }})");
  map.Read("attributes", out.attributes);
  map.Read("use_aws_http_client", out.use_aws_http_client);
  map.Finish();
  // Upstream's chain of two comparisons: all three together pass, two do not.
  bool target_and_topic = out.target_arn.empty() != out.topic_arn.empty();
  if (!map.Failed() && target_and_topic != out.phone_number.empty()) {
    value.Error("must provide either a Target ARN, Topic ARN, or Phone Number for SNS config");
  }
}

}  // namespace mlalert
