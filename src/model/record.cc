#include "model/record.h"

#include <algorithm>

#include "base/hash.h"

namespace mlalert {

uint64_t NflogHash(const LabelSet& labels) {
  std::string bytes;
  for (Label label : labels) {
    bytes.append(label.name).push_back('\xff');
    bytes.append(label.value).push_back('\xff');
  }
  return XxHash64(bytes);
}

void TranslateHashes(NflogEntry& entry, const std::unordered_map<uint64_t, uint64_t>& fingerprints) {
  for (std::vector<uint64_t>* list : {&entry.firing, &entry.resolved}) {
    for (uint64_t& hash : *list) {
      if (auto known = fingerprints.find(hash); known != fingerprints.end()) {
        hash = known->second;
      }
    }
    std::sort(list->begin(), list->end());
  }
}

}  // namespace mlalert
