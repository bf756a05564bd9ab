// What came from outside and must be known when it comes again, also after a restart: ids of events that were
// acted on, the newest event of a remote incident, phone calls. Owned by: the engine, which journals what is
// noted. Thread: engine only. Limits: kInboundEntriesMax; beyond it the oldest go first.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/time.h"
#include "model/record.h"

namespace mlalert {

inline constexpr size_t kInboundEntriesMax = 100'000;

class InboundMemory {
 public:
  // Null: never seen, or forgotten.
  const std::string* Find(const std::string& source, const std::string& key, Timestamp now) const;
  // Inserts or replaces.
  void Note(std::string source, std::string key, std::string value, Duration life, Timestamp now,
            std::vector<Record>& records);
  void Restore(InboundRecord record);
  void DropExpired(Timestamp now);
  std::vector<InboundRecord> All() const;
  template <class F>
  void ForEachOf(const std::string& source, F&& f) const {
    for (auto it = entries_.lower_bound({source, ""}); it != entries_.end() && it->first.first == source;
         ++it) {
      f(it->first.second, it->second.value);
    }
  }
  size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    std::string value;
    Timestamp at = kUnset;
    Timestamp expires_at = kUnset;
  };
  std::map<std::pair<std::string, std::string>, Entry> entries_;  // by source, key
};

}  // namespace mlalert
