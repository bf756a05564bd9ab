// Random bytes from the kernel, for keys and identities. OpenSSL's generator would load its whole provider
// for 32 bytes. Thread: any.
#pragma once

#include <span>

namespace mlalert {

// False: the system gives none.
[[nodiscard]] bool RandomBytes(std::span<unsigned char> out);

}  // namespace mlalert
