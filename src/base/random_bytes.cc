#include "base/random_bytes.h"

#include <cerrno>
#include <sys/random.h>
#include <sys/types.h>

namespace mlalert {

bool RandomBytes(std::span<unsigned char> out) {
  while (!out.empty()) {
    const ssize_t got = ::getrandom(out.data(), out.size(), 0);
    if (got < 0 && errno != EINTR) {
      return false;
    }
    out = out.subspan(got > 0 ? static_cast<size_t>(got) : 0);
  }
  return true;
}

}  // namespace mlalert
