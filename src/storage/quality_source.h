// The facts that alert quality is computed from, read for a span of time from a read-only connection of its
// own: what happened to each incident, who was interrupted when, what else a weekly review looks at.
// Definitions of single facts (was it told, did anybody act) are the views of the file, so that anybody can
// check them with sqlite3; sums and ratios are review/. Thread: any; calls of one source take turns.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "model/label_set.h"
#include "model/memory_record.h"
#include "model/severity.h"

namespace mlalert {

struct Span {
  Timestamp from = kUnset;
  Timestamp until = kUnset;  // not in it
  bool Contains(Timestamp t) const { return IsSet(t) && t >= from && t < until; }
};

enum class ActionLevel : uint8_t { kNone, kAcknowledged, kActed };  // A0, A1, A2

struct IncidentFacts {
  int64_t id = 0;
  std::string alertname, model, pipeline, team;
  Severity severity = Severity::kNone;  // effective, at the end
  Severity base = Severity::kNone;      // what it came with
  bool resolved = false;
  Timestamp opened_at = kUnset, resolved_at = kUnset;
  std::string resolve_reason;
  Timestamp first_told_at = kUnset, first_paged_at = kUnset, first_acknowledged_at = kUnset;
  int64_t episodes = 0, reopened = 0;
  ActionLevel level = ActionLevel::kNone;
  bool negative = false, muted = false, test = false;
  bool raised_by_human = false;
};

// A page that begins or continues an interruption, and what it was about.
struct PageFacts {
  int64_t id = 0;
  Timestamp at = kUnset;
  std::string receiver;
  bool interruption = false;
  std::vector<int64_t> incidents;
};

struct NotificationFacts {
  int64_t sent = 0, failed = 0, attempts_failed = 0;
  struct Failure {
    std::string receiver, integration, error;
    int64_t failed = 0;
    Timestamp last_at = kUnset;
  };
  std::vector<Failure> failures;  // given up, by receiver and integration
};

struct RuleFacts {
  std::string rule, file, group, expr, severity, runbook_url, team, labels;
  int64_t for_ms = 0, keep_firing_for_ms = 0;
  Timestamp since = kUnset;         // loaded as it is since then
  Timestamp first_loaded = kUnset;  // under this name
  Timestamp last_fired = kUnset;
};

struct SilenceFacts {
  std::string id, matchers, created_by, comment;
  Timestamp starts_at = kUnset, ends_at = kUnset;
  int64_t hidden = 0;  // intervals in which it kept something quiet, in the span
};

struct FeedbackFacts {
  int64_t incidents = 0;  // told ones that somebody said something about
  int64_t acted = 0, not_actionable = 0, false_alarm = 0, poor_details = 0;
};

struct EpisodeFacts {
  int64_t incident_id = 0;
  std::string fingerprint;
  LabelSet labels;
  Timestamp started_at = kUnset, received_at = kUnset, ended_at = kUnset;
};

class QualitySource {
 public:
  static Result<std::unique_ptr<QualitySource>> Open(const std::string& path);
  ~QualitySource();

  // Incidents that opened, were resolved or acknowledged in the span; by id. `team` empty: all.
  Result<std::vector<IncidentFacts>> Incidents(const Span& span, const std::string& team);
  Result<std::vector<PageFacts>> Pages(const Span& span);
  Result<NotificationFacts> Notifications(const Span& span);
  Result<int64_t> EpisodesStarted(const Span& span, const std::string& team);
  Result<std::vector<RuleFacts>> Rules();
  // Silences that are active at the end of the span or kept something quiet in it.
  Result<std::vector<SilenceFacts>> Silences(const Span& span);
  Result<FeedbackFacts> Feedback(const Span& span, const std::string& team);
  struct Named {
    std::string name;
    int64_t count = 0;
  };
  // Alert names that were told through the root of the route tree.
  Result<std::vector<Named>> FellToDefaultRoute(const Span& span);
  // Oldest opening that is still kept; kUnset: none.
  Result<Timestamp> Oldest();
  // By arrival, oldest first, at most `limit`.
  Result<std::vector<EpisodeFacts>> Episodes(const std::string& alertname, const Span& span, size_t limit);

  // Frozen reviews, newest first. Empty optional: that week is not frozen.
  Result<std::optional<ReviewRecord>> Review(const std::string& team, const std::string& week);
  Result<std::vector<ReviewRecord>> Reviews(const std::string& team, Timestamp before, size_t limit);
  Result<std::vector<ReviewDeliveryRecord>> Deliveries(const std::string& team, const std::string& week);

 private:
  class Impl;
  explicit QualitySource(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace mlalert
