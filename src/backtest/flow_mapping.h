// A YAML mapping in flow style that begins and ends on one line, `{alert: X, labels: {severity: P2}}`: where
// the value of a key stands, so that it can be replaced and nothing else moves. Used by: rule_patch. Thread:
// pure functions.
#pragma once

#include <optional>
#include <string_view>

namespace mlalert {

struct TextSpan {
  size_t begin = 0;
  size_t end = 0;
};

// `open`: the place of the `{`. The value without the blanks around it; nothing when the key is not there, or
// the mapping does not end on the line.
std::optional<TextSpan> FlowValue(std::string_view line, size_t open, std::string_view key);
// Behind the `}` that belongs to the `{` at `open`; nothing: not on this line.
std::optional<size_t> FlowEnd(std::string_view line, size_t open);

}  // namespace mlalert
