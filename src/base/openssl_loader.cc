#include "base/openssl_loader.h"

#include <cstdio>
#include <cstdlib>
#include <dlfcn.h>

namespace mlalert {

namespace {

// Brings libcrypto along. The number is that of the interface that we were compiled for.
constexpr const char* kLibrary = "libssl.so.3";

struct Loaded {
  void* library = nullptr;
  std::string problem;  // empty: loaded
};

const Loaded& Library() {
  static const Loaded loaded = [] {
    Loaded out;
    out.library = ::dlopen(kLibrary, RTLD_LAZY | RTLD_LOCAL);
    if (out.library == nullptr) {
      const char* problem = ::dlerror();
      out.problem =
          std::string("OpenSSL cannot be loaded: ") + (problem != nullptr ? problem : "unknown error");
    }
    return out;
  }();
  return loaded;
}

}  // namespace

bool LoadOpenSsl(std::string* why) {
  *why = Library().problem;
  return why->empty();
}

void* OpenSslFunction(const char* name) {
  void* const found = Library().library != nullptr ? ::dlsym(Library().library, name) : nullptr;
  if (found == nullptr) {
    std::fprintf(stderr, "mlalert: OpenSSL has no %s\n", name);
    std::abort();
  }
  return found;
}

}  // namespace mlalert
