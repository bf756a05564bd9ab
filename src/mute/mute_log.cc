#include "mute/mute_log.h"

#include <algorithm>
#include <utility>

namespace mlalert {

void MuteLog::Restore(std::vector<MuteRecord> open, int64_t next_id) {
  next_id_ = next_id;
  for (MuteRecord& interval : open) {
    open_[interval.fingerprint].push_back(std::move(interval));
  }
}

bool MuteLog::Continues(std::string_view before, std::string_view now) {
  while (!before.empty()) {
    std::string_view id = before.substr(0, before.find(','));
    before.remove_prefix(std::min(before.size(), id.size() + 1));
    for (std::string_view rest = now; !rest.empty();) {
      std::string_view other = rest.substr(0, rest.find(','));
      rest.remove_prefix(std::min(rest.size(), other.size() + 1));
      if (id == other) {
        return true;
      }
    }
  }
  return false;
}

void MuteLog::Begin(uint64_t fingerprint, IncidentId incident, const Cause& cause, std::vector<Record>& out) {
  MuteRecord interval;
  interval.id = next_id_++;
  interval.incident_id = incident;
  interval.fingerprint = fingerprint;
  interval.kind = cause.kind;
  interval.muted_by = cause.muted_by;
  interval.receiver = cause.receiver;
  interval.started_at = cause.since;
  out.emplace_back(interval);
  open_[fingerprint].push_back(std::move(interval));
}

void MuteLog::Close(MuteRecord& interval, Timestamp at, std::string_view reason, std::vector<Record>& out) {
  interval.ended_at = std::max(at, interval.started_at);
  interval.end_reason = reason;
  out.emplace_back(interval);
}

void MuteLog::End(uint64_t fingerprint, Timestamp at, std::string_view reason, std::vector<Record>& out) {
  auto it = open_.find(fingerprint);
  if (it == open_.end()) {
    return;
  }
  for (MuteRecord& interval : it->second) {
    Close(interval, at, reason, out);
  }
  open_.erase(it);
}

std::vector<uint64_t> MuteLog::Fingerprints() const {
  std::vector<uint64_t> out;
  out.reserve(open_.size());
  for (const auto& [fingerprint, intervals] : open_) {
    out.push_back(fingerprint);
  }
  std::sort(out.begin(), out.end());
  return out;
}

void MuteLog::Snapshot(std::vector<Record>& out) const {
  for (uint64_t fingerprint : Fingerprints()) {
    for (const MuteRecord& interval : open_.at(fingerprint)) {
      out.emplace_back(interval);
    }
  }
}

}  // namespace mlalert
