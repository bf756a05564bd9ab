// The transitions of an incident: fire, resolve, climb, acknowledge, un-acknowledge, expire.
// Called by the engine, in time order. Each call changes incidents and says what changed; the engine journals
// it and re-routes the alerts concerned. Owns: the incident table and the id counters. Thread: engine only.
// Time: passed in.
#pragma once

#include <string>
#include <vector>

#include "config/config.h"
#include "incidents/incident_table.h"
#include "model/record.h"

namespace mlalert {

struct AckRequest {
  std::string actor;
  std::string comment;
  std::string via = "api";
  // kUnset: what the policy says.
  Timestamp expires_at = kUnset;
};

class IncidentMachine {
 public:
  explicit IncidentMachine(ConfigPtr config) : config_(std::move(config)) {}

  // Running incidents keep the policy they opened with.
  void SetConfig(ConfigPtr config) { config_ = std::move(config); }

  // After a call: what the engine must do about the incident.
  struct Change {
    IncidentEntry* entry = nullptr;
    bool changed = false;          // journal the row
    bool severity_raised = false;  // effective labels of its alerts changed
    bool speak_now = false;        // do not wait for the group's next tick
    std::vector<EventRecord> events;
    std::vector<AcknowledgementRecord> acknowledgements;
  };

  // `alert` began to fire. Opens, reopens or joins an incident; sets alert.incident_id.
  Change OnFired(AlertEntry& alert, Timestamp now);
  // `alert` stopped. The incident resolves with its last alert.
  Change OnResolved(AlertEntry& alert, ResolveReason reason, Timestamp now);
  // After a restart: an incident of which no alert fires (its last rows were lost) is over.
  Change CloseIfNothingFires(IncidentEntry& entry, Timestamp now);
  // Something of this incident may be due: rungs, expiry of an acknowledgement.
  Change OnTimer(IncidentEntry& entry, Timestamp now);
  // kNotFound; kConflict when it is resolved. Acknowledging again replaces actor, comment and expiry.
  Result<Change> Acknowledge(IncidentId id, const AckRequest& request, Timestamp now);
  Result<Change> Unacknowledge(IncidentId id, const std::string& actor, const std::string& comment,
                               Timestamp now);

  // A receiver was told at `severity` that an alert of this incident fires.
  void OnTold(IncidentEntry& entry, Timestamp at, Severity severity);

  // First instant at which OnTimer has something to do; kNever when nothing is ahead.
  static Timestamp NextDue(const Incident& incident);
  // Until when a resolved incident must stay in memory.
  Timestamp KeepUntil(const Incident& incident) const;

  IncidentEntry* Restore(Incident incident);
  void SetNextId(IncidentId id) { next_id_ = id; }

  IncidentTable& table() { return table_; }
  const IncidentTable& table() const { return table_; }

 private:
  LabelSet KeyOf(const LabelSet& labels) const;
  IncidentEntry* Open(const AlertEntry& alert, LabelSet key, Timestamp now);
  void Reopen(IncidentEntry& entry, Timestamp now);
  void Close(Change& change, ResolveReason reason, Timestamp now);
  void ApplySeverity(Change& change, Timestamp now, std::string_view reason, std::string_view data);
  void EndAcknowledgement(Change& change, Timestamp now, std::string_view end_reason);

  ConfigPtr config_;
  IncidentTable table_;
  IncidentId next_id_ = 1;
};

}  // namespace mlalert
