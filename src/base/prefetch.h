// Asks the processor to load objects from memory without waiting for them. What lies far apart (a hundred
// thousand alerts, each with its incident) is asked for in batches before it is looked at: else most of the
// time goes into waiting for one after the other. Changes nothing but speed. Thread: any.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>

namespace mlalert {

inline constexpr size_t kCacheLine = 64;
// So many are on their way at once.
inline constexpr size_t kPrefetchBatch = 32;

inline void PrefetchBytes(const void* at, size_t bytes) {
  for (size_t i = 0; i < bytes; i += kCacheLine) {
    __builtin_prefetch(static_cast<const char*>(at) + i);
  }
}

template <class T>
void Prefetch(const T& object) {
  PrefetchBytes(&object, sizeof(T));
}

// Calls f(batch) for all items in order, kPrefetchBatch or fewer at a time.
template <class T, class F>
void ForBatches(std::span<T> items, F&& f) {
  while (!items.empty()) {
    const size_t size = std::min(items.size(), kPrefetchBatch);
    f(items.first(size));
    items = items.subspan(size);
  }
}

}  // namespace mlalert
