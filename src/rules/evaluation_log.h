// The last evaluations of one rule: what an operator looks at when he asks why it did not fire. Filled by:
// rules/rule_group, at the end of each evaluation. Read by: the API, on demand. Owns: a ring that grows to
// its limit and no further; an error that repeats is stored once. Thread: that of the manager.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/shared_text.h"
#include "base/time.h"

namespace mlalert {

inline constexpr size_t kEvaluationsKept = 50;

struct RuleEvaluation {
  Timestamp at = kUnset;       // the time that was asked about, in whole microseconds
  Timestamp started = kUnset;  // wall clock, in whole milliseconds after `at`
  uint32_t duration_us = 0;    // saturates
  uint32_t series = 0;         // in the answer
  SharedText error;            // empty: none
};

class EvaluationLog {
 public:
  explicit EvaluationLog(size_t limit = kEvaluationsKept) : limit_(static_cast<uint32_t>(limit)) {}

  // `error` empty: it succeeded.
  void Add(Timestamp at, Timestamp started, Duration took, uint64_t series, const std::string& error);
  // Newest first.
  std::vector<RuleEvaluation> Newest() const;

 private:
  // Fifty for each of thousands of rules: 24 bytes instead of 40.
  struct Packed {
    int64_t at_us;
    int32_t lag_ms;  // from then to the start; saturates
    uint32_t duration_us;
    uint32_t series;
    uint32_t error;  // index in errors_ plus one; 0: none
  };

  uint32_t ErrorIndex(const std::string& error);

  uint32_t limit_;
  uint32_t next_ = 0;  // where the next one goes once the ring is full
  std::vector<Packed> ring_;
  std::vector<SharedText> errors_;
};

}  // namespace mlalert
