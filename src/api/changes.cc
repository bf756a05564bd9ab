// /api/mlalert/v1/changes: what was changed on the platform, so that incidents can say "a deploy, 12 minutes
// before" and reviews know whether somebody acted. Links to incidents are made by name and time when they are
// asked for (v_incident_changes): a change may be reported late.
#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "api/durable.h"
#include "api/handlers.h"
#include "api/incident_json.h"
#include "api/negotiation.h"
#include "api/own_error.h"
#include "api/strict_input.h"

namespace mlalert {
namespace {

constexpr size_t kChangeBodyBytesMax = 64 * 1024;
constexpr size_t kNameBytesMax = 256;
constexpr size_t kUrlBytesMax = 2048;
// Clocks differ; more than this is a mistake.
constexpr Duration kFutureMax = std::chrono::minutes(10);
constexpr std::array<std::string_view, 6> kKinds = {"deploy",         "rollback", "retrain",
                                                    "feature_change", "config",   "backfill"};

Status CheckKind(const std::string& kind) {
  if (std::find(kKinds.begin(), kKinds.end(), kind) != kKinds.end()) {
    return {};
  }
  return Fail(Error{ErrorCode::kInvalid,
                    kind.empty() ? "\"kind\" is required" : fmt::format("unknown kind \"{}\"", kind),
                    {},
                    fmt::format("one of {}", fmt::join(kKinds, ", "))});
}

Result<ChangeRecord> ParseChange(const HttpRequest& request, Timestamp now) {
  MLALERT_TRY(CheckQuery(request, {}));
  MLALERT_ASSIGN(Json body, ParseStrictBody(request.body, {"id", "kind", "model", "pipeline", "entity", "env",
                                                           "incident_id", "at", "from", "to", "actor",
                                                           "automatic", "url", "comment"}));
  ChangeRecord out;
  MLALERT_ASSIGN(out.external_id, TextField(body, "id", kNameBytesMax));
  MLALERT_ASSIGN(out.kind, TextField(body, "kind", 64));
  MLALERT_TRY(CheckKind(out.kind));
  MLALERT_ASSIGN(out.model, TextField(body, "model", kNameBytesMax));
  MLALERT_ASSIGN(out.pipeline, TextField(body, "pipeline", kNameBytesMax));
  MLALERT_ASSIGN(out.entity, TextField(body, "entity", kNameBytesMax));
  MLALERT_ASSIGN(out.env, TextField(body, "env", kNameBytesMax));
  MLALERT_ASSIGN(out.from_version, TextField(body, "from", kNameBytesMax));
  MLALERT_ASSIGN(out.to_version, TextField(body, "to", kNameBytesMax));
  MLALERT_ASSIGN(out.actor, TextField(body, "actor", kActorBytesMax));
  MLALERT_ASSIGN(out.url, TextField(body, "url", kUrlBytesMax));
  MLALERT_ASSIGN(out.comment, TextField(body, "comment", kCommentBytesMax));
  if (const Json* incident = body.Find("incident_id"); incident != nullptr && !incident->is_null()) {
    if (!incident->is_int() || incident->AsInt() < 1) {
      return Fail(ErrorCode::kInvalid, "\"incident_id\" is not the number of an incident");
    }
    out.incident_id = incident->AsInt();
  }
  if (const Json* automatic = body.Find("automatic"); automatic != nullptr && !automatic->is_null()) {
    if (!automatic->is_bool()) {
      return Fail(ErrorCode::kInvalid, "\"automatic\" must be true or false");
    }
    out.automatic = automatic->AsBool();
  }
  if (out.model.empty() && out.pipeline.empty() && out.entity.empty() && out.incident_id == 0) {
    return Fail(Error{ErrorCode::kInvalid,
                      "what was changed? the change names no model, pipeline or incident",
                      {},
                      "{\"kind\": \"deploy\", \"model\": \"fraud-detector-v2\"}"});
  }
  if (!out.url.empty() && !out.url.starts_with("https://") && !out.url.starts_with("http://")) {
    return Fail(ErrorCode::kInvalid, "\"url\" must begin with https:// or http://");
  }
  MLALERT_ASSIGN(std::string at, TextField(body, "at", 64));
  if (!at.empty()) {
    auto parsed = ParseRfc3339(at);
    if (!parsed) {
      return Fail(Error{ErrorCode::kInvalid,
                        fmt::format("\"at\" is not a time: \"{}\"", at),
                        {},
                        "write it as 2026-01-31T09:00:00Z"});
    }
    if (*parsed > now + kFutureMax) {
      return Fail(ErrorCode::kInvalid, "\"at\" lies in the future: report a change once it took effect");
    }
    out.at = *parsed;
  }
  return out;
}

Json Answer(ApiContext& context, const ChangeRecord& change) {
  Json json = ChangeToJson(change);
  Json incidents = Json::MakeArray();
  History* history = context.history ? context.history() : nullptr;
  if (history != nullptr) {
    if (auto linked = history->IncidentsOfChange(change.id)) {
      for (IncidentId id : *linked) {
        incidents.Push(id);
      }
    }
  }
  json.Set("incidents", std::move(incidents));
  return json;
}

void PostChange(ApiContext& context, HttpRequest& request, HttpResponse& response) {
  if (!CheckJsonBody(request, response)) {
    return;
  }
  auto change = ParseChange(request, context.clock.Now());
  if (!change) {
    SetOwnError(response, change.error());
    return;
  }
  History* history = context.history ? context.history() : nullptr;
  if (!change->external_id.empty() && history != nullptr) {
    if (auto known = history->FindChange(change->external_id)) {
      SetJson(response, Answer(context, *known));
      return;
    }
  }
  ChangeRecord taken;
  uint64_t seq = context.gate.Enter([&](Engine& engine, Timestamp now, Effects& fx) {
    taken = engine.RecordChange(std::move(*change), now, fx);
  });
  if (Status durable = WaitDurable(context.gate, seq); !durable) {
    SetOwnError(response, 503, "taken, but not yet safe on disk: " + durable.error().message,
                "a crash before the disk recovers would lose it");
    return;
  }
  SetJson(response, Answer(context, taken));
}

Result<ChangeFilter> ParseFilter(const HttpRequest& request) {
  MLALERT_TRY(CheckQuery(request, {"kind", "model", "pipeline", "since", "until", "limit", "before_id"}));
  ChangeFilter filter;
  auto text = [&](std::string_view name) {
    const std::string* value = request.Query(name);
    return value != nullptr ? *value : std::string();
  };
  filter.kind = text("kind");
  if (!filter.kind.empty()) {
    MLALERT_TRY(CheckKind(filter.kind));
  }
  filter.model = text("model");
  filter.pipeline = text("pipeline");
  MLALERT_ASSIGN(filter.since, TimeParam(request, "since"));
  MLALERT_ASSIGN(filter.until, TimeParam(request, "until"));
  MLALERT_ASSIGN(filter.before_id, IntParam(request, "before_id", 1, INT64_MAX, 0));
  MLALERT_ASSIGN(int64_t limit, IntParam(request, "limit", 1, kHistoryRowsMax, 100));
  filter.limit = static_cast<size_t>(limit);
  return filter;
}

void ListChanges(ApiContext& context, HttpRequest& request, HttpResponse& response) {
  auto filter = ParseFilter(request);
  if (!filter) {
    SetOwnError(response, filter.error());
    return;
  }
  Json list = Json::MakeArray();
  bool more = false;
  int64_t last = 0;
  if (History* history = context.history ? context.history() : nullptr) {
    auto changes = history->ListChanges(*filter);
    if (!changes) {
      SetOwnError(response, changes.error());
      return;
    }
    for (const ChangeRecord& change : *changes) {
      list.Push(ChangeToJson(change));
      last = change.id;
    }
    more = changes->size() >= filter->limit;
  }
  Json json = Json::MakeObject();
  json.Set("changes", std::move(list));
  json.Set("next_before_id", more ? Json(last) : Json());
  SetJson(response, json);
}

}  // namespace

void AddChanges(HttpRouter& router, ApiContext& context) {
  router.Get("/api/mlalert/v1/changes", [&context](HttpRequest& request, HttpResponse& response) {
    ListChanges(context, request, response);
  });
  router.Post(
      "/api/mlalert/v1/changes",
      [&context](HttpRequest& request, HttpResponse& response) { PostChange(context, request, response); },
      {.body_bytes_max = kChangeBodyBytesMax});
}

}  // namespace mlalert
