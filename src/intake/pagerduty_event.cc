#include "intake/pagerduty_event.h"

#include <fmt/format.h>

#include "base/json.h"
#include "intake/cleaned_text.h"

namespace mlalert {
namespace {

// Of what people write; the rest of a longer note is in PagerDuty.
constexpr size_t kTextBytesMax = 4000;
constexpr size_t kNameBytesMax = 200;
constexpr std::string_view kIncidentPrefix = "incident.";

std::string AssigneesOf(const Json& data) {
  std::string out;
  const Json* list = data.Find("assignees");
  if (list == nullptr) {
    return out;
  }
  for (const Json& one : list->AsArray()) {
    out += fmt::format("{}{}", out.empty() ? "" : ", ", one.GetString("summary"));
  }
  return out;
}

// Who did it, as webhooks and the REST API say it.
void ReadAgent(const Json* agent, PagerdutyEvent& out) {
  if (agent == nullptr || !agent->is_object()) {
    return;
  }
  const std::string& type = agent->GetString("type");
  out.by_person = type.empty() || type.starts_with("user");
  out.agent = CleanedText(agent->GetString("summary"), kNameBytesMax);
  out.agent_id = CleanedText(agent->GetString("id"), kNameBytesMax);
  if (out.agent.empty()) {
    out.agent = out.agent_id;
  }
}

PagerdutyEvent StateOf(const Json& incident) {
  PagerdutyEvent out;
  out.polled = true;
  out.incident_id = incident.GetString("id").substr(0, kNameBytesMax);
  out.dedup_key = incident.GetString("incident_key").substr(0, kNameBytesMax);
  const std::string status = incident.GetString("status").substr(0, kNameBytesMax);
  out.type = "incident." + (status == "triggered" ? "unacknowledged" : status);
  std::string at = incident.GetString("last_status_change_at");
  const Json* agent = incident.Find("last_status_change_by");
  if (const Json* acknowledgements = incident.Find("acknowledgements");
      status == "acknowledged" && acknowledgements != nullptr && !acknowledgements->AsArray().empty()) {
    const Json& last = acknowledgements->AsArray().back();
    at = last.GetString("at");
    agent = last.Find("acknowledger");
  }
  if (auto occurred = ParseRfc3339(at)) {
    out.occurred_at = *occurred;
  }
  ReadAgent(agent, out);
  if (!out.by_person) {
    out.agent.clear();  // an integration, which may be ourselves
  }
  out.id = fmt::format("poll/{}/{}/{}", out.incident_id, status, at).substr(0, kNameBytesMax);
  return out;
}

}  // namespace

std::string_view PagerdutyEvent::IncidentVerb() const {
  std::string_view verb = type;
  if (!verb.starts_with(kIncidentPrefix)) {
    return {};
  }
  verb.remove_prefix(kIncidentPrefix.size());
  return verb;
}

Result<PagerdutyEvent> DecodePagerdutyEvent(std::string_view body) {
  MLALERT_ASSIGN(Json json, ParseJson(body));
  const Json* event = json.Find("event");
  if (event == nullptr || !event->is_object()) {
    return Fail(ErrorCode::kInvalid, "the body holds no \"event\"");
  }
  PagerdutyEvent out;
  out.id = event->GetString("id").substr(0, kNameBytesMax);
  out.type = event->GetString("event_type").substr(0, kNameBytesMax);
  if (out.type.empty()) {
    return Fail(ErrorCode::kInvalid, "the event has no \"event_type\"");
  }
  if (auto at = ParseRfc3339(event->GetString("occurred_at"))) {
    out.occurred_at = *at;
  }
  ReadAgent(event->Find("agent"), out);
  const Json* data = event->Find("data");
  if (data == nullptr || !data->is_object()) {
    return out;  // a ping has none
  }
  // A note or a responder request stands beside its incident, which it names by reference.
  const Json* incident = data->Find("incident");
  const bool of_incident = incident != nullptr && incident->is_object();
  out.incident_id = (of_incident ? *incident : *data).GetString("id").substr(0, kNameBytesMax);
  out.dedup_key = data->GetString("incident_key").substr(0, kNameBytesMax);
  if (out.dedup_key.empty() && of_incident) {
    out.dedup_key = incident->GetString("incident_key").substr(0, kNameBytesMax);
  }
  out.text = CleanedText(data->GetString("content"), kTextBytesMax, true);
  if (out.text.empty()) {
    out.text = CleanedText(AssigneesOf(*data), kTextBytesMax);
  }
  return out;
}

Result<std::vector<PagerdutyEvent>> DecodePagerdutyIncidents(std::string_view body) {
  MLALERT_ASSIGN(Json json, ParseJson(body));
  const Json* incidents = json.is_object() ? json.Find("incidents") : nullptr;
  if (incidents == nullptr || !incidents->is_array()) {
    return Fail(ErrorCode::kInvalid, "the answer holds no \"incidents\"");
  }
  std::vector<PagerdutyEvent> out;
  for (const Json& incident : incidents->AsArray()) {
    if (incident.is_object() && !incident.GetString("incident_key").empty()) {
      out.push_back(StateOf(incident));
    }
  }
  return out;
}

}  // namespace mlalert
