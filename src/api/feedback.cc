// POST /api/mlalert/v1/incidents/{id}/feedback: what an alert was worth, said by those who got it. Taken also
// long after the incident is over, as long as history knows it.
#include "api/feedback.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <fmt/format.h>

#include "api/caller.h"
#include "api/durable.h"
#include "api/handlers.h"
#include "api/incident_json.h"
#include "api/negotiation.h"
#include "api/own_error.h"
#include "api/strict_input.h"

namespace mlalert {
namespace {

constexpr size_t kFeedbackBodyBytesMax = 64 * 1024;
constexpr size_t kLinkBytesMax = 2048;
constexpr std::array<std::string_view, 4> kVerdicts = {"acted", "not_actionable", "false_alarm",
                                                       "poor_details"};
constexpr std::array<std::string_view, 4> kResolutions = {"fixed", "rolled_back", "mitigated", "no_action"};

// People write "not actionable" and "false-alarm" as well.
std::string Word(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](char c) {
    return c == '-' || c == ' ' ? '_' : c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return text;
}

Result<FeedbackRecord> ParseFeedback(const HttpRequest& request) {
  MLALERT_TRY(CheckQuery(request, {}));
  FeedbackRecord out;
  std::string_view id = request.PathParam("id");
  auto [end, error] = std::from_chars(id.data(), id.data() + id.size(), out.incident_id);
  if (error != std::errc() || end != id.data() + id.size() || out.incident_id < 1) {
    return Fail(ErrorCode::kInvalid,
                fmt::format("\"{}\" is not the number of an incident", id.substr(0, 64)));
  }
  MLALERT_ASSIGN(Json body,
                 ParseStrictBody(request.body, {"actor", "verdict", "comment", "resolution", "link"}));
  MLALERT_ASSIGN(out.actor, TextField(body, "actor", kActorBytesMax));
  out.actor = CallerName(request, out.actor);
  MLALERT_ASSIGN(out.verdict, TextField(body, "verdict", 64));
  MLALERT_ASSIGN(out.comment, TextField(body, "comment", kCommentBytesMax));
  MLALERT_ASSIGN(out.resolution, TextField(body, "resolution", 64));
  MLALERT_ASSIGN(out.link, TextField(body, "link", kLinkBytesMax));
  out.via = "api";
  MLALERT_TRY(CheckFeedback(out));
  return out;
}

void PostFeedback(ApiContext& context, HttpRequest& request, HttpResponse& response) {
  if (!CheckJsonBody(request, response)) {
    return;
  }
  auto feedback = ParseFeedback(request);
  if (!feedback) {
    SetOwnError(response, feedback.error());
    return;
  }
  Status done = GiveFeedback(context, *feedback, CallerAddress(request));
  if (!done) {
    SetOwnError(response, done.error());
    return;
  }
  feedback->at = context.clock.Now();
  Json json = Json::MakeObject();
  json.Set("incident_id", feedback->incident_id);
  json.Set("feedback", FeedbackToJson(*feedback));
  SetJson(response, json);
}

}  // namespace

Status CheckFeedback(FeedbackRecord& feedback) {
  if (feedback.actor.find_first_not_of(" \t\n") == std::string::npos) {
    return Fail(Error{
        ErrorCode::kInvalid, "\"actor\" is required", {}, "say who speaks, e.g. {\"actor\": \"alice\"}"});
  }
  if (feedback.actor.find('\n') != std::string::npos) {
    return Fail(ErrorCode::kInvalid, "\"actor\" holds control characters");
  }
  feedback.verdict = Word(feedback.verdict);
  feedback.resolution = Word(feedback.resolution);
  if (std::find(kVerdicts.begin(), kVerdicts.end(), feedback.verdict) == kVerdicts.end()) {
    return Fail(Error{ErrorCode::kInvalid,
                      feedback.verdict.empty() ? "\"verdict\" is required"
                                               : fmt::format("unknown verdict \"{}\"", feedback.verdict),
                      {},
                      "acted, not_actionable, false_alarm or poor_details"});
  }
  if (!feedback.resolution.empty() &&
      std::find(kResolutions.begin(), kResolutions.end(), feedback.resolution) == kResolutions.end()) {
    return Fail(Error{ErrorCode::kInvalid,
                      fmt::format("unknown resolution \"{}\"", feedback.resolution),
                      {},
                      "fixed, rolled_back, mitigated or no_action"});
  }
  if (!feedback.link.empty() && !feedback.link.starts_with("https://") &&
      !feedback.link.starts_with("http://")) {
    return Fail(ErrorCode::kInvalid, "\"link\" must begin with https:// or http://");
  }
  return {};
}

Status GiveFeedback(ApiContext& context, const FeedbackRecord& feedback, const std::string& address) {
  const IncidentId id = feedback.incident_id;
  bool known = context.gate.Read([&](Engine& engine) { return engine.FindIncident(id) != nullptr; });
  if (!known) {
    History* history = context.history ? context.history() : nullptr;
    if (history != nullptr) {
      auto stored = history->GetIncident(id);
      if (!stored && stored.error().code != ErrorCode::kNotFound) {
        return Fail(stored.error());
      }
      known = stored.has_value();
    }
  }
  if (!known) {
    return Fail(ErrorCode::kNotFound, fmt::format("there is no incident {}", id));
  }
  uint64_t seq = context.gate.Enter(
      [&](Engine& engine, Timestamp now, Effects& fx) { engine.RecordFeedback(feedback, address, now, fx); });
  if (Status durable = WaitDurable(context.gate, seq); !durable) {
    return Fail(Error{ErrorCode::kUnavailable,
                      "taken, but not yet safe on disk: " + durable.error().message,
                      {},
                      "a crash before the disk recovers would lose it"});
  }
  return {};
}

void AddFeedback(HttpRouter& router, ApiContext& context) {
  router.Post(
      "/api/mlalert/v1/incidents/{id}/feedback",
      [&context](HttpRequest& request, HttpResponse& response) { PostFeedback(context, request, response); },
      {.body_bytes_max = kFeedbackBodyBytesMax});
}

}  // namespace mlalert
