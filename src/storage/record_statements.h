// The prepared statements behind a RecordWriter, and the rows that a batch holds back: what record_writer.cc
// (one record, one row), record_batch.cc (many rows to a statement) and record_statements.cc (the SQL) share.
// Not for others. Thread: the writer's.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <fmt/format.h>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/codec.h"
#include "storage/record_writer.h"

namespace mlalert {

// Rows of one statement. More gain little: it is the begin and end of a statement that cost.
constexpr int kRowsPerStatement = 32;
constexpr int kOpenedParameters = 14;
constexpr int kStartedParameters = 19;
constexpr int kEventParameters = 14;
constexpr int kMentionParameters = 3;

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

inline std::optional<std::string_view> Extracted(const LabelSet& labels, std::string_view name) {
  return NullIfEmpty(labels.Get(name));
}

}  // namespace mlalert
