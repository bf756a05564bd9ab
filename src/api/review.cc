// GET /api/mlalert/v1/review: the review of a week or of a time, in every format. GET
// /api/mlalert/v1/reviews: the frozen ones.
#include <fmt/format.h>

#include "api/handlers.h"
#include "api/own_error.h"
#include "api/strict_input.h"
#include "review/render.h"
#include "review/weekly_review.h"

namespace mlalert {
namespace {

struct Format {
  std::string_view name;
  std::string_view content_type;
  std::string (*render)(const Json&);
};
constexpr std::string_view kJson = "json";
const Format kFormats[] = {
    {"table", "text/plain; charset=utf-8", ReviewAsText},
    {"markdown", "text/markdown; charset=utf-8", ReviewAsMarkdown},
    {"html", "text/html; charset=utf-8", ReviewAsHtml},
    {"csv", "text/csv; charset=utf-8", ReviewAsCsv},
};

std::string TextParam(const HttpRequest& request, std::string_view name) {
  const std::string* value = request.Query(name);
  return value != nullptr ? *value : std::string();
}

Result<Timestamp> SinceParam(const HttpRequest& request, Timestamp now) {
  const std::string text = TextParam(request, "since");
  if (text.empty()) {
    return kUnset;
  }
  if (auto back = ParseDuration(text)) {
    return now - *back;
  }
  auto at = ParseRfc3339(text);
  if (!at) {
    return Fail(Error{ErrorCode::kInvalid,
                      fmt::format("\"since\" is neither a duration nor a time: \"{}\"", text.substr(0, 64)),
                      {},
                      "7d, or 2026-01-31T09:00:00Z"});
  }
  return at;
}

Result<std::unique_ptr<QualitySource>> Source(ApiContext& context) {
  if (context.database.empty()) {
    return Fail(ErrorCode::kUnavailable, "there is no history");
  }
  return QualitySource::Open(context.database);
}

Result<Json> Ask(ApiContext& context, const HttpRequest& request) {
  MLALERT_TRY(CheckQuery(request, {"week", "since", "team", "time_zone", "live", "format", "proposals"}));
  const Timestamp now = context.clock.Now();
  ReviewQuery query;
  query.week = TextParam(request, "week");
  MLALERT_ASSIGN(query.since, SinceParam(request, now));
  query.team = TextParam(request, "team");
  query.time_zone = TextParam(request, "time_zone");
  if (query.time_zone.empty() && context.config) {
    query.time_zone = context.config()->review.time_zone;
  }
  query.live = TextParam(request, "live") == "true" || TextParam(request, "live") == "1";
  // They take the engine some seconds; a frozen week has them.
  if (TextParam(request, "proposals") == "true" || TextParam(request, "proposals") == "1") {
    query.propose = context.propose;
  }
  MLALERT_ASSIGN(auto source, Source(context));
  return AskReview(*source, query, now);
}

void GetReview(ApiContext& context, HttpRequest& request, HttpResponse& response) {
  const std::string wanted = TextParam(request, "format");
  const Format* format = nullptr;
  for (const Format& one : kFormats) {
    format = wanted == one.name ? &one : format;
  }
  if (!wanted.empty() && wanted != kJson && format == nullptr) {
    SetOwnError(response, Error{ErrorCode::kInvalid,
                                fmt::format("unknown format \"{}\"", wanted.substr(0, 64)),
                                {},
                                "json, table, markdown, html or csv"});
    return;
  }
  auto review = Ask(context, request);
  if (!review) {
    SetOwnError(response, review.error());
    return;
  }
  if (format == nullptr) {
    SetJson(response, *review);
    return;
  }
  response.status = 200;
  response.content_type = format->content_type;
  response.headers.emplace_back("Cache-Control", "no-store");
  response.headers.emplace_back("X-Content-Type-Options", "nosniff");
  response.headers.emplace_back("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'");
  response.body = format->render(*review);
}

void ListReviews(ApiContext& context, HttpRequest& request, HttpResponse& response) {
  if (Status query = CheckQuery(request, {"team", "limit"}); !query) {
    SetOwnError(response, query.error());
    return;
  }
  auto limit = IntParam(request, "limit", 1, 1000, 100);
  auto source = Source(context);
  if (!limit || !source) {
    SetOwnError(response, !limit ? limit.error() : source.error());
    return;
  }
  auto reviews = (*source)->Reviews(TextParam(request, "team"), kUnset, static_cast<size_t>(*limit));
  if (!reviews) {
    SetOwnError(response, reviews.error());
    return;
  }
  Json list = Json::MakeArray();
  for (const ReviewRecord& review : *reviews) {
    Json one = Json::MakeObject();
    one.Set("week", review.week).Set("team", review.team.empty() ? Json() : Json(review.team));
    one.Set("from", FormatRfc3339Millis(review.week_start))
        .Set("until", FormatRfc3339Millis(review.week_end));
    one.Set("frozen_at", FormatRfc3339Millis(review.frozen_at));
    one.Set("definition_version", review.definition_version);
    one.Set("incidents", review.incidents).Set("told", review.told).Set("paged", review.paged);
    one.Set("interruptions", review.interruptions).Set("acted", review.acted);
    list.Push(std::move(one));
  }
  Json json = Json::MakeObject();
  json.Set("reviews", std::move(list));
  SetJson(response, json);
}

}  // namespace

void AddReview(HttpRouter& router, ApiContext& context) {
  router.Get("/api/mlalert/v1/review", [&context](HttpRequest& request, HttpResponse& response) {
    GetReview(context, request, response);
  });
  router.Get("/api/mlalert/v1/reviews", [&context](HttpRequest& request, HttpResponse& response) {
    ListReviews(context, request, response);
  });
}

}  // namespace mlalert
