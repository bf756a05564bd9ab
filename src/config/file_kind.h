// Tells config, rule and web config files apart by their root keys, so that `check` takes any of them untold.
// Used by: cli/. Thread: pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "config/diagnostics.h"

namespace mlalert {

enum class FileKind : uint8_t { kConfig, kRules, kWeb, kUnknown };

// kUnknown comes with an error in `out`: the text is no YAML, or has keys of neither kind or of both.
FileKind DetectFileKind(std::string_view text, const std::string& file, Diagnostics& out);

}  // namespace mlalert
