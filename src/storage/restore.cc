#include "storage/restore.h"

#include <algorithm>
#include <cstdint>
#include <fmt/format.h>
#include <limits>

#include "storage/codec.h"
#include "storage/row_ids.h"

namespace mlalert {
namespace {

// Hands every row of `stmt` to `read` and collects what it returns; errors name the table and the row's key.
template <class T, class Read>
Status Collect(Stmt& stmt, std::string_view table, std::vector<T>& out, Read read) {
  while (true) {
    MLALERT_ASSIGN(bool row, stmt.Step());
    if (!row) {
      return {};
    }
    Result<T> value = read(stmt);
    if (!value) {
      return Fail(std::move(value.error()).Context(fmt::format("table {}, row {}", table, stmt.Text(0))));
    }
    out.push_back(std::move(*value));
  }
}

Result<AlertRecord> ReadAlert(const Stmt& row) {
  AlertRecord out;
  Alert& alert = out.alert;
  MLALERT_ASSIGN(alert.labels, LabelsAt(row, 1));
  MLALERT_ASSIGN(alert.annotations, LabelsAt(row, 2));
  alert.generator_url = row.String(3);
  alert.starts_at = TimeAt(row, 4);
  alert.ends_at = TimeAt(row, 5);
  alert.updated_at = TimeAt(row, 6);
  alert.starts_offset_minutes = static_cast<int16_t>(row.Int(7));
  alert.ends_offset_minutes = static_cast<int16_t>(row.Int(8));
  alert.timeout = row.Int(9) != 0;
  MLALERT_ASSIGN(alert.source, SourceAt(row, 10));
  out.received_at = TimeAt(row, 11);
  out.incident_id = row.Int(12);
  out.episode_id = row.Int(0);
  out.ended = !row.IsNull(13);
  out.end_reason = ResolveReasonFromString(row.Text(14));
  return out;
}

Result<NflogEntry> ReadNflog(const Stmt& row) {
  NflogEntry out;
  out.group_key = row.String(0);
  out.receiver = row.String(1);
  out.integration = row.String(2);
  out.index = static_cast<uint32_t>(row.Int(3));
  out.timestamp = TimeAt(row, 4);
  MLALERT_ASSIGN(out.firing, FingerprintsAt(row, 5));
  MLALERT_ASSIGN(out.resolved, FingerprintsAt(row, 6));
  MLALERT_ASSIGN(out.acknowledged, FingerprintsAt(row, 7));
  out.data = row.String(8);
  out.expires_at = TimeAt(row, 9);
  out.foreign = row.Int(10) != 0;
  return out;
}

Result<RuleStateRecord> ReadRuleState(const Stmt& row) {
  RuleStateRecord out;
  out.file = row.String(0);
  out.group = row.String(1);
  out.rule = row.String(2);
  out.ordinal = static_cast<uint32_t>(row.Int(3));
  MLALERT_ASSIGN(out.labels, LabelsAt(row, 4));
  MLALERT_ASSIGN(out.sample_labels, LabelsAt(row, 5));
  MLALERT_ASSIGN(out.annotations, LabelsAt(row, 6));
  out.state = row.String(7);
  out.value = row.IsNull(8) ? std::numeric_limits<double>::quiet_NaN() : row.Double(8);
  out.active_at = TimeAt(row, 9);
  out.fired_at = TimeAt(row, 10);
  out.resolved_at = TimeAt(row, 11);
  out.keep_firing_since = TimeAt(row, 12);
  out.last_sent_at = TimeAt(row, 13);
  out.data = row.String(14);
  return out;
}

// What was told since the rows of the incidents were last written. `incidents` by id.
Status LoadTold(Db& db, std::vector<Incident>& incidents) {
  MLALERT_ASSIGN(Stmt told,
                 db.Prepare("SELECT n.at, ni.told_severity FROM notification_incidents ni "
                            "JOIN notifications n ON n.id = ni.notification_id "
                            "WHERE ni.incident_id = ? AND ni.told_severity IS NOT NULL AND n.at > ? "
                            "ORDER BY ni.notification_id"));
  for (Incident& incident : incidents) {
    MLALERT_TRY(told.Bind(incident.id, ToColumn(incident.last_told_at).value_or(INT64_MIN)));
    while (true) {
      MLALERT_ASSIGN(bool row, told.Step());
      if (!row) {
        break;
      }
      incident.last_told_at = std::max(incident.last_told_at, TimeAt(told, 0));
      incident.told_severity = ParseSeverity(told.Text(1)).value_or(Severity::kNone);
    }
  }
  return {};
}

Status LoadIncidents(Db& db, Timestamp resolved_after, RestoredState& out) {
  // One indexed walk per kind; the state of the first goes through the partial unique index.
  std::string sql = fmt::format("SELECT {} FROM incidents WHERE state <> 'resolved'", kIncidentColumns);
  if (!IsSet(resolved_after)) {
    sql = fmt::format("SELECT {} FROM incidents", kIncidentColumns);
  } else {
    // Older ones where an alert still has to be spoken of.
    sql += fmt::format(
        " UNION ALL SELECT {0} FROM incidents WHERE state = 'resolved' AND resolved_at > {1}"
        " UNION ALL SELECT {0} FROM incidents WHERE state = 'resolved' AND resolved_at <= {1}"
        " AND id IN (SELECT incident_id FROM episodes WHERE held = 1)",
        kIncidentColumns, ToUnixMillis(resolved_after));
  }
  MLALERT_ASSIGN(Stmt incidents, db.Prepare(sql + " ORDER BY id"));
  PolicyCache policies;
  MLALERT_TRY(Collect(incidents, "incidents", out.incidents,
                      [&](const Stmt& row) { return ReadIncident(row, policies); }));
  return LoadTold(db, out.incidents);
}

Status LoadEngine(Db& db, RestoredState& out) {
  MLALERT_ASSIGN(
      Stmt alerts,
      db.Prepare("SELECT id, labels, annotations, generator_url, started_at, ends_at, updated_at, "
                 "starts_offset_minutes, ends_offset_minutes, timeout, source, received_at, incident_id, "
                 "ended_at, end_reason FROM episodes WHERE held = 1 ORDER BY id"));
  MLALERT_TRY(Collect(alerts, "episodes", out.alerts, ReadAlert));
  MLALERT_ASSIGN(
      Stmt nflog,
      db.Prepare("SELECT group_key, receiver, integration, integration_index, timestamp, firing, resolved, "
                 "acknowledged, data, expires_at, foreign_hashes FROM nflog "
                 "ORDER BY group_key, receiver, integration, integration_index"));
  MLALERT_TRY(Collect(nflog, "nflog", out.nflog, ReadNflog));
  MLALERT_ASSIGN(Stmt groups, db.Prepare("SELECT route_id, group_key, created_at, labels FROM alert_groups "
                                         "ORDER BY route_id, group_key"));
  MLALERT_TRY(Collect(groups, "alert_groups", out.groups, [](const Stmt& row) -> Result<GroupRecord> {
    MLALERT_ASSIGN(LabelSet labels, LabelsAt(row, 3));
    return GroupRecord{row.String(0), row.String(1), TimeAt(row, 2), std::move(labels)};
  }));
  MLALERT_ASSIGN(Stmt silences,
                 db.Prepare(fmt::format("SELECT {} FROM silences ORDER BY id", kSilenceColumns)));
  MLALERT_TRY(Collect(silences, "silences", out.silences, ReadSilence));
  MLALERT_ASSIGN(
      Stmt rules,
      db.Prepare("SELECT file, rule_group, rule, ordinal, labels, sample_labels, annotations, state, value, "
                 "active_at, fired_at, resolved_at, keep_firing_since, last_sent_at, data FROM rule_states "
                 "ORDER BY file, rule_group, rule, ordinal, fingerprint"));
  MLALERT_TRY(Collect(rules, "rule_states", out.rule_states, ReadRuleState));
  MLALERT_ASSIGN(Stmt inbound,
                 db.Prepare("SELECT source, key, value, at, expires_at FROM inbound ORDER BY source, key"));
  return Collect(inbound, "inbound", out.inbound, [](const Stmt& row) -> Result<InboundRecord> {
    return InboundRecord{row.String(0), row.String(1), row.String(2), TimeAt(row, 3), TimeAt(row, 4)};
  });
}

Status LoadMutes(Db& db, RestoredState& out) {
  MLALERT_ASSIGN(Stmt mutes, db.Prepare(fmt::format("SELECT {} FROM mutes WHERE ended_at IS NULL ORDER BY id",
                                                    kMuteColumns)));
  return Collect(mutes, "mutes", out.mutes, ReadMute);
}

Result<int64_t> NextId(Db& db, std::string_view table) {
  // AUTOINCREMENT remembers the highest id ever used.
  MLALERT_ASSIGN(int64_t last,
                 db.QueryInt(fmt::format("SELECT seq FROM sqlite_sequence WHERE name = '{}'", table)));
  return last + 1;
}

}  // namespace

Result<RestoredState> LoadState(Db& db, Timestamp resolved_after) {
  RestoredState out;
  MLALERT_ASSIGN(Txn txn, Txn::Begin(db, Txn::Kind::kRead));
  MLALERT_TRY(LoadIncidents(db, resolved_after, out));
  MLALERT_TRY(LoadEngine(db, out));
  MLALERT_TRY(LoadMutes(db, out));
  MLALERT_ASSIGN(out.next_incident_id, NextRowId(db, "incidents"));
  MLALERT_ASSIGN(out.next_episode_id, NextRowId(db, "episode_rows"));
  MLALERT_ASSIGN(out.next_notification_id, NextRowId(db, "notifications"));
  MLALERT_ASSIGN(out.next_change_id, NextId(db, "changes"));
  MLALERT_ASSIGN(out.next_mute_id, NextId(db, "mutes"));
  MLALERT_TRY(txn.Commit());
  return out;
}

}  // namespace mlalert
