// The weekly review as one JSON object: top line and its change against the four weeks before, the rules that
// cost most and why, never acted on, hygiene, promises. Frozen weeks are this object as text; renderers read
// nothing else, so that a week frozen by an older version still prints. Fed by: cli/ and api/. Thread: pure
// but for the source.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "review/quality.h"
#include "review/week.h"

namespace mlalert {

// What proposals start from.
struct ProposalInput {
  const std::vector<RuleQuality>& rules;  // worst first
  const std::vector<RuleFacts>& loaded;
  const std::vector<IncidentFacts>& incidents;  // by id
  const std::vector<PageFacts>& pages;
  Span window;
  TimeZone zone;
  std::function<bool()> stopped{};  // nobody waits for them any more; optional
};

struct ReviewRequest {
  std::string week;  // name of the ISO week; empty: any span
  Span span;
  std::string team;  // empty: all
  TimeZone zone;
  Timestamp as_of = kUnset;  // what is known by then
  // Candidate changes with their proof, a list of objects; made elsewhere, because it takes the engine.
  // Optional.
  std::function<Json(QualitySource&, const ProposalInput&)> propose{};
  std::function<bool()> stopped{};  // the review is thrown away: do not go on with proposals. Optional.
};

// Rules are judged over so long.
inline constexpr Duration kRuleWindow = std::chrono::hours(24 * 28);
inline constexpr int kMedianWeeks = 4;
inline constexpr size_t kWorstRules = 5;

Result<Json> BuildReview(QualitySource& source, const ReviewRequest& request);

// A review as it was asked for: a frozen week as it was frozen, everything else computed now.
struct ReviewQuery {
  std::string week;          // "2026-W47"; empty with `since` unset: the last whole week
  Timestamp since = kUnset;  // from then until now
  std::string team;
  std::string time_zone;  // empty: that of the newest frozen review, else UTC
  bool live = false;      // compute also what is frozen
  decltype(ReviewRequest::propose) propose{};
};
Result<Json> AskReview(QualitySource& source, const ReviewQuery& query, Timestamp now);

// Long enough over to be frozen.
inline constexpr Duration kFreezeAfter = kSettling;

// The row that freezes `review`.
ReviewRecord FreezeReview(const Json& review, const Week& week, Timestamp now);

}  // namespace mlalert
