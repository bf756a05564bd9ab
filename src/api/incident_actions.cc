#include "api/incident_actions.h"

#include <array>
#include <charconv>
#include <fmt/format.h>
#include <string>
#include <vector>

#include "api/caller.h"
#include "api/durable.h"
#include "api/incident_json.h"
#include "api/negotiation.h"
#include "api/own_error.h"
#include "api/strict_input.h"

namespace mlalert {
namespace {

constexpr size_t kActionBodyBytesMax = 64 * 1024;
constexpr Duration kUntilMax = std::chrono::hours(24 * 365);

// What the body of each action may say beside who acts and why.
struct Door {
  std::string_view path;
  ActionKind kind;
  std::string_view at_key;  // a time
  std::string_view in_key;  // or how long from now
};
constexpr std::array<Door, 8> kDoors = {{{"ack", ActionKind::kAcknowledge, "expires_at", "expires_in"},
                                         {"unack", ActionKind::kUnacknowledge, "", ""},
                                         {"snooze", ActionKind::kSnooze, "until", "for"},
                                         {"comment", ActionKind::kComment, "", ""},
                                         {"assign", ActionKind::kAssign, "", ""},
                                         {"raise", ActionKind::kRaise, "", ""},
                                         {"lower", ActionKind::kLower, "", ""},
                                         {"resolve", ActionKind::kResolve, "hold_until", "hold_for"}}};

bool IsBlank(std::string_view text) {
  return text.find_first_not_of(" \t\n") == std::string_view::npos;
}

// `what`: the thing that would last.
Result<Timestamp> ReadUntil(const Json& body, const Door& door, std::string_view what, Timestamp now) {
  MLALERT_ASSIGN(std::string at, TextField(body, door.at_key, 64));
  MLALERT_ASSIGN(std::string in, TextField(body, door.in_key, 64));
  if (!at.empty() && !in.empty()) {
    return Fail(ErrorCode::kInvalid, fmt::format("give {} or {}, not both", door.at_key, door.in_key));
  }
  Timestamp until = kUnset;
  if (!at.empty()) {
    auto parsed = ParseRfc3339(at);
    if (!parsed) {
      return Fail(Error{ErrorCode::kInvalid,
                        fmt::format("\"{}\" is not a time: \"{}\"", door.at_key, at),
                        {},
                        "write it as 2026-01-31T09:00:00Z"});
    }
    until = *parsed;
  } else if (!in.empty()) {
    auto parsed = ParseDuration(in);
    if (!parsed) {
      return Fail(Error{ErrorCode::kInvalid,
                        fmt::format("\"{}\": {}", door.in_key, parsed.error().message),
                        {},
                        "write it as 4h"});
    }
    if (*parsed > kUntilMax) {
      return Fail(ErrorCode::kInvalid, fmt::format("{} lasts at most a year", what));
    }
    until = now + *parsed;
  }
  if (IsSet(until) && until > now + kUntilMax) {
    return Fail(ErrorCode::kInvalid, fmt::format("{} lasts at most a year", what));
  }
  if (IsSet(until) && until <= now) {
    return Fail(ErrorCode::kInvalid, fmt::format("{} would already be over", what));
  }
  return until;
}

// A name in one line.
Result<std::string> NameField(const Json& body, std::string_view key) {
  MLALERT_ASSIGN(std::string name, TextField(body, key, kActorBytesMax));
  if (name.find('\n') != std::string::npos) {
    return Fail(ErrorCode::kInvalid, fmt::format("\"{}\" holds control characters", key));
  }
  return name;
}

Result<Actor> ReadActor(const Json& body, const HttpRequest& request) {
  Actor actor;
  MLALERT_ASSIGN(actor.name, NameField(body, "actor"));
  actor.name = CallerName(request, actor.name);
  if (IsBlank(actor.name)) {
    return Fail(
        Error{ErrorCode::kInvalid, "\"actor\" is required", {}, "say who acts, e.g. {\"actor\": \"alice\"}"});
  }
  MLALERT_ASSIGN(std::string via, TextField(body, "via", 16));
  if (!via.empty() && via != "api" && via != "cli" && via != "ui") {
    return Fail(ErrorCode::kInvalid, "\"via\" is api, cli or ui");
  }
  actor.via = via.empty() ? "api" : via;
  actor.address = CallerAddress(request);
  return actor;
}

// The same under two names: acknowledging takes a comment, raising has a reason.
Result<std::string> ReadReason(const Json& body) {
  MLALERT_ASSIGN(std::string comment, TextField(body, "comment", kCommentBytesMax));
  MLALERT_ASSIGN(std::string reason, TextField(body, "reason", kCommentBytesMax));
  if (!comment.empty() && !reason.empty() && comment != reason) {
    return Fail(ErrorCode::kInvalid, "give comment or reason, not both");
  }
  return comment.empty() ? reason : comment;
}

Result<Severity> ReadSeverity(const Json& body) {
  MLALERT_ASSIGN(std::string severity, TextField(body, "severity", 16));
  auto parsed = ParseSeverity(severity);
  if (!parsed) {
    return Fail(Error{ErrorCode::kInvalid,
                      severity.empty() ? std::string("\"severity\" is required")
                                       : fmt::format("unknown severity \"{}\"", severity),
                      {},
                      "P0, P1, P2 or P3"});
  }
  return *parsed;
}

Status ReadDetails(const Json& body, const Door& door, Timestamp now, IncidentAction& action) {
  const ActionKind kind = door.kind;
  if (!door.at_key.empty()) {
    std::string_view what = kind == ActionKind::kAcknowledge ? "an acknowledgement"
                            : kind == ActionKind::kSnooze    ? "a snooze"
                                                             : "the hold";
    MLALERT_ASSIGN(action.until, ReadUntil(body, door, what, now));
  }
  if (kind == ActionKind::kSnooze && !IsSet(action.until)) {
    return Fail(Error{ErrorCode::kInvalid, "\"until\" or \"for\" is required", {}, "write for as 2h"});
  }
  if (kind == ActionKind::kComment && IsBlank(action.reason)) {
    return Fail(ErrorCode::kInvalid, "\"comment\" is required");
  }
  if (kind == ActionKind::kAssign) {
    if (body.Find("assignee") == nullptr) {
      return Fail(Error{
          ErrorCode::kInvalid, "\"assignee\" is required", {}, "an empty one takes the assignment back"});
    }
    MLALERT_ASSIGN(action.assignee, NameField(body, "assignee"));
  }
  if (kind == ActionKind::kRaise || kind == ActionKind::kLower) {
    MLALERT_ASSIGN(action.severity, ReadSeverity(body));
    if (IsBlank(action.reason)) {
      return Fail(ErrorCode::kInvalid, fmt::format("\"reason\" is required: why {} it?", door.path));
    }
  }
  return {};
}

Result<IncidentAction> ParseAction(const HttpRequest& request, const Door& door, Timestamp now) {
  IncidentAction action;
  action.kind = door.kind;
  MLALERT_TRY(CheckQuery(request, {}));
  MLALERT_ASSIGN(action.incident_id, IncidentIdOf(request));
  std::vector<std::string_view> keys = {"actor", "comment", "reason", "via", "generation"};
  if (!door.at_key.empty()) {
    keys.insert(keys.end(), {door.at_key, door.in_key});
  }
  if (door.kind == ActionKind::kAssign) {
    keys.emplace_back("assignee");
  }
  if (door.kind == ActionKind::kRaise || door.kind == ActionKind::kLower) {
    keys.emplace_back("severity");
  }
  MLALERT_ASSIGN(Json body, ParseStrictBody(request.body, keys));
  MLALERT_ASSIGN(action.actor, ReadActor(body, request));
  MLALERT_ASSIGN(action.reason, ReadReason(body));
  if (const Json* generation = body.Find("generation"); generation != nullptr && !generation->is_null()) {
    if (!generation->is_int()) {
      return Fail(ErrorCode::kInvalid, "\"generation\" must be a whole number");
    }
    action.generation = generation->AsInt();
  }
  MLALERT_TRY(ReadDetails(body, door, now, action));
  return action;
}

void Serve(ApiContext& context, HttpRequest& request, HttpResponse& response, const Door& door) {
  if (!CheckJsonBody(request, response)) {
    return;
  }
  auto action = ParseAction(request, door, context.clock.Now());
  if (!action) {
    SetOwnError(response, action.error());
    return;
  }
  auto result = PerformAction(context, *action);
  if (!result) {
    SetOwnError(response, result.error());
    return;
  }
  Timestamp now = context.clock.Now();
  ConfigPtr config;
  std::vector<PlanStep> plan;
  context.gate.Read([&](Engine& engine) {
    config = engine.shared_config();
    plan = engine.Plan(result->incident, now);
    return true;
  });
  Json json = IncidentToJson(result->incident, now, config->calendars.get());
  json.Set("ladder", LadderToJson(result->incident, now, config->calendars.get()));
  json.Set("plan", PlanToJson(plan));
  json.Set("changed", result->changed);
  SetJson(response, json);
}

// The engine forgets what was resolved long ago; history does not.
Result<ActionResult> ActOnPast(ApiContext& context, const IncidentAction& action, Error not_found) {
  History* history = context.history ? context.history() : nullptr;
  if (history == nullptr) {
    return Fail(std::move(not_found));
  }
  auto past = history->GetIncident(action.incident_id);
  if (!past) {
    return Fail(std::move(not_found));
  }
  if (action.kind == ActionKind::kResolve) {
    return ActionResult{std::move(past->incident), false};
  }
  if (action.kind != ActionKind::kComment) {
    return Fail(ErrorCode::kConflict, fmt::format("incident {} is already resolved", action.incident_id));
  }
  uint64_t seq = context.gate.Enter(
      [&](Engine& engine, Timestamp now, Effects& fx) { engine.CommentOnPast(action, now, fx); });
  MLALERT_TRY(WaitDurable(context.gate, seq));
  return ActionResult{std::move(past->incident), true};
}

}  // namespace

Result<IncidentId> IncidentIdOf(const HttpRequest& request) {
  std::string_view text = request.PathParam("id");
  IncidentId id = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (error != std::errc() || end != text.data() + text.size() || id < 1) {
    return Fail(ErrorCode::kInvalid,
                fmt::format("\"{}\" is not the number of an incident", text.substr(0, 64)));
  }
  return id;
}

Result<ActionResult> PerformAction(ApiContext& context, const IncidentAction& action) {
  Result<ActionResult> result = Fail(ErrorCode::kInternal, "not run");
  uint64_t seq = context.gate.Enter(
      [&](Engine& engine, Timestamp now, Effects& fx) { result = engine.Act(action, now, fx); });
  if (!result && result.error().code == ErrorCode::kNotFound) {
    return ActOnPast(context, action, std::move(result.error()));
  }
  if (!result) {
    return result;
  }
  if (Status durable = WaitDurable(context.gate, seq); !durable) {
    return Fail(Error{ErrorCode::kUnavailable,
                      "done, but not yet safe on disk: " + durable.error().message,
                      {},
                      "a crash before the disk recovers would undo it"});
  }
  return result;
}

void AddIncidentActions(HttpRouter& router, ApiContext& context) {
  for (const Door& door : kDoors) {
    router.Post(fmt::format("/api/mlalert/v1/incidents/{{id}}/{}", door.path),
                [&context, &door](HttpRequest& request, HttpResponse& response) {
                  Serve(context, request, response, door);
                },
                {.body_bytes_max = kActionBodyBytesMax});
  }
}

}  // namespace mlalert
