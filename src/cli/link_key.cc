#include "cli/link_key.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/rand.h>
#include <unistd.h>

#include "config/file_io.h"

namespace mlalert {
namespace {

constexpr size_t kKeyFileBytesMax = 4096;
constexpr size_t kKeyBytesMin = 16;

Result<std::string> ReadKey(const std::string& path) {
  MLALERT_ASSIGN(std::string text, ReadSmallFile(path, kKeyFileBytesMax));
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) {
    text.pop_back();
  }
  if (text.size() < kKeyBytesMin) {
    return Fail(Error{ErrorCode::kCorrupt,
                      fmt::format("{} holds no key", path),
                      {},
                      "delete it: a new one is made, and links that were sent before become invalid"});
  }
  return text;
}

Status WriteNew(const std::string& path, const std::string& text) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file < 0) {
    return Fail(errno == EEXIST ? ErrorCode::kConflict : ErrorCode::kIo,
                fmt::format("cannot create {}: {}", path, std::strerror(errno)));
  }
  const bool written =
      ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size()) && ::fsync(file) == 0;
  ::close(file);
  if (!written) {
    ::unlink(path.c_str());
    return Fail(ErrorCode::kIo, fmt::format("cannot write {}", path));
  }
  return {};
}

}  // namespace

Result<std::string> ReadOrMakeLinkKey(const std::string& path) {
  if (::access(path.c_str(), F_OK) == 0) {
    return ReadKey(path);
  }
  std::array<unsigned char, 32> bytes{};
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) {
    return Fail(ErrorCode::kInternal, "the system gives no random numbers");
  }
  std::string key;
  for (unsigned char byte : bytes) {
    key += fmt::format("{:02x}", byte);
  }
  MLALERT_TRY(WriteNew(path, key + "\n"));
  return key;
}

}  // namespace mlalert
