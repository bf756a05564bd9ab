// /api/mlalert/v1/incidents: what people see and do. What is not resolved comes from the engine, which is
// ahead of the file by up to a commit; what is resolved comes from history, where the engine knows no newer
// word.
#include <algorithm>
#include <fmt/format.h>
#include <iterator>

#include "api/alert_listing.h"
#include "api/handlers.h"
#include "api/incident_actions.h"
#include "api/incident_json.h"
#include "api/negotiation.h"
#include "api/own_error.h"
#include "api/strict_input.h"
#include "config/schedules.h"

namespace mlalert {
namespace {

History* OpenHistory(ApiContext& context) {
  return context.history ? context.history() : nullptr;
}

// --- list ---

Result<std::vector<IncidentState>> StatesOf(const HttpRequest& request) {
  const std::string* text = request.Query("state");
  std::string_view state = text != nullptr ? std::string_view(*text) : std::string_view();
  if (state.empty()) {
    return std::vector{IncidentState::kOpen, IncidentState::kAcknowledged};
  }
  if (state == "all") {
    return std::vector{IncidentState::kOpen, IncidentState::kAcknowledged, IncidentState::kResolved};
  }
  for (IncidentState one : {IncidentState::kOpen, IncidentState::kAcknowledged, IncidentState::kResolved}) {
    if (state == ToString(one)) {
      return std::vector{one};
    }
  }
  return Fail(Error{ErrorCode::kInvalid,
                    fmt::format("unknown state \"{}\"", state.substr(0, 64)),
                    {},
                    "open, acknowledged, resolved or all; without it: open and acknowledged"});
}

Result<ResponseState> ResponseOf(const HttpRequest& request) {
  const std::string* text = request.Query("response");
  if (text == nullptr || text->empty()) {
    return ResponseState::kNone;
  }
  if (auto state = ParseResponseState(*text)) {
    return *state;
  }
  return Fail(Error{ErrorCode::kInvalid,
                    fmt::format("unknown response \"{}\"", text->substr(0, 64)),
                    {},
                    "due, met or breached"});
}

Result<IncidentFilter> ParseIncidentFilter(const HttpRequest& request) {
  MLALERT_TRY(CheckQuery(request,
                         {"state", "alertname", "model", "pipeline", "team", "severity", "response", "since",
                          "until", "limit", "before_id"},
                         {"severity"}));
  IncidentFilter filter;
  MLALERT_ASSIGN(filter.states, StatesOf(request));
  auto text = [&](std::string_view name) {
    const std::string* value = request.Query(name);
    return value != nullptr ? *value : std::string();
  };
  filter.alertname = text("alertname");
  filter.model = text("model");
  filter.pipeline = text("pipeline");
  filter.team = text("team");
  for (std::string_view word : request.QueryAll("severity")) {
    auto severity = ParseSeverity(word);
    if (!severity) {
      return Fail(Error{ErrorCode::kInvalid,
                        fmt::format("unknown severity \"{}\"", word.substr(0, 64)),
                        {},
                        "P0, P1, P2 or P3; repeat the parameter for several"});
    }
    filter.severities.push_back(*severity);
  }
  MLALERT_ASSIGN(filter.response, ResponseOf(request));
  MLALERT_ASSIGN(filter.since, TimeParam(request, "since"));
  MLALERT_ASSIGN(filter.until, TimeParam(request, "until"));
  MLALERT_ASSIGN(filter.before_id, IntParam(request, "before_id", 1, INT64_MAX, 0));
  MLALERT_ASSIGN(int64_t limit, IntParam(request, "limit", 1, kHistoryRowsMax, 100));
  filter.limit = static_cast<size_t>(limit);
  return filter;
}

template <class T>
bool OneOf(const std::vector<T>& list, T value) {
  return list.empty() || std::find(list.begin(), list.end(), value) != list.end();
}

bool Passes(const IncidentFilter& filter, const Incident& incident, Timestamp now) {
  auto label = [&](std::string_view name, const std::string& wanted) {
    return wanted.empty() || incident.labels.Get(name) == wanted;
  };
  return OneOf(filter.states, incident.state) && OneOf(filter.severities, incident.severity) &&
         label("alertname", filter.alertname) && label("model", filter.model) &&
         label("pipeline", filter.pipeline) && label("team", filter.team) &&
         (filter.response == ResponseState::kNone || filter.response == ResponseStateOf(incident, now)) &&
         (!IsSet(filter.since) || incident.opened_at >= filter.since) &&
         (!IsSet(filter.until) || incident.opened_at < filter.until);
}

// The order of pages: newest opening first.
bool Newer(const Incident& a, const Incident& b) {
  return a.opened_at != b.opened_at ? a.opened_at > b.opened_at : a.id > b.id;
}

// Where a page begins.
struct PageStart {
  bool from_newest = true;
  bool found = false;  // an id that neither engine nor history knows is older than all that is left
  Incident before;
};

Result<PageStart> FindPageStart(ApiContext& context, History* history, IncidentId before_id) {
  PageStart out;
  if (before_id == 0) {
    return out;
  }
  out.from_newest = false;
  auto live = context.gate.Read([&](Engine& engine) -> std::optional<Incident> {
    const Incident* incident = engine.FindIncident(before_id);
    return incident != nullptr ? std::optional(*incident) : std::nullopt;
  });
  if (live) {
    out.found = true;
    out.before = std::move(*live);
  } else if (history != nullptr) {
    auto stored = history->FindIncident(before_id);
    if (stored) {
      out.found = true;
      out.before = std::move(*stored);
    } else if (stored.error().code != ErrorCode::kNotFound) {
      return Fail(std::move(stored.error()));
    }
  }
  return out;
}

// The newest that the engine knows, in slices: 100,000 open incidents hold up no sender, and only the page is
// kept of them.
std::vector<Incident> TakeLive(Gate& gate, const IncidentFilter& filter, const PageStart& start,
                               Timestamp now) {
  std::vector<Incident> out;
  auto cut = [&] {
    // One that moved between two slices is seen twice.
    std::sort(out.begin(), out.end(), Newer);
    out.erase(std::unique(out.begin(), out.end(),
                          [](const Incident& a, const Incident& b) { return a.id == b.id; }),
              out.end());
    if (out.size() > filter.limit) {
      out.resize(filter.limit);
    }
  };
  size_t from = SlotList<IncidentEntry>::kEnd;
  while (from > 0) {
    gate.ReadInSlices([&](Engine& engine) {
      from = engine.VisitIncidentSlice(from, kListSlice, [&](const Incident& incident) {
        if ((start.from_newest || Newer(start.before, incident)) && Passes(filter, incident, now)) {
          out.push_back(incident);
        }
      });
      return from > 0 && out.size() < 4 * filter.limit + kListSlice;
    });
    cut();
  }
  return out;
}

// Live rows win over stored ones of the same id: the file may be a commit behind.
Result<std::vector<Incident>> CollectIncidents(ApiContext& context, const IncidentFilter& filter,
                                               Timestamp now) {
  History* history = OpenHistory(context);
  MLALERT_ASSIGN(const PageStart start, FindPageStart(context, history, filter.before_id));
  if (!start.from_newest && !start.found) {
    return std::vector<Incident>();
  }
  std::vector<Incident> found = TakeLive(context.gate, filter, start, now);
  if (history == nullptr || !OneOf(filter.states, IncidentState::kResolved)) {
    return found;
  }
  IncidentFilter stored_filter = filter;
  if (!filter.alertname.empty() || !filter.model.empty() || !filter.pipeline.empty() ||
      !filter.team.empty() || !filter.severities.empty() || filter.response != ResponseState::kNone) {
    // What is not resolved is live; of the file only what it has indexes for.
    stored_filter.states = {IncidentState::kResolved};
  }
  MLALERT_ASSIGN(std::vector<Incident> stored, history->ListIncidents(stored_filter));
  context.gate.Read([&](Engine& engine) {
    std::erase_if(stored,
                  [&](const Incident& incident) { return engine.FindIncident(incident.id) != nullptr; });
  });
  std::move(stored.begin(), stored.end(), std::back_inserter(found));
  std::sort(found.begin(), found.end(), Newer);
  return found;
}

void ListIncidents(ApiContext& context, HttpRequest& request, HttpResponse& response) {
  auto filter = ParseIncidentFilter(request);
  if (!filter) {
    SetOwnError(response, filter.error());
    return;
  }
  size_t limit = filter->limit;
  const Timestamp now = context.clock.Now();
  auto found = CollectIncidents(context, *filter, now);
  if (!found) {
    SetOwnError(response, found.error());
    return;
  }
  const ConfigPtr config = context.gate.Read([](Engine& engine) { return engine.shared_config(); });
  Json list = Json::MakeArray();
  for (size_t i = 0; i < found->size() && i < limit; ++i) {
    list.Push(IncidentToJson((*found)[i], now, config->calendars.get()));
  }
  // A full page may be the last one: then the next is empty.
  bool more = found->size() >= limit;
  Json json = Json::MakeObject();
  json.Set("incidents", std::move(list));
  json.Set("next_before_id", more ? Json((*found)[limit - 1].id) : Json());
  SetJson(response, json);
}

// --- one ---

Json DetailToJson(const IncidentDetail& detail, const std::vector<PlanStep>& plan, Timestamp now,
                  const Calendars* calendars) {
  Json json = IncidentToJson(detail.incident, now, calendars);
  json.Set("plan", PlanToJson(plan));
  AddDetail(json, detail, now, calendars);
  return json;
}

void GetIncident(ApiContext& context, HttpRequest& request, HttpResponse& response) {
  if (Status query = CheckQuery(request, {}); !query) {
    SetOwnError(response, query.error());
    return;
  }
  auto id = IncidentIdOf(request);
  if (!id) {
    SetOwnError(response, id.error());
    return;
  }
  const Timestamp now = context.clock.Now();
  ConfigPtr config;
  std::vector<PlanStep> plan;
  auto live = context.gate.Read([&](Engine& engine) -> std::optional<Incident> {
    config = engine.shared_config();
    const Incident* incident = engine.FindIncident(*id);
    if (incident == nullptr) {
      return std::nullopt;
    }
    plan = engine.Plan(*incident, now);
    return *incident;
  });
  IncidentDetail detail;
  std::string history_error;
  bool stored = false;
  if (History* history = OpenHistory(context)) {
    auto past = history->GetIncident(*id);
    stored = past.has_value();
    if (stored) {
      detail = std::move(*past);
    } else if (past.error().code != ErrorCode::kNotFound) {
      if (!live) {
        SetOwnError(response, past.error());
        return;
      }
      history_error = past.error().message;
    }
  }
  if (!live && !stored) {
    SetOwnError(response, 404, fmt::format("there is no incident {}", *id));
    return;
  }
  if (live) {
    detail.incident = std::move(*live);
  }
  Json json = DetailToJson(detail, plan, now, config->calendars.get());
  if (!history_error.empty()) {
    // The incident itself is worth showing while its past cannot be read.
    json.Set("history_error", history_error);
  }
  SetJson(response, json);
}

// --- why ---

std::string TimeOrLater(Timestamp t) {
  return IsSet(t) && t != kNever ? FormatRfc3339Millis(t) : std::string("later");
}

Json WhyToJson(const WhyStep& step) {
  Json json = Json::MakeObject();
  json.Set("what", step.what);
  json.Set("receiver", step.receiver.empty() ? Json() : Json(step.receiver));
  json.Set("text", step.text);
  json.Set("holds_back", step.holds_back);
  json.Set("config", step.where.empty() ? Json() : Json(step.where));
  return json;
}

// The config may have lost it since: what it heard once can still be asked for. A schedule is on the way to
// its receivers.
Status CheckReceiver(const Config& config, const std::string& receiver, const IncidentDetail& detail) {
  const bool of_now = receiver.empty() || config.FindReceiver(receiver) != nullptr ||
                      (config.schedules != nullptr && config.schedules->Find(receiver) != nullptr);
  const bool of_past = std::any_of(detail.notifications.begin(), detail.notifications.end(),
                                   [&](const NotificationRecord& row) { return row.receiver == receiver; });
  if (of_now || of_past) {
    return {};
  }
  constexpr size_t kNamesMax = 20;
  std::vector<std::string> names;
  names.reserve(kNamesMax);
  for (size_t i = 0; i < config.receivers.size() && i < kNamesMax; ++i) {
    names.push_back(config.receivers[i].name);
  }
  return Fail(
      Error{ErrorCode::kInvalid,
            fmt::format("the config has no receiver \"{}\"", receiver.substr(0, 64)),
            {},
            fmt::format("{}{}", fmt::join(names, ", "), config.receivers.size() > kNamesMax ? " ..." : "")});
}

// That nothing leads from the incident to the receiver now; what of its plan will.
WhyStep NothingLeadsTo(const std::string& receiver, const Incident& incident,
                       const std::vector<PlanStep>& plan) {
  const std::string severity = incident.severity == Severity::kNone
                                   ? std::string("it has no severity")
                                   : fmt::format("it is {} now", ToString(incident.severity));
  WhyStep out{"route", receiver, fmt::format("no route leads there: {}", severity), true};
  for (const PlanStep& step : plan) {
    auto names = [&](const std::vector<std::string>& list) {
      return std::find(list.begin(), list.end(), receiver) != list.end();
    };
    if (!names(step.receivers) && !names(step.targets)) {
      continue;
    }
    switch (step.kind) {
      case PlanStep::Kind::kRaise:
        out.text += fmt::format("; at {}, from {}, one does", ToString(step.severity), TimeOrLater(step.at));
        break;
      case PlanStep::Kind::kNotify:
        out.text = fmt::format("told for the first time: {}", TimeOrLater(step.at));
        break;
      case PlanStep::Kind::kEscalate:
        out.text += fmt::format("; step {} of its chain does: {}", step.number, TimeOrLater(step.at));
        break;
      case PlanStep::Kind::kFallback:
        out.text += fmt::format("; the fallback of its chain does: {}", TimeOrLater(step.at));
        break;
    }
    return out;
  }
  out.text += ", and no step of a chain or schedule does either";
  return out;
}

// Why there may be nothing to see at an earlier moment; empty: there is.
std::string NoteOnPast(const IncidentDetail& detail, Timestamp until, bool anything) {
  Timestamp first = detail.incident.opened_at;
  for (const HistoryEvent& row : detail.events) {
    first = std::min(first, row.event.at);
  }
  if (IsSet(first) && until < first) {
    return fmt::format("it had not opened yet at {}: it opened at {}", FormatRfc3339Millis(until),
                       FormatRfc3339Millis(first));
  }
  return anything ? std::string()
                  : fmt::format("nothing was decided for it, and nobody told of it, until {}",
                                FormatRfc3339Millis(until));
}

// What is decided now, and what was decided until `at`: the trace of decisions, and what each receiver heard.
void GetWhy(ApiContext& context, HttpRequest& request, HttpResponse& response) {
  if (Status query = CheckQuery(request, {"receiver", "at"}); !query) {
    SetOwnError(response, query.error());
    return;
  }
  auto id = IncidentIdOf(request);
  auto at = TimeParam(request, "at");
  if (!id || !at) {
    SetOwnError(response, !id ? id.error() : at.error());
    return;
  }
  const std::string* wanted = request.Query("receiver");
  const std::string receiver = wanted != nullptr ? *wanted : std::string();
  const Timestamp now = context.clock.Now();
  const Timestamp until = IsSet(*at) ? *at : now;
  ConfigPtr config;
  std::vector<PlanStep> plan;
  std::optional<Incident> live;
  std::vector<WhyStep> steps = context.gate.Read([&](Engine& engine) {
    config = engine.shared_config();
    if (const Incident* incident = engine.FindIncident(*id)) {
      live = *incident;
      plan = engine.Plan(*incident, now);
    }
    return engine.Why(*id, receiver, now);
  });
  IncidentDetail detail;
  bool stored = false;
  if (History* history = OpenHistory(context)) {
    if (auto past = history->GetIncident(*id)) {
      detail = std::move(*past);
      stored = true;
    }
  }
  if (steps.empty() && !stored) {
    SetOwnError(response, 404, fmt::format("there is no incident {}", *id));
    return;
  }
  if (Status known = CheckReceiver(*config, receiver, detail); !known) {
    SetOwnError(response, known.error());
    return;
  }
  const bool led_to =
      std::any_of(steps.begin(), steps.end(), [](const WhyStep& step) { return !step.receiver.empty(); });
  if (!receiver.empty() && !led_to && live && live->state != IncidentState::kResolved) {
    steps.push_back(NothingLeadsTo(receiver, *live, plan));
  }
  if (live && !stored) {
    detail.incident = std::move(*live);
  }
  // The present says nothing of an earlier moment.
  Json present = Json::MakeArray();
  if (until >= now) {
    for (const WhyStep& step : steps) {
      present.Push(WhyToJson(step));
    }
  }
  Json trace = Json::MakeArray();
  for (const HistoryEvent& row : detail.events) {
    const bool other = row.event.type == "decided" && !receiver.empty() && row.event.to_value != receiver;
    if (row.event.at <= until && !other) {
      trace.Push(EventToJson(row));
    }
  }
  Json notifications = Json::MakeArray();
  for (const NotificationRecord& row : detail.notifications) {
    if (row.at <= until && (receiver.empty() || row.receiver == receiver)) {
      notifications.Push(NotificationToJson(row));
    }
  }
  const bool anything =
      !present.AsArray().empty() || !trace.AsArray().empty() || !notifications.AsArray().empty();
  const std::string note = until < now ? NoteOnPast(detail, until, anything) : std::string();
  Json mutes = Json::MakeArray();
  for (MuteRecord row : detail.mutes) {
    if (row.ended_at > until) {
      row.ended_at = kUnset;  // not known then
      row.end_reason.clear();
    }
    if (row.started_at <= until && (receiver.empty() || row.receiver.empty() || row.receiver == receiver)) {
      mutes.Push(MuteToJson(row));
    }
  }
  Json json = Json::MakeObject();
  json.Set("incident_id", *id);
  json.Set("receiver", receiver.empty() ? Json() : Json(receiver));
  json.Set("at", FormatRfc3339Millis(until));
  json.Set("note", note.empty() ? Json() : Json(note));
  json.Set("now", std::move(present));
  json.Set("events", std::move(trace));
  json.Set("notifications", std::move(notifications));
  json.Set("mutes", std::move(mutes));
  SetJson(response, json);
}

}  // namespace

void AddIncidents(HttpRouter& router, ApiContext& context) {
  router.Get("/api/mlalert/v1/incidents", [&context](HttpRequest& request, HttpResponse& response) {
    ListIncidents(context, request, response);
  });
  router.Get("/api/mlalert/v1/incidents/{id}", [&context](HttpRequest& request, HttpResponse& response) {
    GetIncident(context, request, response);
  });
  router.Get("/api/mlalert/v1/incidents/{id}/why", [&context](HttpRequest& request, HttpResponse& response) {
    GetWhy(context, request, response);
  });
  AddIncidentActions(router, context);
}

}  // namespace mlalert
