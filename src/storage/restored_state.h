// What a restart brings back: rows as the engine and the rule evaluator wrote them. Plain data.
#pragma once

#include <cstdint>
#include <vector>

#include "model/record.h"

namespace mlalert {

struct RestoredState {
  std::vector<Incident> incidents;           // not resolved, or resolved after the given time; by id
  std::vector<AlertRecord> alerts;           // by episode
  std::vector<NflogEntry> nflog;             // by key; expired entries included
  std::vector<GroupRecord> groups;           // by route, key
  std::vector<Silence> silences;             // by id; expired ones included
  std::vector<RuleStateRecord> rule_states;  // by file, group, rule, ordinal, fingerprint
  std::vector<MuteRecord> mutes;             // not ended; by id
  std::vector<InboundRecord> inbound;        // by source, key; expired ones included
  // Greater than any id ever stored, also after retention has deleted the highest ones.
  IncidentId next_incident_id = 1;
  int64_t next_episode_id = 1;
  int64_t next_notification_id = 1;
  int64_t next_change_id = 1;
  int64_t next_mute_id = 1;
};

}  // namespace mlalert
