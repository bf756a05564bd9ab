// receivers: the list, its names and labels, and what the kinds share. The kinds are in config_receiver_*.cc.
#include "config/config_receivers.h"

#include <algorithm>
#include <fmt/format.h>

#include "config/yaml_json.h"

namespace mlalert {
namespace {

// Upstream has two habits with a null in a list of receivers: some kinds call it missing, some take it for an
// empty section.
enum class NullElement { kMissing, kEmptySection };

class ReceiverReader {
 public:
  ReceiverReader(const LoadContext& context, const GlobalConfig& global) : context_{context, global} {}

  Receiver Read(const YamlValue& value) const {
    Receiver out;
    YamlMap map(value, "config.plain");
    map.Read("name", out.name);
    ReadLabels(map, out);
    constexpr NullElement kEmpty = NullElement::kEmptySection;
    ReadList(map, "discord_configs", "[]*discord.DiscordConfig", "discord", out.discord_configs);
    ReadList(map, "email_configs", "[]*config.EmailConfig", "email", out.email_configs);
    ReadList(map, "incidentio_configs", "[]*incidentio.IncidentioConfig", "incidentio",
             out.incidentio_configs);
    ReadList(map, "pagerduty_configs", "[]*pagerduty.PagerdutyConfig", "pagerduty", out.pagerduty_configs);
    ReadList(map, "slack_configs", "[]*config.SlackConfig", "slack", out.slack_configs, kEmpty);
    ReadList(map, "webhook_configs", "[]*webhook.WebhookConfig", "webhook", out.webhook_configs);
    ReadList(map, "opsgenie_configs", "[]*opsgenie.OpsGenieConfig", "opsgenie", out.opsgenie_configs, kEmpty);
    ReadList(map, "wechat_configs", "[]*config.WechatConfig", "wechat", out.wechat_configs, kEmpty);
    ReadList(map, "pushover_configs", "[]*pushover.PushoverConfig", "pushover", out.pushover_configs);
    ReadList(map, "victorops_configs", "[]*config.VictorOpsConfig", "victorops", out.victorops_configs);
    ReadList(map, "sns_configs", "[]*sns.SNSConfig", "sns", out.sns_configs);
    ReadList(map, "telegram_configs", "[]*telegram.TelegramConfig", "telegram", out.telegram_configs);
    ReadList(map, "webex_configs", "[]*config.WebexConfig", "webex", out.webex_configs);
    ReadList(map, "msteams_configs", "[]*msteams.MSTeamsConfig", "msteams", out.msteams_configs);
    ReadList(map, "msteamsv2_configs", "[]*msteamsv2.MSTeamsV2Config", "msteamsv2", out.msteamsv2_configs);
    ReadList(map, "jira_configs", "[]*jira.JiraConfig", "jira", out.jira_configs);
    ReadList(map, "rocketchat_configs", "[]*rocketchat.RocketchatConfig", "rocketchat",
             out.rocketchat_configs, kEmpty);
    ReadList(map, "mattermost_configs", "[]*mattermost.MattermostConfig", "mattermost",
             out.mattermost_configs);
    ReadList(map, "twilio_configs", "a list of Twilio configs", "twilio", out.twilio_configs);
    map.Finish();
    if (out.name.empty()) {
      value.Error("missing name in receiver");
    }
    return out;
  }

 private:
  static void ReadLabels(YamlMap& map, Receiver& out) {
    map.Read("labels", out.labels);
    auto [name, fresh] = out.labels.emplace("name", out.name);
    if (!fresh && name->second != out.name) {
      map.At("labels").Error(fmt::format("receiver label \"name\" must match receiver name {}, got {}",
                                         Quoted(out.name), Quoted(name->second)));
    }
  }

  template <class T>
  void ReadList(YamlMap& map, std::string_view key, std::string_view go_type, std::string_view kind,
                std::vector<T>& out, NullElement null_element = NullElement::kMissing) const {
    auto list = map.Take(key);
    if (!list) {
      return;
    }
    for (const YamlValue& item : list->Items(go_type)) {
      if (item.IsNull() && null_element == NullElement::kMissing) {
        item.Error(fmt::format("missing {} config", kind));
      } else {
        ReadIntegration(item, context_, out.emplace_back());
      }
    }
  }

  ReceiverContext context_;
};

}  // namespace

HttpConfigPtr ReadCommon(YamlMap& map, const ReceiverContext& context, IntegrationConfig& out,
                         bool rewrite_paths) {
  static const std::string kNoDirectory;
  map.Read("send_resolved", out.send_resolved);
  HttpConfigPtr own;
  if (auto value = map.TakeSet("http_config")) {
    own = ReadHttpConfig(*value, rewrite_paths ? context.load.directory : kNoDirectory);
  }
  out.http_config = own != nullptr ? own : context.global.http_config;
  return own;
}

void ReadText(YamlMap& map, std::string_view key, std::string& out, std::string_view fallback) {
  out = fallback;
  map.Read(key, out);
}

void ReadTrees(YamlMap& map, std::string_view key, std::map<std::string, Json>& out) {
  auto value = map.TakeSet(key);
  if (!value) {
    return;
  }
  if (value->node().kind != YamlNode::Kind::kMap) {
    value->WrongType("map[string]interface {}");
    return;
  }
  for (const auto& entry : value->node().entries) {
    out[entry.key] = YamlToJson(*entry.value);
  }
}

SecretUrlPair ReadWebhookUrl(YamlMap& map, Secret& url, std::string& file) {
  SecretUrlPair out;
  out.url_given = map.TakeSet("webhook_url").has_value();
  ReadSecretUrl(map, "webhook_url", url);
  map.Read("webhook_url_file", file);
  return out;
}

bool CheckWebhookUrl(const YamlMap& map, SecretUrlPair pair, const std::string& file) {
  if (!pair.url_given && file.empty()) {
    map.value().Error("one of webhook_url or webhook_url_file must be configured");
    return false;
  }
  return CheckExclusive(map, "webhook_url", pair.url_given, "webhook_url_file", !file.empty());
}

bool CheckExclusive(const YamlMap& map, std::string_view a, bool a_set, std::string_view b, bool b_set) {
  CheckPair(map, a, a_set, b, b_set);
  return !(a_set && b_set);
}

void FallBack(Secret& own, std::string& own_file, const Secret& global, const std::string& global_file) {
  if (own.empty() && own_file.empty()) {
    own = global;
    own_file = global_file;
  }
}

std::string WithTrailingSlash(const std::string& url) {
  size_t authority = url.find("//");
  size_t path_end =
      std::min(url.find_first_of("?#", authority == std::string::npos ? 0 : authority + 2), url.size());
  if (path_end > 0 && url[path_end - 1] == '/') {
    return url;
  }
  return url.substr(0, path_end) + "/" + url.substr(path_end);
}

void ReadFields(YamlMap& map, std::string_view go_type, std::string_view product,
                std::vector<SlackField>& out) {
  auto list = map.Take("fields");
  if (!list) {
    return;
  }
  for (const YamlValue& item : list->Items(go_type)) {
    if (item.IsNull()) {
      continue;  // upstream accepts it, and falls over it when it sends
    }
    YamlMap fields(item, product == "Slack" ? "config.plain" : "mattermost.plain");
    SlackField field;
    fields.Read("title", field.title);
    fields.Read("value", field.value);
    fields.Read("short", field.short_field);
    fields.Finish();
    if (!fields.Failed() && (field.title.empty() || field.value.empty())) {
      item.Error(fmt::format("missing {} in {} field configuration", field.title.empty() ? "title" : "value",
                             product));
    }
    out.push_back(std::move(field));
  }
}

void ReadReceivers(const YamlValue& value, const LoadContext& context, const GlobalConfig& global,
                   std::vector<Receiver>& out) {
  ReceiverReader reader(context, global);
  std::set<std::string> names;
  for (const YamlValue& item : value.Items("[]config.Receiver")) {
    // Upstream's reader does not look at a null: a receiver without name that no route can reach.
    Receiver receiver = item.IsNull() ? Receiver{} : reader.Read(item);
    if ((item.IsNull() || !receiver.name.empty()) && !names.insert(receiver.name).second) {
      YamlMap(item, "config.plain")
          .At("name")
          .Error(fmt::format("notification config name {} is not unique", Quoted(receiver.name)));
    }
    if (!item.IsNull()) {
      out.push_back(std::move(receiver));
    }
  }
}

}  // namespace mlalert
