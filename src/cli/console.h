// Where a subcommand writes: two streams, and whether colours may go there. Everything that came from outside
// (labels, comments, errors of servers) passes Printable() first: a label must not drive the terminal.
// Made by: the Add*Command callbacks; tests make theirs over string streams. Thread: one.
#pragma once

#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"

namespace mlalert {

struct Console {
  std::ostream& out;
  std::ostream& err;
  bool color = false;
};

// Standard output and error. Colours when standard output is a terminal, NO_COLOR is unset and TERM is not
// "dumb".
Console StandardConsole();

// "mlalert: message", and the hint on a line of its own. Returns the exit code for the error.
int ReportError(Console& console, const Error& error);

// Control characters, C1 controls, bidirectional and invisible characters and bytes that are no UTF-8 become
// \n, \t, \xHH or \u{HHHH}; all else stays. One line in, one line out.
std::string Printable(std::string_view text);
// The same for text of several lines: line breaks and tabs stay.
std::string PrintableLines(std::string_view text);
// Indented, with a line break; characters that Printable() would escape are written as JSON's \uHHHH.
void PrintJson(std::ostream& out, const Json& json);

// Cells that `text` takes on a terminal: combining characters none, East Asian wide ones and emoji two.
size_t DisplayWidth(std::string_view text);
// At most `width` cells; what is cut shows as "...".
std::string Shorten(std::string_view text, size_t width);

// One character of UTF-8 at the front of `text`; size is 0 at the end. valid is false for a byte that begins
// none.
struct Utf8Char {
  uint32_t code = 0;
  size_t size = 0;
  bool valid = false;
};
Utf8Char FirstChar(std::string_view text);

}  // namespace mlalert
