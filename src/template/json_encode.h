// toJson: values as Go's encoding/json prints them (sorted keys, <, > and & escaped).
// Thread: pure functions.
#pragma once

#include <string>

#include "template/value.h"

namespace mlalert::tmpl {

// False when the value has no JSON form (NaN, infinities, objects without one), or when `out` grew beyond
// `limit` bytes. Durations are nanoseconds.
bool AppendJsonValue(std::string& out, const Value& v, size_t limit = std::string::npos);

}  // namespace mlalert::tmpl
