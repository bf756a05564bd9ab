#include "net/retry.h"

#include <algorithm>
#include <utility>

namespace mlalert {

Verdict Judge(const HttpResult& result, std::span<const int> retry_statuses) {
  if (result.failure == Failure::kCancelled) {
    return Verdict::kFail;
  }
  if (result.status == 0) {
    return Verdict::kRetry;
  }
  if (result.status / 100 == 2) {
    return Verdict::kSuccess;
  }
  const bool listed =
      std::find(retry_statuses.begin(), retry_statuses.end(), result.status) != retry_statuses.end();
  return result.status / 100 == 5 || listed ? Verdict::kRetry : Verdict::kFail;
}

Backoff::Backoff(RandomUnit random, BackoffOptions options)
    : random_(std::move(random)), options_(options), interval_(options.initial) {}

Duration Backoff::Next() {
  const auto interval = static_cast<double>(interval_.count());
  const double lowest = interval * (1 - options_.randomization);
  const double wait = lowest + random_() * 2 * options_.randomization * interval;
  const double grown = interval * options_.multiplier;
  interval_ = grown >= static_cast<double>(options_.max.count()) ? options_.max
                                                                 : Duration(static_cast<int64_t>(grown));
  return Duration(static_cast<int64_t>(wait));
}

RetrySchedule::RetrySchedule(Timestamp deadline, RandomUnit random, BackoffOptions options)
    : deadline_(deadline), backoff_(std::move(random), options) {}

std::optional<Timestamp> RetrySchedule::Next(Timestamp now, std::optional<Duration> retry_after) {
  Duration wait = attempts_ == 0 ? Duration(0) : backoff_.Next();
  if (retry_after) {
    wait = std::max(wait, *retry_after);
  }
  // Compared as a difference: the deadline may be kNever.
  if (now >= deadline_ || wait >= deadline_ - now) {
    return std::nullopt;
  }
  ++attempts_;
  return now + wait;
}

}  // namespace mlalert
