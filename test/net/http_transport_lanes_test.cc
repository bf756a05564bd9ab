// Lanes, queues, cancellation and shutdown of HttpTransport.
#include <array>
#include <atomic>
#include <boost/test/unit_test.hpp>
#include <thread>
#include <vector>

#include "net/caller.h"
#include "net/fake_names.h"
#include "net/local_server.h"

namespace mlalert {

using std::chrono::milliseconds;
using testing::Answer;
using testing::Caller;
using testing::Connection;
using testing::LocalServer;
using testing::Request;

namespace {

constexpr Duration kLong = std::chrono::seconds(60);

LocalServer::Script Hanging() {
  return [](Connection& connection) {
    Request request;
    connection.ReadRequest(&request);
    connection.Hang();
  };
}

size_t Index(Failure failure) {
  return static_cast<size_t>(failure);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(lanes)

ON_BOTH_WAYS(one_that_hangs_delays_no_other) {
  LocalServer hung(Hanging());
  LocalServer healthy(LocalServer::Answering([](const Request&) { return Answer(200); }));
  Caller caller;
  const LaneId slow = caller.transport->OpenLane({.name = "slow", .calls_in_flight_max = 2});
  std::vector<std::future<HttpResult>> stuck;
  for (int i = 0; i < 50; ++i) {
    stuck.push_back(caller.Send({.url = hung.Url("/"), .timeout = kLong}, slow));
  }
  BOOST_REQUIRE(hung.WaitForRequests(2));
  for (int i = 0; i < 20; ++i) {
    const HttpResult result = caller.Get(healthy.Url("/"));
    BOOST_TEST(result.status == 200);
    BOOST_TEST((result.latency + result.queued < std::chrono::seconds(5)));
  }
  const auto stats = caller.transport->Stats();
  BOOST_REQUIRE(stats.size() == 2U);
  BOOST_TEST(stats[1].name == "slow");
  BOOST_TEST(stats[1].in_flight == 2U);
  BOOST_TEST(stats[1].queued == 48U);
  BOOST_TEST(stats[0].sent_total == 20U);
  BOOST_TEST(stats[0].results_total[Index(Failure::kNone)] == 20U);
  BOOST_TEST(hung.requests().size() == 2U);
}

ON_BOTH_WAYS(a_resolver_that_hangs_delays_neither_the_deadline_nor_another_lane) {
  LocalServer healthy(LocalServer::Answering([](const Request&) { return Answer(200); }));
  {
    Caller caller;
    const LaneId slow = caller.transport->OpenLane({.name = "slow"});
    auto stuck = caller.Send({.url = "http://slow.test/", .timeout = milliseconds(150)}, slow);
    auto cancelled = caller.Send({.url = "http://slow.test/", .timeout = kLong}, slow);
    BOOST_REQUIRE(testing::WaitForSlowLookups(2));
    const HttpResult result = Caller::Wait(std::move(stuck));
    BOOST_TEST(FailureName(result.failure) == "timeout");
    BOOST_TEST(result.error ==
               "Get \"<redacted>\": deadline of 150ms exceeded while resolving the host name");
    BOOST_TEST(caller.Get(healthy.Url("/")).status == 200);
    caller.transport->Shutdown();
    BOOST_TEST(FailureName(Caller::Wait(std::move(cancelled)).failure) == "cancelled");
  }
  // The transport is gone, its look-ups still hang: they must end without it.
  testing::ReleaseSlowNames();
  BOOST_TEST(testing::WaitForNoSlowLookups());
}

ON_BOTH_WAYS(run_their_calls_in_order_and_no_more_at_once_than_allowed) {
  std::atomic<int> now_running = 0;
  std::atomic<int> most_running = 0;
  LocalServer server([&](Connection& connection) {
    Request request;
    while (connection.ReadRequest(&request)) {
      const int running = ++now_running;
      int most = most_running;
      while (running > most && !most_running.compare_exchange_weak(most, running)) {
      }
      --now_running;
      connection.Write(Answer(200));
    }
  });
  Caller caller;
  const LaneId one = caller.transport->OpenLane({.name = "one", .calls_in_flight_max = 1});
  std::vector<std::future<HttpResult>> results;
  for (int i = 0; i < 50; ++i) {
    results.push_back(caller.Send({.url = server.Url("/" + std::to_string(i))}, one));
  }
  for (auto& result : results) {
    BOOST_TEST(Caller::Wait(std::move(result)).status == 200);
  }
  BOOST_TEST(most_running == 1);
  const auto requests = server.requests();
  BOOST_REQUIRE(requests.size() == 50U);
  for (size_t i = 0; i < requests.size(); ++i) {
    BOOST_TEST(requests[i].target == "/" + std::to_string(i));
  }
}

ON_BOTH_WAYS(refuse_what_does_not_fit_the_queue) {
  LocalServer hung(Hanging());
  Caller caller;
  const LaneId lane = caller.transport->OpenLane({.name = "x", .calls_in_flight_max = 1, .queue_max = 2});
  std::vector<std::future<HttpResult>> waiting;
  for (int i = 0; i < 3; ++i) {
    waiting.push_back(caller.Send({.url = hung.Url("/"), .timeout = kLong}, lane));
  }
  const HttpResult refused = Caller::Wait(caller.Send({.url = hung.Url("/")}, lane));
  BOOST_TEST(FailureName(refused.failure) == "queue_full");
  BOOST_TEST(caller.transport->Stats().at(1).refused_total == 1U);
  caller.transport->CancelLane(lane);
  for (auto& result : waiting) {
    BOOST_TEST(FailureName(Caller::Wait(std::move(result)).failure) == "cancelled");
  }
}

ON_BOTH_WAYS(count_queue_time_apart_from_the_deadline) {
  // The first request is answered late, so that the second waits longer than its own deadline.
  LocalServer server([](Connection& connection) {
    Request request;
    while (connection.ReadRequest(&request)) {
      if (request.target == "/late") {
        connection.Pause(milliseconds(400));
      }
      connection.Write(Answer(200));
    }
  });
  Caller caller;
  const LaneId lane = caller.transport->OpenLane({.name = "x", .calls_in_flight_max = 1});
  auto first = caller.Send({.url = server.Url("/late"), .timeout = kLong}, lane);
  auto second = caller.Send({.url = server.Url("/"), .timeout = milliseconds(300)}, lane);
  BOOST_TEST(Caller::Wait(std::move(first)).status == 200);
  const HttpResult result = Caller::Wait(std::move(second));
  BOOST_TEST(result.status == 200);
  BOOST_TEST((result.queued > milliseconds(300)));
}

ON_BOTH_WAYS(cancel_only_what_was_sent_before) {
  LocalServer hung(Hanging());
  LocalServer healthy(LocalServer::Answering([](const Request&) { return Answer(200); }));
  Caller caller;
  const LaneId lane = caller.transport->OpenLane({.name = "x", .calls_in_flight_max = 1});
  const LaneId bystander = caller.transport->OpenLane({.name = "y", .calls_in_flight_max = 1});
  auto flying = caller.Send({.url = hung.Url("/"), .timeout = kLong}, lane);
  auto other = caller.Send({.url = hung.Url("/"), .timeout = kLong}, bystander);
  BOOST_REQUIRE(hung.WaitForRequests(2));
  auto queued = caller.Send({.url = hung.Url("/"), .timeout = kLong}, lane);
  caller.transport->CancelLane(lane);
  auto later = caller.Send({.url = healthy.Url("/")}, lane);
  const HttpResult result = Caller::Wait(std::move(flying));
  BOOST_TEST(FailureName(result.failure) == "cancelled");
  BOOST_TEST(result.error == "Get \"<redacted>\": call cancelled");
  BOOST_TEST(FailureName(Caller::Wait(std::move(queued)).failure) == "cancelled");
  BOOST_TEST(Caller::Wait(std::move(later)).status == 200);
  BOOST_TEST((other.wait_for(milliseconds(0)) == std::future_status::timeout));
}

ON_BOTH_WAYS(take_no_calls_once_closed) {
  LocalServer hung(Hanging());
  Caller caller;
  const LaneId lane = caller.transport->OpenLane({.name = "x"});
  auto flying = caller.Send({.url = hung.Url("/"), .timeout = kLong}, lane);
  BOOST_REQUIRE(hung.WaitForRequests(1));
  caller.transport->CloseLane(lane);
  BOOST_TEST(FailureName(Caller::Wait(std::move(flying)).failure) == "cancelled");
  const HttpResult late = Caller::Wait(caller.Send({.url = hung.Url("/")}, lane));
  BOOST_TEST(FailureName(late.failure) == "cancelled");
  BOOST_TEST(late.error == "lane is closed");
  BOOST_TEST(caller.transport->Stats().size() == 1U);
  BOOST_TEST(FailureName(Caller::Wait(caller.Send({.url = hung.Url("/")}, LaneId{999})).failure) ==
             "cancelled");
  caller.transport->CloseLane(lane);
  caller.transport->CancelLane(LaneId{999});
}

ON_BOTH_WAYS(stop_trusting_connections_after_a_timeout) {
  // The second request on a connection is never answered, as when the path has died under it.
  LocalServer server([](Connection& connection) {
    Request request;
    connection.ReadRequest(&request);
    connection.Write(Answer(200));
    connection.ReadRequest(&request);
    connection.Hang();
  });
  Caller caller;
  BOOST_TEST(caller.Get(server.Url("/")).status == 200);
  BOOST_TEST(FailureName(caller.Call({.url = server.Url("/"), .timeout = milliseconds(100)}).failure) ==
             "timeout");
  BOOST_TEST(caller.Call({.url = server.Url("/")}).status == 200);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(shutdown)

ON_BOTH_WAYS(completes_everything_and_then_calls_nobody) {
  LocalServer hung(Hanging());
  std::array<std::atomic<int>, kFailureKinds> counts{};
  std::atomic<bool> returned = false;
  std::atomic<int> late = 0;
  Caller caller;
  const auto count = [&](HttpResult result) {
    ++counts[static_cast<size_t>(result.failure)];
    late += returned ? 1 : 0;
  };
  for (int i = 0; i < 10; ++i) {
    caller.transport->Send(caller.lane, {.url = hung.Url("/"), .timeout = kLong}, count);
  }
  BOOST_REQUIRE(hung.WaitForRequests(4));
  caller.transport->Shutdown();
  returned = true;
  BOOST_TEST(counts[Index(Failure::kCancelled)] == 10);
  caller.transport->Send(caller.lane, {.url = hung.Url("/")}, count);
  caller.transport->CancelLane(caller.lane);
  caller.transport->CloseLane(caller.lane);
  caller.transport->Shutdown();
  BOOST_TEST(late == 0);
}

ON_BOTH_WAYS(a_result_may_send_the_next_call) {
  LocalServer server(LocalServer::Answering([](const Request&) { return Answer(200); }));
  Caller caller;
  std::promise<void> finished;
  int left = 20;
  std::function<void(HttpResult)> next = [&](HttpResult) {
    if (--left == 0) {
      finished.set_value();
      return;
    }
    caller.transport->Send(caller.lane, {.url = server.Url("/")}, next);
  };
  caller.transport->Send(caller.lane, {.url = server.Url("/")}, next);
  auto done = finished.get_future();
  BOOST_TEST((done.wait_for(std::chrono::seconds(20)) == std::future_status::ready));
  caller.transport->Shutdown();
}

ON_BOTH_WAYS(races_with_senders_without_losing_or_repeating_a_result) {
  LocalServer server(LocalServer::Answering([](const Request&) { return Answer(200); }));
  for (int round = 0; round < 10; ++round) {
    Caller caller;
    std::atomic<int> results = 0;
    std::vector<std::thread> senders;
    for (int t = 0; t < 4; ++t) {
      senders.emplace_back([&] {
        for (int i = 0; i < 50; ++i) {
          caller.transport->Send(caller.lane, {.url = server.Url("/")}, [&](HttpResult) { ++results; });
          if (i == 25) {
            caller.transport->CancelLane(caller.lane);
          }
        }
      });
    }
    if (round % 2 == 0) {
      caller.transport->Shutdown();
      for (std::thread& sender : senders) {
        sender.join();
      }
      BOOST_TEST(results <= 200);
    } else {
      for (std::thread& sender : senders) {
        sender.join();
      }
      caller.transport->Shutdown();
      BOOST_TEST(results == 200);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mlalert
