// The last evaluations of one rule: what an operator looks at when he asks why it did not fire. Filled by:
// rules/rule_group, at the end of each evaluation. Read by: the API, on demand. Owns: a ring that grows to
// its limit and no further; an error that repeats is stored once. Thread: that of the manager.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/time.h"

namespace mlalert {

inline constexpr size_t kEvaluationsKept = 50;

struct RuleEvaluation {
  Timestamp at = kUnset;                     // the time that was asked about
  Timestamp started = kUnset;                // wall clock
  uint32_t duration_us = 0;                  // saturates
  uint32_t series = 0;                       // in the answer
  std::shared_ptr<const std::string> error;  // null: none
};

class EvaluationLog {
 public:
  explicit EvaluationLog(size_t limit = kEvaluationsKept) : limit_(limit) {}

  // `error` empty: it succeeded.
  void Add(Timestamp at, Timestamp started, Duration took, uint64_t series, const std::string& error);
  // Newest first.
  std::vector<RuleEvaluation> Newest() const;

 private:
  size_t limit_;
  size_t next_ = 0;  // where the next one goes once the ring is full
  std::vector<RuleEvaluation> ring_;
  std::shared_ptr<const std::string> last_error_;
};

}  // namespace mlalert
