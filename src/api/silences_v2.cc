// GET and POST /api/v2/silences, GET and DELETE /api/v2/silence/{id}: amtool and Alertmanager's UIs work with
// them unmodified. A 2xx to a change means that it is on disk.
#include <algorithm>
#include <fmt/format.h>

#include "api/durable.h"
#include "api/handlers.h"
#include "api/http_error.h"
#include "api/matcher_filter.h"
#include "api/negotiation.h"
#include "api/silence_decoder.h"
#include "base/json.h"
#include "base/log.h"

namespace mlalert {
namespace {

constexpr size_t kSilenceBodyBytesMax = size_t{1} << 20;

Json ToJson(const Silence& silence, Timestamp now) {
  Json status = Json::MakeObject();
  status.Set("state", ToString(StateAt(silence, now)));
  Json matchers = Json::MakeArray();
  for (const Matcher& matcher : silence.matchers) {
    Json one = Json::MakeObject();
    one.Set("isEqual", matcher.op() == MatchOp::kEqual || matcher.op() == MatchOp::kRegex);
    one.Set("isRegex", matcher.op() == MatchOp::kRegex || matcher.op() == MatchOp::kNotRegex);
    one.Set("name", matcher.name());
    one.Set("value", matcher.value());
    matchers.Push(std::move(one));
  }
  Json out = Json::MakeObject();
  out.Set("id", silence.id);
  out.Set("status", std::move(status));
  out.Set("updatedAt", FormatRfc3339Millis(silence.updated_at));
  if (!silence.annotations.empty()) {
    Json annotations = Json::MakeObject();
    for (Label annotation : silence.annotations) {
      annotations.Set(std::string(annotation.name), annotation.value);
    }
    out.Set("annotations", std::move(annotations));
  }
  out.Set("comment", silence.comment);
  out.Set("createdBy", silence.created_by);
  out.Set("endsAt", FormatRfc3339Millis(silence.ends_at));
  out.Set("matchers", std::move(matchers));
  out.Set("startsAt", FormatRfc3339Millis(silence.starts_at));
  return out;
}

void SetBody(HttpResponse& response, const Json& json) {
  response.content_type = "application/json";
  response.body = json.Dump() + "\n";
}

// A filter on silences is not evaluated, it is looked for: each one is a matcher of the silence, word by
// word.
bool HasMatchers(const Silence& silence, const Matchers& filters) {
  return std::all_of(filters.begin(), filters.end(), [&](const Matcher& filter) {
    return std::any_of(silence.matchers.begin(), silence.matchers.end(), [&](const Matcher& own) {
      return own.name() == filter.name() && own.op() == filter.op() && own.value() == filter.value();
    });
  });
}

// Active ones first, by their end; then pending ones, by their start; then expired ones, the latest first.
bool ListedBefore(const Silence& a, const Silence& b, Timestamp now) {
  SilenceState state = StateAt(a, now);
  if (state != StateAt(b, now)) {
    return state < StateAt(b, now);
  }
  switch (state) {
    case SilenceState::kActive:
      return a.ends_at < b.ends_at;
    case SilenceState::kPending:
      return a.starts_at < b.starts_at;
    case SilenceState::kExpired:
      return a.ends_at > b.ends_at;
  }
  return false;
}

void ListSilences(ApiContext& context, HttpRequest& request, HttpResponse& response) {
  if (!CheckAcceptsJsonV2(request, response)) {
    return;
  }
  auto filters = ParseFilters(request, "filter", "", context.matcher_mode);
  if (!filters) {
    SetErrorString(response, 400, filters.error().message);
    return;
  }
  const bool active = BoolParamV2(request, "active", true);
  const bool pending = BoolParamV2(request, "pending", true);
  const bool expired = BoolParamV2(request, "expired", true);
  const Timestamp now = context.clock.Now();
  std::vector<Silence> silences =
      context.gate.Read([](const Engine& engine) { return engine.muter().silences().All(); });
  std::erase_if(silences, [&](const Silence& silence) {
    SilenceState state = StateAt(silence, now);
    bool wanted = state == SilenceState::kActive    ? active
                  : state == SilenceState::kPending ? pending
                                                    : expired;
    return !wanted || !HasMatchers(silence, *filters);
  });
  std::stable_sort(silences.begin(), silences.end(),
                   [&](const Silence& a, const Silence& b) { return ListedBefore(a, b, now); });
  Json out = Json::MakeArray();
  for (const Silence& silence : silences) {
    out.Push(ToJson(silence, now));
  }
  SetBody(response, out);
}

// True when the change is on disk; else the response says that it is not.
bool IsDurable(ApiContext& context, uint64_t seq, HttpResponse& response) {
  Status durable = WaitDurable(context.gate, seq);
  if (!durable) {
    SetErrorString(response, 503, "done, but not yet safe on disk: " + durable.error().message);
  }
  return durable.has_value();
}

void PostSilence(ApiContext& context, HttpRequest& request, HttpResponse& response) {
  if (!CheckJsonBodyV2(request, response)) {
    return;
  }
  SilenceRequest silence;
  SilenceDecodeFailure failure;
  if (!DecodeSilence(request.body, silence, failure)) {
    SetErrorObject(response, failure.http_status, failure.message, failure.code);
    return;
  }
  Result<std::string> id;
  uint64_t seq = context.gate.Enter(
      [&](Engine& engine, Timestamp now, Effects& fx) { id = engine.SetSilence(silence, now, fx); });
  if (!id) {
    SetErrorString(response, id.error().code == ErrorCode::kNotFound ? 404 : 400, id.error().message);
    return;
  }
  if (context.log_silences) {
    LogInfo(silence.id.empty() ? "create silence" : "update silence", {{"silence", *id}});
  }
  if (!IsDurable(context, seq, response)) {
    return;
  }
  Json out = Json::MakeObject();
  out.Set("silenceID", *id);
  SetBody(response, out);
}

// 422 when the path does not name a silence.
bool CheckId(std::string_view id, HttpResponse& response) {
  if (!IsUuid(id)) {
    SetErrorObject(response, 422,
                   fmt::format("silenceID in path must be of type uuid: {}", GoQuote(id.substr(0, 256))),
                   601);
    return false;
  }
  return true;
}

void GetSilence(ApiContext& context, HttpRequest& request, HttpResponse& response) {
  std::string_view id = request.PathParam("id");
  if (!CheckAcceptsJsonV2(request, response) || !CheckId(id, response)) {
    return;
  }
  std::optional<Silence> found = context.gate.Read([&](const Engine& engine) {
    const Silence* silence = engine.muter().silences().Find(id);
    return silence != nullptr ? std::optional(*silence) : std::nullopt;
  });
  if (!found) {
    response.status = 404;
    return;
  }
  SetBody(response, ToJson(*found, context.clock.Now()));
}

void DeleteSilence(ApiContext& context, HttpRequest& request, HttpResponse& response) {
  std::string_view id = request.PathParam("id");
  if (!CheckId(id, response)) {
    return;
  }
  Status ended;
  uint64_t seq = context.gate.Enter(
      [&](Engine& engine, Timestamp now, Effects& fx) { ended = engine.ExpireSilence(id, now, fx); });
  if (!ended) {
    response.status = 404;
    return;
  }
  if (context.log_silences) {
    LogInfo("expire silence", {{"silence", id}});
  }
  IsDurable(context, seq, response);
}

}  // namespace

void AddSilencesV2(HttpRouter& router, ApiContext& context) {
  router.Get(
      "/api/v2/silences",
      [&context](HttpRequest& request, HttpResponse& response) { ListSilences(context, request, response); },
      {.head = false});
  router.Post(
      "/api/v2/silences",
      [&context](HttpRequest& request, HttpResponse& response) { PostSilence(context, request, response); },
      {.body_bytes_max = kSilenceBodyBytesMax});
  router.Get(
      "/api/v2/silence/{id}",
      [&context](HttpRequest& request, HttpResponse& response) { GetSilence(context, request, response); },
      {.head = false});
  router.Delete("/api/v2/silence/{id}", [&context](HttpRequest& request, HttpResponse& response) {
    DeleteSilence(context, request, response);
  });
}

}  // namespace mlalert
