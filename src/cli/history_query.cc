#include "cli/history_query.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <unordered_map>

#include "api/incident_json.h"

namespace mlalert {
namespace {

// Reads pages until `wanted` rows are there or none are left. `id` gives the key of the next page.
template <class T, class Filter, class List, class Id>
Result<std::vector<T>> ReadPages(Filter filter, size_t wanted, List list, Id id) {
  std::vector<T> out;
  while (out.size() < wanted) {
    filter.limit = std::min(wanted - out.size(), kHistoryRowsMax);
    MLALERT_ASSIGN(std::vector<T> page, list(filter));
    bool last = page.size() < filter.limit;
    std::move(page.begin(), page.end(), std::back_inserter(out));
    if (last) {
      break;
    }
    filter.before_id = id(out.back());
  }
  return out;
}

Result<std::vector<Incident>> ReadIncidents(History& history, const IncidentFilter& filter, size_t wanted) {
  return ReadPages<Incident>(
      filter, wanted, [&](const IncidentFilter& page) { return history.ListIncidents(page); },
      [](const Incident& incident) { return incident.id; });
}

IncidentFilter FilterOf(const HistorySelection& selection) {
  IncidentFilter filter;
  filter.alertname = selection.alertname;
  filter.model = selection.model;
  filter.severities = selection.severities;
  filter.until = selection.until;
  return filter;
}

// The incidents that rows speak of; null: retention deleted it.
class Incidents {
 public:
  explicit Incidents(History& history) : history_(history) {}
  const Incident* Find(IncidentId id) {
    auto [it, fresh] = known_.try_emplace(id);
    if (fresh && id != 0) {
      if (auto incident = history_.FindIncident(id)) {
        it->second = std::move(*incident);
      }
    }
    return it->second ? &*it->second : nullptr;
  }

 private:
  History& history_;
  std::unordered_map<IncidentId, std::optional<Incident>> known_;
};

// The newest rows in the time; one more than asked for tells whether there are more.
template <class T, class Filter, class List, class Id>
Result<std::vector<T>> ReadSelected(const HistorySelection& selection, Filter filter, List list, Id id) {
  filter.since = selection.since;
  filter.until = selection.until;
  filter.about.alertname = selection.alertname;
  filter.about.model = selection.model;
  return ReadPages<T>(filter, selection.limit + 1, list, id);
}

template <class T>
HistoryRows Render(std::vector<T>& rows, size_t limit, const std::function<Json(const T&)>& render) {
  HistoryRows out;
  out.more = rows.size() > limit;
  for (size_t i = 0; i < rows.size() && i < limit; ++i) {
    out.rows.Push(render(rows[i]));
  }
  return out;
}

Json TextOrNull(std::string_view text) {
  return text.empty() ? Json() : Json(text);
}

}  // namespace

Result<HistoryRows> SelectIncidents(History& history, const HistorySelection& selection, Timestamp now) {
  IncidentFilter filter = FilterOf(selection);
  filter.since = selection.since;
  MLALERT_ASSIGN(auto incidents, ReadIncidents(history, filter, selection.limit + 1));
  return Render<Incident>(incidents, selection.limit,
                          [&](const Incident& incident) { return IncidentToJson(incident, now); });
}

Result<HistoryRows> SelectEvents(History& history, const HistorySelection& selection) {
  EventFilter filter;
  filter.about.severities = selection.severities;
  MLALERT_ASSIGN(auto events,
                 ReadSelected<HistoryEvent>(
                     selection, filter, [&](const EventFilter& page) { return history.ListEvents(page); },
                     [](const HistoryEvent& row) { return row.id; }));
  Incidents incidents(history);
  return Render<HistoryEvent>(events, selection.limit, [&](const HistoryEvent& row) {
    IncidentId id = row.event.incident_id;
    const Incident* of = incidents.Find(id);
    Json json = EventToJson(row);
    json.Set("incident_id", id != 0 ? Json(id) : Json());
    for (const char* name : {"alertname", "model", "pipeline"}) {
      json.Set(name, of != nullptr ? TextOrNull(of->labels.Get(name)) : Json());
    }
    return json;
  });
}

Result<HistoryRows> SelectNotifications(History& history, const HistorySelection& selection) {
  NotificationFilter filter;
  filter.severities = selection.severities;
  MLALERT_ASSIGN(
      auto notifications,
      ReadSelected<NotificationRecord>(
          selection, filter, [&](const NotificationFilter& page) { return history.ListNotifications(page); },
          [](const NotificationRecord& row) { return row.id; }));
  return Render<NotificationRecord>(notifications, selection.limit, [](const NotificationRecord& row) {
    Json json = NotificationToJson(row);
    Json incidents = Json::MakeArray();
    for (const MentionedIncident& incident : row.incidents) {
      incidents.Push(incident.id);
    }
    json.Set("incidents", std::move(incidents));
    return json;
  });
}

Result<Json> SelectIncident(History& history, IncidentId id, Timestamp now) {
  MLALERT_ASSIGN(IncidentDetail detail, history.GetIncident(id));
  Json json = IncidentToJson(detail.incident, now);
  AddDetail(json, detail, now);
  return json;
}

}  // namespace mlalert
