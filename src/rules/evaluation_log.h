// The last evaluations of one rule: what an operator looks at when he asks why it did not fire. Filled by:
// rules/rule_group, at the end of each evaluation. Read by: the API, on demand. Owns: a queue that grows to
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
  struct Error {
    SharedText text;
    uint32_t evaluations = 0;  // that have it
  };

  uint64_t IndexOf(const std::string& error);
  void DropOldest();

  uint32_t limit_;
  uint32_t size_ = 0;
  int64_t oldest_us_ = 0;  // when the first one in bytes_ was asked about
  int64_t newest_us_ = 0;
  // Fifty for each of thousands of rules: 8 to 10 bytes for one, as numbers of variable length. In each the
  // time since the one before it (of the first: 0), milliseconds from the time asked about to the start,
  // duration, series, index in errors_ plus one.
  std::vector<uint8_t> bytes_;
  std::vector<Error> errors_;
};

}  // namespace mlalert
