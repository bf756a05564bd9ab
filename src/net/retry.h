// When to try a notification again, and whether at all: Alertmanager's backoff with Retry-After obeyed.
// Used by: notify/ (one RetrySchedule per notification), rules/ for queries.
// Pure: time and randomness are arguments, so that simulation repeats a run exactly.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>

#include "base/time.h"
#include "net/transport.h"

namespace mlalert {

enum class Verdict : uint8_t { kSuccess, kRetry, kFail };

// The rule all receivers share: 2xx is success; 5xx, `retry_statuses` and every failure to get an answer are
// tried again; the rest is final. A status counts even when the answer broke off after it. Cancelled calls
// are final: whoever cancelled does not want them.
Verdict Judge(const HttpResult& result, std::span<const int> retry_statuses = {});

struct BackoffOptions {
  Duration initial = std::chrono::milliseconds(500);
  Duration max = std::chrono::seconds(60);
  double multiplier = 1.5;
  // 0.5: each wait lies between 50 % and 150 % of the interval. The cap is on the interval.
  double randomization = 0.5;
};

// Returns a number in [0, 1).
using RandomUnit = std::function<double()>;

class Backoff {
 public:
  explicit Backoff(RandomUnit random, BackoffOptions options = {});

  // The wait before the next attempt; the first is around `initial`.
  Duration Next();

 private:
  RandomUnit random_;
  BackoffOptions options_;
  Duration interval_;
};

// The attempts of one notification up to its deadline.
class RetrySchedule {
 public:
  RetrySchedule(Timestamp deadline, RandomUnit random, BackoffOptions options = {});

  // When to make the next attempt: at once for the first one, later after a wait, never sooner than
  // `retry_after` from `now`. Nothing when that would be at or after the deadline: give up.
  std::optional<Timestamp> Next(Timestamp now, std::optional<Duration> retry_after = std::nullopt);
  int attempts() const { return attempts_; }

 private:
  Timestamp deadline_;
  Backoff backoff_;
  int attempts_ = 0;
};

}  // namespace mlalert
