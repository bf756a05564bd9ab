// Whether mlalert does its work: rules are evaluated, the disk takes what is written, notifications reach
// somebody. Read by: engine/heartbeat, /metrics. Pure; time is an argument.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "base/time.h"
#include "notify/deliverer.h"
#include "storage/journal.h"

namespace mlalert {

// Why a part is not well; empty: it is.
struct HealthReport {
  std::string evaluation;
  std::string storage;
  std::string delivery;

  bool ok() const { return evaluation.empty() && storage.empty() && delivery.empty(); }
  // "evaluation: ...; delivery: ..."
  std::string Text() const;
};

// Attempts of one kind of receiver must have failed for so long, without a success in between.
inline constexpr Duration kDeliveryPatience = std::chrono::minutes(1);
// After so long without another failure nobody knows, and it counts as well again.
inline constexpr Duration kDeliveryForgets = std::chrono::hours(1);

class DeliveryJudge {
 public:
  // To be called often; empty: well.
  std::string Judge(const DeliveryStats& stats, Timestamp now);

 private:
  struct Kind {
    uint64_t sent = 0;
    uint64_t failed = 0;
    Timestamp failing_since = kUnset;
    Timestamp last_failure = kUnset;
  };
  std::array<Kind, kIntegrationKinds> kinds_;
};

std::string JudgeStorage(const JournalStats& stats);

}  // namespace mlalert
