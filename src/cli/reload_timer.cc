#include "cli/reload_timer.h"

#include <utility>

namespace mlalert {

ReloadTimer::ReloadTimer(Duration interval, std::function<void()> look)
    : look_(std::move(look)), thread_([this, interval] { Loop(interval); }) {}

ReloadTimer::~ReloadTimer() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void ReloadTimer::Loop(Duration interval) {
  for (;;) {
    {
      std::unique_lock<std::mutex> lock(mutex_);
      if (wake_.wait_for(lock, interval, [this] { return stopping_; })) {
        return;
      }
    }
    look_();
  }
}

}  // namespace mlalert
