// What notify/ asks of the file system: secrets kept in *_file keys and the user's template files.
// A seam: tests give their own. Read anew for every notification, so that rotated keys work without a reload.
// Thread: the functions are called from several threads at once.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/result.h"

namespace mlalert {

inline constexpr size_t kKeyFileBytesMax = size_t{64} << 10;
inline constexpr size_t kTemplateFileBytesMax = size_t{4} << 20;

struct FileAccess {
  // The text of a file of at most `bytes_max` bytes. Errors name the path, never the content.
  std::function<Result<std::string>(const std::string& path, size_t bytes_max)> read;
  // Files named by a shell pattern, sorted.
  std::function<std::vector<std::string>(const std::string& pattern)> expand;
};

FileAccess RealFiles();

}  // namespace mlalert
