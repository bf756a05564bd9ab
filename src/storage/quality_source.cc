#include "storage/quality_source.h"

#include <fmt/format.h>
#include <mutex>
#include <unordered_map>
#include <utility>

#include "base/json.h"
#include "storage/codec.h"
#include "storage/migrator.h"

namespace mlalert {
namespace {

constexpr Duration kQueryTimeout = std::chrono::seconds(60);

// Runs `sql` with the parameters and hands every row to `read`.
template <class Read, class... Args>
Status EachRow(Db& db, const std::string& sql, Read read, const Args&... args) {
  MLALERT_ASSIGN(Stmt stmt, db.Prepare(sql));
  MLALERT_TRY(stmt.Bind(args...));
  while (true) {
    MLALERT_ASSIGN(bool row, stmt.Step());
    if (!row) {
      return {};
    }
    MLALERT_TRY(read(stmt));
  }
}

Severity SeverityOf(const Stmt& row, int column) {
  return SeverityAt(row, column).value_or(Severity::kNone);
}

constexpr const char* kFacts =
    "SELECT id, alertname, model, pipeline, team, severity, base_severity, state = 'resolved', opened_at, "
    "resolved_at, resolve_reason, first_told_at, first_paged_at, first_acknowledged_at, episode_count, "
    "reopen_count, (said_acted OR said_how OR did_act OR changed), (said_useless OR snoozed OR silenced), "
    "muted, "
    "test, EXISTS (SELECT 1 FROM events e WHERE e.incident_id = v_incident_facts.id AND e.actor_kind = "
    "'human' "
    "AND e.type IN ('severity_raised', 'raised')) FROM v_incident_facts ";

Status ReadFacts(const Stmt& row, std::vector<IncidentFacts>& out) {
  int c = 0;
  IncidentFacts& f = out.emplace_back();
  f.id = row.Int(c++);
  f.alertname = row.String(c++);
  f.model = row.String(c++);
  f.pipeline = row.String(c++);
  f.team = row.String(c++);
  f.severity = SeverityOf(row, c++);
  f.base = SeverityOf(row, c++);
  f.resolved = row.Int(c++) != 0;
  f.opened_at = TimeAt(row, c++);
  f.resolved_at = TimeAt(row, c++);
  f.resolve_reason = row.String(c++);
  f.first_told_at = TimeAt(row, c++);
  f.first_paged_at = TimeAt(row, c++);
  f.first_acknowledged_at = TimeAt(row, c++);
  f.episodes = row.Int(c++);
  f.reopened = row.Int(c++);
  const bool acted = row.Int(c++) != 0;
  f.level = acted                            ? ActionLevel::kActed
            : IsSet(f.first_acknowledged_at) ? ActionLevel::kAcknowledged
                                             : ActionLevel::kNone;
  f.negative = row.Int(c++) != 0;
  f.muted = row.Int(c++) != 0;
  f.test = row.Int(c++) != 0;
  f.raised_by_human = row.Int(c++) != 0;
  return {};
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
  return std::unique_ptr<QualitySource>(new QualitySource(std::make_unique<Impl>(std::move(db))));
}

Result<std::vector<IncidentFacts>> QualitySource::Incidents(const Span& span, const std::string& team) {
  return impl_->Run([&](Db& db) -> Result<std::vector<IncidentFacts>> {
    std::vector<IncidentFacts> out;
    // Three walks over indexes; each incident once.
    const std::string sql = std::string(kFacts) +
                            "WHERE id IN (SELECT id FROM incidents WHERE opened_at >= ?1 AND opened_at < ?2 "
                            "UNION SELECT id FROM incidents WHERE resolved_at >= ?1 AND resolved_at < ?2 "
                            "UNION SELECT incident_id FROM acknowledgements WHERE at >= ?1 AND at < ?2) "
                            "AND (?3 = '' OR team = ?3) ORDER BY id";
    MLALERT_TRY(EachRow(
        db, sql, [&](const Stmt& row) { return ReadFacts(row, out); }, ToUnixMillis(span.from),
        ToUnixMillis(span.until), team));
    return out;
  });
}

Result<std::vector<PageFacts>> QualitySource::Pages(const Span& span) {
  return impl_->Run([&](Db& db) -> Result<std::vector<PageFacts>> {
    std::vector<PageFacts> out;
    MLALERT_TRY(EachRow(
        db,
        "SELECT p.id, p.at, p.receiver, p.interruption, n.incidents FROM v_pages p "
        "JOIN notifications n ON n.id = p.id WHERE p.at >= ? AND p.at < ? ORDER BY p.at, p.id",
        [&](const Stmt& row) -> Status {
          PageFacts& page = out.emplace_back();
          page.id = row.Int(0);
          page.at = TimeAt(row, 1);
          page.receiver = row.String(2);
          page.interruption = row.Int(3) != 0;
          if (auto ids = ParseJson(row.Text(4))) {
            for (const Json& id : ids->AsArray()) {
              page.incidents.push_back(id.AsInt());
            }
          }
          return {};
        },
        ToUnixMillis(span.from), ToUnixMillis(span.until)));
    return out;
  });
}

Result<NotificationFacts> QualitySource::Notifications(const Span& span) {
  return impl_->Run([&](Db& db) -> Result<NotificationFacts> {
    NotificationFacts out;
    MLALERT_TRY(EachRow(
        db,
        "SELECT receiver, integration, outcome, count(*), max(at), max(CASE WHEN outcome = 'failed' THEN "
        "error END) "
        "FROM notifications WHERE at >= ? AND at < ? GROUP BY receiver, integration, outcome ORDER BY 1, 2, "
        "3",
        [&](const Stmt& row) -> Status {
          const std::string_view outcome = row.Text(2);
          if (outcome == "sent") {
            out.sent += row.Int(3);
          } else if (outcome == "failed") {
            out.failed += row.Int(3);
            out.failures.push_back({row.String(0), row.String(1), row.String(5), row.Int(3), TimeAt(row, 4)});
          } else if (outcome == "retrying") {
            out.attempts_failed += row.Int(3);
          }
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
        "f.last_fired_at FROM rule_versions r LEFT JOIN (SELECT alertname, max(started_at) AS last_fired_at "
        "FROM episode_rows GROUP BY alertname) f ON f.alertname = r.rule WHERE r.valid_to IS NULL ORDER BY "
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
        "SELECT incident_id, fingerprint, labels, started_at, received_at, ended_at FROM episodes WHERE "
        "alertname = ? "
        "AND started_at >= ? AND started_at < ? ORDER BY started_at, id LIMIT ?",
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
