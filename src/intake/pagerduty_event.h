// One event of a PagerDuty webhook v3, as far as we act on it.
// Made by: DecodePagerdutyEvent from a body whose signature is good; acted on by the engine. Thread: plain
// value.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace mlalert {

struct PagerdutyEvent {
  std::string id;    // of the event: the same when it is delivered again
  std::string type;  // "incident.acknowledged", "pagey.ping" ...
  Timestamp occurred_at = kUnset;
  // Who did it; empty: nobody, as when our own event did.
  std::string agent;
  bool by_person = false;
  std::string agent_id;
  std::string incident_id;  // PagerDuty's
  std::string dedup_key;    // ours; not in every event
  std::string text;         // of a note; whom it was given to; why it was resolved
  // Not a webhook: what we found out by asking. It may be older than what was done here since.
  bool polled = false;

  // "acknowledged" of "incident.acknowledged"; empty when it is about something else.
  std::string_view IncidentVerb() const;
};

// Errors: kInvalid with what is missing.
Result<PagerdutyEvent> DecodePagerdutyEvent(std::string_view body);
// What the REST API lists at /incidents, as the webhooks that would have told its present states. Errors as
// above.
Result<std::vector<PagerdutyEvent>> DecodePagerdutyIncidents(std::string_view body);

}  // namespace mlalert
