// The second half of parsing: does every operator and function get what it can work with?
// Called by promql/parser.cc on a syntactically sound tree; finishes it too (vector matching exists only
// between vectors, set operators are many-to-many). Pure, any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "promql/ast.h"

namespace mlalert::promql {

struct TypeError {
  size_t pos = 0;  // byte in the text
  std::string message;
};

// The first error in Prometheus' order of checking; none when the tree is sound. `text` is what was parsed.
std::optional<TypeError> CheckTypes(Expr& expr, std::string_view text);

}  // namespace mlalert::promql
