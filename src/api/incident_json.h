// Incidents and their history as the JSON of our API (docs/openapi.yaml). Absent times are null.
// Thread: pure functions.
#pragma once

#include "base/json.h"
#include "engine/plan.h"
#include "model/incident.h"
#include "storage/history_types.h"

namespace mlalert {

// `now`: for what depends on it (is the cooldown over, what does the ladder clock read).
Json IncidentToJson(const Incident& incident, Timestamp now, const Calendars* calendars = nullptr);
// The ladder with its clock: every rung with the time at which it is or was due.
Json LadderToJson(const Incident& incident, Timestamp now, const Calendars* calendars = nullptr);
// What happens next if nobody acts.
Json PlanToJson(const std::vector<PlanStep>& plan);

Json EpisodeToJson(const EpisodeRecord& episode);
Json EventToJson(const HistoryEvent& event);
Json NotificationToJson(const NotificationRecord& notification);
Json AcknowledgementToJson(const AcknowledgementRecord& acknowledgement);
Json FeedbackToJson(const FeedbackRecord& feedback);
Json ChangeToJson(const ChangeRecord& change);
Json LinkedChangeToJson(const LinkedChange& linked);
Json MuteToJson(const MuteRecord& mute);
// Everything of `detail` but the incident itself, into its object: plan, episodes, events, ...
void AddDetail(Json& json, const IncidentDetail& detail, Timestamp now, const Calendars* calendars = nullptr);

}  // namespace mlalert
