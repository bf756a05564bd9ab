#include "storage/retention.h"

#include <fmt/format.h>

#include "storage/codec.h"
#include "storage/row_ids.h"

namespace mlalert {
namespace {

constexpr int64_t kDayMillis = 86'400'000;
constexpr int64_t kWeekMillis = 7 * kDayMillis;
// 1970-01-01 was a Thursday: the Monday of that week lies three days before.
constexpr int64_t kMondayOffsetMillis = 3 * kDayMillis;

// What of one week stays for ever, as rows of both archive tables. The sums are those of v_alert_quality_live
// and v_weekly_review_live; written out, because a view over the whole history cannot be asked for one week
// by an index.
constexpr std::string_view kQualityOfWeek = R"(
INSERT OR REPLACE INTO archived_alert_quality
  (week, week_start, alertname, fired, incidents, notified, paged, acknowledged, acted, auto_resolved,
   acknowledged_ratio, action_ratio)
SELECT ?1, ?2, alertname, sum(fired), sum(incidents), sum(notified), sum(paged), sum(acknowledged), sum(acted),
       sum(auto_resolved),
       CASE WHEN sum(notified) > 0 THEN round(1.0 * sum(acknowledged AND notified) / sum(notified), 4) END,
       CASE WHEN sum(notified) > 0 THEN round(1.0 * sum(acted AND notified) / sum(notified), 4) END
FROM (SELECT ifnull(alertname, '') AS alertname, 1 AS fired, 0 AS incidents, 0 AS notified, 0 AS paged,
             0 AS acknowledged, 0 AS acted, 0 AS auto_resolved
      FROM episode_rows WHERE started_at >= ?3 AND started_at < ?4
      UNION ALL
      SELECT ifnull(alertname, ''), 0, 1, first_told_at IS NOT NULL, first_paged_at IS NOT NULL,
             first_acknowledged_at IS NOT NULL, (said_acted OR said_how OR did_act OR changed),
             (state = 'resolved' AND first_acknowledged_at IS NULL AND resolve_reason NOT IN ('person', 'human', 'manual'))
      FROM v_incident_facts WHERE opened_at >= ?3 AND opened_at < ?4)
GROUP BY alertname)";
constexpr std::string_view kReviewOfWeek = R"(
INSERT INTO archived_weeks
  (week, week_start, fired, incidents, p0, p1, p2, p3, notifications, pages, failed_notifications, notified,
   acknowledged, acted, auto_resolved, acknowledged_ratio, mtta_seconds, mttr_seconds, action_ratio)
SELECT ?1, ?2, sum(fired), sum(incidents), sum(severity IS 'P0'), sum(severity IS 'P1'), sum(severity IS 'P2'),
       sum(severity IS 'P3'), sum(notifications), sum(pages), sum(failed_notifications), sum(notified),
       sum(acknowledged), sum(acted), sum(auto_resolved),
       CASE WHEN sum(notified) > 0 THEN round(1.0 * sum(acknowledged AND notified) / sum(notified), 4) END,
       round(avg(seconds_to_acknowledge), 3), round(avg(seconds_to_resolve), 3),
       CASE WHEN sum(notified) > 0 THEN round(1.0 * sum(acted AND notified) / sum(notified), 4) END
FROM (SELECT 1 AS fired, 0 AS incidents, NULL AS severity, 0 AS notifications, 0 AS pages, 0 AS failed_notifications,
             0 AS notified, 0 AS acknowledged, 0 AS acted, 0 AS auto_resolved, NULL AS seconds_to_acknowledge,
             NULL AS seconds_to_resolve
      FROM episode_rows WHERE started_at >= ?3 AND started_at < ?4
      UNION ALL
      SELECT 0, 1, severity, 0, 0, 0, first_told_at IS NOT NULL, first_acknowledged_at IS NOT NULL,
             (said_acted OR said_how OR did_act OR changed),
             (state = 'resolved' AND first_acknowledged_at IS NULL AND resolve_reason NOT IN ('person', 'human', 'manual')),
             (first_acknowledged_at - opened_at) / 1000.0, (resolved_at - opened_at) / 1000.0
      FROM v_incident_facts WHERE opened_at >= ?3 AND opened_at < ?4
      UNION ALL
      SELECT 0, 0, NULL, outcome = 'sent',
             (outcome = 'sent' AND firing > 0 AND severity IS NOT NULL AND severity IN ('P0', 'P1')), outcome = 'failed',
             0, 0, 0, 0, NULL, NULL
      FROM notifications WHERE at >= ?3 AND at < ?4)
HAVING count(*) > 0)";

int64_t MondayOf(int64_t millis) {
  const int64_t since = millis + kMondayOffsetMillis;
  return millis - ((since % kWeekMillis) + kWeekMillis) % kWeekMillis;
}

Status ArchiveWeek(Db& db, int64_t monday) {
  MLALERT_ASSIGN(
      Stmt name,
      db.Prepare("SELECT strftime('%Y', ?1 / 1000, 'unixepoch', '+3 days') || '-W' || printf('%02d', "
                 "(strftime('%j', ?1 / 1000, 'unixepoch', '+3 days') - 1) / 7 + 1), "
                 "date(?1 / 1000, 'unixepoch')"));
  MLALERT_TRY(name.Bind(monday));
  MLALERT_TRY(name.Step());
  const std::string week = name.String(0);
  const std::string week_start = name.String(1);
  name.Reset();
  MLALERT_ASSIGN(Stmt known, db.Prepare("SELECT 1 FROM archived_weeks WHERE week = ?"));
  MLALERT_TRY(known.Bind(week));
  MLALERT_ASSIGN(const bool done, known.Step());
  known.Reset();
  if (done) {
    return {};
  }
  // Quality first: the rows in archived_weeks say that a week is done.
  for (std::string_view sql : {kQualityOfWeek, kReviewOfWeek}) {
    MLALERT_ASSIGN(Stmt stmt, db.Prepare(sql));
    MLALERT_TRY(stmt.Run(week, week_start, monday, monday + kWeekMillis));
  }
  return {};
}

// The oldest week before the cutoff that is not archived yet, one transaction each, so that nobody waits
// long. True: there was one.
Result<bool> ArchiveNextWeek(Db& db, int64_t cutoff) {
  MLALERT_ASSIGN(int64_t from,
                 db.QueryInt("SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'archived_until'"));
  if (from >= cutoff) {
    return false;
  }
  // Weeks without rows are passed over.
  MLALERT_ASSIGN(
      const int64_t oldest,
      db.QueryInt(fmt::format(
          "SELECT min(t) FROM (SELECT min(opened_at) AS t FROM incidents WHERE opened_at >= {0} UNION ALL "
          "SELECT min(started_at) FROM episode_rows WHERE started_at >= {0} UNION ALL SELECT min(at) FROM "
          "notifications WHERE at >= {0})",
          from)));
  const int64_t monday = MondayOf(oldest);
  if (oldest == 0 || monday >= cutoff) {
    MLALERT_TRY(db.Exec(
        fmt::format("INSERT OR REPLACE INTO meta (key, value) VALUES ('archived_until', '{}')", cutoff)));
    return false;
  }
  MLALERT_ASSIGN(Txn txn, Txn::Begin(db));
  MLALERT_TRY(ArchiveWeek(db, monday));
  MLALERT_TRY(db.Exec(fmt::format("INSERT OR REPLACE INTO meta (key, value) VALUES ('archived_until', '{}')",
                                  monday + kWeekMillis)));
  MLALERT_TRY(txn.Commit());
  return true;
}

Result<int64_t> DeleteIncidents(Db& db, int64_t cutoff, int64_t limit) {
  MLALERT_ASSIGN(Stmt select,
                 db.Prepare("SELECT id FROM incidents WHERE resolved_at < ? AND state = 'resolved' "
                            "ORDER BY resolved_at LIMIT ?"));
  MLALERT_TRY(select.Bind(cutoff, limit));
  std::string ids;
  while (true) {
    MLALERT_ASSIGN(bool row, select.Step());
    if (!row) {
      break;
    }
    ids += fmt::format("{}{}", ids.empty() ? "" : ",", select.Int(0));
  }
  if (ids.empty()) {
    return 0;
  }
  MLALERT_ASSIGN(Txn txn, Txn::Begin(db));
  MLALERT_TRY(RememberRowIds(db));
  int64_t deleted = 0;
  for (std::string_view table :
       {"events", "episode_rows", "acknowledgements", "feedback", "mutes", "notification_incidents"}) {
    MLALERT_TRY(db.Exec(fmt::format("DELETE FROM {} WHERE incident_id IN ({})", table, ids)));
    deleted += db.Changes();
  }
  MLALERT_TRY(db.Exec(fmt::format("DELETE FROM incidents WHERE id IN ({})", ids)));
  deleted += db.Changes();
  MLALERT_TRY(txn.Commit());
  return deleted;
}

// What hangs on no incident. Each entry: table, its key, which rows.
struct Loose {
  std::string_view table;
  std::string_view key;
  std::string_view where;  // {0} = cutoff, {1} = now
};
constexpr Loose kLoose[] = {
    {"notifications", "id",
     "at < {0} AND NOT EXISTS (SELECT 1 FROM json_each(notifications.incidents) j JOIN "
     "notification_incidents ni "
     "ON ni.incident_id = j.value AND ni.notification_id = notifications.id)"},
    {"events", "id", "at < {0} AND incident_id IS NULL"},
    {"episode_rows", "id", "started_at < {0} AND ended_at < {0} AND incident_id IS NULL"},
    {"mutes", "id", "started_at < {0} AND ended_at < {0} AND incident_id IS NULL"},
    {"changes", "id", "at < {0}"},
    {"rule_versions", "id", "valid_to < {0}"},
    {"silences", "rowid", "ends_at < {0}"},
    {"inbound", "rowid", "expires_at < {1}"},
};

Result<int64_t> DeleteLoose(Db& db, const Loose& what, int64_t cutoff, int64_t now, int64_t limit) {
  std::string where = fmt::format(fmt::runtime(what.where), cutoff, now);
  MLALERT_ASSIGN(Txn txn, Txn::Begin(db));
  MLALERT_TRY(RememberRowIds(db));
  MLALERT_TRY(db.Exec(fmt::format("DELETE FROM {0} WHERE {1} IN (SELECT {1} FROM {0} WHERE {2} LIMIT {3})",
                                  what.table, what.key, where, limit)));
  const int64_t deleted = db.Changes();
  // Without anything deleted it is rolled back: a look every hour must not write.
  if (deleted > 0) {
    MLALERT_TRY(txn.Commit());
  }
  return deleted;
}

}  // namespace

Timestamp RetentionCutoff(Timestamp now, Duration retention) {
  if (retention <= Duration::zero() || !IsSet(now)) {
    return kUnset;
  }
  int64_t millis = ToUnixMillis(now) - retention / std::chrono::milliseconds(1) + kMondayOffsetMillis;
  int64_t into_week = ((millis % kWeekMillis) + kWeekMillis) % kWeekMillis;
  return FromUnixMillis(millis - into_week - kMondayOffsetMillis);
}

Result<int64_t> RetentionStep(Db& db, Timestamp cutoff, Timestamp now, const RetentionLimits& limits) {
  if (!IsSet(cutoff)) {
    return 0;
  }
  int64_t before = ToUnixMillis(cutoff);
  MLALERT_ASSIGN(const bool archived, ArchiveNextWeek(db, before));
  if (archived) {
    return 1;
  }
  MLALERT_ASSIGN(int64_t deleted, DeleteIncidents(db, before, limits.rows_per_step));
  for (const Loose& what : kLoose) {
    if (deleted > 0) {
      return deleted;
    }
    MLALERT_ASSIGN(deleted, DeleteLoose(db, what, before, ToUnixMillis(now), limits.rows_per_step));
  }
  return deleted;
}

}  // namespace mlalert
