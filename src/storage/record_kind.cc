#include "storage/record_kind.h"

#include <variant>

namespace mlalert {
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
