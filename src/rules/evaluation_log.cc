#include "rules/evaluation_log.h"

#include <algorithm>
#include <array>
#include <limits>

namespace mlalert {

namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

// The queue grows by so many bytes: doubling would leave a third of it unused.
constexpr size_t kStep = 96;

template <class T>
T Saturate(int64_t value) {
  return static_cast<T>(
      std::clamp<int64_t>(value, std::numeric_limits<T>::min(), std::numeric_limits<T>::max()));
}

// Small numbers of either sign as small numbers without one.
uint64_t Folded(int64_t value) {
  return (static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63);
}
int64_t Unfolded(uint64_t value) {
  return static_cast<int64_t>(value >> 1) ^ -static_cast<int64_t>(value & 1);
}

// Seven bits a byte, the lowest first; the highest bit says that more follow.
uint8_t* Put(uint8_t* at, uint64_t value) {
  for (; value >= 0x80; value >>= 7) {
    *at++ = static_cast<uint8_t>(value | 0x80);
  }
  *at++ = static_cast<uint8_t>(value);
  return at;
}
uint64_t Get(const uint8_t*& at) {
  uint64_t out = 0;
  for (int shift = 0;; shift += 7) {
    const uint8_t byte = *at++;
    out |= static_cast<uint64_t>(byte & 0x7f) << shift;
    if ((byte & 0x80) == 0) {
      return out;
    }
  }
}

struct Fields {
  int64_t after_us;
  int64_t lag_ms;
  uint64_t duration_us;
  uint64_t series;
  uint64_t error;
};

Fields GetFields(const uint8_t*& at) {
  Fields out{};
  out.after_us = Unfolded(Get(at));
  out.lag_ms = Unfolded(Get(at));
  out.duration_us = Get(at);
  out.series = Get(at);
  out.error = Get(at);
  return out;
}

}  // namespace

void EvaluationLog::Add(Timestamp at, Timestamp started, Duration took, uint64_t series,
                        const std::string& error) {
  if (limit_ == 0) {
    return;
  }
  if (size_ == limit_) {
    DropOldest();
  }
  const int64_t at_us = std::chrono::floor<microseconds>(at).time_since_epoch().count();
  if (size_ == 0) {
    oldest_us_ = newest_us_ = at_us;
  }
  std::array<uint8_t, 50> one{};
  uint8_t* end = Put(one.data(), Folded(at_us - newest_us_));
  end = Put(end, Folded(Saturate<int32_t>(std::chrono::duration_cast<milliseconds>(started - at).count())));
  end = Put(end, Saturate<uint32_t>(std::chrono::duration_cast<microseconds>(took).count()));
  end = Put(end, std::min<uint64_t>(series, std::numeric_limits<uint32_t>::max()));
  end = Put(end, IndexOf(error));
  const auto bytes = static_cast<size_t>(end - one.data());
  if (bytes_.size() + bytes > bytes_.capacity()) {
    bytes_.reserve(bytes_.size() + kStep);
  }
  bytes_.insert(bytes_.end(), one.data(), end);
  newest_us_ = at_us;
  ++size_;
}

void EvaluationLog::DropOldest() {
  const uint8_t* at = bytes_.data();
  const Fields gone = GetFields(at);
  if (gone.error != 0) {
    Error& error = errors_[gone.error - 1];
    if (--error.evaluations == 0) {
      error.text = SharedText();
    }
  }
  if (--size_ == 0) {
    bytes_.clear();
    return;
  }
  // The next one becomes the first: its time is that of the queue.
  oldest_us_ += Unfolded(Get(at));
  const auto dropped = at - bytes_.data();
  bytes_[static_cast<size_t>(dropped) - 1] = 0;
  bytes_.erase(bytes_.begin(), bytes_.begin() + dropped - 1);
}

// Errors mostly repeat. A new one takes the place of one that no evaluation has any more.
uint64_t EvaluationLog::IndexOf(const std::string& error) {
  if (error.empty()) {
    return 0;
  }
  auto at = std::find_if(errors_.begin(), errors_.end(), [&](const Error& known) {
    return known.evaluations > 0 && known.text == std::string_view(error);
  });
  if (at == errors_.end()) {
    at = std::find_if(errors_.begin(), errors_.end(),
                      [](const Error& known) { return known.evaluations == 0; });
    if (at == errors_.end()) {
      at = errors_.insert(at, Error{});
    }
    at->text = error;
  }
  ++at->evaluations;
  return static_cast<uint64_t>(at - errors_.begin()) + 1;
}

std::vector<RuleEvaluation> EvaluationLog::Newest() const {
  std::vector<RuleEvaluation> out;
  out.reserve(size_);
  const uint8_t* at = bytes_.data();
  int64_t at_us = oldest_us_;
  for (uint32_t i = 0; i < size_; ++i) {
    const Fields fields = GetFields(at);
    at_us += fields.after_us;
    RuleEvaluation& one = out.emplace_back();
    one.at = Timestamp(microseconds(at_us));
    one.started = one.at + milliseconds(fields.lag_ms);
    one.duration_us = static_cast<uint32_t>(fields.duration_us);
    one.series = static_cast<uint32_t>(fields.series);
    one.error = fields.error == 0 ? SharedText() : errors_[fields.error - 1].text;
  }
  std::reverse(out.begin(), out.end());
  return out;
}

}  // namespace mlalert
