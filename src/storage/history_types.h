// What history questions ask and answer: plain structs for the API, the CLI and the review. No SQLite here.
// Pages are keysets: pass the id of the last row of a page as `before_id` to get the next, older one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "model/record.h"
#include "model/response_state.h"

namespace mlalert {

// More rows than this are never returned at once, whatever `limit` says.
inline constexpr size_t kHistoryRowsMax = 1000;

// Empty strings, kUnset and empty optionals do not filter.
struct IncidentFilter {
  std::vector<IncidentState> states;  // any of them
  std::vector<Severity> severities;   // effective severity, any of them
  std::string alertname;
  std::string model;
  std::string pipeline;
  std::string team;
  ResponseState response = ResponseState::kNone;  // kNone: any
  Timestamp since = kUnset;                       // opened_at >= since
  Timestamp until = kUnset;                       // opened_at < until
  IncidentId before_id = 0;
  size_t limit = 100;
};

// Of the incidents that rows are about: as in IncidentFilter.
struct AboutIncident {
  std::string alertname;
  std::string model;
  std::vector<Severity> severities;
  bool any() const { return alertname.empty() && model.empty() && severities.empty(); }
};

struct EventFilter {
  IncidentId incident_id = 0;
  AboutIncident about;
  uint64_t fingerprint = 0;
  std::vector<std::string> types;  // any of them
  std::string actor;
  Timestamp since = kUnset;
  Timestamp until = kUnset;
  int64_t before_id = 0;
  size_t limit = 100;
};

struct NotificationFilter {
  IncidentId incident_id = 0;
  AboutIncident about;  // at least one of its incidents
  std::string receiver;
  std::string integration;
  std::string outcome;               // sent | retrying | failed
  std::vector<Severity> severities;  // any of them
  Timestamp since = kUnset;
  Timestamp until = kUnset;
  int64_t before_id = 0;
  size_t limit = 100;
};

struct ChangeFilter {
  std::string kind;
  std::string model;
  std::string pipeline;
  Timestamp since = kUnset;
  Timestamp until = kUnset;
  int64_t before_id = 0;
  size_t limit = 100;
};

// A change as an incident sees it.
struct LinkedChange {
  ChangeRecord change;
  bool before = false;       // before the incident opened
  Duration after_opening{};  // negative: before
};

struct HistoryEvent {
  int64_t id = 0;
  EventRecord event;
};

struct IncidentDetail {
  Incident incident;
  std::vector<EpisodeRecord> episodes;                  // oldest first, at most kHistoryRowsMax of each
  std::vector<HistoryEvent> events;                     // oldest first
  std::vector<NotificationRecord> notifications;        // oldest first
  std::vector<AcknowledgementRecord> acknowledgements;  // oldest first
  std::vector<FeedbackRecord> feedback;                 // oldest first
  std::vector<LinkedChange> changes;                    // oldest first
  std::vector<MuteRecord> mutes;                        // oldest first
  std::string action_level;                             // A0 | A1 | A2
};

}  // namespace mlalert
