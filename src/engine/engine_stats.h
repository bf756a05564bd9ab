// Counts the engine keeps about itself; exported by api/metrics. Thread: copied under the gate.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/time.h"

namespace mlalert {

// I1 to I7 of the self-audit (engine/audit.cc).
inline constexpr size_t kInvariants = 7;

struct EngineStats {
  std::array<uint64_t, kInvariants> invariants_broken{};   // as of the last audit
  std::array<uint64_t, kInvariants> invariant_breaches{};  // since the start
  uint64_t audits = 0;
  Timestamp last_clean_audit = kUnset;
  size_t alerts = 0;
  size_t alerts_firing = 0;
  size_t groups = 0;
  size_t nflog_entries = 0;
  size_t in_flight = 0;
  size_t timers = 0;
  uint64_t fired = 0;
  uint64_t resolved = 0;
  uint64_t severity_raised = 0;
  uint64_t flushes = 0;
  uint64_t collisions = 0;
  uint64_t rate_limited = 0;  // notifications delayed by rate_limits
  uint64_t limited = 0;       // alerts refused because their alertname had its maximum
};

// Alerts that fire, as of the time of counting.
struct AlertCounts {
  size_t active = 0;
  size_t suppressed = 0;  // silenced or inhibited
};

}  // namespace mlalert
