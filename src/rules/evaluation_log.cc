#include "rules/evaluation_log.h"

#include <algorithm>
#include <limits>

namespace mlalert {

void EvaluationLog::Add(Timestamp at, Timestamp started, Duration took, uint64_t series,
                        const std::string& error) {
  constexpr int64_t kMost = std::numeric_limits<uint32_t>::max();
  RuleEvaluation one;
  one.at = at;
  one.started = started;
  const int64_t us = std::chrono::duration_cast<std::chrono::microseconds>(took).count();
  one.duration_us = static_cast<uint32_t>(std::clamp<int64_t>(us, 0, kMost));
  one.series = static_cast<uint32_t>(std::min<uint64_t>(series, static_cast<uint64_t>(kMost)));
  if (!error.empty()) {
    if (last_error_ == nullptr || *last_error_ != error) {
      last_error_ = std::make_shared<const std::string>(error);
    }
    one.error = last_error_;
  }
  if (limit_ == 0) {
    return;
  }
  if (ring_.size() < limit_) {
    ring_.push_back(std::move(one));
  } else {
    ring_[next_] = std::move(one);
    next_ = (next_ + 1) % limit_;
  }
}

std::vector<RuleEvaluation> EvaluationLog::Newest() const {
  std::vector<RuleEvaluation> out;
  out.reserve(ring_.size());
  for (size_t i = ring_.size(); i-- > 0;) {
    out.push_back(ring_[(next_ + i) % ring_.size()]);
  }
  return out;
}

}  // namespace mlalert
