// The kinds that come in storms: held back while a batch runs, and written many rows to a statement.
#include <algorithm>
#include <tuple>

#include "storage/record_statements.h"

namespace mlalert {

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

Status RecordWriter::Statements::BindEvent(Stmt& stmt, int first, int64_t id, const EventRecord& r) {
  std::optional<std::string_view> fingerprint;
  if (r.fingerprint != 0) {
    fingerprint = texts.Hex(r.fingerprint);
  }
  return stmt.BindFrom(first, id, ToColumn(r.at), NullIfZero(r.incident_id), fingerprint, r.type,
                       r.actor_kind, r.actor, r.reason, r.from_value, r.to_value, NullIfEmpty(r.data), r.via,
                       r.address, r.generation);
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

RecordWriter::Batch::Batch(RecordWriter& writer) : writer_(writer) {
  writer_.statements_->in_batch = true;
}

RecordWriter::Batch::~Batch() {
  writer_.statements_->DropHeldBack();
}

Status RecordWriter::Batch::End() {
  return writer_.statements_->WriteHeldBack();
}

}  // namespace mlalert
