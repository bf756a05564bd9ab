#include "config/file_io.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <glob.h>

namespace mlalert {

Result<std::string> ReadSmallFile(const std::string& path, size_t bytes_max) {
  std::error_code ec;
  if (std::filesystem::is_directory(path, ec)) {
    return Fail(ErrorCode::kIo, fmt::format("read {}: is a directory", path));
  }
  errno = 0;
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    ErrorCode code = errno == ENOENT ? ErrorCode::kNotFound : ErrorCode::kIo;
    return Fail(code, fmt::format("open {}: {}", path, std::generic_category().message(errno)));
  }
  std::string text;
  char chunk[64 * 1024];
  while (in.read(chunk, sizeof chunk) || in.gcount() > 0) {
    text.append(chunk, static_cast<size_t>(in.gcount()));
    if (text.size() > bytes_max) {
      return Fail(ErrorCode::kLimit, fmt::format("{} is larger than {} bytes", path, bytes_max));
    }
  }
  if (in.bad()) {
    return Fail(ErrorCode::kIo, fmt::format("read {}: {}", path, std::generic_category().message(errno)));
  }
  return text;
}

bool HasWildcard(std::string_view pattern) {
  return pattern.find_first_of("*?[") != std::string_view::npos;
}

std::vector<std::string> ExpandGlob(const std::string& pattern) {
  if (!HasWildcard(pattern)) {
    return {pattern};
  }
  glob_t found{};
  std::vector<std::string> out;
  if (glob(pattern.c_str(), GLOB_ERR, nullptr, &found) == 0) {
    out.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  }
  globfree(&found);
  return out;
}

std::string JoinDirectory(const std::string& directory, const std::string& path) {
  if (path.empty() || path.front() == '/' || directory.empty()) {
    return path;
  }
  return (std::filesystem::path(directory) / path).lexically_normal().string();
}

std::string DirectoryOf(const std::string& path) {
  return std::filesystem::path(path).parent_path().string();
}

}  // namespace mlalert
