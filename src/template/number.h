// Numbers as Go reads and prints them: the most visible compatibility point of templates.
// Thread: pure functions, locale-free.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace mlalert::tmpl {

// Appends what Go's strconv.FormatFloat(v, format, precision, 64) gives. Formats: e E f g G x X;
// precision -1 is the shortest text that reads back as v. Infinities are "+Inf" and "-Inf".
// Shortest g takes the exponent form below 1e-04 and from 1e+06, whatever the number of digits.
void AppendFloat(std::string& out, double v, char format, int precision);
// {{ $value }}: shortest g.
std::string FormatFloat(double v);
// "%.4g", on which all humanize functions stand.
std::string Format4g(double v);

// strconv.ParseFloat as the rule functions use it: decimal, exponent, underscores between digits, inf,
// infinity, nan in any case. Errors: `strconv.ParseFloat: parsing "x": invalid syntax` (or "value out of
// range").
Result<double> ParseGoFloat(std::string_view text);

// A number of the template language, Go's rules for constants.
struct Literal {
  bool is_int = false;  // may stand for an int: also 1e3
  bool is_float = false;
  bool prints_float = false;  // as an untyped value it is a float64
  bool is_complex = false;    // and nothing else: its imaginary part is not zero
  bool too_large = false;     // an unsigned integer above int64: no value, but a float
  int64_t integer = 0;
  double real = 0;
  double imaginary = 0;
};
// nullopt: not a number. `overflow` is set when the text is an integer that fits no type.
std::optional<Literal> ParseLiteral(std::string_view text, bool& overflow);

}  // namespace mlalert::tmpl
