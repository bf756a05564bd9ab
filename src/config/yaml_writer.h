// A JSON tree as YAML text in the style of Go's yaml.v2: two spaces, lists not indented below their key,
// plain texts unless they would be read as something else. Used by: config_print. Thread: pure.
#pragma once

#include <string>

#include "base/json.h"

namespace mlalert {

// Block style but for lists of texts under the keys of time intervals, which upstream writes in one line.
std::string WriteYaml(const Json& tree);

}  // namespace mlalert
