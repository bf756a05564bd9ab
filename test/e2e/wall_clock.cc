// Moves the wall clock of the process that preloads it (LD_PRELOAD), so that a night passes at once in a test
// of the real binary. MLALERT_TEST_CLOCK names a file of 8 bytes: nanoseconds ahead of the real time, changed
// at any moment. The monotonic clock stays, and with it timeouts and naps.
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

namespace {

constexpr int64_t kSecond = 1'000'000'000;

const volatile int64_t* MapAhead() {
  const char* path = std::getenv("MLALERT_TEST_CLOCK");
  const int file = path != nullptr ? ::open(path, O_RDONLY | O_CLOEXEC) : -1;
  void* memory = file >= 0 ? ::mmap(nullptr, sizeof(int64_t), PROT_READ, MAP_SHARED, file, 0) : MAP_FAILED;
  if (memory == MAP_FAILED) {
    std::abort();  // a test at the wrong time proves nothing
  }
  ::close(file);
  return static_cast<const volatile int64_t*>(memory);
}

}  // namespace

extern "C" {

int clock_gettime(clockid_t clock, timespec* out) noexcept {
  static const volatile int64_t* ahead = MapAhead();
  const auto result = static_cast<int>(::syscall(SYS_clock_gettime, clock, out));
  if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
    const int64_t at = out->tv_sec * kSecond + out->tv_nsec + *ahead;
    out->tv_sec = at / kSecond;
    out->tv_nsec = at % kSecond;
  }
  return result;
}

time_t time(time_t* out) noexcept {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  if (out != nullptr) {
    *out = now.tv_sec;
  }
  return now.tv_sec;
}

int gettimeofday(timeval* out, void* /*zone*/) noexcept {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  out->tv_sec = now.tv_sec;
  out->tv_usec = now.tv_nsec / 1000;
  return 0;
}

}  // extern "C"
