// Calls that are tried again by themselves, against a transport whose answers the test gives.
#include "net/retrying_sender.h"

#include <boost/test/unit_test.hpp>
#include <condition_variable>
#include <mutex>
#include <vector>

namespace mlalert::testing {
namespace {

constexpr auto kPatience = std::chrono::seconds(20);

HttpResult Status(int status) {
  HttpResult out;
  out.status = status;
  return out;
}

HttpResult Broken(Failure failure) {
  HttpResult out;
  out.failure = failure;
  return out;
}

// Answers each call with the next of its answers, from inside Take() and so from the test's thread.
class Scripted final : public Transport {
 public:
  LaneId OpenLane(LaneOptions) override { return LaneId{7}; }
  void Send(LaneId, HttpCall call, Done done) override {
    std::lock_guard<std::mutex> lock(mutex_);
    calls_.push_back({std::move(call), std::move(done), std::chrono::steady_clock::now()});
    came_.notify_all();
  }
  void CancelLane(LaneId) override {}
  void CloseLane(LaneId) override {}
  void Shutdown() override {}

  // Waits for call `number` (from 0) and answers it.
  void Answer(size_t number, HttpResult result) {
    Done done;
    {
      std::unique_lock<std::mutex> lock(mutex_);
      BOOST_REQUIRE(came_.wait_for(lock, kPatience, [&] { return calls_.size() > number; }));
      done = calls_[number].done;
    }
    done(std::move(result));
  }
  size_t count() {
    std::lock_guard<std::mutex> lock(mutex_);
    return calls_.size();
  }
  std::string BodyOf(size_t number) {
    std::lock_guard<std::mutex> lock(mutex_);
    return calls_[number].call.body;
  }
  std::chrono::steady_clock::duration Between(size_t one, size_t other) {
    std::lock_guard<std::mutex> lock(mutex_);
    return calls_[other].at - calls_[one].at;
  }

 private:
  struct Call {
    HttpCall call;
    Done done;
    std::chrono::steady_clock::time_point at;
  };
  std::mutex mutex_;
  std::condition_variable came_;
  std::vector<Call> calls_;
};

struct Fixture {
  Scripted transport;
  std::vector<int> ends;  // statuses that `done` got
  RetryingSender sender{transport, LaneId{7}, {.wait = std::chrono::milliseconds(1)}};

  void Send() {
    HttpCall call;
    call.body = "news";
    sender.Send(std::move(call), [this](const HttpResult& result) { ends.push_back(result.status); });
  }
};

BOOST_FIXTURE_TEST_SUITE(retrying_sender, Fixture)

BOOST_AUTO_TEST_CASE(what_is_answered_is_not_asked_again) {
  for (int status : {200, 204, 302, 400, 404}) {
    Send();
    transport.Answer(transport.count() - 1, Status(status));
  }
  BOOST_TEST(ends == (std::vector<int>{200, 204, 302, 400, 404}), boost::test_tools::per_element());
  BOOST_TEST(transport.count() == 5u);
}

BOOST_AUTO_TEST_CASE(trouble_that_passes_is_waited_for) {
  Send();
  transport.Answer(0, Status(500));
  transport.Answer(1, Broken(Failure::kTimeout));
  transport.Answer(2, Status(200));
  BOOST_TEST(ends == (std::vector<int>{200}), boost::test_tools::per_element());
  BOOST_TEST(transport.BodyOf(2) == "news");
}

BOOST_AUTO_TEST_CASE(after_three_attempts_the_last_word_counts) {
  Send();
  for (size_t number = 0; number < 3; ++number) {
    transport.Answer(number, Status(503));
  }
  BOOST_TEST(ends == (std::vector<int>{503}), boost::test_tools::per_element());
  BOOST_TEST(transport.count() == 3u);
}

BOOST_AUTO_TEST_CASE(a_retry_after_is_obeyed_and_one_beyond_patience_ends_it) {
  Send();
  HttpResult slow_down = Status(429);
  slow_down.retry_after = std::chrono::milliseconds(50);
  transport.Answer(0, slow_down);
  HttpResult tomorrow = Status(429);
  tomorrow.retry_after = std::chrono::hours(24);
  transport.Answer(1, tomorrow);
  BOOST_TEST((transport.Between(0, 1) >= std::chrono::milliseconds(50)));
  BOOST_TEST(ends == (std::vector<int>{429}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(what_somebody_cancelled_is_not_wanted_any_more) {
  Send();
  transport.Answer(0, Broken(Failure::kCancelled));
  BOOST_TEST(ends.size() == 1u);
  BOOST_TEST(transport.count() == 1u);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_CASE(a_retrying_sender_that_is_gone_leaves_nothing_behind) {
  Scripted transport;
  bool called = false;
  {
    RetryingSender sender(transport, LaneId{7}, {.wait = std::chrono::seconds(50)});
    sender.Send({}, [&](const HttpResult&) { called = true; });
    sender.Send({}, [&](const HttpResult&) { called = true; });
    transport.Answer(0, Status(500));  // waits
  }
  transport.Answer(1, Status(200));
  BOOST_TEST(!called);
  BOOST_TEST(transport.count() == 2u);
}

}  // namespace
}  // namespace mlalert::testing
