// What alerts were worth: the definitions of docs/alert-quality.md as functions of facts. A change of any of
// them raises kDefinitionVersion; frozen reviews keep the version they were computed by. Fed by:
// storage/quality_source. Thread: pure functions.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "review/week.h"
#include "storage/quality_source.h"

namespace mlalert {

inline constexpr int64_t kDefinitionVersion = 1;

// Actions arrive late: an incident is judged so long after its end.
inline constexpr Duration kSettling = std::chrono::minutes(30);
inline constexpr Duration kShortLived = std::chrono::minutes(5);
inline constexpr Duration kSameTrouble = std::chrono::minutes(5);

// A share with its 95 % Wilson interval.
struct Ratio {
  int64_t k = 0;
  int64_t n = 0;
  std::optional<double> value() const;
  double low() const;   // 0 when n is 0
  double high() const;  // 1 when n is 0
};

// Place of a severity in tables of them: P0 is 0, P3 is 3, none is 4.
size_t Rank(Severity severity);

// Nothing in n: at 95 % the true rate is at most 1 - 0.05^(1/n).
double UpperBoundOfNone(int64_t n);

// Mean and quantiles; quantiles interpolate between neighbours, as PromQL's quantile().
struct Spread {
  int64_t n = 0;
  double mean = 0, p50 = 0, p90 = 0;  // seconds
};
Spread SpreadOf(std::vector<double> seconds);
double Quantile(const std::vector<double>& sorted, double q);

enum class Target : uint8_t { kAttained, kBreached, kNotMeasured };
// When an incident of this severity must be acknowledged; kUnset: no target.
Timestamp TargetOf(Severity severity, Timestamp opened_at, const TimeZone& zone);
Target JudgeTarget(const IncidentFacts& incident, Timestamp as_of, const TimeZone& zone);
// What the target goes by: the severity that it came with, else the effective one.
Severity TargetSeverity(const IncidentFacts& incident);

struct TargetCounts {
  int64_t attained = 0, breached = 0, not_measured = 0;
  std::vector<int64_t> breaches;
};

struct Totals {
  int64_t incidents = 0, told = 0, paged = 0, acknowledged = 0, acted = 0, negative = 0, unsettled = 0;
  std::array<int64_t, 5> by_severity{};  // P0..P3, none
  Ratio action, action_loose, action_paged;
  int64_t unacknowledged = 0;  // told and never acknowledged
  Spread tell, acknowledge, acknowledge_total;
  Spread resolve, resolve_human, resolve_auto, resolve_untold;
  int64_t resolve_timeout = 0, resolve_muted = 0, resolve_test = 0;  // left out
  Ratio under_5m;                                                    // all, of the incidents that opened
  int64_t auto_under_5m = 0;                                         // of them: by themselves, unacknowledged
  int64_t flapping = 0;                                              // came back within the reopen window
  std::array<TargetCounts, 4> targets;                               // P0..P3
  int64_t interruptions = 0;
  std::array<int64_t, kBuckets> interruptions_by_bucket{};
  std::map<std::string, std::array<int64_t, kBuckets>> interruptions_by_receiver;
  double pain = 0;
  double pain_gini = 0;  // over receivers
};

// `incidents`: at least all that opened, were resolved or acknowledged in the span. `pages`: those in the
// span.
Totals ComputeTotals(const std::vector<IncidentFacts>& incidents, const std::vector<PageFacts>& pages,
                     const Span& span, Timestamp as_of, const TimeZone& zone);

// Parts of the noise score, each from 0 to 1, and what they come from.
struct RuleQuality {
  std::string rule;
  int64_t incidents = 0, told = 0, paged = 0, acted = 0, acknowledged = 0, negative = 0, episodes = 0,
          reopened = 0;
  int64_t interruptions = 0, sleep_interruptions = 0;
  Ratio action;
  double action_shrunk = 0;  // (acted + 1) / (told + 4)
  double under_5m = 0, flap = 0, sleep_share = 0, duplicate = 0;
  double noise = 0;            // 0 to 100
  int64_t self_healed = 0;     // by itself within five minutes
  std::string duplicate_of;    // the rule that fires beside it most often
  double duplicate_share = 0;  // share of its incidents beside that rule
  int64_t raised_by_human = 0;
  int64_t targets_breached = 0;
  bool never_acted = false;  // told at least kNeverActedMin times
  double never_acted_bound = 1;
};
inline constexpr int64_t kNeverActedMin = 5;
// "watch", "likely noise", "delete or demote".
std::string_view NeverActedWord(int64_t told);

// Per rule over the span (28 days), noisiest first.
std::vector<RuleQuality> ComputeRules(const std::vector<IncidentFacts>& incidents,
                                      const std::vector<PageFacts>& pages, const Span& span, Timestamp as_of,
                                      const TimeZone& zone);

// self-heals | flaps | never acted on | wrong severity | duplicate | no runbook | "" (nothing to complain
// about), and why in words.
struct Reason {
  std::string name;
  std::string why;
};
Reason ReasonOf(const RuleQuality& rule, bool has_runbook);

}  // namespace mlalert
