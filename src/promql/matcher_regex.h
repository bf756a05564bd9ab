// Is this a pattern that Prometheus takes in =~ and !~? Called by promql/parser_selectors.cc. Pure, any
// thread.
#pragma once

#include <string_view>

#include "base/result.h"

namespace mlalert::promql {

// The error text is Go's: "error parsing regexp: missing closing ): `^(?:()$`".
Status CheckMatcherRegex(std::string_view pattern);

}  // namespace mlalert::promql
