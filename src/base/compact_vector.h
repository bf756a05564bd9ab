// A vector of small values that mostly holds none or one: what fits into eight bytes needs no memory of its
// own. For fields that a hundred thousand objects have. Thread: plain value.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <utility>

namespace mlalert {

template <class T>
class CompactVector {
  static_assert(std::is_trivially_copyable_v<T> && sizeof(T) <= sizeof(void*));

 public:
  CompactVector() = default;
  CompactVector(const CompactVector& other) { Assign(other); }
  CompactVector(CompactVector&& other) noexcept { Swap(other); }
  CompactVector& operator=(CompactVector other) noexcept {
    Swap(other);
    return *this;
  }
  ~CompactVector() {
    if (capacity_ > kInline) {
      delete[] heap();
    }
  }

  T* begin() { return data(); }
  T* end() { return data() + size_; }
  const T* begin() const { return data(); }
  const T* end() const { return data() + size_; }
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  T& operator[](size_t i) { return data()[i]; }
  const T& operator[](size_t i) const { return data()[i]; }
  T& front() { return data()[0]; }
  const T& front() const { return data()[0]; }
  T& back() { return data()[size_ - 1]; }
  const T& back() const { return data()[size_ - 1]; }

  void push_back(T value) {
    if (size_ == capacity_) {
      // By few: most stay small. Of 8 byte elements an odd number fills what glibc's malloc gives.
      Reserve((capacity_ + std::max(2U, capacity_ / 2)) | 1U);
    }
    data()[size_++] = value;
  }
  void pop_back() { --size_; }
  void erase(const T* at) {
    T* const place = begin() + (at - begin());
    std::copy(place + 1, end(), place);
    --size_;
  }
  void clear() { size_ = 0; }

  template <class F>
  friend void erase_if(CompactVector& vector, F&& f) {
    vector.size_ = static_cast<uint32_t>(std::remove_if(vector.begin(), vector.end(), f) - vector.begin());
  }

 private:
  static constexpr uint32_t kInline = sizeof(void*) / sizeof(T);

  T* heap() const {
    T* out = nullptr;
    std::memcpy(&out, bytes_, sizeof(void*));
    return out;
  }
  T* data() { return capacity_ > kInline ? heap() : reinterpret_cast<T*>(bytes_); }
  const T* data() const { return capacity_ > kInline ? heap() : reinterpret_cast<const T*>(bytes_); }

  void Reserve(uint32_t capacity) {
    T* const larger = new T[capacity];
    std::copy(begin(), end(), larger);
    if (capacity_ > kInline) {
      delete[] heap();
    }
    std::memcpy(bytes_, &larger, sizeof(void*));
    capacity_ = capacity;
  }
  void Assign(const CompactVector& other) {
    if (other.size_ > kInline) {
      Reserve(other.size_);
    }
    std::copy(other.begin(), other.end(), begin());
    size_ = other.size_;
  }
  void Swap(CompactVector& other) {
    std::swap(bytes_, other.bytes_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
  }

  // The elements, or a pointer to them.
  alignas(void*) unsigned char bytes_[sizeof(void*)] = {};
  uint32_t size_ = 0;
  uint32_t capacity_ = kInline;
};

}  // namespace mlalert
