#include "engine/inbound_memory.h"

#include <algorithm>

namespace mlalert {

const std::string* InboundMemory::Find(const std::string& source, const std::string& key,
                                       Timestamp now) const {
  auto it = entries_.find({source, key});
  return it != entries_.end() && it->second.expires_at > now ? &it->second.value : nullptr;
}

void InboundMemory::Note(std::string source, std::string key, std::string value, Duration life, Timestamp now,
                         std::vector<Record>& records) {
  if (entries_.size() >= kInboundEntriesMax) {
    DropExpired(now);
  }
  if (entries_.size() >= kInboundEntriesMax) {
    entries_.erase(std::min_element(entries_.begin(), entries_.end(),
                                    [](const auto& a, const auto& b) { return a.second.at < b.second.at; }));
  }
  InboundRecord record{std::move(source), std::move(key), std::move(value), now, After(now, life)};
  Restore(record);
  records.emplace_back(std::move(record));
}

void InboundMemory::Restore(InboundRecord record) {
  entries_[{std::move(record.source), std::move(record.key)}] = {std::move(record.value), record.at,
                                                                 record.expires_at};
}

void InboundMemory::DropExpired(Timestamp now) {
  std::erase_if(entries_, [&](const auto& entry) { return entry.second.expires_at <= now; });
}

std::vector<InboundRecord> InboundMemory::All() const {
  std::vector<InboundRecord> out;
  out.reserve(entries_.size());
  for (const auto& [key, entry] : entries_) {
    out.push_back({key.first, key.second, entry.value, entry.at, entry.expires_at});
  }
  return out;
}

}  // namespace mlalert
