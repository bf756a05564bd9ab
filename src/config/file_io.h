// The two things loading needs of the file system: a file's text within a limit, and the files a glob names.
// Thread: any.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace mlalert {

// Refuses files larger than bytes_max (kLimit), directories and what cannot be read (kIo, kNotFound).
Result<std::string> ReadSmallFile(const std::string& path, size_t bytes_max);
// Shell patterns (* ? [..]); sorted; nothing when nothing matches. A pattern without wildcards is returned as
// it is, so that a missing file can be told apart from a pattern that matches none.
std::vector<std::string> ExpandGlob(const std::string& pattern);
bool HasWildcard(std::string_view pattern);
// `path` seen from `directory`, unless it is absolute or empty.
std::string JoinDirectory(const std::string& directory, const std::string& path);
std::string DirectoryOf(const std::string& path);

}  // namespace mlalert
