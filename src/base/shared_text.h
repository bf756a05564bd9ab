// An immutable text that is kept once for all who have the same: thousands of alerts share the names of their
// labels and the link to their rule. Used by: model/, rules/. Two are equal exactly when they share the
// memory. Limits: lives as long as somebody has it. Thread: immutable; making one and letting the last one go
// take a lock.
#pragma once

#include <atomic>
#include <concepts>
#include <cstdint>
#include <string_view>
#include <utility>

namespace mlalert {

class SharedText {
 public:
  SharedText() = default;
  explicit SharedText(std::string_view text);
  template <class T>
  requires(std::convertible_to<const T&, std::string_view> && !std::same_as<T, SharedText>)
      SharedText(const T& text)  // NOLINT(google-explicit-constructor): a text like any other
      : SharedText(std::string_view(text)) {}
  SharedText(const SharedText& other) noexcept : block_(other.block_) {
    if (block_ != nullptr) {
      block_->refs.fetch_add(1, std::memory_order_relaxed);
    }
  }
  SharedText(SharedText&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
  SharedText& operator=(SharedText other) noexcept {
    std::swap(block_, other.block_);
    return *this;
  }
  ~SharedText();

  bool empty() const { return block_ == nullptr; }
  size_t size() const { return block_ != nullptr ? block_->size : 0; }
  // Aligned for uint64_t; null when empty.
  const char* data() const { return block_ != nullptr ? block_->bytes() : nullptr; }
  std::string_view view() const { return {data(), size()}; }
  operator std::string_view() const { return view(); }  // NOLINT(google-explicit-constructor)

  friend bool operator==(const SharedText& a, const SharedText& b) { return a.block_ == b.block_; }
  template <class T>
  requires(std::convertible_to<const T&, std::string_view> && !std::same_as<T, SharedText>) friend bool
  operator==(const SharedText& a, const T& b) {
    return a.view() == std::string_view(b);
  }

 private:
  friend class SharedTexts;

  struct Block {
    mutable std::atomic<uint32_t> refs;
    uint32_t size;
    uint64_t hash;
    const char* bytes() const { return reinterpret_cast<const char*>(this + 1); }
  };

  const Block* block_ = nullptr;
};

}  // namespace mlalert
