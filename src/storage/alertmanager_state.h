// Alertmanager's two state files, `silences` and `nflog`, decoded: messages of Protocol Buffers one after the
// other, each with its length in front. What can be read is returned, what cannot is counted and the first of
// it named: a damaged file costs what is damaged, and everything behind the place where the lengths stop
// making sense. Fed by alertmanager_import.cc with the bytes of a file. Limits: below. Thread: pure
// functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "model/record.h"
#include "model/silence.h"

namespace mlalert {

inline constexpr size_t kStateFileBytesMax = size_t{256} << 20;
inline constexpr size_t kStateEntriesMax = 1'000'000;

template <class T>
struct DecodedState {
  std::vector<T> entries;
  size_t unreadable = 0;  // messages that were left out
  std::string problem;    // the first of them: where and why; also set when the file ends in the middle
  bool cut = false;       // reading stopped before the end of the file
};

// Each with the time at which Alertmanager would have forgotten it.
struct StoredSilence {
  Silence silence;
  Timestamp expires_at = kUnset;
};
// A silence of several matcher sets (clusters of newer versions may hold some) becomes one per set; all but
// the first get ids of their own, derived from the first.
DecodedState<StoredSilence> DecodeSilences(std::string_view file);

// With Alertmanager's hashes: `foreign` is set.
DecodedState<NflogEntry> DecodeNflog(std::string_view file);

}  // namespace mlalert
