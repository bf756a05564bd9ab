// Journal records: what happened, as rows. The engine and the rule evaluator emit them in order; storage/
// writes them in that order, many to one commit. Transitions only: a refresh that changes nothing emits none.
// Thread: plain values, moved from the gate to the journal thread.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

#include "base/time.h"
#include "model/alert.h"
#include "model/incident.h"
#include "model/memory_record.h"
#include "model/silence.h"

namespace mlalert {

// Insert or replace the whole incident row.
struct IncidentRecord {
  Incident incident;
};

// One firing period of one alert. The newest one of an alert that the engine holds also says what must be
// known of the alert after a restart.
struct EpisodeRecord {
  int64_t id = 0;  // unique for ever; the engine counts them
  IncidentId incident_id = 0;
  uint64_t fingerprint = 0;
  LabelSet labels;
  LabelSet annotations;
  AlertSource source = AlertSource::kApi;
  Severity severity = Severity::kNone;  // base severity of this alert
  Timestamp started_at = kUnset;        // the alert's startsAt
  Timestamp received_at = kUnset;       // when it reached us
  Timestamp ended_at = kUnset;          // kUnset while it fires
  ResolveReason end_reason = ResolveReason::kNone;
  // Labels and annotations are those of the incident: stored once.
  bool as_incident = false;
  // What follows is the engine's. `held`: it needs the alert, which is as it is here.
  bool held = false;
  SharedText generator_url;
  Timestamp ends_at = kUnset;  // as of the last transition, not of the last refresh
  Timestamp updated_at = kUnset;
  int16_t starts_offset_minutes = 0;
  int16_t ends_offset_minutes = 0;
  bool timeout = false;
};
// The engine does not need the alert any more, or holds it by a newer episode.
struct AlertDelete {
  uint64_t fingerprint = 0;
  int64_t episode_id = 0;
};
// An alert as its held episode gives it back after a restart.
struct AlertRecord {
  Alert alert;
  Timestamp received_at = kUnset;  // first reached us in this episode
  IncidentId incident_id = 0;
  int64_t episode_id = 0;  // where it is kept
  // It does not fire any more, but its resolve may still be owed to a receiver.
  bool ended = false;
  ResolveReason end_reason = ResolveReason::kNone;
};

// Append only: every change of state with its actor and reason.
struct EventRecord {
  Timestamp at = kUnset;
  IncidentId incident_id = 0;  // 0: not about one incident
  uint64_t fingerprint = 0;    // 0: not about one alert
  // Of the incident: opened reopened resolved raised raise_skipped lowered acknowledged unacknowledged
  // acknowledgement_expired snoozed snooze_ended commented assigned ...; of one of its alerts: fired cleared;
  // others: notification_given_up datasource_unreachable ... (docs/history.md)
  std::string type;
  std::string actor_kind;  // system | human | source
  std::string actor;
  std::string reason;
  std::string from_value;
  std::string to_value;
  std::string data;  // JSON object or empty
  // Of what people do: through which door (api, cli, slack, ...) and from where (an address, a user id).
  std::string via;
  std::string address;
  int64_t generation = 0;  // of the incident after it; 0: not about one incident
};

// An incident that a notification spoke of.
struct MentionedIncident {
  IncidentId id = 0;
  // It was told that the incident fires; the severity that counts as told since.
  bool told = false;
  Severity told_severity = Severity::kNone;
};

// One attempt to tell one receiver.
struct NotificationRecord {
  int64_t id = 0;  // unique for ever
  Timestamp at = kUnset;
  std::string group_key;
  std::string receiver;
  std::string integration;
  uint32_t index = 0;
  std::string reason;    // Alertmanager's notification reason, or acknowledged
  uint32_t attempt = 0;  // 1-based
  std::string outcome;   // sent | retrying | failed | cancelled
  int32_t http_status = 0;
  int64_t latency_ms = 0;
  std::string error;                    // without secrets
  Severity severity = Severity::kNone;  // highest among the firing alerts
  uint32_t firing = 0;
  uint32_t resolved = 0;
  std::vector<MentionedIncident> incidents;
};

// Notification log: what a receiver of a group was last told. Key: group_key, receiver, integration, index.
struct NflogEntry {
  std::string group_key;
  std::string receiver;
  std::string integration;
  uint32_t index = 0;
  Timestamp timestamp = kUnset;
  std::vector<uint64_t> firing;        // fingerprints, sorted (see `foreign`)
  std::vector<uint64_t> resolved;      // sorted
  std::vector<uint64_t> acknowledged;  // sorted
  std::string data;                    // receiver data (JSON object), e.g. Slack's thread
  Timestamp expires_at = kUnset;
  // Imported from Alertmanager: `firing` and `resolved` may hold its hashes of label sets (NflogHash) where
  // ours are not known yet. The first notification writes an entry of our own.
  bool foreign = false;
};
struct NflogDelete {
  std::string group_key;
  std::string receiver;
  std::string integration;
  uint32_t index = 0;
};

// An aggregation group that lives: its creation time fixes its flush times across restarts.
struct GroupRecord {
  std::string route_id;
  std::string group_key;
  Timestamp created_at = kUnset;
  LabelSet labels;  // the group labels
};
struct GroupDelete {
  std::string route_id;
  std::string group_key;
};

// One alert instance of one rule (pending, firing, or inactive within its retention).
struct RuleStateRecord {
  std::string file;
  std::string group;
  std::string rule;      // alert name
  uint32_t ordinal = 0;  // among rules of equal name and labels in the group
  LabelSet labels;       // identity of the instance
  LabelSet sample_labels;
  LabelSet annotations;
  std::string state;  // pending | firing | inactive
  double value = 0;
  Timestamp active_at = kUnset;
  Timestamp fired_at = kUnset;
  Timestamp resolved_at = kUnset;
  Timestamp keep_firing_since = kUnset;
  Timestamp last_sent_at = kUnset;
  std::string data;  // JSON object or empty: which selectors had series when it fired
};
struct RuleStateDelete {
  std::string file;
  std::string group;
  std::string rule;
  uint32_t ordinal = 0;
  LabelSet labels;
};

// One acknowledgement from its start to its end.
struct AcknowledgementRecord {
  IncidentId incident_id = 0;
  Timestamp at = kUnset;
  std::string actor;
  std::string via;  // api | cli | pagerduty | slack | link | phone
  std::string comment;
  Timestamp expires_at = kUnset;
  Timestamp ended_at = kUnset;
  std::string end_reason;  // unacknowledged | expired | resolved
};

// Insert or replace.
struct SilenceRecord {
  Silence silence;
};
struct SilenceDelete {
  std::string id;
};

// Insert or replace. What came from outside and must be known when it comes again: events of PagerDuty and
// clicks that were acted on, the newest event of a remote incident, phone calls under way.
struct InboundRecord {
  std::string source;  // pagerduty | pagerduty_incident | slack | call ...
  std::string key;
  std::string value;
  Timestamp at = kUnset;
  Timestamp expires_at = kUnset;
};

// Alertmanager's hash of an alert in its notification log: XXH64 over name, 0xFF, value, 0xFF in name order.
uint64_t NflogHash(const LabelSet& labels);
// Puts fingerprints in the place of the hashes in `entry` that `fingerprints` knows (hash to fingerprint).
void TranslateHashes(NflogEntry& entry, const std::unordered_map<uint64_t, uint64_t>& fingerprints);

using Record =
    std::variant<IncidentRecord, EpisodeRecord, EventRecord, NotificationRecord, NflogEntry, NflogDelete,
                 AlertDelete, GroupRecord, GroupDelete, RuleStateRecord, RuleStateDelete,
                 AcknowledgementRecord, SilenceRecord, SilenceDelete, FeedbackRecord, ChangeRecord,
                 MuteRecord, RuleSetRecord, ReviewRecord, ReviewDeliveryRecord, InboundRecord>;

}  // namespace mlalert
