// The transitions of an incident: fire, resolve, climb, and what people do with it.
// Called by the engine, in time order. Each call changes incidents and says what changed; the engine journals
// it and re-routes the alerts concerned. Owns: the incident table and the id counters. Thread: engine only.
// Time: passed in.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "incidents/incident_action.h"
#include "incidents/incident_table.h"
#include "incidents/ladder.h"
#include "model/record.h"

namespace mlalert {

class IncidentMachine {
 public:
  explicit IncidentMachine(ConfigPtr config) : config_(std::move(config)) {}

  // Running incidents keep the policy they opened with.
  void SetConfig(ConfigPtr config) { config_ = std::move(config); }

  // After a call: what the engine must do about the incident.
  struct Change {
    IncidentEntry* entry = nullptr;
    bool changed = false;             // journal the row
    bool severity_changed = false;    // so did the effective labels of its alerts
    bool raised = false;              // upwards
    bool speak_now = false;           // do not wait for the group's next tick
    bool stop_queued = false;         // what waits to be sent about it may not be wanted any more
    bool looks_same = false;          // to the groups that keep it: it only grew older
    std::vector<size_t> chain_steps;  // whom to tell now, besides the routes
    bool chain_exhausted = false;     // its last step has had its time, and nobody acted
    std::vector<EventRecord> events;
    std::vector<AcknowledgementRecord> acknowledgements;
  };

  // `alert` began to fire. Opens, reopens or joins an incident; sets alert.incident_id.
  Change OnFired(AlertEntry& alert, Timestamp now);
  // `alert` stopped. The incident resolves with its last alert.
  Change OnResolved(AlertEntry& alert, ResolveReason reason, Timestamp now);
  // After a restart: an incident of which no alert fires (its last rows were lost) is over.
  Change CloseIfNothingFires(IncidentEntry& entry, Timestamp now);
  // Something of this incident may be due: rungs, the end of an acknowledgement, a snooze, a hold.
  Change OnTimer(IncidentEntry& entry, Timestamp now);
  // All of its alerts are silenced or inhibited, or not any more. `decided`: somebody did it knowing of this
  // episode.
  Change OnMuted(IncidentEntry& entry, bool muted, bool decided, Timestamp now);
  // A step of its chain reached nobody: the next one is due at once.
  Change OnNobodyReached(IncidentEntry& entry, std::string reason, Timestamp now);
  // Calendars or targets may have changed: times that lie ahead are computed anew.
  void Reschedule(IncidentEntry& entry);
  // kNotFound: not in memory; kConflict: the incident's state does not allow it, or the action was meant for
  // an earlier opening; kInvalid: a time or severity that makes no sense. `changed` false: it was so already.
  Result<Change> Act(const IncidentAction& action, Timestamp now);

  // A receiver was told at `severity` that an alert of this incident fires.
  void OnTold(IncidentEntry& entry, Timestamp at, Severity severity);

  // First instant at which OnTimer has something to do; kNever when nothing is ahead.
  Timestamp NextDue(const IncidentEntry& entry) const;
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
  void ApplySeverity(Change& change, Timestamp now, std::string_view reason, std::string_view data,
                     const IncidentAction* action = nullptr);
  void EndAcknowledgement(Change& change, Timestamp now, std::string_view end_reason);
  // Nobody has it in hand any more: the clocks run on from `since`, who was told is told again.
  void Wake(Change& change, Timestamp since);
  void EndHold(Change& change, Timestamp now);
  // Resolved by hand while it fires on: from now on it is open again.
  void OpenAnew(Change& change, Timestamp now);
  LadderHours HoursOf(const Incident& incident) const {
    return LadderHoursOf(incident, config_->calendars.get());
  }
  // Nobody has it in hand: age counts, and unless it is quiet somebody is expected to act.
  void StartClocks(Incident& incident, Timestamp at) const;
  void StopClocks(Incident& incident, Timestamp at) const;
  // They stood since `since`.
  void ResumeClocks(Incident& incident, Timestamp since, Timestamp now) const;
  void GoOn(Change& change, Severity before, Timestamp over_since, Timestamp now);
  void EndCare(Change& change, Timestamp now);
  void ExpectResponse(Incident& incident, Timestamp at) const;
  static void Responded(Incident& incident, Timestamp now);
  void CheckResponse(Change& change, Timestamp now);
  void AdvanceChain(Change& change, Timestamp now);
  // It opened or resolved: counted, when its policy looks at that.
  void CountEdge(Change& change, Timestamp now);
  void CheckFlapping(Change& change, Timestamp now);
  static Timestamp FlappingEndsAt(const Incident& incident);
  void ExpireAcknowledgement(Change& change, Timestamp now);
  void Climb(Change& change, Timestamp now);

  Status Acknowledge(Change& change, const IncidentAction& action, Timestamp now);
  Status Unacknowledge(Change& change, const IncidentAction& action, Timestamp now);
  Status Snooze(Change& change, const IncidentAction& action, Timestamp now);
  Status Comment(Change& change, const IncidentAction& action, Timestamp now);
  Status Assign(Change& change, const IncidentAction& action, Timestamp now);
  Status Raise(Change& change, const IncidentAction& action, Timestamp now);
  Status Lower(Change& change, const IncidentAction& action, Timestamp now);
  Status ResolveByHand(Change& change, const IncidentAction& action, Timestamp now);
  Status ReopenByHand(Change& change, const IncidentAction& action, Timestamp now);

  ConfigPtr config_;
  IncidentTable table_;
  IncidentId next_id_ = 1;
};

// An event about `incident`, by the system.
EventRecord IncidentEvent(const Incident& incident, Timestamp now, std::string type);
// By a person.
EventRecord ActionEvent(const Incident& incident, Timestamp now, std::string type,
                        const IncidentAction& action);

}  // namespace mlalert
