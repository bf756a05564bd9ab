// Patterns whose groups are wanted, anchored as Prometheus anchors relabeling: ^(?s:pattern)$, where "." also
// matches a newline. Used by: model/relabel. Pure.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace re2 {
class RE2;
}

namespace mlalert {

// Errors as Regex::CompileAnchored.
Result<std::shared_ptr<const re2::RE2>> CompileWithGroups(std::string_view pattern);

// `groups` receives the whole match and then each group; views into `text`.
bool MatchGroups(const re2::RE2& re, std::string_view text, std::vector<std::string_view>& groups);

// Go's regexp.Expand: $name takes the longest name, $$ is a dollar, what is no name stays; a group that is
// not there is empty.
std::string ExpandGroups(const re2::RE2& re, const std::vector<std::string_view>& groups,
                         std::string_view replacement);

}  // namespace mlalert
