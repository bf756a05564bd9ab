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
    case NotifyReason::kRaised:
      return "severity raised";
    case NotifyReason::kAllResolved:
      return "all alerts resolved";
    case NotifyReason::kSomeResolved:
      return "some alerts resolved";
    case NotifyReason::kAcknowledged:
      return "acknowledged";
    case NotifyReason::kUnacknowledged:
      return "unacknowledged";
    case NotifyReason::kRepeat:
      return "repeat interval elapsed";
    case NotifyReason::kEscalated:
      return "escalated";
    case NotifyReason::kDigest:
      return "digest";
    case NotifyReason::kFlapping:
      return "flapping";
    case NotifyReason::kSettled:
      return "flapping ended";
  }
  return "unknown";
}

bool SpeaksOfFiring(NotifyReason reason) {
  return reason == NotifyReason::kFirst || reason == NotifyReason::kNewAlerts ||
         reason == NotifyReason::kRaised || reason == NotifyReason::kRepeat ||
         reason == NotifyReason::kUnacknowledged || reason == NotifyReason::kEscalated ||
         reason == NotifyReason::kFlapping || reason == NotifyReason::kSettled;
}

std::string_view Notification::ReasonText() const {
  return ToString(reason == NotifyReason::kAllResolved && after_flapping ? NotifyReason::kSettled : reason);
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
