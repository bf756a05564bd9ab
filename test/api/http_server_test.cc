#include "api/http_server.h"

#include <boost/test/unit_test.hpp>
#include <future>
#include <mutex>
#include <string>
#include <vector>

#include "api/http_error.h"
#include "api/http_raw_client.h"
#include "api/http_test_server.h"

namespace mlalert::testing {

BOOST_AUTO_TEST_SUITE(http_server)

BOOST_AUTO_TEST_CASE(answers_get_with_status_date_length_and_body) {
  auto server = StartServer();
  RawClient client(server->port());
  RawReply reply = client.Ask(GetOf("/hello"));
  BOOST_TEST(reply.status == 200);
  BOOST_TEST(reply.head.starts_with("HTTP/1.1 200 OK\r\n"));
  BOOST_TEST(reply.Header("Content-Type") == "text/plain");
  BOOST_TEST(reply.Header("Content-Length") == "5");
  BOOST_TEST(reply.Header("Date").ends_with(" GMT"));
  BOOST_TEST(reply.Header("Connection") == "");
  BOOST_TEST(reply.body == "hello");
}

BOOST_AUTO_TEST_CASE(keeps_a_connection_for_many_requests) {
  auto server = StartServer();
  RawClient client(server->port());
  int good = 0;
  for (int i = 0; i < 500; ++i) {
    std::string body(static_cast<size_t>(i) * 37, static_cast<char>('a' + i % 26));
    good += client.Ask(PostOf(body)).body == body ? 1 : 0;
  }
  BOOST_TEST(good == 500);
  BOOST_TEST(server->counters().connections_accepted == 1u);
  BOOST_TEST(server->counters().requests == 500u);
  BOOST_TEST(server->counters().by_class[2] == 500u);
}

BOOST_AUTO_TEST_CASE(answers_pipelined_requests_in_order) {
  auto server = StartServer();
  RawClient client(server->port());
  std::string all;
  for (int i = 0; i < 100; ++i) {
    all += GetOf("/items/" + std::to_string(i));
    all += PostOf("body" + std::to_string(i));
    all += "POST /echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
  }
  client.Send(all);
  int good = 0;
  for (int i = 0; i < 100; ++i) {
    good += client.Read().body == std::to_string(i) ? 1 : 0;
    good += client.Read().body == "body" + std::to_string(i) ? 1 : 0;
    good += client.Read().body == "abc" ? 1 : 0;
  }
  BOOST_TEST(good == 300);
}

BOOST_AUTO_TEST_CASE(reads_a_request_alike_however_it_is_cut) {
  auto server = StartServer();
  const std::string plain = PostOf("0123456789");
  const std::string chunked =
      "POST /echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n"
      "4;x=y\r\n0123\r\n6\r\n456789\r\n0\r\nTrailer: t\r\n\r\n";
  RawClient client(server->port());
  for (const std::string& text : {plain, chunked}) {
    int good = 0;
    for (size_t cut = 1; cut < text.size(); ++cut) {
      client.Send(std::string_view(text).substr(0, cut));
      good += client.Ask(std::string_view(text).substr(cut)).body == "0123456789" ? 1 : 0;
    }
    BOOST_TEST(good == static_cast<int>(text.size()) - 1);
    for (char c : text) {
      client.Send(std::string_view(&c, 1));
    }
    BOOST_TEST(client.Read().body == "0123456789");
  }
}

BOOST_AUTO_TEST_CASE(decodes_path_segments_and_repeated_query_parameters) {
  auto server = StartServer();
  RawClient client(server->port());
  BOOST_TEST(client.Ask(GetOf("/items/a%2Fb%20c?filter=x%3D%221%22&other=1&filter=a+b")).body ==
             "a/b c|x=\"1\"|a b");
  BOOST_TEST(client.Ask(GetOf("/items/x/")).body == "x");
  BOOST_TEST(client.Ask(GetOf("http://elsewhere:80/items/y?filter=z")).body == "y|z");
}

BOOST_AUTO_TEST_CASE(answers_404_405_head_and_options) {
  auto server = StartServer();
  RawClient client(server->port());
  BOOST_TEST(client.Ask(GetOf("/nowhere")).status == 404);
  RawReply reply = client.Ask("DELETE /hello HTTP/1.1\r\nHost: t\r\n\r\n");
  BOOST_TEST(reply.status == 405);
  BOOST_TEST(reply.Header("Allow") == "GET, HEAD, OPTIONS");
  reply = client.Ask("OPTIONS /echo HTTP/1.1\r\nHost: t\r\n\r\n");
  BOOST_TEST(reply.status == 204);
  BOOST_TEST(reply.Header("Allow") == "POST, OPTIONS");
  BOOST_TEST(reply.Header("Content-Length") == "");
  BOOST_TEST(client.Ask("OPTIONS * HTTP/1.1\r\nHost: t\r\n\r\n").status == 204);
  client.Send("HEAD /hello HTTP/1.1\r\nHost: t\r\n\r\n");
  reply = client.Read(true);
  BOOST_TEST(reply.status == 200);
  BOOST_TEST(reply.Header("Content-Length") == "5");
  BOOST_TEST(client.Ask(GetOf("/hello")).body == "hello");
}

BOOST_AUTO_TEST_CASE(redirects_double_slashes_to_the_clean_path) {
  auto server = StartServer();
  RawClient client(server->port());
  RawReply reply = client.Ask(GetOf("//items///x?a=b"));
  BOOST_TEST(reply.status == 301);
  BOOST_TEST(reply.Header("Location") == "/items/x?a=b");
}

BOOST_AUTO_TEST_CASE(serves_only_below_the_route_prefix) {
  HttpServerOptions options = TestOptions();
  options.route_prefix = "am/";
  auto server = StartServer(std::move(options));
  RawClient client(server->port());
  BOOST_TEST(client.Ask(GetOf("/am/hello")).body == "hello");
  BOOST_TEST(client.Ask(GetOf("/hello")).status == 404);
  BOOST_TEST(client.Ask(GetOf("/amhello")).status == 404);
  RawReply reply = client.Ask(GetOf("/"));
  BOOST_TEST(reply.status == 302);
  BOOST_TEST(reply.Header("Location") == "/am");
  reply = client.Ask(GetOf("/am"));
  BOOST_TEST(reply.status == 301);
  BOOST_TEST(reply.Header("Location") == "/am/");
}

BOOST_AUTO_TEST_CASE(http_1_0_closes_unless_asked_to_keep_alive) {
  auto server = StartServer();
  RawClient keeping(server->port());
  RawReply reply = keeping.Ask("GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  BOOST_TEST(reply.Header("Connection") == "keep-alive");
  reply = keeping.Ask("GET /hello HTTP/1.0\r\n\r\n");
  BOOST_TEST(reply.body == "hello");
  BOOST_TEST(reply.Header("Connection") == "close");
  BOOST_TEST(keeping.Closed());
  RawClient closing(server->port());
  BOOST_TEST(closing.Ask(GetOf("/hello", "Connection: close\r\n")).Header("Connection") == "close");
  BOOST_TEST(closing.Closed());
}

BOOST_AUTO_TEST_CASE(accepts_an_empty_line_before_the_request) {
  auto server = StartServer();
  RawClient client(server->port());
  BOOST_TEST(client.Ask("\r\n" + GetOf("/hello")).body == "hello");
}

BOOST_AUTO_TEST_CASE(post_without_length_is_empty_at_once) {
  auto server = StartServer();
  RawClient client(server->port());
  BOOST_TEST(client.Ask("POST /echo HTTP/1.1\r\nHost: t\r\n\r\n").status == 200);
  BOOST_TEST(client.Ask(GetOf("/hello")).body == "hello");
}

BOOST_AUTO_TEST_CASE(body_is_mutable_and_followed_by_zero_bytes) {
  HttpRouter router;
  std::atomic<int> bad = 0;
  router.Post("/echo", [&](HttpRequest& request, HttpResponse& response) {
    for (size_t i = 0; i < kHttpBodyPadding; ++i) {
      bad += request.body.data()[request.body.size() + i] != '\0';
    }
    if (!request.body.empty()) {
      request.body[0] = 'X';
    }
    response.body = std::to_string(request.body.size()) + request.body.substr(0, 3);
  });
  auto server = StartServer(TestOptions(), std::move(router));
  RawClient client(server->port());
  BOOST_TEST(client.Ask(PostOf(std::string(70'000, 'a'))).body == "70000Xaa");
  BOOST_TEST(client.Ask(PostOf("abc")).body == "3Xbc");
  BOOST_TEST(client.Ask(PostOf(std::string(200'000, 'a'))).body == "200000Xaa");
  BOOST_TEST(client.Ask(PostOf("abc")).body == "3Xbc");
  std::string zipped = GzipOf("abcd");
  BOOST_TEST(client.Ask(PostOf(zipped, "Content-Encoding: gzip\r\n")).body == "4Xbc");
  BOOST_TEST(
      client.Ask("POST /echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n")
          .body == "2Xb");
  BOOST_TEST(bad == 0);
}

BOOST_AUTO_TEST_CASE(inflates_gzip_bodies_with_length_or_chunks) {
  auto server = StartServer();
  RawClient client(server->port());
  std::string text(300'000, 'q');
  std::string zipped = GzipOf(text);
  BOOST_TEST((client.Ask(PostOf(zipped, "Content-Encoding: gzip\r\n")).body == text));
  char size[16];
  std::snprintf(size, sizeof size, "%zx", zipped.size());
  BOOST_TEST((client
                  .Ask("POST /echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\nContent-Encoding: "
                       "x-gzip\r\n\r\n" +
                       std::string(size) + "\r\n" + zipped + "\r\n0\r\n\r\n")
                  .body == text));
  BOOST_TEST(client.Ask(PostOf("plain", "Content-Encoding: identity\r\n")).body == "plain");
}

BOOST_AUTO_TEST_CASE(compresses_responses_only_where_it_helps) {
  auto server = StartServer();
  RawClient client(server->port());
  RawReply reply = client.Ask(GetOf("/large", "Accept-Encoding: br, gzip\r\n"));
  BOOST_TEST(reply.Header("Content-Encoding") == "gzip");
  BOOST_TEST(reply.Header("Vary") == "Accept-Encoding");
  BOOST_TEST((GunzipOf(reply.body) == std::string(100'000, 'x')));
  for (const char* headers : {"", "Accept-Encoding: br\r\n", "Accept-Encoding: gzip;q=0, *\r\n"}) {
    BOOST_TEST_CONTEXT(headers) {
      reply = client.Ask(GetOf("/large", headers));
      BOOST_TEST(reply.Header("Content-Encoding") == "");
      BOOST_TEST(reply.body.size() == 100'000u);
    }
  }
  reply = client.Ask(GetOf("/hello", "Accept-Encoding: gzip\r\n"));
  BOOST_TEST(reply.Header("Content-Encoding") == "");
  BOOST_TEST(reply.body == "hello");
}

BOOST_AUTO_TEST_CASE(answers_expect_100_continue_before_the_body) {
  auto server = StartServer();
  RawClient client(server->port());
  std::string head = "POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n";
  BOOST_TEST(client.Ask(head).status == 100);
  BOOST_TEST(client.Ask("hello").body == "hello");
  // With the body already here there is nothing to ask for.
  BOOST_TEST(client.Ask(head + "world").body == "world");
}

BOOST_AUTO_TEST_CASE(refuses_instead_of_continuing_when_the_body_is_unwanted) {
  auto server = StartServer();
  RawClient large(server->port());
  BOOST_TEST(
      large.Ask("POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 9000000\r\nExpect: 100-continue\r\n\r\n")
          .status == 413);
  RawClient lost(server->port());
  BOOST_TEST(
      lost.Ask("POST /no HTTP/1.1\r\nHost: t\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n").status ==
      404);
  RawClient odd(server->port());
  BOOST_TEST(
      odd.Ask("POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 9\r\nExpect: miracles\r\n\r\n").status ==
      417);
}

BOOST_AUTO_TEST_CASE(hooks_see_every_answer_and_may_answer_first) {
  HttpServerOptions options = TestOptions();
  std::mutex mutex;
  std::vector<std::string> log;
  options.hooks.before = [](HttpRequest& request, HttpResponse& response) {
    response.SetHeader("Vary", "Origin");
    if (request.Header("Authorization").empty()) {
      SetErrorText(response, 401, "Unauthorized");
      return true;
    }
    return false;
  };
  options.hooks.unrouted = [](HttpRequest& request, HttpResponse& response) {
    SetErrorObject(response, response.status, "path " + request.path + " was not found");
  };
  options.hooks.after = [&](const HttpRequest& request, const HttpResponse& response, Duration) {
    std::lock_guard lock(mutex);
    log.push_back(std::string(request.method) + " " + std::string(request.route) + " " +
                  std::to_string(response.status));
  };
  auto server = StartServer(std::move(options));
  RawClient client(server->port());
  RawReply reply = client.Ask(GetOf("/hello"));
  BOOST_TEST(reply.status == 401);
  BOOST_TEST(reply.Header("Vary") == "Origin");
  reply = client.Ask(GetOf("/items/1", "Authorization: x\r\n"));
  BOOST_TEST(reply.status == 200);
  BOOST_TEST(reply.Header("Vary") == "Origin");
  reply = client.Ask(GetOf("/none", "Authorization: x\r\n"));
  BOOST_TEST(reply.body == R"({"code":404,"message":"path /none was not found"})");
  // An unauthenticated body is never read: the answer comes without it, and the connection ends.
  BOOST_TEST(client.Ask("POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 9\r\n\r\n").status == 401);
  BOOST_TEST(client.Closed());
  RawClient broken(server->port());
  BOOST_TEST(broken.Ask("nonsense\r\n\r\n").status == 400);
  server->Stop();
  std::vector<std::string> want = {"GET  401", "GET /items/{id} 200", "GET  404", "POST  401", "  400"};
  BOOST_TEST(log == want, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_second_server_on_the_port_fails_with_a_clear_error) {
  auto server = StartServer();
  HttpServerOptions options = TestOptions();
  options.port = server->port();
  auto second = HttpServer::Start(std::move(options), TestRouter());
  BOOST_REQUIRE(!second);
  BOOST_TEST((second.error().code == ErrorCode::kUnavailable));
  BOOST_TEST(second.error().message ==
             "cannot listen on 127.0.0.1:" + std::to_string(server->port()) + ": Address already in use");
}

BOOST_AUTO_TEST_CASE(bad_options_are_errors) {
  HttpServerOptions options = TestOptions();
  options.host = "256.1.1.1";
  BOOST_TEST(!HttpServer::Start(std::move(options), TestRouter()));
  options = TestOptions();
  options.port = 65536;
  BOOST_TEST(!HttpServer::Start(std::move(options), TestRouter()));
  options = TestOptions();
  options.workers = 0;
  BOOST_TEST(!HttpServer::Start(std::move(options), TestRouter()));
}

BOOST_AUTO_TEST_CASE(an_empty_host_listens_everywhere_and_names_ipv4_clients_plainly) {
  HttpServerOptions options = TestOptions();
  options.host = "";
  auto server = StartServer(std::move(options));
  RawClient client(server->port());
  BOOST_TEST(client.Ask(GetOf("/peer")).body == "127.0.0.1");
}

BOOST_AUTO_TEST_CASE(stop_finishes_the_request_in_flight_and_closes_idle_connections) {
  std::promise<void> entered;
  std::promise<void> leave;
  std::shared_future<void> may_leave = leave.get_future().share();
  HttpRouter router = TestRouter();
  router.Get("/slow", [&](HttpRequest&, HttpResponse& response) {
    entered.set_value();
    may_leave.wait();
    response.body = "done";
  });
  HttpServerOptions options = TestOptions();
  options.limits.stop_timeout = std::chrono::seconds(10);
  auto server = StartServer(std::move(options), std::move(router));
  RawClient idle(server->port());
  BOOST_TEST(idle.Ask(GetOf("/hello")).status == 200);
  RawClient untouched(server->port());
  RawClient busy(server->port());
  busy.Send(GetOf("/slow"));
  entered.get_future().wait();
  auto stopped = std::async(std::launch::async, [&] { server->Stop(); });
  BOOST_TEST(idle.Closed());
  BOOST_TEST(untouched.Closed());
  leave.set_value();
  RawReply reply = busy.Read();
  BOOST_TEST(reply.body == "done");
  BOOST_TEST(reply.Header("Connection") == "close");
  BOOST_TEST(busy.Closed());
  stopped.wait();
  BOOST_TEST(server->counters().connections_open == 0u);
  BOOST_TEST(!RawClient(server->port()).connected());
  server->Stop();
}

BOOST_AUTO_TEST_CASE(stop_does_not_wait_for_clients_that_never_finish) {
  auto server = StartServer();
  RawClient half_head(server->port());
  RawClient half_body(server->port());
  RawClient not_reading(server->port(), 4096);
  half_head.Send("GET /hel");
  BOOST_TEST(
      half_body.Ask("POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\nx")
          .status == 100);
  not_reading.Send(GetOf("/huge"));
  BOOST_TEST(not_reading.Readable(kPatienceMs));
  auto begin = std::chrono::steady_clock::now();
  server->Stop();
  BOOST_TEST((std::chrono::steady_clock::now() - begin < std::chrono::seconds(5)));
  BOOST_TEST(server->counters().connections_open == 0u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mlalert::testing
