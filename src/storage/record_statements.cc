#include "storage/record_statements.h"

#include <initializer_list>

#include "base/hash.h"

namespace mlalert {
namespace {

using Columns = std::initializer_list<std::string_view>;

// INSERT ... ON CONFLICT (keys) DO UPDATE of all other columns: keys come first, parameters follow that
// order.
std::string Upsert(std::string_view table, Columns keys, Columns values) {
  std::string names;
  std::string marks;
  std::string conflict;
  std::string updates;
  for (std::string_view key : keys) {
    names += fmt::format("{}{}", names.empty() ? "" : ", ", key);
    marks += marks.empty() ? "?" : ", ?";
  }
  conflict = names;
  for (std::string_view value : values) {
    names += fmt::format(", {}", value);
    marks += ", ?";
    updates += fmt::format("{}{} = excluded.{}", updates.empty() ? "" : ", ", value, value);
  }
  return fmt::format("INSERT INTO {} ({}) VALUES ({}) ON CONFLICT ({}) DO UPDATE SET {}", table, names, marks,
                     conflict, updates);
}

// `head` "INSERT INTO ... VALUES " and one row of it: `rows` times.
std::string ManyRows(std::string_view head, std::string_view row, int rows) {
  std::string out(head);
  for (int i = 0; i < rows; ++i) {
    out += i > 0 ? ", " : "";
    out += row;
  }
  return out;
}

constexpr std::string_view kOpenedHead =
    "INSERT INTO incidents (id, own_key, key_hash, labels, annotations, alertname, severity, model, "
    "pipeline, "
    "team, state, base_severity, opened_at, last_fired_at, resolve_reason, clock_elapsed_ms, clock_since, "
    "ladder_step, generation, reopen_count, episode_count, opened_generation) VALUES ";
constexpr std::string_view kOpenedRow =
    "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'open', ?, ?, ?, '', 0, ?, 0, 1, 0, 1, 1)";
constexpr std::string_view kStartedHead =
    "INSERT INTO episode_rows (id, incident_id, fingerprint, own_labels, own_annotations, alertname, "
    "severity, "
    "model, pipeline, team, source, started_at, received_at, end_reason, held, generator_url, ends_at, "
    "updated_at, starts_offset_minutes, ends_offset_minutes, timeout) VALUES ";
constexpr std::string_view kStartedRow = "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '', 1, ?, ?, ?, ?, ?, ?)";
constexpr std::string_view kEventHead =
    "INSERT INTO events (id, at, incident_id, fingerprint, type, actor_kind, actor, reason, from_value, "
    "to_value, data, via, address, generation) VALUES ";
constexpr std::string_view kEventRow = "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

}  // namespace

Status RecordWriter::Statements::Prepare(Db& db) {
  const std::pair<Stmt*, std::string> all[] = {
      {&incident, Upsert("incidents", {"id"},
                         {"own_key",
                          "key_hash",
                          "labels",
                          "annotations",
                          "alertname",
                          "severity",
                          "model",
                          "pipeline",
                          "team",
                          "state",
                          "base_severity",
                          "ladder_severity",
                          "raised_severity",
                          "policy_name",
                          "policy",
                          "opened_at",
                          "last_fired_at",
                          "resolved_at",
                          "resolve_reason",
                          "clock_elapsed_ms",
                          "clock_since",
                          "next_severity_at",
                          "ladder_step",
                          "acknowledged_at",
                          "acknowledged_by",
                          "acknowledge_comment",
                          "acknowledge_expires_at",
                          "last_told_at",
                          "told_severity",
                          "generation",
                          "reopen_count",
                          "episode_count",
                          "overruled_severity",
                          "raise_held_since",
                          "assignee",
                          "snoozed_until",
                          "snoozed_by",
                          "resolved_by",
                          "held_until",
                          "woken_at",
                          "muted_since",
                          "chain_started_at",
                          "chain_next_at",
                          "chain_step",
                          "chain_round",
                          "response_due_at",
                          "response_at",
                          "response_breached_at",
                          "parent_id",
                          "flapping_since",
                          "edges",
                          "opened_generation"})},
      {&incident_opened, ManyRows(kOpenedHead, kOpenedRow, 1)},
      {&many_opened, ManyRows(kOpenedHead, kOpenedRow, kRowsPerStatement)},
      {&episode_started, ManyRows(kStartedHead, kStartedRow, 1)},
      {&many_started, ManyRows(kStartedHead, kStartedRow, kRowsPerStatement)},
      {&episode, Upsert("episode_rows", {"id"},
                        {"incident_id",
                         "fingerprint",
                         "own_labels",
                         "own_annotations",
                         "alertname",
                         "severity",
                         "model",
                         "pipeline",
                         "team",
                         "source",
                         "started_at",
                         "received_at",
                         "ended_at",
                         "end_reason",
                         "held",
                         "generator_url",
                         "ends_at",
                         "updated_at",
                         "starts_offset_minutes",
                         "ends_offset_minutes",
                         "timeout"})},
      {&event, ManyRows(kEventHead, kEventRow, 1)},
      {&many_events, ManyRows(kEventHead, kEventRow, kRowsPerStatement)},
      {&notification, Upsert("notifications", {"id"},
                             {"at", "group_key", "receiver", "integration", "integration_index", "reason",
                              "attempt", "outcome", "http_status", "latency_ms", "error", "severity",
                              "firing", "resolved", "incidents"})},
      {&notification_incident,
       "INSERT OR REPLACE INTO notification_incidents (notification_id, incident_id, told_severity) "
       "VALUES (?, ?, ?)"},
      {&many_mentions,
       ManyRows("INSERT INTO notification_incidents (notification_id, incident_id, told_severity) VALUES ",
                "(?, ?, ?)", kRowsPerStatement)},
      {&nflog,
       Upsert("nflog", {"group_key", "receiver", "integration", "integration_index"},
              {"timestamp", "firing", "resolved", "acknowledged", "data", "expires_at", "foreign_hashes"})},
      {&nflog_delete,
       "DELETE FROM nflog WHERE group_key = ? AND receiver = ? AND integration = ? AND integration_index = "
       "?"},
      {&alert_delete, "UPDATE episode_rows SET held = 0 WHERE id = ?"},
      {&group, Upsert("alert_groups", {"route_id", "group_key"}, {"created_at", "labels"})},
      {&group_delete, "DELETE FROM alert_groups WHERE route_id = ? AND group_key = ?"},
      {&rule_state, Upsert("rule_states", {"file", "rule_group", "rule", "ordinal", "fingerprint"},
                           {"labels", "sample_labels", "annotations", "state", "value", "active_at",
                            "fired_at", "resolved_at", "keep_firing_since", "last_sent_at", "data"})},
      {&rule_state_delete,
       "DELETE FROM rule_states WHERE file = ? AND rule_group = ? AND rule = ? AND ordinal = ? AND "
       "fingerprint = ?"},
      // The record of its end does not know through which door it came.
      {&acknowledgement, Upsert("acknowledgements", {"incident_id", "at"},
                                {"actor", "via", "comment", "expires_at", "ended_at", "end_reason"}) +
                             ", via = coalesce(nullif(excluded.via, ''), via)"},
      {&silence,
       Upsert("silences", {"id"},
              {"matchers", "starts_at", "ends_at", "updated_at", "created_by", "comment", "annotations"})},
      {&silence_delete, "DELETE FROM silences WHERE id = ?"},
      {&inbound, Upsert("inbound", {"source", "key"}, {"value", "at", "expires_at"})},
      {&feedback, fmt::format("INSERT INTO feedback ({}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", kFeedbackColumns)},
      // A sender that repeats a change with its own id means the same one.
      {&change, fmt::format("INSERT OR IGNORE INTO changes ({}) VALUES "
                            "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                            kChangeColumns)},
      {&mute, Upsert("mutes", {"id"},
                     {"incident_id", "fingerprint", "kind", "muted_by", "receiver", "started_at", "ended_at",
                      "end_reason"})},
      {&rule_keep, "UPDATE rule_versions SET loaded_at = ? WHERE digest = ? AND valid_to IS NULL"},
      {&rule_begin,
       "INSERT INTO rule_versions (file, rule_group, rule, expr, for_ms, keep_firing_for_ms, severity, "
       "labels, "
       "annotations, runbook_url, team, digest, valid_from, loaded_at) "
       "SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?13 "
       "WHERE NOT EXISTS (SELECT 1 FROM rule_versions WHERE digest = ?12 AND valid_to IS NULL)"},
      {&rule_end, "UPDATE rule_versions SET valid_to = ?1 WHERE valid_to IS NULL AND loaded_at <> ?1"},
      // Frozen: the first one stays.
      {&review,
       "INSERT OR IGNORE INTO reviews (team, week, week_start, week_end, definition_version, frozen_at, "
       "incidents, told, paged, interruptions, acted, action_ratio, data) "
       "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, 1.0 * ?11 / nullif(?8, 0), ?12)"},
      {&review_delivery,
       Upsert("review_deliveries", {"team", "week", "receiver", "integration", "integration_index"},
              {"at", "outcome", "attempts", "error"})},
  };
  for (const auto& [stmt, sql] : all) {
    MLALERT_ASSIGN(*stmt, db.Prepare(sql));
  }
  return {};
}

}  // namespace mlalert
