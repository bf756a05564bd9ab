#include "net/http_date.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace mlalert {

namespace {

// Reads a date from left to right; after the first mismatch every step fails.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  void Literal(std::string_view expected) {
    if (text_.substr(0, expected.size()) == expected) {
      text_.remove_prefix(expected.size());
    } else {
      ok_ = false;
    }
  }

  // Exactly `width` digits; leading blanks count as zeros when `blank_padded`.
  int Number(size_t width, bool blank_padded = false) {
    int value = 0;
    if (text_.size() < width) {
      ok_ = false;
      return 0;
    }
    for (size_t i = 0; i < width; ++i) {
      const char c = text_[i];
      if (c == ' ' && blank_padded && i + 1 < width) {
        continue;
      }
      if (c < '0' || c > '9') {
        ok_ = false;
        return 0;
      }
      value = value * 10 + (c - '0');
    }
    text_.remove_prefix(width);
    return value;
  }

  unsigned Month() {
    constexpr std::array<std::string_view, 12> kNames = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const auto it = std::find(kNames.begin(), kNames.end(), text_.substr(0, 3));
    if (it == kNames.end()) {
      ok_ = false;
      return 1;
    }
    text_.remove_prefix(3);
    return static_cast<unsigned>(it - kNames.begin()) + 1;
  }

  Duration TimeOfDay() {
    const int hours = Number(2);
    Literal(":");
    const int minutes = Number(2);
    Literal(":");
    const int seconds = Number(2);
    if (hours > 23 || minutes > 59 || seconds > 60) {
      ok_ = false;
    }
    return std::chrono::hours(hours) + std::chrono::minutes(minutes) + std::chrono::seconds(seconds);
  }

  bool Finished() const { return ok_ && text_.empty(); }

 private:
  std::string_view text_;
  bool ok_ = true;
};

}  // namespace

Result<Timestamp> ParseHttpDate(std::string_view text) {
  // The name of the day adds nothing: where it ends tells the form.
  const size_t day_end = text.find_first_of(", ");
  if (day_end == std::string_view::npos || day_end < 3) {
    return Fail(ErrorCode::kInvalid, "not an HTTP date");
  }
  Scanner in(text.substr(day_end));
  int year = 0;
  unsigned month = 0;
  int day = 0;
  Duration time{0};
  if (text[day_end] == ' ') {
    in.Literal(" ");
    month = in.Month();
    in.Literal(" ");
    day = in.Number(2, true);
    in.Literal(" ");
    time = in.TimeOfDay();
    in.Literal(" ");
    year = in.Number(4);
  } else if (day_end == 3) {
    in.Literal(", ");
    day = in.Number(2);
    in.Literal(" ");
    month = in.Month();
    in.Literal(" ");
    year = in.Number(4);
    in.Literal(" ");
    time = in.TimeOfDay();
    in.Literal(" GMT");
  } else {
    in.Literal(", ");
    day = in.Number(2);
    in.Literal("-");
    month = in.Month();
    in.Literal("-");
    year = in.Number(2);
    year += year >= 69 ? 1900 : 2000;
    in.Literal(" ");
    time = in.TimeOfDay();
    in.Literal(" GMT");
  }
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(month),
                                         std::chrono::day(static_cast<unsigned>(day))};
  // Outside of these years a Timestamp would overflow.
  if (!in.Finished() || !date.ok() || year < 1700 || year > 2250) {
    return Fail(ErrorCode::kInvalid, "not an HTTP date");
  }
  return Timestamp(std::chrono::sys_days(date)) + time;
}

std::optional<Duration> ParseRetryAfter(std::string_view value, std::string_view date, Timestamp now) {
  if (value.empty()) {
    return std::nullopt;
  }
  if (value.find_first_not_of("0123456789") == std::string_view::npos) {
    int64_t seconds = 0;
    const auto [end, ec] = std::from_chars(value.data(), value.data() + value.size(), seconds);
    if (ec != std::errc() || seconds > std::chrono::floor<std::chrono::seconds>(kRetryAfterMax).count()) {
      return kRetryAfterMax;
    }
    return std::chrono::seconds(seconds);
  }
  const Result<Timestamp> until = ParseHttpDate(value);
  if (!until) {
    return std::nullopt;
  }
  const Timestamp from = ParseHttpDate(date).value_or(now);
  if (*until <= from) {
    return Duration(0);
  }
  // Both lie within 1700-2250, so the difference fits unless `now` is a sentinel.
  return from.time_since_epoch() < Duration(0) ? kRetryAfterMax
                                               : std::min<Duration>(*until - from, kRetryAfterMax);
}

}  // namespace mlalert
