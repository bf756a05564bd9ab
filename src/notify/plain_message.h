// Sends something that is no alert (a weekly review) through the receivers that are there: a copy of the
// config whose receiver says exactly this text, so that addresses, credentials, proxies, deadlines and
// judging of answers are those of notifications. Thread: pure functions.
#pragma once

#include <string>
#include <vector>

#include "notify/notification.h"

namespace mlalert {

struct PlainMessage {
  std::string subject;
  std::string text;      // mail's text part, and chats that know no markup
  std::string html;      // mail's HTML part
  std::string markdown;  // chats that know it
  std::string mrkdwn;    // Slack
  std::string json;      // webhooks: an object
};

// Integrations of `receiver` that can carry a plain message: mail, chats, webhooks; not pagers and ticket
// systems.
std::vector<IntegrationRef> PlainIntegrations(const Receiver& receiver);

// One attempt. `id` is negative, so that its outcome is not taken for one of the engine's. The receiver must
// exist.
NotificationAttempt MakePlainAttempt(const ConfigPtr& config, const std::string& receiver,
                                     IntegrationRef integration, const PlainMessage& message, int64_t id,
                                     Timestamp now, Timestamp deadline);

}  // namespace mlalert
