// Must this group be told again, and why? A pure decision over the notification log entry and the group's
// alerts, Alertmanager's rules (notify/dedup_stage.go) plus ours for alerts that are held back.
#pragma once

#include <cstdint>
#include <vector>

#include "base/time.h"
#include "model/record.h"
#include "notify/notification.h"

namespace mlalert {

// How an alert of a group takes part in one flush, after muting.
struct FlushAlert {
  uint64_t fingerprint = 0;
  IncidentId incident_id = 0;
  bool resolved = false;
  // May not cause a notification: it is quiet, acknowledged or has moved to another route. A receiver that
  // was told of it before still counts it as firing.
  bool held = false;
  // A step of a chain wants it told now, whatever this receiver has heard.
  bool paged = false;
  bool acknowledged = false;
  Timestamp acknowledged_at = kUnset;
  // When an acknowledgement or a snooze of it last ended: who was told before is told again (IsWoken).
  Timestamp woken_at = kUnset;
  bool waits = false;  // nobody has it, and nothing but its place in the routes keeps it from being told
  // It cleared outside business hours before anybody was told: a line of the digest.
  bool digest = false;
  // It flaps since then: told once, also to those who know that it fires, and nothing else until it is over.
  Timestamp flapping_since = kUnset;
  // What ended at woken_at was its flapping.
  bool settled = false;
  // Its incident is more severe now than anybody was told: news even to who knows that it fires.
  bool raised = false;
  // In a cooldown: `held` unless its incident's severity rose above what was told.
  bool cooling = false;
  // Told in an earlier episode only: a cooldown then holds back the first notification of this one.
  bool told_before_episode = false;
  // Governed by an incident policy: its resolve is owed only to those who were told that it fires.
  bool owes_only_told = false;
};

struct DedupInput {
  const NflogEntry* entry = nullptr;  // null: never told
  std::vector<FlushAlert> alerts;
  bool send_resolved = true;
  Duration repeat_interval{};
  Timestamp now = kUnset;
  // A step of a chain wants this receiver to be told now of some of them.
  bool page = false;
};

struct DedupDecision {
  NotifyReason reason = NotifyReason::kNone;
  // Sorted; what the log entry will say once the notification is sent.
  std::vector<uint64_t> firing, resolved, acknowledged;
  // Something that had flapped, and is over: nobody was told of its end before.
  bool after_flapping = false;
};

// Has somebody given it back since this receiver, who knows of it, was told? Where it is told no more that is
// news to those who heard that somebody had it.
bool IsWoken(const DedupInput& input, const FlushAlert& alert);

DedupDecision Decide(const DedupInput& input);

}  // namespace mlalert
