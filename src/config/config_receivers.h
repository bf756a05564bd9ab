// Between the files that read receivers only: one function per kind, and what they share. Each function fills
// defaults and globals in, so that notify/ asks nobody; what is wrong is reported through the value. Thread:
// confined to one load.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "config/config_sections.h"

namespace mlalert {

struct ReceiverContext {
  const LoadContext& load;
  const GlobalConfig& global;
};

// --- what kinds share ---

// send_resolved and http_config. Returns the receiver's own http_config, null when it has none; `out` then
// has the global one, as a whole. `rewrite_paths`: files in it are relative to the config file.
HttpConfigPtr ReadCommon(YamlMap& map, const ReceiverContext& context, IntegrationConfig& out,
                         bool rewrite_paths = true);
// A text with a default.
void ReadText(YamlMap& map, std::string_view key, std::string& out, std::string_view fallback = {});
// A map of texts to trees of any shape.
void ReadTrees(YamlMap& map, std::string_view key, std::map<std::string, Json>& out);
// webhook_url and webhook_url_file, of which exactly one must be there.
struct SecretUrlPair {
  bool url_given = false;
};
SecretUrlPair ReadWebhookUrl(YamlMap& map, Secret& url, std::string& file);
bool CheckWebhookUrl(const YamlMap& map, SecretUrlPair pair, const std::string& file);
// "at most one of A & B must be configured"; false when it was reported.
bool CheckExclusive(const YamlMap& map, std::string_view a, bool a_set, std::string_view b, bool b_set);
// A secret and its file fall back to the global ones together: either of the receiver's own hides both.
void FallBack(Secret& own, std::string& own_file, const Secret& global, const std::string& global_file);
// The path of the URL ends with a slash.
std::string WithTrailingSlash(const std::string& url);
// `fields` of Slack and Mattermost; `product` names it in messages.
void ReadFields(YamlMap& map, std::string_view go_type, std::string_view product,
                std::vector<SlackField>& out);

// --- one per kind ---

void ReadIntegration(const YamlValue& value, const ReceiverContext& context, WebhookConfig& out);
void ReadIntegration(const YamlValue& value, const ReceiverContext& context, IncidentioConfig& out);
void ReadIntegration(const YamlValue& value, const ReceiverContext& context, DiscordConfig& out);
void ReadIntegration(const YamlValue& value, const ReceiverContext& context, MsteamsConfig& out);
void ReadIntegration(const YamlValue& value, const ReceiverContext& context, MsteamsV2Config& out);
void ReadIntegration(const YamlValue& value, const ReceiverContext& context, SlackConfig& out);
void ReadIntegration(const YamlValue& value, const ReceiverContext& context, MattermostConfig& out);
void ReadIntegration(const YamlValue& value, const ReceiverContext& context, RocketchatConfig& out);
void ReadIntegration(const YamlValue& value, const ReceiverContext& context, TelegramConfig& out);
void ReadIntegration(const YamlValue& value, const ReceiverContext& context, WebexConfig& out);
void ReadIntegration(const YamlValue& value, const ReceiverContext& context, WechatConfig& out);
void ReadIntegration(const YamlValue& value, const ReceiverContext& context, PagerdutyConfig& out);
void ReadIntegration(const YamlValue& value, const ReceiverContext& context, OpsgenieConfig& out);
void ReadIntegration(const YamlValue& value, const ReceiverContext& context, VictoropsConfig& out);
void ReadIntegration(const YamlValue& value, const ReceiverContext& context, PushoverConfig& out);
void ReadIntegration(const YamlValue& value, const ReceiverContext& context, SnsConfig& out);
void ReadIntegration(const YamlValue& value, const ReceiverContext& context, EmailConfig& out);
void ReadIntegration(const YamlValue& value, const ReceiverContext& context, JiraConfig& out);
void ReadIntegration(const YamlValue& value, const ReceiverContext& context, TwilioConfig& out);

}  // namespace mlalert
