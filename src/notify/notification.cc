#include "notify/notification.h"

#include <algorithm>

namespace mlalert {

std::string_view ToString(NotifyReason reason) {
  switch (reason) {
    case NotifyReason::kNone:
      return "none";
    case NotifyReason::kFirst:
      return "first notification";
    case NotifyReason::kNewAlerts:
      return "new alerts added";
    case NotifyReason::kAllResolved:
      return "all alerts resolved";
    case NotifyReason::kSomeResolved:
      return "some alerts resolved";
    case NotifyReason::kAcknowledged:
      return "acknowledged";
    case NotifyReason::kRepeat:
      return "repeat interval elapsed";
  }
  return "unknown";
}

std::string_view ToString(IntegrationKind kind) {
  switch (kind) {
    case IntegrationKind::kWebhook:
      return "webhook";
    case IntegrationKind::kSlack:
      return "slack";
    case IntegrationKind::kPagerduty:
      return "pagerduty";
  }
  return "webhook";
}

std::vector<IntegrationRef> IntegrationsOf(const Receiver& receiver) {
  std::vector<IntegrationRef> out;
  auto add = [&](IntegrationKind kind, size_t count) {
    for (size_t i = 0; i < count; ++i) {
      out.push_back({kind, static_cast<uint32_t>(i)});
    }
  };
  add(IntegrationKind::kWebhook, receiver.webhook_configs.size());
  add(IntegrationKind::kPagerduty, receiver.pagerduty_configs.size());
  add(IntegrationKind::kSlack, receiver.slack_configs.size());
  return out;
}

bool SendsResolved(const Receiver& receiver, IntegrationRef integration) {
  switch (integration.kind) {
    case IntegrationKind::kWebhook:
      return receiver.webhook_configs[integration.index].send_resolved;
    case IntegrationKind::kSlack:
      return receiver.slack_configs[integration.index].send_resolved;
    case IntegrationKind::kPagerduty:
      return receiver.pagerduty_configs[integration.index].send_resolved;
  }
  return true;
}

Severity Notification::MaxSeverity() const {
  Severity highest = Severity::kNone;
  for (const auto& alert : alerts) {
    if (!alert.resolved) {
      highest = std::max(highest, alert.severity);
    }
  }
  return highest;
}

}  // namespace mlalert
