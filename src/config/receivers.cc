#include "config/receivers.h"

namespace mlalert {
namespace {

// The one list of kinds with the receiver's member that holds their sections.
template <class F>
void ForEachKind(const Receiver& receiver, F&& f) {
  f(IntegrationKind::kWebhook, receiver.webhook_configs);
  f(IntegrationKind::kEmail, receiver.email_configs);
  f(IntegrationKind::kPagerduty, receiver.pagerduty_configs);
  f(IntegrationKind::kOpsgenie, receiver.opsgenie_configs);
  f(IntegrationKind::kWechat, receiver.wechat_configs);
  f(IntegrationKind::kSlack, receiver.slack_configs);
  f(IntegrationKind::kVictorops, receiver.victorops_configs);
  f(IntegrationKind::kPushover, receiver.pushover_configs);
  f(IntegrationKind::kSns, receiver.sns_configs);
  f(IntegrationKind::kTelegram, receiver.telegram_configs);
  f(IntegrationKind::kDiscord, receiver.discord_configs);
  f(IntegrationKind::kWebex, receiver.webex_configs);
  f(IntegrationKind::kMsteams, receiver.msteams_configs);
  f(IntegrationKind::kMsteamsV2, receiver.msteamsv2_configs);
  f(IntegrationKind::kJira, receiver.jira_configs);
  f(IntegrationKind::kRocketchat, receiver.rocketchat_configs);
  f(IntegrationKind::kIncidentio, receiver.incidentio_configs);
  f(IntegrationKind::kMattermost, receiver.mattermost_configs);
  f(IntegrationKind::kTwilio, receiver.twilio_configs);
}

}  // namespace

std::string_view ToString(IntegrationKind kind) {
  static constexpr std::array<std::string_view, kIntegrationKinds> kNames{
      "webhook",  "email",      "pagerduty",  "opsgenie",   "wechat", "slack",   "victorops",
      "pushover", "sns",        "telegram",   "discord",    "webex",  "msteams", "msteamsv2",
      "jira",     "rocketchat", "incidentio", "mattermost", "twilio"};
  return kNames[static_cast<size_t>(kind)];
}

std::vector<IntegrationRef> IntegrationsOf(const Receiver& receiver) {
  std::vector<IntegrationRef> out;
  ForEachKind(receiver, [&](IntegrationKind kind, const auto& configs) {
    for (uint32_t i = 0; i < configs.size(); ++i) {
      out.push_back({kind, i});
    }
  });
  return out;
}

const IntegrationConfig& IntegrationOf(const Receiver& receiver, IntegrationRef integration) {
  const IntegrationConfig* found = nullptr;
  ForEachKind(receiver, [&](IntegrationKind kind, const auto& configs) {
    if (kind == integration.kind) {
      found = &configs[integration.index];
    }
  });
  return *found;
}

}  // namespace mlalert
