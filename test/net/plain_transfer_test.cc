// What is special to repeatable calls over plain HTTP; what they share with the others is in
// http_transport_test.cc, whose cases run both ways.
#include <atomic>
#include <boost/test/unit_test.hpp>
#include <map>
#include <string>

#include "net/caller.h"
#include "net/local_server.h"

namespace mlalert {

using std::chrono::milliseconds;
using testing::Answer;
using testing::Caller;
using testing::Connection;
using testing::LocalServer;
using testing::Options;
using testing::Request;

namespace {

HttpCall Query(std::string url, std::string body = "query=up") {
  HttpCall call;
  call.method = "POST";
  call.url = std::move(url);
  call.headers = {{"Content-Type", "application/x-www-form-urlencoded"}};
  call.body = std::move(body);
  call.repeatable = true;
  return call;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(plain_transfer)

BOOST_AUTO_TEST_CASE(a_request_has_one_of_each_header) {
  LocalServer server(LocalServer::Answering([](const Request& r) { return Answer(200, r.body); }));
  Caller caller;
  HttpClientConfig config;
  config.http_headers = {{"User-Agent", {"mine"}, {}, {}}, {"X-Scope-OrgID", {}, {Secret("t")}, {}}};
  HttpCall call = Query(server.Url("/api/v1/query"));
  call.options = Options(config);
  for (const std::string body : {"a", "bc", ""}) {
    call.body = body;
    BOOST_TEST(caller.Call(call).body == body);
  }
  for (const Request& request : server.requests()) {
    std::map<std::string, int> counts;
    for (const auto& [name, value] : request.headers) {
      ++counts[name];
    }
    BOOST_TEST(counts.size() == request.headers.size());
    BOOST_TEST(request.Header("host") == "127.0.0.1:" + std::to_string(server.port()));
    BOOST_TEST(request.Header("user-agent") == "mine");
    BOOST_TEST(request.Header("x-scope-orgid") == "t");
    BOOST_TEST(request.Header("accept") == "*/*");
    BOOST_TEST(request.Header("content-length") == std::to_string(request.body.size()));
  }
  BOOST_TEST(server.connections() == 1U);
}

BOOST_AUTO_TEST_CASE(a_kept_connection_that_dies_under_the_request_is_no_error) {
  // Reads the second request of a connection and hangs up.
  std::atomic<int> cut = 0;
  LocalServer server([&](Connection& connection) {
    Request request;
    if (connection.ReadRequest(&request) && connection.Write(Answer(200, "ok")) &&
        connection.ReadRequest(&request)) {
      ++cut;
      connection.ResetOnClose();
    }
  });
  Caller caller;
  for (int i = 0; i < 4; ++i) {
    const HttpResult result = caller.Call(Query(server.Url("/")));
    BOOST_TEST(result.error == "");
    BOOST_TEST(result.body == "ok");
  }
  BOOST_TEST(cut == 3);
}

BOOST_AUTO_TEST_CASE(what_a_server_says_unasked_is_no_answer) {
  // As a server does that closes an idle connection with a 408; here it even leaves it open.
  std::atomic<bool> said = false;
  LocalServer server([&](Connection& connection) {
    Request request;
    while (connection.ReadRequest(&request) && connection.Write(Answer(200, request.body))) {
      if (!said.exchange(true)) {
        connection.Write(Answer(408, "not for you"));
      }
    }
  });
  Caller caller;
  BOOST_TEST(caller.Call(Query(server.Url("/"), "first")).body == "first");
  BOOST_TEST(caller.Call(Query(server.Url("/"), "second")).body == "second");
  BOOST_TEST(server.connections() == 2U);
}

BOOST_AUTO_TEST_CASE(an_odd_answer_is_read_by_libcurl_and_so_are_the_next) {
  // Without a length: until the end of the connection.
  std::atomic<int> asked = 0;
  LocalServer server([&](Connection& connection) {
    Request request;
    connection.ReadRequest(&request);
    ++asked;
    connection.Write("HTTP/1.1 200 OK\r\n\r\n" + request.body);
  });
  Caller caller;
  BOOST_TEST(caller.Call(Query(server.Url("/"), "a")).body == "a");
  BOOST_TEST(asked == 2);
  BOOST_TEST(caller.Call(Query(server.Url("/"), "b")).body == "b");
  BOOST_TEST(asked == 3);
}

BOOST_AUTO_TEST_CASE(what_must_not_be_sent_twice_is_sent_once_whatever_the_answer_looks_like) {
  std::atomic<int> asked = 0;
  std::string answer;
  LocalServer server([&](Connection& connection) {
    Request request;
    connection.ReadRequest(&request);
    ++asked;
    connection.Write(answer);
  });
  Caller caller;
  HttpCall call = Query(server.Url("/"), "a");
  call.repeatable = false;
  int sent = 0;
  for (const char* text : {"HTTP/1.0 200 OK\r\nServer: x\r\n\r\nbody", "HTTP/1.1 200 OK\r\n\r\nbody",
                           "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody",
                           "HTTP/1.1 200 OK\nContent-Length: 4\n\nbody"}) {
    answer = text;
    const HttpResult result = caller.Call(call);
    BOOST_TEST_CONTEXT(text) {
      BOOST_TEST(result.error == "");
      BOOST_TEST(result.status == 200);
      BOOST_TEST(result.body == "body");
      BOOST_TEST(asked == ++sent);
    }
  }
  answer = "HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 4\r\n\r\nbody";
  const HttpResult result = caller.Call(call);
  BOOST_TEST(result.error == "Post \"<redacted>\": answer could not be decompressed");
  BOOST_TEST(result.status == 200);
  BOOST_TEST(asked == ++sent);
}

BOOST_AUTO_TEST_CASE(an_odd_answer_does_not_move_the_deadline) {
  LocalServer server([](Connection& connection) {
    Request request;
    connection.ReadRequest(&request);
    connection.Pause(milliseconds(150));
    connection.Write("HTTP/1.1 103 Early\r\n\r\n");
    connection.Hang();
  });
  Caller caller;
  HttpCall call = Query(server.Url("/"));
  call.timeout = milliseconds(300);
  const HttpResult result = caller.Call(call);
  BOOST_TEST(FailureName(result.failure) == "timeout");
  BOOST_TEST(result.error.find("deadline of 300ms exceeded") != std::string::npos);
  BOOST_TEST((result.latency < milliseconds(3000)));
}

BOOST_AUTO_TEST_CASE(headers_that_frame_a_message_are_left_to_libcurl) {
  LocalServer server(LocalServer::Answering([](const Request& r) { return Answer(200, r.Header("host")); }));
  Caller caller;
  HttpCall call = Query(server.Url("/"));
  call.headers.emplace_back("Host", "other.test");
  BOOST_TEST(caller.Call(call).body == "other.test");
}

BOOST_AUTO_TEST_CASE(a_large_request_and_a_large_answer_pass) {
  LocalServer server(LocalServer::Answering([](const Request& r) { return Answer(200, r.body); }));
  Caller caller;
  HttpCall call = Query(server.Url("/"), std::string(5'000'000, 'q'));
  call.response_bytes_max = 10'000'000;
  BOOST_TEST(caller.Call(call).body.size() == 5'000'000U);
}

BOOST_AUTO_TEST_CASE(an_answer_before_the_request_was_read_is_an_answer_but_ends_the_connection) {
  LocalServer server([](Connection& connection) {
    std::string line;
    connection.ReadLine(&line);
    connection.Write(Answer(413, "too much"));
    connection.Hang();
  });
  Caller caller;
  HttpCall call = Query(server.Url("/"), std::string(30'000'000, 'q'));
  const HttpResult result = caller.Call(call);
  BOOST_TEST(result.status == 413);
  BOOST_TEST(result.body == "too much");
}

BOOST_AUTO_TEST_CASE(one_that_is_cancelled_leaves_nothing_to_the_next) {
  std::atomic<int> count = 0;
  LocalServer server([&](Connection& connection) {
    Request request;
    while (connection.ReadRequest(&request)) {
      if (count++ == 0) {
        connection.Pause(milliseconds(200));
      }
      connection.Write(Answer(200, request.body));
    }
  });
  Caller caller;
  auto first = caller.Send(Query(server.Url("/"), "first"));
  BOOST_TEST(server.WaitForRequests(1));
  caller.transport->CancelLane(caller.lane);
  BOOST_TEST(FailureName(Caller::Wait(std::move(first)).failure) == "cancelled");
  BOOST_TEST(caller.Call(Query(server.Url("/"), "second")).body == "second");
}

// Nobody listens at the first one.
BOOST_AUTO_TEST_CASE(the_second_address_of_a_name_is_tried) {
  LocalServer server(LocalServer::Answering([](const Request&) { return Answer(200, "here"); }));
  Caller caller;
  const HttpResult result = caller.Call(Query("http://two.test:" + std::to_string(server.port()) + "/"));
  BOOST_TEST(result.error == "");
  BOOST_TEST(result.body == "here");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mlalert
