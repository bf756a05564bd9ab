// Go's fmt package for template values: %v, Sprint, Sprintln and Sprintf with all verbs and flags.
// Errors in a format are printed in place ("%!d(string=x)"), never fatal, as in Go.
// Thread: pure functions.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "template/value.h"

namespace mlalert::tmpl {

// Appends %v. Stops (the text is cut) soon after `out` has grown beyond `limit` bytes.
void AppendValue(std::string& out, const Value& v, size_t limit = std::string::npos);

// Spaces between operands when neither is a string.
std::string Sprint(std::span<const Value> args, size_t limit);
// Spaces between all operands, newline at the end.
std::string Sprintln(std::span<const Value> args, size_t limit);
// Width and precision above one million are refused as in Go.
std::string Sprintf(std::string_view format, std::span<const Value> args, size_t limit);

}  // namespace mlalert::tmpl
