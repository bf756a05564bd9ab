// Values of number, string and duration tokens, with Go's conversion rules and error texts.
// Called by promql/parser.cc. Pure, any thread.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"

namespace mlalert::promql {

// Decimal, 0x hexadecimal, 0-prefixed octal, underscores, exponent, inf and nan in any case.
Result<double> ParseNumber(std::string_view text);

// The contents of a quoted token that the lexer has let through.
std::string Unquote(std::string_view token);

// Seconds as written in a range or offset to a duration; rounded to whole milliseconds.
Result<Duration> SecondsToDuration(double seconds);

}  // namespace mlalert::promql
