#include "cli/history_query.h"

#include <algorithm>
#include <functional>
#include <unordered_map>
#include <unordered_set>

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

// The newest `wanted` rows of all `incidents` together, each row once. `list` takes the filter of one
// incident.
template <class T, class Filter, class List, class Id, class At>
Result<std::vector<T>> ReadOfIncidents(const std::vector<Incident>& incidents, Filter filter, size_t wanted,
                                       List list, Id id, At at) {
  std::vector<T> out;
  std::unordered_set<int64_t> seen;
  auto cut = [&] {
    std::sort(out.begin(), out.end(),
              [&](const T& a, const T& b) { return at(a) != at(b) ? at(a) > at(b) : id(a) > id(b); });
    if (out.size() > wanted) {
      out.erase(out.begin() + static_cast<ptrdiff_t>(wanted), out.end());
    }
  };
  for (const Incident& incident : incidents) {
    filter.incident_id = incident.id;
    MLALERT_ASSIGN(std::vector<T> rows, ReadPages<T>(filter, wanted, list, id));
    for (T& row : rows) {
      // One notification speaks of several incidents.
      if (seen.insert(id(row)).second) {
        out.push_back(std::move(row));
      }
    }
    // Not with every incident: sorting is for memory's sake here.
    if (out.size() > 4 * wanted + kHistoryRowsMax) {
      cut();
    }
  }
  cut();
  return out;
}

template <class T, class Filter, class List, class Id, class At>
Result<std::vector<T>> ReadSelected(History& history, const HistorySelection& selection,
                                    const IncidentFilter& of_incidents, Filter filter, List list, Id id,
                                    At at) {
  filter.since = selection.since;
  filter.until = selection.until;
  // One more than asked for tells whether there are more.
  size_t wanted = selection.limit + 1;
  bool any_incident =
      of_incidents.alertname.empty() && of_incidents.model.empty() && of_incidents.severities.empty();
  if (any_incident) {
    return ReadPages<T>(filter, wanted, list, id);
  }
  MLALERT_ASSIGN(auto incidents, ReadIncidents(history, of_incidents, SIZE_MAX));
  return ReadOfIncidents<T>(incidents, filter, wanted, list, id, at);
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

// The labels of the incidents that events speak of; an incident that retention deleted has none.
class LabelsOf {
 public:
  explicit LabelsOf(History& history) : history_(history) {}
  const LabelSet& Find(IncidentId id) {
    auto [it, fresh] = known_.try_emplace(id);
    if (fresh && id != 0) {
      if (auto detail = history_.GetIncident(id)) {
        it->second = detail->incident.labels;
      }
    }
    return it->second;
  }

 private:
  History& history_;
  std::unordered_map<IncidentId, LabelSet> known_;
};

}  // namespace

Result<HistoryRows> SelectIncidents(History& history, const HistorySelection& selection, Timestamp now) {
  IncidentFilter filter = FilterOf(selection);
  filter.since = selection.since;
  MLALERT_ASSIGN(auto incidents, ReadIncidents(history, filter, selection.limit + 1));
  return Render<Incident>(incidents, selection.limit,
                          [&](const Incident& incident) { return IncidentToJson(incident, now); });
}

Result<HistoryRows> SelectEvents(History& history, const HistorySelection& selection) {
  MLALERT_ASSIGN(auto events, ReadSelected<HistoryEvent>(
                                  history, selection, FilterOf(selection), EventFilter{},
                                  [&](const EventFilter& filter) { return history.ListEvents(filter); },
                                  [](const HistoryEvent& row) { return row.id; },
                                  [](const HistoryEvent& row) { return row.event.at; }));
  LabelsOf labels(history);
  return Render<HistoryEvent>(events, selection.limit, [&](const HistoryEvent& row) {
    IncidentId id = row.event.incident_id;
    const LabelSet& of = labels.Find(id);
    Json json = EventToJson(row);
    json.Set("incident_id", id != 0 ? Json(id) : Json());
    for (const char* name : {"alertname", "model", "pipeline"}) {
      json.Set(name, TextOrNull(of.Get(name)));
    }
    return json;
  });
}

Result<HistoryRows> SelectNotifications(History& history, const HistorySelection& selection) {
  IncidentFilter of_incidents = FilterOf(selection);
  of_incidents.severities.clear();
  const auto& severities = selection.severities;
  // The file cannot be asked for a severity of notifications: pages are thinned as they come.
  auto list = [&](const NotificationFilter& filter) -> Result<std::vector<NotificationRecord>> {
    NotificationFilter next = filter;
    std::vector<NotificationRecord> out;
    while (true) {
      MLALERT_ASSIGN(auto page, history.ListNotifications(next));
      bool last = page.size() < next.limit;
      if (!page.empty()) {
        next.before_id = page.back().id;
      }
      for (NotificationRecord& row : page) {
        bool wanted = severities.empty() ||
                      std::find(severities.begin(), severities.end(), row.severity) != severities.end();
        if (wanted && out.size() < filter.limit) {
          out.push_back(std::move(row));
        }
      }
      if (last || out.size() >= filter.limit) {
        return out;
      }
    }
  };
  MLALERT_ASSIGN(auto notifications, ReadSelected<NotificationRecord>(
                                         history, selection, of_incidents, NotificationFilter{}, list,
                                         [](const NotificationRecord& row) { return row.id; },
                                         [](const NotificationRecord& row) { return row.at; }));
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
