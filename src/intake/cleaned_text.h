// What people wrote elsewhere, as it may stand in a record. Thread: pure function.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace mlalert {

// At most so many bytes, whole characters, control characters as spaces; `lines`: ends of lines may stay.
std::string CleanedText(std::string_view text, size_t bytes_max, bool lines = false);

}  // namespace mlalert
