// Remembers since when each firing alert is kept quiet and by what, and writes each such time once: a row
// when it begins, the same row when it ends. Fed by the engine at flushes (only there does being quiet
// matter), when an alert resolves, and when a silence ends. Owns: the open intervals. Thread: engine only.
// Time: passed in.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "model/record.h"

namespace mlalert {

class MuteLog {
 public:
  // What holds now, as one flush sees it.
  struct Cause {
    std::string_view kind;  // silenced | inhibited | deferred
    std::string muted_by;
    std::string receiver;  // of deferred
    Timestamp since = kUnset;
  };

  // Open intervals of an earlier process, and the first free id.
  void Restore(std::vector<MuteRecord> open, int64_t next_id);

  bool Knows(uint64_t fingerprint) const { return open_.contains(fingerprint); }
  bool empty() const { return open_.empty(); }

  // `causes`: all that keep the alert quiet now. Of the open intervals only the silenced and inhibited ones,
  // and the deferred ones of `receiver`, are judged by it: a group does not know what others defer.
  // `ended_at(interval)` says when an interval that is over ended.
  template <class EndedAt>
  void Observe(uint64_t fingerprint, IncidentId incident, std::string_view receiver,
               std::vector<Cause> causes, EndedAt ended_at, std::vector<Record>& out);
  // The alert does not fire any more.
  void End(uint64_t fingerprint, Timestamp at, std::string_view reason, std::vector<Record>& out);
  // Alerts with an open interval.
  std::vector<uint64_t> Fingerprints() const;
  // Everything that is open, as rows.
  void Snapshot(std::vector<Record>& out) const;

 private:
  // One of the ids in `before` (separated by commas) is still there.
  static bool Continues(std::string_view before, std::string_view now);
  void Close(MuteRecord& interval, Timestamp at, std::string_view reason, std::vector<Record>& out);
  void Begin(uint64_t fingerprint, IncidentId incident, const Cause& cause, std::vector<Record>& out);

  std::unordered_map<uint64_t, std::vector<MuteRecord>> open_;
  int64_t next_id_ = 1;
};

template <class EndedAt>
void MuteLog::Observe(uint64_t fingerprint, IncidentId incident, std::string_view receiver,
                      std::vector<Cause> causes, EndedAt ended_at, std::vector<Record>& out) {
  std::vector<Cause*> fresh;  // null: goes on
  fresh.reserve(causes.size());
  for (Cause& cause : causes) {
    fresh.push_back(&cause);
  }
  if (auto it = open_.find(fingerprint); it != open_.end()) {
    std::vector<MuteRecord>& intervals = it->second;
    std::erase_if(intervals, [&](MuteRecord& interval) {
      if (interval.kind == "deferred" && interval.receiver != receiver) {
        return false;
      }
      Cause* successor = nullptr;
      for (Cause*& cause : fresh) {
        if (cause != nullptr && cause->kind == interval.kind) {
          if (Continues(interval.muted_by, cause->muted_by)) {
            cause = nullptr;
            return false;
          }
          successor = cause;
        }
      }
      const Timestamp end = ended_at(interval);
      Close(interval, end, successor != nullptr ? "replaced" : "over", out);
      if (successor != nullptr) {
        successor->since = std::max(successor->since, interval.ended_at);
      }
      return true;
    });
    if (intervals.empty()) {
      open_.erase(it);
    }
  }
  for (const Cause* cause : fresh) {
    if (cause != nullptr) {
      Begin(fingerprint, incident, *cause, out);
    }
  }
}

}  // namespace mlalert
