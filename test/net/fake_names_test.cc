#include "net/fake_names.h"

#include <chrono>
#include <condition_variable>
#include <dlfcn.h>
#include <mutex>
#include <netdb.h>
#include <string_view>

namespace mlalert::testing {

namespace {

struct SlowNames {
  std::mutex mutex;
  std::condition_variable changed;
  size_t hanging = 0;
  bool released = false;
};

SlowNames& Slow() {
  // Never destroyed: a resolver thread may outlive main().
  static auto* const slow = new SlowNames;
  return *slow;
}

}  // namespace

void ReleaseSlowNames() {
  const std::lock_guard lock(Slow().mutex);
  Slow().released = true;
  Slow().changed.notify_all();
}

bool WaitForSlowLookups(size_t count) {
  std::unique_lock lock(Slow().mutex);
  return Slow().changed.wait_for(lock, std::chrono::seconds(10), [&] { return Slow().hanging >= count; });
}

bool WaitForNoSlowLookups() {
  std::unique_lock lock(Slow().mutex);
  const bool done =
      Slow().changed.wait_for(lock, std::chrono::seconds(10), [&] { return Slow().hanging == 0; });
  Slow().released = false;
  return done;
}

void HangHere() {
  std::unique_lock lock(Slow().mutex);
  ++Slow().hanging;
  Slow().changed.notify_all();
  Slow().changed.wait(lock, [] { return Slow().released; });
  --Slow().hanging;
  Slow().changed.notify_all();
}

}  // namespace mlalert::testing

extern "C" int getaddrinfo(const char* node, const char* service, const addrinfo* hints, addrinfo** result) {
  const std::string_view name = node == nullptr ? "" : node;
  if (name == "slow.test") {
    mlalert::testing::HangHere();
    return EAI_NONAME;
  }
  if (!name.ends_with(".local.test") && name != "two.test") {
    return EAI_NONAME;
  }
  using Real = int (*)(const char*, const char*, const addrinfo*, addrinfo**);
  static const auto real = reinterpret_cast<Real>(::dlsym(RTLD_NEXT, "getaddrinfo"));
  if (name == "two.test") {
    addrinfo* second = nullptr;
    if (real("127.0.0.1", service, hints, &second) != 0) {
      return EAI_NONAME;
    }
    const int failed = real("127.0.0.2", service, hints, result);
    if (failed == 0) {
      (*result)->ai_next = second;
    }
    return failed;
  }
  return real("127.0.0.1", service, hints, result);
}
