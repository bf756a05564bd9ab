// One thing to tell one receiver integration: a snapshot, rendered and sent outside the engine.
// Made by the engine's flush; read by notify/payload builders on a delivery thread; the outcome comes back to
// the engine as NotificationOutcome. Thread: immutable once made.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "model/alert.h"
#include "model/incident.h"

namespace mlalert {

enum class NotifyReason : uint8_t {
  kNone,
  kFirst,
  kNewAlerts,
  kAllResolved,
  kSomeResolved,
  kRaised,          // ours: an incident has become more severe than the receiver was told
  kAcknowledged,    // ours: the receivers that were told hear that somebody took it
  kUnacknowledged,  // ours: an acknowledgement or a snooze ended, nobody has it in hand any more
  kRepeat,
  kEscalated,  // ours: a step of the chain is due
  kDigest,     // ours: what came and went outside business hours
  kFlapping,   // ours: it fires and resolves all the time
  kSettled,    // ours: it does not flap any more, and fires still
};
// Alertmanager's notification_reason texts, and words of our own for what is ours.
std::string_view ToString(NotifyReason reason);
// What makes a phone ring; of the rest phones hear by SMS.
bool SpeaksOfFiring(NotifyReason reason);

struct NotifiedAlert {
  Alert alert;               // labels are the effective ones
  uint64_t fingerprint = 0;  // of the labels as received
  bool resolved = false;
  IncidentId incident_id = 0;
  Severity severity = Severity::kNone;  // effective
  bool acknowledged = false;
  bool quiet_repeat = false;  // told before, not the cause of this notification
  int64_t generation = 0;     // of the incident, for links and buttons
};

struct Notification {
  int64_t id = 0;
  uint32_t group_id = 0;
  std::string group_key;
  std::string route_id;
  LabelSet group_labels;
  const Receiver* receiver = nullptr;  // inside *config
  ConfigPtr config;
  IntegrationRef integration;
  NotifyReason reason = NotifyReason::kNone;
  // Firing and resolved, in Alertmanager's order.
  std::vector<NotifiedAlert> alerts;
  Timestamp flushed_at = kUnset;
  Timestamp deadline = kUnset;  // no new attempt after it
  Duration repeat_interval{};
  // Of the last acknowledgement among the alerts, for reason kAcknowledged.
  std::string acknowledged_by;
  std::string acknowledge_comment;
  // With kAllResolved: it had flapped, and its end was not told before that was over.
  bool after_flapping = false;
  // Somebody had taken all that this receiver knew to fire, and it was told so.
  bool taken_before = false;
  // What the receiver stored at the last notification (e.g. Slack's thread), JSON object or empty.
  std::string receiver_data;
  std::vector<uint64_t> firing, resolved,
      acknowledged;  // fingerprints, sorted: the log entry once it is sent
  // Set by the engine when nobody wants it any more; an attempt that has not left yet then never leaves.
  std::shared_ptr<std::atomic<bool>> stopped = std::make_shared<std::atomic<bool>>(false);

  // Of a phone call: its number, ours, and which of the receiver's numbers is called.
  int64_t call_id = 0;
  uint32_t call_target = 0;

  size_t FiringCount() const { return firing.size(); }
  Severity MaxSeverity() const;
  // What people read of the reason.
  std::string_view ReasonText() const;
};
using NotificationPtr = std::shared_ptr<const Notification>;

// The engine asks the shell for one attempt.
struct NotificationAttempt {
  NotificationPtr notification;
  uint32_t number = 1;
};

// kCancelled: not wanted any more (acknowledged, resolved) before it could be delivered.
enum class DeliveryVerdict : uint8_t { kSent, kRetry, kFailed, kCancelled };

struct NotificationOutcome {
  int64_t notification_id = 0;
  uint32_t attempt = 1;
  DeliveryVerdict verdict = DeliveryVerdict::kFailed;
  int http_status = 0;
  Duration latency{};
  std::string error;  // without secrets
  std::optional<Duration> retry_after;
  std::optional<std::string> receiver_data;
};

}  // namespace mlalert
