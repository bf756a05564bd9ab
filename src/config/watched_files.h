// What the files of a configuration contain, as one hash: the file itself and everything that is read once
// when it is loaded. Contents and not times: Kubernetes swaps a symbolic link, and the times of what lies
// behind it say nothing. Files that are read for each call (most `*_file` keys) do not belong to it. Thread:
// any.
#pragma once

#include <string>

namespace mlalert {

// Never fails: a file that is missing or cannot be read counts as such, and one that appears changes the
// hash.
std::string FilesFingerprint(const std::string& config_file);

}  // namespace mlalert
