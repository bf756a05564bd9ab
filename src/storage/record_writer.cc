#include "storage/record_writer.h"

#include <algorithm>
#include <array>
#include <deque>
#include <fmt/format.h>
#include <initializer_list>
#include <iterator>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "base/hash.h"
#include "storage/codec.h"
#include "storage/row_ids.h"

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

std::optional<std::string_view> Extracted(const LabelSet& labels, std::string_view name) {
  return NullIfEmpty(labels.Get(name));
}

// Label sets as JSON. The rows of one alert hold the same ones: each is written out once.
class JsonTexts {
 public:
  // Valid until three others were asked for: a row has at most three.
  const std::string& Of(const LabelSet& labels) {
    Kept* oldest = kept_.data();
    for (Kept& kept : kept_) {
      if (kept.labels == labels) {
        kept.used = ++uses_;
        return kept.json;
      }
      oldest = kept.used < oldest->used ? &kept : oldest;
    }
    oldest->labels = labels;
    oldest->json = ToJson(labels);
    oldest->used = ++uses_;
    return oldest->json;
  }

 private:
  struct Kept {
    LabelSet labels;
    std::string json = "{}";
    uint64_t used = 0;
  };
  std::array<Kept, 4> kept_;
  uint64_t uses_ = 0;
};

// Nothing has happened to it but that it opened, without a policy: most columns have their defaults.
bool HasJustOpened(const Incident& i) {
  for (Timestamp time : {i.resolved_at, i.next_severity_at, i.chain_started_at, i.chain_next_at,
                         i.response_due_at, i.last_told_at}) {
    if (IsSet(time)) {
      return false;
    }
  }
  return i.state == IncidentState::kOpen && i.policy == nullptr && i.care.is_default() &&
         !i.response_breached && i.ladder == Severity::kNone && i.raised == Severity::kNone &&
         i.overruled == Severity::kNone && i.told_severity == Severity::kNone &&
         i.resolve_reason == ResolveReason::kNone && i.clock_elapsed == Duration::zero() &&
         i.ladder_step == 0 && i.chain_step == 0 && i.chain_round == 0 && i.generation == 1 &&
         i.opened_generation == 1 && i.reopen_count == 0 && i.episode_count == 1;
}

// Rows of one statement. More gain little: it is the begin and end of a statement that cost.
constexpr int kRowsPerStatement = 32;

// `head` "INSERT INTO ... VALUES " and one row of it: `rows` times.
std::string ManyRows(std::string_view head, std::string_view row, int rows) {
  std::string out(head);
  for (int i = 0; i < rows; ++i) {
    out += i > 0 ? ", " : "";
    out += row;
  }
  return out;
}

// Texts that must live until their statement has run; their memory is used again.
class Texts {
 public:
  void Clear() { used_ = 0; }
  const std::string& Json(const LabelSet& labels) {
    std::string& out = Next();
    AppendJson(out, labels);
    return out;
  }
  const std::string& Hex(uint64_t value) {
    std::string& out = Next();
    fmt::format_to(std::back_inserter(out), "{:016x}", value);
    return out;
  }

 private:
  std::string& Next() {
    if (used_ == texts_.size()) {
      texts_.emplace_back();
    }
    texts_[used_].clear();
    return texts_[used_++];
  }

  std::deque<std::string> texts_;
  size_t used_ = 0;
};

// A row of notification_incidents.
struct Mention {
  IncidentId incident_id = 0;
  int64_t notification_id = 0;
  bool told = false;
  Severity told_severity = Severity::kNone;
};

std::optional<double> NullIfNan(double value) {
  return value != value ? std::nullopt : std::optional(value);
}

}  // namespace

namespace {

constexpr std::string_view kOpenedHead =
    "INSERT INTO incidents (id, own_key, key_hash, labels, annotations, alertname, severity, model, "
    "pipeline, "
    "team, state, base_severity, opened_at, last_fired_at, resolve_reason, clock_elapsed_ms, clock_since, "
    "ladder_step, generation, reopen_count, episode_count, opened_generation) VALUES ";
constexpr std::string_view kOpenedRow =
    "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'open', ?, ?, ?, '', 0, ?, 0, 1, 0, 1, 1)";
constexpr int kOpenedParameters = 14;
constexpr std::string_view kStartedHead =
    "INSERT INTO episode_rows (id, incident_id, fingerprint, own_labels, own_annotations, alertname, "
    "severity, "
    "model, pipeline, team, source, started_at, received_at, end_reason, held, generator_url, ends_at, "
    "updated_at, starts_offset_minutes, ends_offset_minutes, timeout) VALUES ";
constexpr std::string_view kStartedRow = "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '', 1, ?, ?, ?, ?, ?, ?)";
constexpr int kStartedParameters = 19;
constexpr std::string_view kEventHead =
    "INSERT INTO events (id, at, incident_id, fingerprint, type, actor_kind, actor, reason, from_value, "
    "to_value, data, via, address, generation) VALUES ";
constexpr std::string_view kEventRow = "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
constexpr int kEventParameters = 14;
constexpr int kMentionParameters = 3;

}  // namespace

struct RecordWriter::Statements {
  Stmt incident;
  Stmt incident_opened;
  Stmt episode;
  Stmt episode_started;
  Stmt event;
  Stmt notification;
  Stmt notification_incident;
  Stmt nflog;
  Stmt nflog_delete;
  Stmt alert_delete;
  Stmt group;
  Stmt group_delete;
  Stmt rule_state;
  Stmt rule_state_delete;
  Stmt acknowledgement;
  Stmt silence;
  Stmt silence_delete;
  Stmt inbound;
  Stmt feedback;
  Stmt change;
  Stmt mute;
  Stmt rule_keep;
  Stmt rule_begin;
  Stmt rule_end;
  Stmt review;
  Stmt review_delivery;
  JsonTexts json;
  int64_t next_event_id = 1;
  // Of a greater id there is no row yet: it need not be looked for.
  int64_t next_incident_id = 1;
  int64_t next_episode_id = 1;

  // Held back by a batch: in the order of their ids.
  bool in_batch = false;
  std::vector<const Incident*> opened;
  std::vector<const EpisodeRecord*> started;
  std::vector<std::pair<int64_t, const EventRecord*>> happened;  // by id
  std::vector<Mention> mentions;
  Stmt many_opened, many_started, many_events, many_mentions;  // kRowsPerStatement rows each
  Texts texts;

  Status Prepare(Db& db);
  Status Write(const Mention& mention);
  Status BindOpened(Stmt& stmt, int first, const Incident& incident);
  Status BindStarted(Stmt& stmt, int first, const EpisodeRecord& episode);
  static Status BindMention(Stmt& stmt, int first, const Mention& mention);
  Status BindEvent(Stmt& stmt, int first, int64_t id, const EventRecord& event);
  template <class Row, class BindRow>
  Status WriteRows(std::vector<Row>& rows, Stmt& many, Stmt& one, BindRow&& bind);
  Status WriteHeldBack();
  void DropHeldBack();

  Status operator()(const IncidentRecord& record);
  Status operator()(const EpisodeRecord& record);
  Status operator()(const EventRecord& record);
  Status operator()(const NotificationRecord& record);
  Status operator()(const NflogEntry& record);
  Status operator()(const NflogDelete& record);
  Status operator()(const AlertDelete& record);
  Status operator()(const GroupRecord& record);
  Status operator()(const GroupDelete& record);
  Status operator()(const RuleStateRecord& record);
  Status operator()(const RuleStateDelete& record);
  Status operator()(const AcknowledgementRecord& record);
  Status operator()(const SilenceRecord& record);
  Status operator()(const SilenceDelete& record);
  Status operator()(const InboundRecord& record);
  Status operator()(const FeedbackRecord& record);
  Status operator()(const ChangeRecord& record);
  Status operator()(const MuteRecord& record);
  Status operator()(const RuleSetRecord& record);
  Status operator()(const ReviewRecord& record);
  Status operator()(const ReviewDeliveryRecord& record);
};

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

Status RecordWriter::Statements::BindOpened(Stmt& stmt, int first, const Incident& i) {
  std::optional<std::string_view> key;
  if (!(i.key == i.labels)) {
    key = texts.Json(i.key);
  }
  return stmt.BindFrom(first, i.id, key, static_cast<int64_t>(i.key.fingerprint()), texts.Json(i.labels),
                       texts.Json(i.annotations), Extracted(i.labels, "alertname"), ToColumn(i.severity),
                       Extracted(i.labels, "model"), Extracted(i.labels, "pipeline"),
                       Extracted(i.labels, "team"), ToColumn(i.base), ToColumn(i.opened_at),
                       ToColumn(i.last_fired_at), ToColumn(i.clock_since));
}

Status RecordWriter::Statements::operator()(const IncidentRecord& record) {
  const Incident& i = record.incident;
  if (i.id >= next_incident_id) {
    next_incident_id = i.id + 1;
    if (HasJustOpened(i)) {
      if (in_batch) {
        opened.push_back(&i);
        return {};
      }
      texts.Clear();
      incident_opened.Reset();
      MLALERT_TRY(BindOpened(incident_opened, 1, i));
      return incident_opened.Execute();
    }
  }
  MLALERT_TRY(WriteHeldBack());
  std::optional<std::string_view> key;
  if (!(i.key == i.labels)) {
    key = json.Of(i.key);
  }
  const auto key_hash = static_cast<int64_t>(i.key.fingerprint());
  std::string policy = i.policy != nullptr ? PolicyToJson(*i.policy) : "";
  std::string_view policy_name = i.policy != nullptr ? std::string_view(i.policy->name) : "";
  // A null `by` says that there is no acknowledgement; an empty one is an acknowledgement without a name.
  std::optional<std::string_view> acked_by;
  std::optional<std::string_view> ack_comment;
  if (i.care->ack != nullptr) {
    acked_by = i.care->ack->by;
    ack_comment = i.care->ack->comment;
  }
  const std::string edges = i.care->edges != nullptr ? TimesToJson(*i.care->edges) : "";
  return incident.Run(
      i.id, key, key_hash, json.Of(i.labels), json.Of(i.annotations), Extracted(i.labels, "alertname"),
      ToColumn(i.severity), Extracted(i.labels, "model"), Extracted(i.labels, "pipeline"),
      Extracted(i.labels, "team"), ToString(i.state), ToColumn(i.base), ToColumn(i.ladder),
      ToColumn(i.raised), NullIfEmpty(policy_name), NullIfEmpty(policy), ToColumn(i.opened_at),
      ToColumn(i.last_fired_at), ToColumn(i.resolved_at), ToString(i.resolve_reason),
      i.clock_elapsed / std::chrono::milliseconds(1), ToColumn(i.clock_since), ToColumn(i.next_severity_at),
      i.ladder_step, i.care->ack != nullptr ? ToColumn(i.care->ack->at) : std::nullopt, acked_by, ack_comment,
      i.care->ack != nullptr ? ToColumn(i.care->ack->expires_at) : std::nullopt, ToColumn(i.last_told_at),
      ToColumn(i.told_severity), i.generation, i.reopen_count, i.episode_count, ToColumn(i.overruled),
      ToColumn(i.care->raise_held_since), NullIfEmpty(i.care->assignee), ToColumn(i.care->snoozed_until),
      NullIfEmpty(i.care->snoozed_by), NullIfEmpty(i.care->resolved_by), ToColumn(i.care->held_until),
      ToColumn(i.care->woken_at), ToColumn(i.care->muted_since), ToColumn(i.chain_started_at),
      ToColumn(i.chain_next_at), i.chain_step, i.chain_round, ToColumn(i.response_due_at),
      ToColumn(i.care->response_at), ToColumn(ResponseBreachedAt(i)), NullIfZero(i.care->parent),
      ToColumn(i.care->flapping_since), NullIfEmpty(edges), i.opened_generation);
}

Status RecordWriter::Statements::BindStarted(Stmt& stmt, int first, const EpisodeRecord& r) {
  std::optional<std::string_view> labels;
  std::optional<std::string_view> annotations;
  if (!r.as_incident) {
    labels = texts.Json(r.labels);
    annotations = texts.Json(r.annotations);
  }
  return stmt.BindFrom(first, r.id, NullIfZero(r.incident_id), texts.Hex(r.fingerprint), labels, annotations,
                       Extracted(r.labels, "alertname"), ToColumn(r.severity), Extracted(r.labels, "model"),
                       Extracted(r.labels, "pipeline"), Extracted(r.labels, "team"), ToString(r.source),
                       ToColumn(r.started_at), ToColumn(r.received_at), r.generator_url.view(),
                       ToColumn(r.ends_at), ToColumn(r.updated_at), r.starts_offset_minutes,
                       r.ends_offset_minutes, r.timeout ? 1 : 0);
}

Status RecordWriter::Statements::operator()(const EpisodeRecord& r) {
  const bool is_new = r.id >= next_episode_id;
  next_episode_id = std::max(next_episode_id, r.id + 1);
  if (is_new && r.held && !IsSet(r.ended_at) && r.end_reason == ResolveReason::kNone) {
    if (in_batch) {
      started.push_back(&r);
      return {};
    }
    texts.Clear();
    episode_started.Reset();
    MLALERT_TRY(BindStarted(episode_started, 1, r));
    return episode_started.Execute();
  }
  MLALERT_TRY(WriteHeldBack());
  std::optional<std::string_view> labels;
  std::optional<std::string_view> annotations;
  if (!r.as_incident) {
    labels = json.Of(r.labels);
    annotations = json.Of(r.annotations);
  }
  return episode.Run(r.id, NullIfZero(r.incident_id), Hex16(r.fingerprint), labels, annotations,
                     Extracted(r.labels, "alertname"), ToColumn(r.severity), Extracted(r.labels, "model"),
                     Extracted(r.labels, "pipeline"), Extracted(r.labels, "team"), ToString(r.source),
                     ToColumn(r.started_at), ToColumn(r.received_at), ToColumn(r.ended_at),
                     ToString(r.end_reason), r.held ? 1 : 0, r.generator_url.view(), ToColumn(r.ends_at),
                     ToColumn(r.updated_at), r.starts_offset_minutes, r.ends_offset_minutes,
                     r.timeout ? 1 : 0);
}

Status RecordWriter::Statements::BindEvent(Stmt& stmt, int first, int64_t id, const EventRecord& r) {
  std::optional<std::string_view> fingerprint;
  if (r.fingerprint != 0) {
    fingerprint = texts.Hex(r.fingerprint);
  }
  return stmt.BindFrom(first, id, ToColumn(r.at), NullIfZero(r.incident_id), fingerprint, r.type,
                       r.actor_kind, r.actor, r.reason, r.from_value, r.to_value, NullIfEmpty(r.data), r.via,
                       r.address, r.generation);
}

Status RecordWriter::Statements::operator()(const EventRecord& r) {
  const int64_t id = next_event_id++;
  if (in_batch) {
    happened.emplace_back(id, &r);
    return {};
  }
  texts.Clear();
  event.Reset();
  MLALERT_TRY(BindEvent(event, 1, id, r));
  return event.Execute();
}

Status RecordWriter::Statements::operator()(const NotificationRecord& r) {
  std::string incidents = "[";
  for (const MentionedIncident& mentioned : r.incidents) {
    fmt::format_to(std::back_inserter(incidents), "{}{}", incidents.size() > 1 ? "," : "", mentioned.id);
  }
  incidents += ']';
  MLALERT_TRY(notification.Run(r.id, ToColumn(r.at), r.group_key, r.receiver, r.integration, r.index,
                               r.reason, r.attempt, r.outcome, NullIfZero(r.http_status), r.latency_ms,
                               r.error, ToColumn(r.severity), r.firing, r.resolved, incidents));
  for (const MentionedIncident& mentioned : r.incidents) {
    const Mention mention{mentioned.id, r.id, mentioned.told, mentioned.told_severity};
    if (in_batch) {
      mentions.push_back(mention);
    } else {
      MLALERT_TRY(Write(mention));
    }
  }
  return {};
}

Status RecordWriter::Statements::BindMention(Stmt& stmt, int first, const Mention& mention) {
  std::optional<std::string_view> told;
  if (mention.told) {
    told = ToString(mention.told_severity);
  }
  return stmt.BindFrom(first, mention.notification_id, mention.incident_id, told);
}

Status RecordWriter::Statements::Write(const Mention& mention) {
  notification_incident.Reset();
  MLALERT_TRY(BindMention(notification_incident, 1, mention));
  return notification_incident.Execute();
}

// `bind(stmt, i-th row of the statement, row)`.
template <class Row, class BindRow>
Status RecordWriter::Statements::WriteRows(std::vector<Row>& rows, Stmt& many, Stmt& one, BindRow&& bind) {
  size_t at = 0;
  for (; rows.size() - at >= kRowsPerStatement; at += kRowsPerStatement) {
    texts.Clear();
    many.Reset();
    for (int i = 0; i < kRowsPerStatement; ++i) {
      MLALERT_TRY(bind(many, i, rows[at + static_cast<size_t>(i)]));
    }
    MLALERT_TRY(many.Execute());
  }
  for (; at < rows.size(); ++at) {
    texts.Clear();
    one.Reset();
    MLALERT_TRY(bind(one, 0, rows[at]));
    MLALERT_TRY(one.Execute());
  }
  rows.clear();
  return {};
}

void RecordWriter::Statements::DropHeldBack() {
  in_batch = false;
  opened.clear();
  started.clear();
  happened.clear();
  mentions.clear();
}

// What follows may be about these rows.
Status RecordWriter::Statements::WriteHeldBack() {
  if (!in_batch) {
    return {};
  }
  // Of the same key the last one counts, as without a batch.
  std::stable_sort(mentions.begin(), mentions.end(), [](const Mention& a, const Mention& b) {
    return std::tie(a.incident_id, a.notification_id) < std::tie(b.incident_id, b.notification_id);
  });
  MLALERT_TRY(WriteRows(opened, many_opened, incident_opened, [&](Stmt& stmt, int i, const Incident* row) {
    return BindOpened(stmt, 1 + i * kOpenedParameters, *row);
  }));
  MLALERT_TRY(
      WriteRows(started, many_started, episode_started, [&](Stmt& stmt, int i, const EpisodeRecord* row) {
        return BindStarted(stmt, 1 + i * kStartedParameters, *row);
      }));
  MLALERT_TRY(WriteRows(happened, many_events, event, [&](Stmt& stmt, int i, const auto& row) {
    return BindEvent(stmt, 1 + i * kEventParameters, row.first, *row.second);
  }));
  return WriteRows(mentions, many_mentions, notification_incident,
                   [&](Stmt& stmt, int i, const Mention& row) {
                     return BindMention(stmt, 1 + i * kMentionParameters, row);
                   });
}

Status RecordWriter::Statements::operator()(const NflogEntry& r) {
  return nflog.Run(r.group_key, r.receiver, r.integration, r.index, ToColumn(r.timestamp),
                   FingerprintsToJson(r.firing), FingerprintsToJson(r.resolved),
                   FingerprintsToJson(r.acknowledged), NullIfEmpty(r.data), ToColumn(r.expires_at),
                   r.foreign ? 1 : 0);
}

Status RecordWriter::Statements::operator()(const NflogDelete& r) {
  return nflog_delete.Run(r.group_key, r.receiver, r.integration, r.index);
}

Status RecordWriter::Statements::operator()(const AlertDelete& r) {
  MLALERT_TRY(WriteHeldBack());
  return alert_delete.Run(r.episode_id);
}

Status RecordWriter::Statements::operator()(const GroupRecord& r) {
  return group.Run(r.route_id, r.group_key, ToColumn(r.created_at), ToJson(r.labels));
}

Status RecordWriter::Statements::operator()(const GroupDelete& r) {
  return group_delete.Run(r.route_id, r.group_key);
}

Status RecordWriter::Statements::operator()(const RuleStateRecord& r) {
  return rule_state.Run(r.file, r.group, r.rule, r.ordinal, Hex16(r.labels.fingerprint()), ToJson(r.labels),
                        ToJson(r.sample_labels), ToJson(r.annotations), r.state, NullIfNan(r.value),
                        ToColumn(r.active_at), ToColumn(r.fired_at), ToColumn(r.resolved_at),
                        ToColumn(r.keep_firing_since), ToColumn(r.last_sent_at), NullIfEmpty(r.data));
}

Status RecordWriter::Statements::operator()(const RuleStateDelete& r) {
  return rule_state_delete.Run(r.file, r.group, r.rule, r.ordinal, Hex16(r.labels.fingerprint()));
}

Status RecordWriter::Statements::operator()(const AcknowledgementRecord& r) {
  return acknowledgement.Run(r.incident_id, ToColumn(r.at), r.actor, r.via, r.comment, ToColumn(r.expires_at),
                             ToColumn(r.ended_at), r.end_reason);
}

Status RecordWriter::Statements::operator()(const SilenceRecord& r) {
  const Silence& s = r.silence;
  std::string annotations = s.annotations.empty() ? "" : ToJson(s.annotations);
  return silence.Run(s.id, ToJson(s.matchers), ToColumn(s.starts_at), ToColumn(s.ends_at),
                     ToColumn(s.updated_at), s.created_by, s.comment, NullIfEmpty(annotations));
}

Status RecordWriter::Statements::operator()(const SilenceDelete& r) {
  return silence_delete.Run(r.id);
}

Status RecordWriter::Statements::operator()(const FeedbackRecord& r) {
  return feedback.Run(r.incident_id, ToColumn(r.at), r.actor, r.via, r.verdict, r.resolution, r.comment,
                      r.link);
}

Status RecordWriter::Statements::operator()(const ChangeRecord& r) {
  return change.Run(r.id, NullIfEmpty(r.external_id), ToColumn(r.at), ToColumn(r.received_at), r.kind,
                    NullIfEmpty(r.model), NullIfEmpty(r.pipeline), NullIfEmpty(r.entity), NullIfEmpty(r.env),
                    NullIfZero(r.incident_id), r.from_version, r.to_version, r.actor, r.automatic ? 1 : 0,
                    r.url, r.comment);
}

Status RecordWriter::Statements::operator()(const MuteRecord& r) {
  return mute.Run(r.id, NullIfZero(r.incident_id), Hex16(r.fingerprint), r.kind, r.muted_by, r.receiver,
                  ToColumn(r.started_at), ToColumn(r.ended_at), r.end_reason);
}

Status RecordWriter::Statements::operator()(const RuleSetRecord& r) {
  for (const RuleVersion& rule : r.rules) {
    MLALERT_TRY(rule_keep.Run(ToColumn(r.at), rule.digest));
    MLALERT_TRY(rule_begin.Run(rule.file, rule.group, rule.rule, rule.expr, rule.for_ms,
                               rule.keep_firing_for_ms, rule.severity, rule.labels, rule.annotations,
                               rule.runbook_url, rule.team, rule.digest, ToColumn(r.at)));
  }
  return rule_end.Run(ToColumn(r.at));
}

Status RecordWriter::Statements::operator()(const ReviewRecord& r) {
  return review.Run(r.team, r.week, ToColumn(r.week_start), ToColumn(r.week_end), r.definition_version,
                    ToColumn(r.frozen_at), r.incidents, r.told, r.paged, r.interruptions, r.acted, r.data);
}

Status RecordWriter::Statements::operator()(const ReviewDeliveryRecord& r) {
  return review_delivery.Run(r.team, r.week, r.receiver, r.integration, r.index, ToColumn(r.at), r.outcome,
                             r.attempts, r.error);
}

Status RecordWriter::Statements::operator()(const InboundRecord& r) {
  return inbound.Run(r.source, r.key, r.value, ToColumn(r.at), ToColumn(r.expires_at));
}

RecordWriter::RecordWriter(std::unique_ptr<Statements> statements) : statements_(std::move(statements)) {}
RecordWriter::RecordWriter(RecordWriter&&) noexcept = default;
RecordWriter& RecordWriter::operator=(RecordWriter&&) noexcept = default;
RecordWriter::~RecordWriter() = default;

Result<RecordWriter> RecordWriter::Create(Db& db) {
  auto statements = std::make_unique<Statements>();
  MLALERT_TRY(statements->Prepare(db));
  MLALERT_ASSIGN(statements->next_event_id, NextRowId(db, "events"));
  MLALERT_ASSIGN(statements->next_incident_id, NextRowId(db, "incidents"));
  MLALERT_ASSIGN(statements->next_episode_id, NextRowId(db, "episode_rows"));
  return RecordWriter(std::move(statements));
}

Status RecordWriter::Write(const Record& record) {
  return std::visit(*statements_, record);
}

RecordWriter::Batch::Batch(RecordWriter& writer) : writer_(writer) {
  writer_.statements_->in_batch = true;
}

RecordWriter::Batch::~Batch() {
  writer_.statements_->DropHeldBack();
}

Status RecordWriter::Batch::End() {
  return writer_.statements_->WriteHeldBack();
}

namespace {

struct Kind {
  std::string_view operator()(const IncidentRecord&) const { return "incident"; }
  std::string_view operator()(const EpisodeRecord&) const { return "episode"; }
  std::string_view operator()(const EventRecord&) const { return "event"; }
  std::string_view operator()(const NotificationRecord&) const { return "notification"; }
  std::string_view operator()(const NflogEntry&) const { return "nflog"; }
  std::string_view operator()(const NflogDelete&) const { return "nflog_delete"; }
  std::string_view operator()(const AlertDelete&) const { return "alert_delete"; }
  std::string_view operator()(const GroupRecord&) const { return "group"; }
  std::string_view operator()(const GroupDelete&) const { return "group_delete"; }
  std::string_view operator()(const RuleStateRecord&) const { return "rule_state"; }
  std::string_view operator()(const RuleStateDelete&) const { return "rule_state_delete"; }
  std::string_view operator()(const AcknowledgementRecord&) const { return "acknowledgement"; }
  std::string_view operator()(const SilenceRecord&) const { return "silence"; }
  std::string_view operator()(const SilenceDelete&) const { return "silence_delete"; }
  std::string_view operator()(const InboundRecord&) const { return "inbound"; }
  std::string_view operator()(const FeedbackRecord&) const { return "feedback"; }
  std::string_view operator()(const ChangeRecord&) const { return "change"; }
  std::string_view operator()(const MuteRecord&) const { return "mute"; }
  std::string_view operator()(const RuleSetRecord&) const { return "rule_set"; }
  std::string_view operator()(const ReviewRecord&) const { return "review"; }
  std::string_view operator()(const ReviewDeliveryRecord&) const { return "review_delivery"; }
};

// Heap bytes beside the variant itself.
struct HeapBytes {
  size_t operator()(const IncidentRecord& r) const {
    const Incident& i = r.incident;
    return i.key.ByteSize() + i.labels.ByteSize() + i.annotations.ByteSize() +
           (i.care->ack != nullptr
                ? sizeof(Acknowledgement) + i.care->ack->by.size() + i.care->ack->comment.size()
                : 0) +
           (i.care.is_default() ? 0 : sizeof(IncidentCare)) +
           (i.care->edges != nullptr ? i.care->edges->size() * sizeof(Timestamp) : 0);
  }
  size_t operator()(const EpisodeRecord& r) const {
    return r.labels.ByteSize() + r.annotations.ByteSize() + r.generator_url.size();
  }
  size_t operator()(const EventRecord& r) const {
    return r.type.size() + r.actor.size() + r.reason.size() + r.from_value.size() + r.to_value.size() +
           r.data.size() + r.via.size() + r.address.size();
  }
  size_t operator()(const NotificationRecord& r) const {
    return r.group_key.size() + r.receiver.size() + r.reason.size() + r.error.size() +
           r.incidents.size() * sizeof(MentionedIncident);
  }
  size_t operator()(const NflogEntry& r) const {
    return r.group_key.size() + r.receiver.size() + r.data.size() +
           (r.firing.size() + r.resolved.size() + r.acknowledged.size()) * sizeof(uint64_t);
  }
  size_t operator()(const NflogDelete& r) const { return r.group_key.size() + r.receiver.size(); }
  size_t operator()(const AlertDelete&) const { return 0; }
  size_t operator()(const GroupRecord& r) const {
    return r.route_id.size() + r.group_key.size() + r.labels.ByteSize();
  }
  size_t operator()(const GroupDelete& r) const { return r.route_id.size() + r.group_key.size(); }
  size_t operator()(const RuleStateRecord& r) const {
    return r.file.size() + r.group.size() + r.rule.size() + r.labels.ByteSize() + r.sample_labels.ByteSize() +
           r.annotations.ByteSize() + r.data.size();
  }
  size_t operator()(const RuleStateDelete& r) const {
    return r.file.size() + r.group.size() + r.rule.size() + r.labels.ByteSize();
  }
  size_t operator()(const AcknowledgementRecord& r) const { return r.actor.size() + r.comment.size(); }
  size_t operator()(const SilenceRecord& r) const {
    const Silence& s = r.silence;
    size_t bytes = s.id.size() + s.created_by.size() + s.comment.size() + s.annotations.ByteSize();
    for (const Matcher& matcher : s.matchers) {
      bytes += sizeof(Matcher) + matcher.name().size() + matcher.value().size();
    }
    return bytes;
  }
  size_t operator()(const SilenceDelete& r) const { return r.id.size(); }
  size_t operator()(const InboundRecord& r) const { return r.source.size() + r.key.size() + r.value.size(); }
  size_t operator()(const FeedbackRecord& r) const {
    return r.actor.size() + r.comment.size() + r.link.size();
  }
  size_t operator()(const ChangeRecord& r) const {
    return r.external_id.size() + r.model.size() + r.pipeline.size() + r.entity.size() + r.url.size() +
           r.from_version.size() + r.to_version.size() + r.comment.size();
  }
  size_t operator()(const MuteRecord& r) const { return r.muted_by.size() + r.receiver.size(); }
  size_t operator()(const RuleSetRecord& r) const {
    size_t bytes = 0;
    for (const RuleVersion& rule : r.rules) {
      bytes += sizeof(rule) + rule.expr.size() + rule.labels.size() + rule.annotations.size();
    }
    return bytes;
  }
  size_t operator()(const ReviewRecord& r) const { return r.data.size(); }
  size_t operator()(const ReviewDeliveryRecord& r) const { return r.error.size(); }
};

}  // namespace

std::string_view RecordKind(const Record& record) {
  return std::visit(Kind{}, record);
}

size_t RecordBytes(const Record& record) {
  return sizeof(Record) + std::visit(HeapBytes{}, record);
}

}  // namespace mlalert
