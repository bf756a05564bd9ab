// Calls a function at an interval until it is told to stop: `--config.auto-reload-interval`. Owns: its
// thread, which calls. Used by: the daemon.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "base/time.h"

namespace mlalert {

class ReloadTimer {
 public:
  ReloadTimer(Duration interval, std::function<void()> look);
  // Waits for a call under way.
  ~ReloadTimer();
  ReloadTimer(const ReloadTimer&) = delete;
  ReloadTimer& operator=(const ReloadTimer&) = delete;

 private:
  void Loop(Duration interval);

  std::function<void()> look_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace mlalert
