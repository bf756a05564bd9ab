// P0 to P3, ordered so that std::max picks the more urgent one.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace mlalert {

enum class Severity : uint8_t { kNone = 0, kP3 = 1, kP2 = 2, kP1 = 3, kP0 = 4 };

// "P0".."P3" in any case, and the aliases critical/page = P0, high/error = P1, medium/warning = P2,
// low/info = P3. Anything else is kNone: an alert without a severity is never guessed one.
Severity SeverityFromLabel(std::string_view value);
// Only "P0".."P3" (any case): for config keys.
std::optional<Severity> ParseSeverity(std::string_view text);
// "P0".."P3", and "" for kNone.
std::string_view ToString(Severity severity);

}  // namespace mlalert
