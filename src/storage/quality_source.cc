#include "storage/quality_source.h"

#include <charconv>
#include <mutex>
#include <unordered_map>
#include <utility>

#include "storage/codec.h"
#include "storage/each_row.h"
#include "storage/incident_facts.h"
#include "storage/migrator.h"

namespace mlalert {
namespace {

constexpr Duration kQueryTimeout = std::chrono::seconds(60);
constexpr int64_t kInterruptionMillis = 60'000;
// A review walks over weeks of a big file; SQLite's 2 MiB would read its inner pages again and again.
constexpr const char* kCache = "PRAGMA cache_size = -65536";

// "[1,2,3]"
std::vector<int64_t> IdsOf(std::string_view json) {
  std::vector<int64_t> out;
  const char* at = json.data();
  const char* const end = json.data() + json.size();
  while (at < end) {
    int64_t id = 0;
    auto [next, error] = std::from_chars(at, end, id);
    if (error == std::errc()) {
      out.push_back(id);
    }
    at = error == std::errc() ? next : at + 1;
  }
  return out;
}

ReviewRecord ReadReview(const Stmt& row) {
  ReviewRecord out;
  out.team = row.String(0);
  out.week = row.String(1);
  out.week_start = TimeAt(row, 2);
  out.week_end = TimeAt(row, 3);
  out.definition_version = row.Int(4);
  out.frozen_at = TimeAt(row, 5);
  out.incidents = row.Int(6);
  out.told = row.Int(7);
  out.paged = row.Int(8);
  out.interruptions = row.Int(9);
  out.acted = row.Int(10);
  out.data = row.String(11);
  return out;
}
constexpr const char* kReviewColumns =
    "SELECT team, week, week_start, week_end, definition_version, frozen_at, incidents, told, paged, "
    "interruptions, "
    "acted, data FROM reviews ";

}  // namespace

class QualitySource::Impl {
 public:
  explicit Impl(Db db) : db_(std::move(db)) {}
  template <class Ask>
  auto Run(Ask ask) -> decltype(ask(std::declval<Db&>())) {
    std::lock_guard lock(mutex_);
    db_.SetDeadline(std::chrono::steady_clock::now() + kQueryTimeout);
    auto answer = ask(db_);
    db_.SetDeadline(std::nullopt);
    return answer;
  }

 private:
  std::mutex mutex_;
  Db db_;
};

QualitySource::QualitySource(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
QualitySource::~QualitySource() = default;

Result<std::unique_ptr<QualitySource>> QualitySource::Open(const std::string& path) {
  MLALERT_ASSIGN(Db db, Db::Open(path, DbMode::kReadOnly));
  MLALERT_TRY(CheckSchema(db));
  MLALERT_TRY(db.Exec(kCache));
  return std::unique_ptr<QualitySource>(new QualitySource(std::make_unique<Impl>(std::move(db))));
}

Result<std::vector<IncidentFacts>> QualitySource::Incidents(const Span& span, const std::string& team) {
  return impl_->Run([&](Db& db) { return ReadIncidentFacts(db, span, team); });
}

Result<std::vector<PageFacts>> QualitySource::Pages(const Span& span) {
  return impl_->Run([&](Db& db) -> Result<std::vector<PageFacts>> {
    std::vector<PageFacts> out;
    const int64_t from = ToUnixMillis(span.from);
    std::unordered_map<std::string, int64_t> last;  // page of each receiver
    MLALERT_TRY(EachRow(
        db,
        // v_pages; there each page looks for the one before, here they come in their order.
        "SELECT id, at, receiver, incidents FROM notifications WHERE at >= ? AND at < ? AND outcome = 'sent' "
        "AND firing > 0 AND severity IN ('P0', 'P1') AND integration IN ('pagerduty', 'opsgenie', "
        "'victorops', 'pushover', 'incidentio', 'sns', 'webhook') AND reason NOT IN ('acknowledged', "
        "'some alerts resolved', 'all alerts resolved') ORDER BY at, id",
        [&](const Stmt& row) -> Status {
          const int64_t at = row.Int(1);
          auto [before, first] = last.try_emplace(row.String(2), at);
          const bool interruption = first || before->second < at - kInterruptionMillis;
          before->second = at;
          if (at < from) {
            return {};  // only the one before counts
          }
          PageFacts& page = out.emplace_back();
          page.id = row.Int(0);
          page.at = FromUnixMillis(at);
          page.receiver = row.String(2);
          page.interruption = interruption;
          page.incidents = IdsOf(row.Text(3));
          return {};
        },
        from - kInterruptionMillis, ToUnixMillis(span.until)));
    return out;
  });
}

Result<NotificationFacts> QualitySource::Notifications(const Span& span) {
  return impl_->Run([&](Db& db) -> Result<NotificationFacts> {
    NotificationFacts out;
    int64_t others = 0;
    // What was not sent has an index of its own; of the rest only the number is asked, which an index knows.
    MLALERT_TRY(EachRow(
        db,
        "SELECT receiver, integration, outcome, count(*), max(at), max(error) FROM notifications "
        "WHERE outcome <> 'sent' AND at >= ? AND at < ? GROUP BY receiver, integration, outcome "
        "ORDER BY 1, 2, 3",
        [&](const Stmt& row) -> Status {
          const std::string_view outcome = row.Text(2);
          others += row.Int(3);
          if (outcome == "failed") {
            out.failed += row.Int(3);
            out.failures.push_back({row.String(0), row.String(1), row.String(5), row.Int(3), TimeAt(row, 4)});
          } else if (outcome == "retrying") {
            out.attempts_failed += row.Int(3);
          }
          return {};
        },
        ToUnixMillis(span.from), ToUnixMillis(span.until)));
    MLALERT_TRY(EachRow(
        db, "SELECT count(*) FROM notifications WHERE at >= ? AND at < ?",
        [&](const Stmt& row) -> Status {
          out.sent = row.Int(0) - others;
          return {};
        },
        ToUnixMillis(span.from), ToUnixMillis(span.until)));
    return out;
  });
}

Result<int64_t> QualitySource::EpisodesStarted(const Span& span, const std::string& team) {
  return impl_->Run([&](Db& db) -> Result<int64_t> {
    int64_t count = 0;
    const std::string of_team = team.empty() ? "?3 = ''" : "team = ?3";
    MLALERT_TRY(EachRow(
        db, "SELECT count(*) FROM episode_rows WHERE started_at >= ?1 AND started_at < ?2 AND " + of_team,
        [&](const Stmt& row) -> Status {
          count = row.Int(0);
          return {};
        },
        ToUnixMillis(span.from), ToUnixMillis(span.until), team));
    return count;
  });
}

Result<std::vector<RuleFacts>> QualitySource::Rules() {
  return impl_->Run([&](Db& db) -> Result<std::vector<RuleFacts>> {
    std::vector<RuleFacts> out;
    MLALERT_TRY(EachRow(
        db,
        "SELECT r.rule, r.file, r.rule_group, r.expr, r.severity, r.runbook_url, r.team, r.labels, "
        "r.for_ms, r.keep_firing_for_ms, r.valid_from, "
        "(SELECT min(o.valid_from) FROM rule_versions o WHERE o.rule = r.rule), "
        // As v_rules: what is over by an index, what fires from what the engine holds.
        "nullif(max(ifnull((SELECT max(e.started_at) FROM episode_rows e WHERE e.alertname = r.rule "
        "AND e.ended_at IS NOT NULL), -1), ifnull(f.last_fired_at, -1)), -1) FROM rule_versions r "
        "LEFT JOIN (SELECT alertname, max(started_at) AS last_fired_at FROM episode_rows WHERE held = 1 AND "
        "ended_at IS NULL GROUP BY alertname) f ON f.alertname = r.rule WHERE r.valid_to IS NULL ORDER BY "
        "r.file, r.rule_group, r.id",
        [&](const Stmt& row) -> Status {
          out.push_back({row.String(0), row.String(1), row.String(2), row.String(3), row.String(4),
                         row.String(5), row.String(6), row.String(7), row.Int(8), row.Int(9), TimeAt(row, 10),
                         TimeAt(row, 11), TimeAt(row, 12)});
          return {};
        }));
    return out;
  });
}

Result<std::vector<SilenceFacts>> QualitySource::Silences(const Span& span) {
  return impl_->Run([&](Db& db) -> Result<std::vector<SilenceFacts>> {
    std::vector<SilenceFacts> out;
    MLALERT_TRY(EachRow(
        db,
        "SELECT id, matchers, created_by, comment, starts_at, ends_at, (SELECT count(*) FROM mutes m "
        "WHERE m.kind = 'silenced' AND m.started_at >= ?1 AND m.started_at < ?2 AND instr(m.muted_by, s.id) "
        "> 0) "
        "FROM silences s WHERE starts_at < ?2 AND ends_at >= ?1 ORDER BY starts_at, id",
        [&](const Stmt& row) -> Status {
          out.push_back({row.String(0), row.String(1), row.String(2), row.String(3), TimeAt(row, 4),
                         TimeAt(row, 5), row.Int(6)});
          return {};
        },
        ToUnixMillis(span.from), ToUnixMillis(span.until)));
    return out;
  });
}

Result<FeedbackFacts> QualitySource::Feedback(const Span& span, const std::string& team) {
  return impl_->Run([&](Db& db) -> Result<FeedbackFacts> {
    FeedbackFacts out;
    MLALERT_TRY(EachRow(
        db,
        "SELECT f.verdict, count(DISTINCT f.incident_id) FROM feedback f JOIN incidents i ON i.id = "
        "f.incident_id "
        "WHERE i.opened_at >= ?1 AND i.opened_at < ?2 AND f.at >= ?1 AND (?3 = '' OR i.team = ?3) "
        "AND NOT EXISTS (SELECT 1 FROM feedback g WHERE g.incident_id = f.incident_id AND g.actor = f.actor "
        "AND "
        "g.id > f.id) GROUP BY f.verdict UNION ALL "
        "SELECT 'all', count(DISTINCT f.incident_id) FROM feedback f JOIN incidents i ON i.id = "
        "f.incident_id "
        "WHERE i.opened_at >= ?1 AND i.opened_at < ?2 AND f.at >= ?1 AND (?3 = '' OR i.team = ?3)",
        [&](const Stmt& row) -> Status {
          const std::string_view verdict = row.Text(0);
          const int64_t count = row.Int(1);
          (verdict == "acted"            ? out.acted
           : verdict == "not_actionable" ? out.not_actionable
           : verdict == "false_alarm"    ? out.false_alarm
           : verdict == "poor_details"   ? out.poor_details
                                         : out.incidents) = count;
          return {};
        },
        ToUnixMillis(span.from), ToUnixMillis(span.until), team));
    return out;
  });
}

Result<std::vector<QualitySource::Named>> QualitySource::FellToDefaultRoute(const Span& span) {
  return impl_->Run([&](Db& db) -> Result<std::vector<Named>> {
    std::vector<Named> out;
    MLALERT_TRY(EachRow(
        db,
        "SELECT i.alertname, count(DISTINCT i.id) FROM notifications n, json_each(n.incidents) j JOIN "
        "incidents i ON i.id = j.value WHERE n.at >= ? AND n.at < ? "
        "AND "
        "n.outcome = 'sent' AND n.firing > 0 AND n.group_key LIKE '{}:%' GROUP BY i.alertname ORDER BY 2 "
        "DESC, 1 "
        "LIMIT 20",
        [&](const Stmt& row) -> Status {
          out.push_back({row.String(0), row.Int(1)});
          return {};
        },
        ToUnixMillis(span.from), ToUnixMillis(span.until)));
    return out;
  });
}

Result<Timestamp> QualitySource::Oldest() {
  return impl_->Run([&](Db& db) -> Result<Timestamp> {
    Timestamp oldest = kUnset;
    MLALERT_TRY(EachRow(db, "SELECT min(opened_at) FROM incidents", [&](const Stmt& row) -> Status {
      oldest = TimeAt(row, 0);
      return {};
    }));
    return oldest;
  });
}

Result<std::vector<EpisodeFacts>> QualitySource::Episodes(const std::string& alertname, const Span& span,
                                                          size_t limit) {
  return impl_->Run([&](Db& db) -> Result<std::vector<EpisodeFacts>> {
    std::vector<EpisodeFacts> out;
    MLALERT_TRY(EachRow(
        db,
        "SELECT e.incident_id, e.fingerprint, e.labels, e.started_at, e.received_at, e.ended_at "
        "FROM episodes e WHERE e.id IN ("
        "SELECT id FROM episode_rows WHERE ended_at IS NOT NULL AND alertname = ?1 AND started_at >= ?2 AND "
        "started_at < ?3 UNION ALL "
        "SELECT id FROM episode_rows WHERE held = 1 AND ended_at IS NULL AND alertname = ?1 AND "
        "started_at >= ?2 AND started_at < ?3) ORDER BY e.started_at, e.id LIMIT ?4",
        [&](const Stmt& row) -> Status {
          MLALERT_ASSIGN(LabelSet labels, LabelsAt(row, 2));
          out.push_back(
              {row.Int(0), row.String(1), std::move(labels), TimeAt(row, 3), TimeAt(row, 4), TimeAt(row, 5)});
          return {};
        },
        alertname, ToUnixMillis(span.from), ToUnixMillis(span.until), limit));
    return out;
  });
}

Result<std::optional<ReviewRecord>> QualitySource::Review(const std::string& team, const std::string& week) {
  return impl_->Run([&](Db& db) -> Result<std::optional<ReviewRecord>> {
    std::optional<ReviewRecord> out;
    MLALERT_TRY(EachRow(
        db, std::string(kReviewColumns) + "WHERE team = ? AND week = ?",
        [&](const Stmt& row) -> Status {
          out = ReadReview(row);
          return {};
        },
        team, week));
    return out;
  });
}

Result<std::vector<ReviewRecord>> QualitySource::Reviews(const std::string& team, Timestamp before,
                                                         size_t limit) {
  return impl_->Run([&](Db& db) -> Result<std::vector<ReviewRecord>> {
    std::vector<ReviewRecord> out;
    MLALERT_TRY(EachRow(
        db,
        std::string(kReviewColumns) + "WHERE team = ? AND week_start < ? ORDER BY week_start DESC LIMIT ?",
        [&](const Stmt& row) -> Status {
          out.push_back(ReadReview(row));
          return {};
        },
        team, IsSet(before) ? ToUnixMillis(before) : INT64_MAX, limit));
    return out;
  });
}

Result<std::vector<ReviewDeliveryRecord>> QualitySource::Deliveries(const std::string& team,
                                                                    const std::string& week) {
  return impl_->Run([&](Db& db) -> Result<std::vector<ReviewDeliveryRecord>> {
    std::vector<ReviewDeliveryRecord> out;
    MLALERT_TRY(EachRow(
        db,
        "SELECT receiver, integration, integration_index, at, outcome, attempts, error FROM "
        "review_deliveries WHERE "
        "team = ? AND week = ?",
        [&](const Stmt& row) -> Status {
          out.push_back({team, week, row.String(0), row.String(1), row.Int(2), TimeAt(row, 3), row.String(4),
                         row.Int(5), row.String(6)});
          return {};
        },
        team, week));
    return out;
  });
}

}  // namespace mlalert
