// Single calls that no group stands behind, tried again while their trouble may pass: the message in Slack
// that is drawn anew after a press. Used by: api/ through the daemon. Owns: what waits for another try, and a
// thread from the first wait on. Thread: Send() from any; `done` runs on the transport's thread.
#pragma once

#include <chrono>
#include <memory>

#include "net/transport.h"

namespace mlalert {

class RetryingSender {
 public:
  struct Options {
    int attempts_max = 3;
    // After the first attempt; after the second twice as long. A Retry-After counts instead.
    Duration wait = std::chrono::seconds(1);
    // Who asks for more patience than this is not asked again: what is to be said has lost its worth then.
    Duration wait_max = std::chrono::seconds(60);
  };

  // The lane of `transport`, which outlives this.
  RetryingSender(Transport& transport, LaneId lane, Options options);
  RetryingSender(Transport& transport, LaneId lane) : RetryingSender(transport, lane, Options{}) {}
  ~RetryingSender();  // what waits is dropped
  RetryingSender(const RetryingSender&) = delete;
  RetryingSender& operator=(const RetryingSender&) = delete;

  // `done` gets the last answer, once; never after this is gone.
  void Send(HttpCall call, Transport::Done done);

 private:
  class State;
  std::shared_ptr<State> state_;
};

}  // namespace mlalert
