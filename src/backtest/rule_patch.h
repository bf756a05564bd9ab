// One change of one rule as a unified diff of its file, as a person would have typed it: nothing else of the
// file moves. Thread: pure functions.
#pragma once

#include <string>
#include <string_view>

namespace mlalert {

// `field`: for | keep_firing_for | severity | delete. Empty when the rule cannot be found or is written in a
// way that a line cannot be changed in (flow style over several lines, aliases).
std::string RulePatch(const std::string& file, std::string_view text, std::string_view rule,
                      std::string_view field, std::string_view value);

}  // namespace mlalert
