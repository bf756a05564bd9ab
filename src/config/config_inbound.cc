// inbound: signed links, Slack's buttons, PagerDuty's webhooks.
#include <fmt/format.h>

#include "config/config_sections.h"
#include "config/file_io.h"

namespace mlalert {
namespace {

// Of a key that we sign with. Others choose their own.
constexpr size_t kLinkKeyBytesMin = 16;
constexpr Duration kLinkExpiresMax = std::chrono::hours(24 * 30);

// One text or a list of them; or a file.
void ReadSecrets(YamlMap& map, std::string_view key, std::string_view file_key, const LoadContext& context,
                 InboundSecrets& out) {
  if (auto value = map.TakeSet(key)) {
    if (value->IsScalar()) {
      value->Read(out.values.emplace_back());
    } else {
      for (const YamlValue& item : value->Items("[]string")) {
        item.Read(out.values.emplace_back());
      }
    }
    for (const Secret& secret : out.values) {
      if (secret.empty()) {
        value->Error(fmt::format("{} holds an empty secret", key), "anybody could sign with it");
        break;
      }
    }
  }
  if (map.Read(file_key, out.file) && !out.file.empty()) {
    out.file = JoinDirectory(context.directory, out.file);
  }
  CheckPair(map, key, !out.values.empty(), file_key, !out.file.empty());
}

void ReadLinks(const YamlValue& value, const LoadContext& context, InboundConfig::Links& out) {
  YamlMap map(value, "links");
  if (map.Read("key", out.key) && !out.key.empty() && out.key.Reveal().size() < kLinkKeyBytesMin) {
    map.At("key").Error(fmt::format("the key has fewer than {} bytes", kLinkKeyBytesMin),
                        "make one with: openssl rand -hex 32");
  }
  if (map.Read("key_file", out.key_file) && !out.key_file.empty()) {
    out.key_file = JoinDirectory(context.directory, out.key_file);
  }
  CheckPair(map, "key", !out.key.empty(), "key_file", !out.key_file.empty());
  if (ReadIfSet(map, "expires", out.expires) &&
      (out.expires < std::chrono::minutes(1) || out.expires > kLinkExpiresMax)) {
    map.At("expires").Error("expires must be from 1m to 30d");
  }
  map.Finish();
}

void ReadSlack(const YamlValue& value, const LoadContext& context, InboundConfig::Slack& out) {
  YamlMap map(value, "slack");
  ReadSecrets(map, "signing_secret", "signing_secret_file", context, out.signing);
  map.Read("users", out.users);
  map.Read("allow_unlinked", out.allow_unlinked);
  map.Finish();
  if (out.signing.empty()) {
    value.Error("missing signing_secret or signing_secret_file in inbound.slack",
                "it is in the settings of the Slack app, under Basic Information");
  }
}

void ReadPagerduty(const YamlValue& value, const LoadContext& context, InboundConfig::Pagerduty& out) {
  YamlMap map(value, "pagerduty");
  ReadSecrets(map, "webhook_secret", "webhook_secret_file", context, out.webhook);
  map.Read("trust_remote_resolve", out.trust_remote_resolve);
  map.Read("api_token", out.api_token);
  if (map.Read("api_token_file", out.api_token_file) && !out.api_token_file.empty()) {
    out.api_token_file = JoinDirectory(context.directory, out.api_token_file);
  }
  CheckPair(map, "api_token", !out.api_token.empty(), "api_token_file", !out.api_token_file.empty());
  if (ReadUrl(map, "api_url", out.api_url)) {
    while (out.api_url.ends_with('/')) {
      out.api_url.pop_back();
    }
  }
  if (ReadIfSet(map, "reconcile_interval", out.reconcile_interval) &&
      out.reconcile_interval < std::chrono::seconds(1)) {
    map.At("reconcile_interval").Error("reconcile_interval must be at least 1s");
  }
  map.Finish();
  if (out.webhook.empty() && out.api_token.empty() && out.api_token_file.empty()) {
    value.Error("missing webhook_secret or webhook_secret_file in inbound.pagerduty",
                "PagerDuty shows it once, when the webhook subscription is made");
  }
}

}  // namespace

void ReadInbound(YamlMap& root, const LoadContext& context, const std::vector<Receiver>& receivers,
                 InboundConfig& out) {
  if (auto value = root.TakeSet("inbound")) {
    YamlMap map(*value, "inbound");
    if (ReadUrl(map, "public_url", out.public_url)) {
      if (out.public_url.find_first_of("?#") != std::string::npos) {
        map.At("public_url").Error("public_url has a query or a fragment");
      }
      while (out.public_url.ends_with('/')) {
        out.public_url.pop_back();
      }
    }
    if (auto links = map.TakeSet("links")) {
      ReadLinks(*links, context, out.links);
    }
    if (auto slack = map.TakeSet("slack")) {
      ReadSlack(*slack, context, out.slack);
    }
    if (auto pagerduty = map.TakeSet("pagerduty")) {
      ReadPagerduty(*pagerduty, context, out.pagerduty);
    }
    map.Finish();
  }
  for (const Receiver& receiver : receivers) {
    for (const SlackConfig& slack : receiver.slack_configs) {
      if (slack.buttons && out.slack.signing.empty()) {
        root.value().Error(fmt::format("receiver {} has Slack buttons, but there is no inbound.slack",
                                       Quoted(receiver.name)),
                           "set inbound.slack.signing_secret: without it nobody can tell who pressed");
        return;
      }
    }
  }
}

}  // namespace mlalert
