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

// Weeks before the cutoff that are not archived yet, as rows of both archive tables. Once per cutoff: the
// views read the whole history.
Result<int64_t> ArchiveWeeks(Db& db, int64_t cutoff) {
  MLALERT_ASSIGN(int64_t done,
                 db.QueryInt("SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'archived_until'"));
  if (done >= cutoff) {
    return 0;
  }
  std::string weeks = fmt::format(
      "WHERE week_start < date({} / 1000, 'unixepoch') AND week NOT IN (SELECT week FROM archived_weeks)",
      cutoff);
  MLALERT_ASSIGN(Txn txn, Txn::Begin(db));
  // Quality first: the rows in archived_weeks say that a week is done.
  MLALERT_TRY(
      db.Exec("INSERT OR REPLACE INTO archived_alert_quality SELECT * FROM v_alert_quality_live " + weeks));
  MLALERT_TRY(db.Exec("INSERT INTO archived_weeks SELECT * FROM v_weekly_review_live " + weeks));
  int64_t archived = db.Changes();
  MLALERT_TRY(db.Exec(
      fmt::format("INSERT OR REPLACE INTO meta (key, value) VALUES ('archived_until', '{}')", cutoff)));
  MLALERT_TRY(txn.Commit());
  return archived;
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
       {"events", "episode_rows", "acknowledgements", "feedback", "notification_incidents"}) {
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
    {"silences", "rowid", "ends_at < {0}"},
    {"nflog", "rowid", "expires_at < {1}"},
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
  MLALERT_ASSIGN(int64_t archived, ArchiveWeeks(db, before));
  if (archived > 0) {
    return archived;
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
