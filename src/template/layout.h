// Go's reference-time layouts ("Mon Jan 2 15:04:05 MST 2006") cut into literals and elements.
// Read by: go_time (format) and time_parse.
// Thread: pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "template/value.h"

namespace mlalert::tmpl {

enum class LayoutToken : uint8_t {
  kNone,
  kLongMonth,     // January
  kMonth,         // Jan
  kNumMonth,      // 1
  kZeroMonth,     // 01
  kLongWeekday,   // Monday
  kWeekday,       // Mon
  kDay,           // 2
  kUnderDay,      // _2
  kZeroDay,       // 02
  kUnderYearDay,  // __2
  kZeroYearDay,   // 002
  kHour,          // 15
  kHour12,        // 3
  kZeroHour12,    // 03
  kMinute,        // 4
  kZeroMinute,    // 04
  kSecond,        // 5
  kZeroSecond,    // 05
  kLongYear,      // 2006
  kYear,          // 06
  kPM,
  kpm,
  kZone,  // MST
  kZ07,
  kZ0700,
  kZ07Colon00,
  kNum07,  // -07
  kNum0700,
  kNum07Colon00,
  kFraction0,  // .000: digits kept
  kFraction9,  // .999: trailing zeros cut
};

struct LayoutPiece {
  std::string_view literal;                // stands before the element
  LayoutToken token = LayoutToken::kNone;  // kNone: the layout ends here
  size_t digits = 0;                       // of fractions
  char separator = '.';                    // of fractions: . or ,
  std::string_view text;                   // the element as written
  std::string_view rest;
};

LayoutPiece NextLayoutPiece(std::string_view layout);

// A time taken apart in its zone.
struct Civil {
  int year = 1, month = 1, day = 1, hour = 0, minute = 0, second = 0;
  int weekday = 0;  // 0 is Sunday
  int year_day = 1;
  int64_t nanosecond = 0;
  int64_t offset_seconds = 0;
  std::string zone_name;
};

Civil ToCivil(const Time& t);

}  // namespace mlalert::tmpl
