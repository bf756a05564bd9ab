// JSON whose objects keep members of equal keys, in their order: for those who must read a text as Go's
// decoder does, which looks at each of them. Thread: pure function.
#pragma once

#include <string_view>

#include "base/json.h"

namespace mlalert {

Result<Json> ParseJsonWithEqualKeys(std::string_view text, const JsonLimits& limits = {});

}  // namespace mlalert
