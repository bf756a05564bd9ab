// /api/mlalert/v1/incidents: what people see and do. What is not resolved comes from the engine, which is
// ahead of the file by up to a commit; what is resolved comes from history, where the engine knows no newer
// word.
#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <unordered_map>

#include "api/durable.h"
#include "api/handlers.h"
#include "api/incident_json.h"
#include "api/negotiation.h"
#include "api/own_error.h"
#include "api/strict_input.h"

namespace mlalert {
namespace {

constexpr size_t kActionBodyBytesMax = 64 * 1024;
constexpr Duration kAckMax = std::chrono::hours(24 * 365);

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

Result<IncidentFilter> ParseIncidentFilter(const HttpRequest& request) {
  MLALERT_TRY(CheckQuery(
      request,
      {"state", "alertname", "model", "pipeline", "team", "severity", "since", "until", "limit", "before_id"},
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

bool Passes(const IncidentFilter& filter, const Incident& incident) {
  auto label = [&](std::string_view name, const std::string& wanted) {
    return wanted.empty() || incident.labels.Get(name) == wanted;
  };
  return OneOf(filter.states, incident.state) && OneOf(filter.severities, incident.severity) &&
         label("alertname", filter.alertname) && label("model", filter.model) &&
         label("pipeline", filter.pipeline) && label("team", filter.team) &&
         (!IsSet(filter.since) || incident.opened_at >= filter.since) &&
         (!IsSet(filter.until) || incident.opened_at < filter.until);
}

// The order of pages: newest opening first.
bool Newer(const Incident& a, const Incident& b) {
  return a.opened_at != b.opened_at ? a.opened_at > b.opened_at : a.id > b.id;
}

// Live rows win over stored ones of the same id: the file may be a commit behind.
Result<std::vector<Incident>> CollectIncidents(ApiContext& context, const IncidentFilter& filter) {
  std::vector<Incident> live = context.gate.Read([](Engine& engine) { return engine.ListIncidents(); });
  std::unordered_map<IncidentId, const Incident*> by_id;
  for (const Incident& incident : live) {
    by_id.emplace(incident.id, &incident);
  }
  bool wants_resolved = OneOf(filter.states, IncidentState::kResolved);
  History* history = OpenHistory(context);
  std::vector<Incident> found;
  if (history != nullptr && wants_resolved) {
    MLALERT_ASSIGN(found, history->ListIncidents(filter));
    std::erase_if(found, [&](const Incident& incident) { return by_id.count(incident.id) != 0; });
  }
  // Where the page begins. An id that neither knows is older than all that is left.
  const Incident* before = nullptr;
  Incident stored_before;
  if (filter.before_id != 0) {
    if (auto it = by_id.find(filter.before_id); it != by_id.end()) {
      before = it->second;
    } else if (history != nullptr) {
      auto detail = history->GetIncident(filter.before_id);
      if (detail) {
        stored_before = std::move(detail->incident);
        before = &stored_before;
      } else if (detail.error().code != ErrorCode::kNotFound) {
        return Fail(std::move(detail.error()));
      }
    }
    if (before == nullptr) {
      return std::vector<Incident>();
    }
  }
  for (const Incident& incident : live) {
    if (Passes(filter, incident) && (before == nullptr || Newer(*before, incident))) {
      found.push_back(incident);
    }
  }
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
  auto found = CollectIncidents(context, *filter);
  if (!found) {
    SetOwnError(response, found.error());
    return;
  }
  Timestamp now = context.clock.Now();
  Json list = Json::MakeArray();
  for (size_t i = 0; i < found->size() && i < limit; ++i) {
    list.Push(IncidentToJson((*found)[i], now));
  }
  // A full page may be the last one: then the next is empty.
  bool more = found->size() >= limit;
  Json json = Json::MakeObject();
  json.Set("incidents", std::move(list));
  json.Set("next_before_id", more ? Json((*found)[limit - 1].id) : Json());
  SetJson(response, json);
}

// --- one ---

Result<IncidentId> ParseId(const HttpRequest& request) {
  std::string_view text = request.PathParam("id");
  IncidentId id = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (error != std::errc() || end != text.data() + text.size() || id < 1) {
    return Fail(ErrorCode::kInvalid,
                fmt::format("\"{}\" is not the number of an incident", text.substr(0, 64)));
  }
  return id;
}

Json DetailToJson(const IncidentDetail& detail, Timestamp now) {
  Json json = IncidentToJson(detail.incident, now);
  AddDetail(json, detail, now);
  return json;
}

void GetIncident(ApiContext& context, HttpRequest& request, HttpResponse& response) {
  if (Status query = CheckQuery(request, {}); !query) {
    SetOwnError(response, query.error());
    return;
  }
  auto id = ParseId(request);
  if (!id) {
    SetOwnError(response, id.error());
    return;
  }
  auto live = context.gate.Read([&](Engine& engine) -> std::optional<Incident> {
    const Incident* incident = engine.FindIncident(*id);
    return incident != nullptr ? std::optional(*incident) : std::nullopt;
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
  Json json = DetailToJson(detail, context.clock.Now());
  if (!history_error.empty()) {
    // The incident itself is worth showing while its past cannot be read.
    json.Set("history_error", history_error);
  }
  SetJson(response, json);
}

// --- acknowledge ---

Result<Timestamp> ReadExpiry(const Json& body, Timestamp now) {
  MLALERT_ASSIGN(std::string at, TextField(body, "expires_at", 64));
  MLALERT_ASSIGN(std::string in, TextField(body, "expires_in", 64));
  if (!at.empty() && !in.empty()) {
    return Fail(ErrorCode::kInvalid, "give expires_at or expires_in, not both");
  }
  Timestamp expires = kUnset;
  if (!at.empty()) {
    auto parsed = ParseRfc3339(at);
    if (!parsed) {
      return Fail(Error{ErrorCode::kInvalid,
                        fmt::format("\"expires_at\" is not a time: \"{}\"", at),
                        {},
                        "write it as 2026-01-31T09:00:00Z"});
    }
    expires = *parsed;
  } else if (!in.empty()) {
    auto parsed = ParseDuration(in);
    if (!parsed) {
      return Fail(
          Error{ErrorCode::kInvalid, "\"expires_in\": " + parsed.error().message, {}, "write it as 4h"});
    }
    if (*parsed > kAckMax) {
      return Fail(ErrorCode::kInvalid, "an acknowledgement lasts at most a year");
    }
    expires = now + *parsed;
  }
  if (IsSet(expires) && expires > now + kAckMax) {
    return Fail(ErrorCode::kInvalid, "an acknowledgement lasts at most a year");
  }
  if (IsSet(expires) && expires <= now) {
    return Fail(ErrorCode::kInvalid, "the acknowledgement would already be over");
  }
  return expires;
}

struct Action {
  IncidentId id = 0;
  AckRequest ack;
};

Result<Action> ParseAction(const HttpRequest& request, bool acknowledge, Timestamp now) {
  Action action;
  MLALERT_TRY(CheckQuery(request, {}));
  MLALERT_ASSIGN(action.id, ParseId(request));
  std::vector<std::string_view> keys = {"actor", "comment"};
  if (acknowledge) {
    keys.insert(keys.end(), {"expires_at", "expires_in"});
  }
  MLALERT_ASSIGN(Json body, ParseStrictBody(request.body, keys));
  MLALERT_ASSIGN(action.ack.actor, TextField(body, "actor", kActorBytesMax));
  MLALERT_ASSIGN(action.ack.comment, TextField(body, "comment", kCommentBytesMax));
  if (action.ack.actor.find_first_not_of(" \t\n") == std::string::npos) {
    return Fail(
        Error{ErrorCode::kInvalid, "\"actor\" is required", {}, "say who acts, e.g. {\"actor\": \"alice\"}"});
  }
  if (action.ack.actor.find('\n') != std::string::npos) {
    return Fail(ErrorCode::kInvalid, "\"actor\" holds control characters");
  }
  MLALERT_ASSIGN(action.ack.expires_at, ReadExpiry(body, now));
  return action;
}

void Act(ApiContext& context, HttpRequest& request, HttpResponse& response, bool acknowledge) {
  if (!CheckJsonBody(request, response)) {
    return;
  }
  auto action = ParseAction(request, acknowledge, context.clock.Now());
  if (!action) {
    SetOwnError(response, action.error());
    return;
  }
  Result<Incident> result = Fail(ErrorCode::kInternal, "not run");
  uint64_t seq = context.gate.Enter([&](Engine& engine, Timestamp now, Effects& fx) {
    result = acknowledge ? engine.Acknowledge(action->id, action->ack, now, fx)
                         : engine.Unacknowledge(action->id, action->ack.actor, action->ack.comment, now, fx);
  });
  if (!result) {
    // The engine forgets what was resolved long ago.
    History* history = result.error().code == ErrorCode::kNotFound ? OpenHistory(context) : nullptr;
    if (history != nullptr && history->GetIncident(action->id)) {
      SetOwnError(response, 409, fmt::format("incident {} is already resolved", action->id));
    } else {
      SetOwnError(response, result.error());
    }
    return;
  }
  if (Status durable = WaitDurable(context.gate, seq); !durable) {
    SetOwnError(response, 503, "done, but not yet safe on disk: " + durable.error().message,
                "a crash before the disk recovers would undo it");
    return;
  }
  Timestamp now = context.clock.Now();
  Json json = IncidentToJson(*result, now);
  json.Set("plan", PlanToJson(*result, now));
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
  router.Post(
      "/api/mlalert/v1/incidents/{id}/ack",
      [&context](HttpRequest& request, HttpResponse& response) { Act(context, request, response, true); },
      {.body_bytes_max = kActionBodyBytesMax});
  router.Post(
      "/api/mlalert/v1/incidents/{id}/unack",
      [&context](HttpRequest& request, HttpResponse& response) { Act(context, request, response, false); },
      {.body_bytes_max = kActionBodyBytesMax});
}

}  // namespace mlalert
