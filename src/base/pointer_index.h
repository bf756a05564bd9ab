// Finds elements by a hash that they know themselves: a table of pointers with one byte of hash beside each,
// so that a look-up touches nothing but what it finds. 10 to 20 bytes for an element, where
// std::unordered_map takes 40. Equal hashes may occur; the caller says which element he means. Used by:
// alerts/, dispatch/, incidents/, rules/. Owns: nothing. Thread: its owner's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

namespace mlalert {

// HashOf: uint64_t operator()(const T&), which must not change while the element is in the index.
template <class T, class HashOf>
class PointerIndex {
 public:
  PointerIndex() = default;
  PointerIndex(PointerIndex&& other) noexcept { Swap(other); }
  PointerIndex& operator=(PointerIndex&& other) noexcept {
    PointerIndex gone(std::move(other));
    Swap(gone);
    return *this;
  }

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  // The first with this hash of which match(element) is true; null: none.
  template <class Match>
  T* Find(uint64_t hash, Match&& match) const {
    if (size_ == 0) {
      return nullptr;
    }
    const uint64_t mixed = Mix(hash);
    const uint8_t tag = TagOf(mixed);
    for (size_t at = mixed & mask_; tags_[at] != kFree; at = (at + 1) & mask_) {
      if (tags_[at] == tag && HashOf{}(*slots_[at]) == hash && match(std::as_const(*slots_[at]))) {
        return slots_[at];
      }
    }
    return nullptr;
  }
  T* Find(uint64_t hash) const {
    return Find(hash, [](const T&) { return true; });
  }

  // Probably the first with this hash: no element is looked at. Null: there is none. For prefetching.
  T* Guess(uint64_t hash) const {
    if (size_ == 0) {
      return nullptr;
    }
    const uint64_t mixed = Mix(hash);
    const uint8_t tag = TagOf(mixed);
    size_t at = mixed & mask_;
    while (tags_[at] != tag && tags_[at] != kFree) {
      at = (at + 1) & mask_;
    }
    return tags_[at] == tag ? slots_[at] : nullptr;
  }

  // All with this hash.
  template <class F>
  void ForEach(uint64_t hash, F&& f) const {
    static_cast<void>(Find(hash, [&](const T& element) {
      f(const_cast<T&>(element));
      return false;
    }));
  }

  // In no particular order.
  template <class F>
  void ForEachElement(F&& f) const {
    for (size_t at = 0; at < capacity(); ++at) {
      if (tags_[at] > kGone) {
        f(*slots_[at]);
      }
    }
  }

  void Insert(T& element) {
    if (capacity() == 0 || (used_ + 1) * 8 > capacity() * 7) {
      Rebuild();
    }
    Place(element);
    ++size_;
  }

  // False: it was not there.
  bool Erase(const T& element) {
    if (size_ == 0) {
      return false;
    }
    for (size_t at = Mix(HashOf{}(element)) & mask_; tags_[at] != kFree; at = (at + 1) & mask_) {
      if (tags_[at] != kGone && slots_[at] == &element) {
        tags_[at] = kGone;
        --size_;
        return true;
      }
    }
    return false;
  }

  void clear() { *this = PointerIndex(); }

 private:
  static constexpr uint8_t kFree = 0;
  static constexpr uint8_t kGone = 1;
  static constexpr size_t kCapacityMin = 4;

  // Ids are consecutive numbers.
  static uint64_t Mix(uint64_t hash) {
    hash *= 0x9E3779B97F4A7C15ULL;
    return hash ^ (hash >> 32);
  }
  static uint8_t TagOf(uint64_t mixed) { return static_cast<uint8_t>(mixed >> 56) | 2; }
  size_t capacity() const { return slots_ == nullptr ? 0 : mask_ + 1; }

  void Place(T& element) {
    const uint64_t mixed = Mix(HashOf{}(element));
    size_t at = mixed & mask_;
    while (tags_[at] != kFree) {
      at = (at + 1) & mask_;
    }
    tags_[at] = TagOf(mixed);
    slots_[at] = &element;
    ++used_;
  }

  // Without what is gone, and twice as large when more than half is in use.
  void Rebuild() {
    PointerIndex larger;
    size_t wanted = kCapacityMin;
    while (wanted < (size_ + 1) * 8 / 5) {
      wanted *= 2;
    }
    larger.mask_ = wanted - 1;
    larger.slots_ = std::make_unique<T*[]>(wanted);
    larger.tags_ = std::make_unique<uint8_t[]>(wanted);
    for (size_t at = 0; at < capacity(); ++at) {
      if (tags_[at] > kGone) {
        larger.Place(*slots_[at]);
      }
    }
    larger.size_ = size_;
    Swap(larger);
  }

  void Swap(PointerIndex& other) {
    std::swap(slots_, other.slots_);
    std::swap(tags_, other.tags_);
    std::swap(mask_, other.mask_);
    std::swap(size_, other.size_);
    std::swap(used_, other.used_);
  }

  std::unique_ptr<T*[]> slots_;
  std::unique_ptr<uint8_t[]> tags_;
  size_t mask_ = 0;
  size_t size_ = 0;
  size_t used_ = 0;  // with what is gone
};

}  // namespace mlalert
