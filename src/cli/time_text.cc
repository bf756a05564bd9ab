#include "cli/time_text.h"

#include <fmt/format.h>

namespace mlalert {

std::string TimeText(Timestamp t) {
  if (!IsSet(t)) {
    return "";
  }
  return FormatRfc3339Nano(std::chrono::floor<std::chrono::seconds>(t));
}

std::string SpanText(Duration d) {
  int64_t seconds = std::max<int64_t>(0, std::chrono::floor<std::chrono::seconds>(d).count());
  struct Unit {
    int64_t seconds;
    char name;
  };
  constexpr Unit kUnits[] = {{86400, 'd'}, {3600, 'h'}, {60, 'm'}, {1, 's'}};
  for (size_t i = 0; i + 1 < std::size(kUnits); ++i) {
    if (seconds >= kUnits[i].seconds) {
      int64_t small = seconds % kUnits[i].seconds / kUnits[i + 1].seconds;
      std::string text = fmt::format("{}{}", seconds / kUnits[i].seconds, kUnits[i].name);
      return small == 0 ? text : fmt::format("{}{}{}", text, small, kUnits[i + 1].name);
    }
  }
  return fmt::format("{}s", seconds);
}

Result<Timestamp> ParseTimeFlag(std::string_view text, Timestamp now) {
  if (auto ago = ParseDuration(text)) {
    // 1970 is earlier than anything there can be in a file.
    return *ago > now.time_since_epoch() ? Timestamp{} : now - *ago;
  }
  if (auto time = ParseRfc3339(text)) {
    return *time;
  }
  return Fail(ErrorCode::kInvalid, fmt::format("\"{}\" is neither a duration (24h, 7d) nor a time "
                                               "(2026-11-23, 2026-11-23T15:04:05Z)",
                                               text));
}

}  // namespace mlalert
