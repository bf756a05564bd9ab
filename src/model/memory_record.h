// Records of the memory: what people say about incidents, what was changed on the platform, when alerts were
// kept quiet, which rules were loaded, and the weekly reviews. Fed by the engine, the API and the daemon;
// storage/ writes them in order with the other records. Thread: plain values.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/time.h"

namespace mlalert {

// What somebody says about an incident, during it or afterwards.
struct FeedbackRecord {
  int64_t incident_id = 0;
  Timestamp at = kUnset;
  std::string actor;
  std::string via;         // api | cli | slack | link | ...
  std::string verdict;     // acted | not_actionable | false_alarm | poor_details
  std::string resolution;  // fixed | rolled_back | mitigated | no_action, or empty
  std::string comment;
  std::string link;  // ticket or postmortem, http(s), or empty
};

// What was changed on the platform: a deploy, a rollback, a retrain.
struct ChangeRecord {
  int64_t id = 0;           // the engine counts them
  std::string external_id;  // the sender's, unique; empty: none
  Timestamp at = kUnset;
  Timestamp received_at = kUnset;
  std::string kind;         // deploy | rollback | retrain | feature_change | config | backfill
  std::string model;        // empty: not about one
  std::string pipeline;     // empty: not about one
  std::string entity;       // the name of a model or a pipeline, whichever it is
  std::string env;          // empty: any
  int64_t incident_id = 0;  // made because of this incident; 0: time and name decide
  std::string from_version;
  std::string to_version;
  std::string actor;
  bool automatic = false;  // on a schedule, by nobody: no evidence that somebody acted
  std::string url;
  std::string comment;
};

// A time during which an alert that fires was kept quiet. Written when it begins and again when it ends.
struct MuteRecord {
  int64_t id = 0;  // unique for ever; the engine counts them
  int64_t incident_id = 0;
  uint64_t fingerprint = 0;
  std::string kind;      // silenced | inhibited | deferred
  std::string muted_by;  // ids of silences; fingerprint of the source; names of time intervals
  std::string receiver;  // deferred: of the route whose time intervals say so; else empty
  Timestamp started_at = kUnset;
  Timestamp ended_at = kUnset;  // kUnset while it lasts
  std::string end_reason;       // over | resolved | replaced; empty while it lasts
};

// One alerting rule as it was loaded.
struct RuleVersion {
  std::string file;
  std::string group;
  std::string rule;  // alert name
  std::string expr;
  int64_t for_ms = 0;
  int64_t keep_firing_for_ms = 0;
  std::string severity;     // the label as written
  std::string labels;       // JSON object
  std::string annotations;  // JSON object
  std::string runbook_url;
  std::string team;
  std::string digest;  // of all of the above and the rule's place among its equals
};
// All rules in force since `at`. Versions that are in it go on, others end, new ones begin.
struct RuleSetRecord {
  Timestamp at = kUnset;
  std::vector<RuleVersion> rules;
};

// A week as it was when it ended.
struct ReviewRecord {
  std::string team;  // empty: all
  std::string week;  // 2026-W47
  Timestamp week_start = kUnset;
  Timestamp week_end = kUnset;
  int64_t definition_version = 0;
  Timestamp frozen_at = kUnset;
  // The top line, also in `data`.
  int64_t incidents = 0;
  int64_t told = 0;
  int64_t paged = 0;
  int64_t interruptions = 0;
  int64_t acted = 0;
  std::string data;  // JSON object
};
// That a frozen review reached a receiver, or was given up.
struct ReviewDeliveryRecord {
  std::string team;
  std::string week;
  std::string receiver;
  std::string integration;
  int64_t index = 0;
  Timestamp at = kUnset;
  std::string outcome;  // sent | retrying | failed
  int64_t attempts = 0;
  std::string error;  // without secrets
};

}  // namespace mlalert
