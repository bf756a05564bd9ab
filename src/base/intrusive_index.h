// A hash index over elements that somebody else owns: chained through a pointer inside of each element, so
// that an element costs that pointer and its share of the buckets. Elements of equal hash are found all; the
// caller compares what it looks for. Thread: that of its owner.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace mlalert {

// `Next`: the pointer that belongs to this index. `HashOf(const T&)` must not change while the element is in.
template <class T, T* T::*Next, uint64_t (*HashOf)(const T&)>
class IntrusiveIndex {
 public:
  void Insert(T& element) {
    if (size_ >= buckets_.size()) {
      Grow();
    }
    Link(element);
    ++size_;
  }
  void Remove(T& element) {
    T** at = &buckets_[BucketOf(HashOf(element))];
    while (*at != &element) {
      at = &((*at)->*Next);
    }
    *at = element.*Next;
    element.*Next = nullptr;
    --size_;
  }
  // Calls f(element) for each element of this hash.
  template <class F>
  void Visit(uint64_t hash, F&& f) const {
    if (buckets_.empty()) {
      return;
    }
    for (T* element = buckets_[BucketOf(hash)]; element != nullptr; element = element->*Next) {
      if (HashOf(*element) == hash) {
        f(*element);
      }
    }
  }
  size_t size() const { return size_; }

 private:
  static constexpr size_t kBucketsMin = 16;

  // Ids count up and fingerprints are spread already: the multiplication serves the former.
  size_t BucketOf(uint64_t hash) const {
    return static_cast<size_t>((hash * 0x9E3779B97F4A7C15ULL) >> 32) & (buckets_.size() - 1);
  }
  void Link(T& element) {
    T*& bucket = buckets_[BucketOf(HashOf(element))];
    element.*Next = std::exchange(bucket, &element);
  }
  void Grow() {
    std::vector<T*> old(buckets_.empty() ? kBucketsMin : buckets_.size() * 2, nullptr);
    old.swap(buckets_);
    for (T* element : old) {
      while (element != nullptr) {
        T* next = element->*Next;
        Link(*element);
        element = next;
      }
    }
  }

  std::vector<T*> buckets_;  // a power of two
  size_t size_ = 0;
};

}  // namespace mlalert
