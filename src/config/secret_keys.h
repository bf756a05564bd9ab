// Which keys of a config file hold secrets: by name, generously, so that a mistyped or misplaced key is
// hidden too. Used by: yaml_document.cc to hide their values in printed source lines. Thread: pure.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace mlalert {

// `parents`: the keys above, outermost first. `value`: the scalar, empty for a list or map.
bool IsSecretKey(std::string_view key, std::span<const std::string> parents, std::string_view value);

// For lines that could not be parsed: true when the line seems to assign a secret.
bool LooksLikeSecretLine(std::string_view line);

}  // namespace mlalert
