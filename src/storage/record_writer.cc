#include "storage/record_writer.h"

#include <algorithm>
#include <fmt/format.h>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/hash.h"
#include "storage/record_statements.h"
#include "storage/row_ids.h"

namespace mlalert {
namespace {

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

std::optional<double> NullIfNan(double value) {
  return value != value ? std::nullopt : std::optional(value);
}

}  // namespace

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

}  // namespace mlalert
