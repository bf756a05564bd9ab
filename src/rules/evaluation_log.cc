#include "rules/evaluation_log.h"

#include <algorithm>
#include <limits>

namespace mlalert {

namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

// The ring grows by so many: doubling would leave a third of it unused.
constexpr size_t kStep = 10;

template <class T>
T Saturate(int64_t value) {
  return static_cast<T>(
      std::clamp<int64_t>(value, std::numeric_limits<T>::min(), std::numeric_limits<T>::max()));
}

}  // namespace

void EvaluationLog::Add(Timestamp at, Timestamp started, Duration took, uint64_t series,
                        const std::string& error) {
  if (limit_ == 0) {
    return;
  }
  Packed one{};
  one.at_us = std::chrono::floor<microseconds>(at).time_since_epoch().count();
  one.lag_ms = Saturate<int32_t>(std::chrono::duration_cast<milliseconds>(started - at).count());
  one.duration_us = Saturate<uint32_t>(std::chrono::duration_cast<microseconds>(took).count());
  one.series = static_cast<uint32_t>(std::min<uint64_t>(series, std::numeric_limits<uint32_t>::max()));
  if (ring_.size() < limit_) {
    if (ring_.size() == ring_.capacity()) {
      ring_.reserve(std::min<size_t>(ring_.size() + kStep, limit_));
    }
    one.error = ErrorIndex(error);
    ring_.push_back(one);
  } else {
    ring_[next_].error = 0;
    one.error = ErrorIndex(error);
    ring_[next_] = one;
    next_ = (next_ + 1) % limit_;
  }
}

// Errors mostly repeat. A new one takes the place of one that no evaluation has any more.
uint32_t EvaluationLog::ErrorIndex(const std::string& error) {
  if (error.empty()) {
    return 0;
  }
  const auto known = std::find(errors_.begin(), errors_.end(), error);
  if (known != errors_.end()) {
    return static_cast<uint32_t>(known - errors_.begin()) + 1;
  }
  for (uint32_t i = 0; i < errors_.size(); ++i) {
    if (std::none_of(ring_.begin(), ring_.end(), [&](const Packed& one) { return one.error == i + 1; })) {
      errors_[i] = error;
      return i + 1;
    }
  }
  errors_.emplace_back(error);
  return static_cast<uint32_t>(errors_.size());
}

std::vector<RuleEvaluation> EvaluationLog::Newest() const {
  std::vector<RuleEvaluation> out;
  out.reserve(ring_.size());
  for (size_t i = ring_.size(); i-- > 0;) {
    const Packed& packed = ring_[(next_ + i) % ring_.size()];
    RuleEvaluation& one = out.emplace_back();
    one.at = Timestamp(microseconds(packed.at_us));
    one.started = one.at + milliseconds(packed.lag_ms);
    one.duration_us = packed.duration_us;
    one.series = packed.series;
    one.error = packed.error == 0 ? SharedText() : errors_[packed.error - 1];
  }
  return out;
}

}  // namespace mlalert
