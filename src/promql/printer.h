// Prints a tree in Prometheus' canonical form, as /api/v1/rules shows queries.
// Read by: the rules API, the no-data check, the demo. Pure, any thread.
#pragma once

#include <string>

#include "promql/ast.h"

namespace mlalert::promql {

// One line. Parsing the result gives a tree that prints the same.
std::string Print(const Expr& expr);

// name="value", quoted as needed.
std::string Print(const LabelMatcher& matcher);

}  // namespace mlalert::promql
