// Wall-clock instants and durations, and the two duration grammars of the field.
// Time is an argument everywhere: only the shell (cli/, api/, net/) holds a Clock.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace mlalert {

using Duration = std::chrono::nanoseconds;
// Nanoseconds since the Unix epoch, UTC. Covers 1678 to 2261.
using Timestamp = std::chrono::sys_time<Duration>;

// "Not set". Differs from the epoch, which is a legal value on the wire.
inline constexpr Timestamp kUnset = Timestamp::min();
inline constexpr Timestamp kNever = Timestamp::max();

constexpr bool IsSet(Timestamp t) {
  return t != kUnset;
}

// `t` + `d` without overflow: past the end of time it is kNever. Durations from a config may be centuries.
constexpr Timestamp After(Timestamp t, Duration d) {
  return d > Duration::zero() && t > kNever - d ? kNever : t + d;
}

constexpr int64_t ToUnixMillis(Timestamp t) {
  return std::chrono::floor<std::chrono::milliseconds>(t).time_since_epoch().count();
}
constexpr Timestamp FromUnixMillis(int64_t ms) {
  return Timestamp(std::chrono::milliseconds(ms));
}
constexpr double ToSeconds(Duration d) {
  return std::chrono::duration<double>(d).count();
}

// Prometheus' model.Duration: "1h30m", units y w d h m s ms in falling order, each once; "0" alone is
// allowed; no sign, no fraction. Error texts are Prometheus' own: users search for them.
Result<Duration> ParseDuration(std::string_view text);
// Prints as Prometheus does: 7d is "1w", 90d is "90d", 0 is "0s"; rest below a millisecond is cut.
std::string FormatDuration(Duration d);
// Go's time.Duration print: "1h5m0s", "1.5s", "100ms".
std::string FormatGoDuration(Duration d);

// RFC 3339 with optional fraction and zone; also without zone (UTC), to the minute, and date only, as
// Alertmanager's API accepts. `offset_minutes` receives the zone's offset when not null.
Result<Timestamp> ParseRfc3339(std::string_view text, int* offset_minutes = nullptr);
// Fraction to the nanosecond with trailing zeros cut (Go's RFC3339Nano). kUnset prints Go's zero time,
// 0001-01-01T00:00:00Z.
std::string FormatRfc3339Nano(Timestamp t, int offset_minutes = 0);
// Always three decimals, as Alertmanager's and Prometheus' APIs print.
std::string FormatRfc3339Millis(Timestamp t, int offset_minutes = 0);

// The clock seam. Implementations must be safe to call from any thread.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual Timestamp Now() = 0;
};

class SystemClock final : public Clock {
 public:
  Timestamp Now() override;
};

}  // namespace mlalert
