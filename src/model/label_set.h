// A set of labels (or annotations): immutable, sorted by name, one allocation (the names are kept apart, once
// for all sets that have the same), shared by reference count. A set that differs from a large one in one
// value keeps that value and the large one. Fed by intake/ and rules/; held by alerts,
// incidents and groups; read by API threads without a lock. Thread: immutable; copies are safe on any thread
// (atomic count).
#pragma once

#include <atomic>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/prefetch.h"
#include "base/shared_text.h"

namespace mlalert {

struct Label {
  std::string_view name;
  std::string_view value;
  friend bool operator==(const Label&, const Label&) = default;
};

class LabelSet {
 public:
  LabelSet() = default;
  LabelSet(const LabelSet& other) noexcept;
  LabelSet(LabelSet&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
  LabelSet& operator=(LabelSet other) noexcept {
    std::swap(block_, other.block_);
    return *this;
  }
  ~LabelSet();

  // `labels` sorted by name, names unique. Precondition, checked in debug builds.
  static LabelSet FromSorted(std::span<const Label> labels);
  // Any order; of equal names the last one stays.
  static LabelSet From(std::vector<std::pair<std::string, std::string>> labels);
  static LabelSet From(std::initializer_list<std::pair<std::string_view, std::string_view>> labels);

  size_t size() const { return block_ != nullptr ? block_->count : 0; }
  bool empty() const { return size() == 0; }
  Label operator[](size_t i) const { return {block_->name(i), block_->value(i)}; }

  class Iterator {
   public:
    Iterator(const LabelSet* set, size_t i) : set_(set), i_(i) {}
    Label operator*() const { return (*set_)[i_]; }
    Iterator& operator++() {
      ++i_;
      return *this;
    }
    bool operator!=(const Iterator& other) const { return i_ != other.i_; }

   private:
    const LabelSet* set_;
    size_t i_;
  };
  Iterator begin() const { return {this, 0}; }
  Iterator end() const { return {this, size()}; }

  // Empty when missing: Prometheus treats both alike.
  std::string_view Get(std::string_view name) const;
  bool Has(std::string_view name) const;

  // Alertmanager's identity: FNV-1a over name, 0xFF, value, 0xFF in name order.
  uint64_t fingerprint() const;

  // Only the labels in `names` that are present.
  LabelSet Project(std::span<const std::string> names) const;
  // With `name` set; an empty value removes it. In a large set that has it already the other values are not
  // copied.
  LabelSet With(std::string_view name, std::string_view value) const;

  // {a="x", b="y"} with Go-quoted values: the form inside Alertmanager's group keys.
  std::string ToString() const;

  friend bool operator==(const LabelSet& a, const LabelSet& b);
  // Alertmanager's order (model.LabelSet.Before): fewer labels first, then the set that lacks a name, then
  // values.
  friend bool operator<(const LabelSet& a, const LabelSet& b);

  // All of nearly every set (base/prefetch.h); the first line has the fingerprint.
  void Prefetch(size_t lines = 8) const {
    if (block_ != nullptr) {
      PrefetchBytes(block_, lines * kCacheLine);
    }
  }

  // Heap bytes of this set, without the one it is laid over, for memory accounting.
  size_t ByteSize() const;

 private:
  struct Overlay;
  struct Block {
    std::atomic<uint32_t> refs;
    uint32_t count : 31;
    uint32_t is_overlay : 1;
    uint64_t fingerprint;
    SharedText names;  // where each ends, then the names
    // Behind it, in the same way: the values. Of an overlay: an Overlay.
    const char* values() const { return reinterpret_cast<const char*>(this + 1); }
    const Overlay& overlay() const { return *reinterpret_cast<const Overlay*>(this + 1); }
    std::string_view name(size_t i) const { return Part(names.data(), i); }
    std::string_view value(size_t i) const { return is_overlay != 0 ? OverlaidValue(i) : Part(values(), i); }
    std::string_view OverlaidValue(size_t i) const;
    std::string_view Part(const char* at, size_t i) const {
      const auto* ends = reinterpret_cast<const uint32_t*>(at);
      const uint32_t begin = i == 0 ? 0 : ends[i - 1];
      return {at + count * sizeof(uint32_t) + begin, ends[i] - begin};
    }
    size_t ByteSize() const;
  };

  LabelSet LaidOver(size_t index, std::string_view value) const;

  Block* block_ = nullptr;
};

bool operator==(const LabelSet& a, const LabelSet& b);
bool operator<(const LabelSet& a, const LabelSet& b);

// Go's strconv.Quote for valid UTF-8 text.
std::string GoQuote(std::string_view text);

// [a-zA-Z_][a-zA-Z0-9_]*
bool IsClassicLabelName(std::string_view name);

}  // namespace mlalert
