// Tells a config file from a rule file by its root keys, so that `check` takes either without being told.
// Used by: cli/. Thread: pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "config/diagnostics.h"

namespace mlalert {

enum class FileKind : uint8_t { kConfig, kRules, kUnknown };

// kUnknown comes with an error in `out`: the text is no YAML, or has keys of neither kind or of both.
FileKind DetectFileKind(std::string_view text, const std::string& file, Diagnostics& out);

}  // namespace mlalert
