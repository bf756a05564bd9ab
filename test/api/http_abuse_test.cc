// What a hostile or broken client can do to the server, one case each. Deadlines are configured short; no
// case sleeps.

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <deque>
#include <future>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "api/http_raw_client.h"
#include "api/http_server.h"
#include "api/http_test_server.h"

namespace mlalert::testing {

namespace {

using std::chrono::milliseconds;

struct Refused {
  const char* name;
  std::string request;
  int status;
};

// Sends, expects the status and the end of the connection.
void CheckRefused(const std::vector<Refused>& cases) {
  auto server = StartServer();
  for (const Refused& c : cases) {
    BOOST_TEST_CONTEXT(c.name) {
      RawClient client(server->port());
      RawReply reply = client.Ask(c.request);
      BOOST_TEST(reply.status == c.status);
      BOOST_TEST(reply.Header("Connection") == "close");
      BOOST_TEST(client.Closed());
    }
  }
  BOOST_TEST(RawClient(server->port()).Ask(GetOf("/hello")).body == "hello");
}

std::string Chunked(std::string_view rest) {
  return "POST /echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n" + std::string(rest);
}

std::string Post(std::string_view headers, std::string_view rest = "") {
  return "POST /echo HTTP/1.1\r\nHost: t\r\n" + std::string(headers) + "\r\n" + std::string(rest);
}

// Sends a byte whenever the server has been silent for a moment, until it answers or closes.
RawReply Drip(RawClient& client, char byte) {
  while (!client.Readable(5) && client.Send(std::string_view(&byte, 1))) {
  }
  return client.Read();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(http_abuse)

BOOST_AUTO_TEST_CASE(ambiguous_framing_is_refused) {
  std::string smuggled = GetOf("/hello");
  CheckRefused({
      {"length and coding",
       Post("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n" + smuggled), 400},
      {"coding and length",
       Post("Transfer-Encoding: chunked\r\nContent-Length: 4\r\n", "0\r\n\r\n" + smuggled), 400},
      {"two lengths", Post("Content-Length: 4\r\nContent-Length: 5\r\n", "abcde"), 400},
      {"the same length twice", Post("Content-Length: 4\r\nContent-Length: 4\r\n", "abcd"), 400},
      {"length list", Post("Content-Length: 4, 4\r\n", "abcd"), 400},
      {"negative length", Post("Content-Length: -1\r\n"), 400},
      {"plus sign", Post("Content-Length: +4\r\n", "abcd"), 400},
      {"hex length", Post("Content-Length: 0x4\r\n", "abcd"), 400},
      {"empty length", Post("Content-Length:\r\n"), 400},
      {"overflowing length", Post("Content-Length: 18446744073709551620\r\n"), 400},
      {"two codings", Post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), 400},
      {"unknown coding", Post("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n"), 501},
      {"identity coding", Post("Transfer-Encoding: identity\r\n"), 501},
      {"coding with junk", Post("Transfer-Encoding: xchunked\r\n", "0\r\n\r\n"), 501},
      {"coding in 1.0", "POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
      {"no host", "GET /hello HTTP/1.1\r\n\r\n", 400},
      {"two hosts", "GET /hello HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400},
  });
}

BOOST_AUTO_TEST_CASE(malformed_heads_are_refused) {
  using namespace std::string_literals;
  CheckRefused({
      {"bare LF after request line", "GET /hello HTTP/1.1\nHost: t\r\n\r\n", 400},
      {"bare LF in headers", "GET /hello HTTP/1.1\r\nHost: t\n\r\n", 400},
      {"bare LF at the end", "GET /hello HTTP/1.1\r\nHost: t\r\n\n", 400},
      {"bare CR in a value", GetOf("/hello", "A: b\rC: d\r\n"), 400},
      {"folded header", GetOf("/hello", "A: b\r\n c\r\n"), 400},
      {"folded with tab", GetOf("/hello", "A: b\r\n\tc\r\n"), 400},
      {"space before colon", GetOf("/hello", "Content-Length : 5\r\n"), 400},
      {"no colon", GetOf("/hello", "nonsense\r\n"), 400},
      {"empty name", GetOf("/hello", ": x\r\n"), 400},
      {"NUL in a value", GetOf("/hello", "A: b\0c\r\n"s), 400},
      {"NUL in a name", GetOf("/hello", "A\0: b\r\n"s), 400},
      {"NUL in the path", GetOf("/he\0llo"s), 400},
      {"escaped NUL in the path", GetOf("/he%00llo"), 400},
      {"escaped NUL in the query", GetOf("/hello?a=%00"), 400},
      {"cut escape", GetOf("/hello%2"), 400},
      {"bad escape", GetOf("/hello%zz"), 400},
      {"bad escape in the query", GetOf("/hello?a=%g1"), 400},
      {"dot segments", GetOf("/items/../hello"), 400},
      {"escaped dot segments", GetOf("/items/%2e%2E/hello"), 400},
      {"two words", "GET /hello\r\nHost: t\r\n\r\n", 400},
      {"four words", "GET /hello there HTTP/1.1\r\nHost: t\r\n\r\n", 400},
      {"tab as separator", "GET\t/hello\tHTTP/1.1\r\nHost: t\r\n\r\n", 400},
      {"empty target", "GET  HTTP/1.1\r\nHost: t\r\n\r\n", 400},
      {"authority form", "CONNECT example.com:443 HTTP/1.1\r\nHost: t\r\n\r\n", 400},
      {"method with a bracket", "G(T /hello HTTP/1.1\r\nHost: t\r\n\r\n", 400},
      {"endless method", std::string(40, 'A') + " / HTTP/1.1\r\nHost: t\r\n\r\n", 400},
      {"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
      {"HTTP/1.2", "GET / HTTP/1.2\r\nHost: t\r\n\r\n", 505},
      {"lower-case version", "GET / http/1.1\r\nHost: t\r\n\r\n", 400},
      {"TLS hello", "\x16\x03\x01\x02\x00\x01\n"s, 400},
      {"two empty lines first", "\r\n\r\n" + GetOf("/hello"), 400},
  });
}

BOOST_AUTO_TEST_CASE(large_heads_are_refused_before_their_end) {
  std::string many;
  for (int i = 0; i < 100; ++i) {
    many += "A: b\r\n";
  }
  CheckRefused({
      {"101 headers", GetOf("/hello", many), 431},
      {"long header", GetOf("/hello", "A: " + std::string(65 * 1024, 'a') + "\r\n"), 431},
      {"endless header", "GET /hello HTTP/1.1\r\nA: " + std::string(80 * 1024, 'a'), 431},
      {"long target", GetOf("/" + std::string(9000, 'a')), 414},
      {"endless target", "GET /" + std::string(20000, 'a'), 414},
  });
  auto server = StartServer();
  RawClient client(server->port());
  BOOST_TEST(client.Ask(GetOf("/hello", many.substr(6))).status == 200);  // with Host exactly 100
  BOOST_TEST(client.Ask(GetOf("/hello", "A: " + std::string(63 * 1024, 'a') + "\r\n")).status == 200);
  BOOST_TEST(client.Ask(GetOf("/items/" + std::string(8000, 'a'))).body.size() == 8000u);
}

BOOST_AUTO_TEST_CASE(large_bodies_are_refused_in_every_coding) {
  std::string many;
  for (int i = 0; i < 40; ++i) {
    many += "10000\r\n" + std::string(0x10000, 'x') + "\r\n";
  }
  std::string bomb = GzipOf(std::string(8 << 20, 'x'));
  std::string exact(1 << 20, 'x');
  CheckRefused({
      {"length", Post("Content-Length: 1048577\r\n"), 413},
      {"length near 2^63", Post("Content-Length: 999999999999999999\r\n"), 413},
      {"one large chunk", Chunked("100001\r\n"), 413},
      {"many chunks", Chunked(many), 413},
      {"huge chunk size", Chunked("fffffffffffffff\r\n"), 413},
      {"overflowing chunk size", Chunked("10000000000000000\r\n"), 413},
      {"gzip bomb", PostOf(bomb, "Content-Encoding: gzip\r\n"), 413},
      {"one byte too many, gzip", PostOf(GzipOf(exact + "x"), "Content-Encoding: gzip\r\n"), 413},
  });
  auto server = StartServer();
  RawClient client(server->port());
  BOOST_TEST((client.Ask(PostOf(exact)).body == exact));
  BOOST_TEST((client.Ask(PostOf(GzipOf(exact), "Content-Encoding: gzip\r\n")).body == exact));
  BOOST_TEST((client.Ask(Chunked("100000\r\n" + exact + "\r\n0\r\n\r\n")).body == exact));
}

BOOST_AUTO_TEST_CASE(malformed_bodies_are_refused) {
  std::string zipped = GzipOf(std::string(5000, 'z'));
  std::string flipped = zipped;
  flipped[flipped.size() - 6] = static_cast<char>(flipped[flipped.size() - 6] ^ 1);  // checksum
  std::string extensions;
  for (int i = 0; i < 200; ++i) {
    extensions += "1;" + std::string(200, 'e') + "\r\nx\r\n";
  }
  CheckRefused({
      {"negative chunk size", Chunked("-1\r\nabc\r\n0\r\n\r\n"), 400},
      {"chunk size with 0x", Chunked("0x3\r\nabc\r\n0\r\n\r\n"), 400},
      {"empty chunk size", Chunked("\r\nabc\r\n"), 400},
      {"chunk size with bare LF", Chunked("3\nabc\r\n0\r\n\r\n"), 400},
      {"chunk longer than said", Chunked("3\r\nabcd\r\n0\r\n\r\n"), 400},
      {"chunk end with bare LF", Chunked("3\r\nabc\n0\r\n\r\n"), 400},
      {"endless extension", Chunked("3;" + std::string(20'000, 'e')), 400},
      {"tiny chunks, long extensions", Chunked(extensions), 400},
      {"endless trailers", Chunked("0\r\n" + std::string(20'000, 't')), 400},
      {"trailer with bare LF", Chunked("0\r\nA: b\n\r\n"), 400},
      {"not gzip", PostOf("plain text", "Content-Encoding: gzip\r\n"), 400},
      {"cut gzip", PostOf(zipped.substr(0, zipped.size() - 1), "Content-Encoding: gzip\r\n"), 400},
      {"gzip with a tail", PostOf(zipped + "x", "Content-Encoding: gzip\r\n"), 400},
      {"gzip with a wrong checksum", PostOf(flipped, "Content-Encoding: gzip\r\n"), 400},
      {"deflate", PostOf("x", "Content-Encoding: deflate\r\n"), 415},
      {"brotli", PostOf("x", "Content-Encoding: br\r\n"), 415},
      {"twice gzip", PostOf(zipped, "Content-Encoding: gzip, gzip\r\n"), 415},
      {"gzip in two headers", PostOf(zipped, "Content-Encoding: gzip\r\nContent-Encoding: gzip\r\n"), 415},
  });
}

BOOST_AUTO_TEST_CASE(an_unread_body_never_becomes_a_request) {
  std::atomic<int> hits = 0;
  HttpRouter router;
  router.Get("/secret", [&](HttpRequest&, HttpResponse&) { ++hits; });
  router.Post("/small", [](HttpRequest&, HttpResponse&) {}, {.body_bytes_max = 10});
  auto server = StartServer(TestOptions(), std::move(router));
  std::string smuggled = GetOf("/secret");
  for (const char* path : {"/small", "/nowhere", "/secret"}) {
    BOOST_TEST_CONTEXT(path) {
      RawClient client(server->port());
      RawReply reply = client.Ask("POST " + std::string(path) + " HTTP/1.1\r\nHost: t\r\nContent-Length: " +
                                  std::to_string(smuggled.size()) + "\r\n\r\n" + smuggled);
      BOOST_TEST(reply.status >= 400);
      BOOST_TEST(reply.Header("Connection") == "close");
      BOOST_TEST(client.Closed());
    }
  }
  server->Stop();
  BOOST_TEST(hits == 0);
}

BOOST_AUTO_TEST_CASE(a_refused_sender_of_much_still_reads_its_answer) {
  HttpServerOptions options = TestOptions();
  options.limits.linger_timeout = std::chrono::seconds(10);
  auto server = StartServer(std::move(options));
  RawClient client(server->port());
  client.Send(Post("Content-Length: 9000000\r\n"));
  client.Send(std::string(9'000'000, 'x'));
  BOOST_TEST(client.Read().status == 413);
  BOOST_TEST(client.Closed());
}

BOOST_AUTO_TEST_CASE(a_slow_header_ends_at_its_deadline) {
  HttpServerOptions options = TestOptions();
  options.limits.head_timeout = milliseconds(100);
  auto server = StartServer(std::move(options));
  RawClient silent(server->port());
  RawClient stalled(server->port());
  stalled.Send("GET /hello HT");
  RawClient dripping(server->port());
  dripping.Send("GET /hello HTTP/1.1\r\nA: ");
  BOOST_TEST(Drip(dripping, 'a').status == 408);
  BOOST_TEST(stalled.Read().status == 408);
  BOOST_TEST(stalled.Closed());
  BOOST_TEST(silent.Closed());
  BOOST_TEST(server->counters().Refused(HttpRefusal::kHeadTimeout) == 2u);
  // The second request of a connection has the same deadline.
  RawClient second(server->port());
  BOOST_TEST(second.Ask(GetOf("/hello") + "GET").status == 200);
  BOOST_TEST(second.Read().status == 408);
}

BOOST_AUTO_TEST_CASE(a_slow_body_ends_at_its_deadline) {
  HttpServerOptions options = TestOptions();
  options.limits.body_timeout = milliseconds(100);
  auto server = StartServer(std::move(options));
  RawClient stalled(server->port());
  stalled.Send(Post("Content-Length: 10\r\n", "x"));
  RawClient dripping(server->port());
  dripping.Send(Post("Content-Length: 100000\r\n"));
  RawClient chunks(server->port());
  chunks.Send(Chunked("ffff\r\n"));
  BOOST_TEST(Drip(dripping, 'a').status == 408);
  BOOST_TEST(Drip(chunks, 'a').status == 408);
  BOOST_TEST(stalled.Read().status == 408);
  BOOST_TEST(stalled.Closed());
  BOOST_TEST(server->counters().Refused(HttpRefusal::kBodyTimeout) == 3u);
}

BOOST_AUTO_TEST_CASE(a_large_body_at_a_fair_rate_outlives_the_bare_deadline) {
  HttpServerOptions options = TestOptions();
  options.limits.body_timeout = milliseconds(50);
  options.limits.rate_bytes_min = 100;
  auto server = StartServer(std::move(options));
  RawClient client(server->port());
  std::string body(2000, 'x');
  client.Send(Post("Content-Length: 2000\r\n", body.substr(1)));
  BOOST_TEST(!client.Readable(150));
  BOOST_TEST((client.Ask("x").body == body));
}

BOOST_AUTO_TEST_CASE(an_idle_connection_ends_quietly) {
  HttpServerOptions options = TestOptions();
  options.limits.idle_timeout = milliseconds(50);
  auto server = StartServer(std::move(options));
  RawClient client(server->port());
  BOOST_TEST(client.Ask(GetOf("/hello")).status == 200);
  BOOST_TEST(client.Closed());
}

BOOST_AUTO_TEST_CASE(a_client_that_does_not_read_is_dropped) {
  HttpServerOptions options = TestOptions();
  options.limits.write_timeout = milliseconds(100);
  options.limits.rate_bytes_min = size_t{1} << 40;
  auto server = StartServer(std::move(options));
  RawClient client(server->port(), 4096);
  client.Send(GetOf("/huge"));
  // Not a byte is read until the server has given up.
  while (server->counters().Refused(HttpRefusal::kWriteTimeout) == 0 ||
         server->counters().connections_open.load() > 0) {
    BOOST_REQUIRE(client.connected());
    ::poll(nullptr, 0, 5);
  }
  BOOST_TEST(client.Read().status == 0);
}

BOOST_AUTO_TEST_CASE(clients_that_vanish_leave_nothing_behind) {
  auto server = StartServer();
  for (const std::string& part :
       {std::string(), std::string("GET /he"), Post("Content-Length: 100000\r\n", "xx"), Chunked("ff\r\nab"),
        GetOf("/huge"), PostOf("x") + PostOf("y") + "GET"}) {
    RawClient client(server->port());
    client.Send(part);
  }
  // Each close is noticed as an event; wait for the last of them.
  for (int i = 0; i < 2000 && server->counters().connections_open.load() > 0; ++i) {
    ::poll(nullptr, 0, 5);
  }
  BOOST_TEST(server->counters().connections_open == 0u);
  BOOST_TEST(server->counters().buffered_bytes == 0u);
}

BOOST_AUTO_TEST_CASE(exceptions_become_500_without_details) {
  HttpServerOptions options = TestOptions();
  std::promise<std::string> what;
  options.hooks.on_exception = [&, first = true](const HttpRequest&, std::string_view text) mutable {
    if (std::exchange(first, false)) {
      what.set_value(std::string(text));
    }
  };
  auto server = StartServer(std::move(options));
  RawClient client(server->port());
  RawReply reply = client.Ask(GetOf("/throw"));
  BOOST_TEST(reply.status == 500);
  BOOST_TEST(reply.body == "Internal Server Error\n");
  BOOST_TEST((reply.head + reply.body).find("secret") == std::string::npos);
  BOOST_TEST(what.get_future().get() == "secret detail");
  BOOST_TEST(client.Ask(GetOf("/throw-int")).status == 500);
  BOOST_TEST(client.Ask(GetOf("/hello")).status == 200);
  BOOST_TEST(server->counters().exceptions == 2u);
}

BOOST_AUTO_TEST_CASE(no_header_changes_the_peer_address) {
  auto server = StartServer();
  RawClient client(server->port());
  BOOST_TEST(client.Ask(GetOf("/peer", "REMOTE_ADDR: 9.9.9.9\r\nX-Forwarded-For: 9.9.9.9\r\n")).body ==
             "127.0.0.1");
}

BOOST_AUTO_TEST_CASE(a_handler_cannot_be_made_to_split_the_response) {
  HttpRouter router;
  router.Get("/go", [](HttpRequest& request, HttpResponse& response) {
    response.status = 302;
    response.SetHeader("Location", *request.Query("to"));
  });
  auto server = StartServer(TestOptions(), std::move(router));
  RawClient client(server->port());
  RawReply reply = client.Ask(GetOf("/go?to=a%0d%0aSet-Cookie:%20x"));
  BOOST_TEST(reply.Header("Set-Cookie") == "");
  BOOST_TEST(reply.Header("Location") == "a  Set-Cookie: x");
}

BOOST_AUTO_TEST_CASE(one_connection_too_many_gets_503) {
  HttpServerOptions options = TestOptions();
  options.limits.connections_max = 3;
  auto server = StartServer(std::move(options));
  std::deque<RawClient> clients;
  for (int i = 0; i < 3; ++i) {
    RawClient& client = clients.emplace_back(server->port());
    BOOST_TEST(client.Ask(GetOf("/hello")).status == 200);
  }
  RawClient extra(server->port());
  RawReply reply = extra.Read();
  BOOST_TEST(reply.status == 503);
  BOOST_TEST(reply.Header("Retry-After") == "1");
  BOOST_TEST(extra.Closed());
  BOOST_TEST(server->counters().Refused(HttpRefusal::kTooManyConnections) == 1u);
  for (RawClient& client : clients) {
    BOOST_TEST(client.Ask(GetOf("/hello")).status == 200);
  }
}

BOOST_AUTO_TEST_CASE(an_idle_connection_makes_room_for_a_new_one) {
  HttpServerOptions options = TestOptions();
  options.limits.connections_max = 2;
  options.limits.idle_evictable_after = Duration::zero();
  auto server = StartServer(std::move(options));
  RawClient idle(server->port());
  BOOST_TEST(idle.Ask(GetOf("/hello")).status == 200);
  RawClient working(server->port());
  BOOST_TEST(
      working.Ask("POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
          .status == 100);
  // The first connection counts as idle only a moment after its answer has left: until then there is no room.
  int status = 503;
  for (int i = 0; i < 1000 && status == 503; ++i) {
    RawClient fresh(server->port());
    status = fresh.Ask(GetOf("/hello")).status;
  }
  BOOST_TEST(status == 200);
  BOOST_TEST(idle.Closed());
  BOOST_TEST(working.Ask("ab").body == "ab");
  BOOST_TEST(server->counters().connections_evicted >= 1u);
}

BOOST_AUTO_TEST_CASE(bodies_of_all_connections_share_one_limit) {
  HttpServerOptions options = TestOptions();
  options.limits.buffered_bytes_max = 300'000;
  auto server = StartServer(std::move(options));
  RawClient first(server->port());
  // The Expect answer tells that the server holds its buffer.
  BOOST_TEST(first.Ask(Post("Content-Length: 100000\r\nExpect: 100-continue\r\n", "x")).status == 100);
  RawClient second(server->port());
  BOOST_TEST(second.Ask(PostOf(std::string(500'000, 'x'))).status == 503);
  BOOST_TEST(second.Closed());
  BOOST_TEST(first.Ask(std::string(99'999, 'x')).body.size() == 100'000u);
  BOOST_TEST(server->counters().Refused(HttpRefusal::kOutOfBuffer) == 1u);
}

BOOST_AUTO_TEST_CASE(idle_and_slow_connections_do_not_starve_new_ones) {
  auto server = StartServer();
  std::deque<RawClient> crowd;
  for (int i = 0; i < 200; ++i) {
    RawClient& client = crowd.emplace_back(server->port());
    if (i % 4 == 1) {
      client.Ask(GetOf("/hello"));  // idle after a request
    } else if (i % 4 == 2) {
      client.Send("GET /hello HT");  // half a head
    } else if (i % 4 == 3) {
      client.Send(Post("Content-Length: 100\r\n", "half"));  // half a body
    }
  }
  auto worst = std::chrono::steady_clock::duration::zero();
  int good = 0;
  for (int i = 0; i < 100; ++i) {
    auto begin = std::chrono::steady_clock::now();
    good += RawClient(server->port()).Ask(GetOf("/hello")).status == 200 ? 1 : 0;
    worst = std::max(worst, std::chrono::steady_clock::now() - begin);
  }
  BOOST_TEST(good == 100);
  BOOST_TEST_MESSAGE("worst of 100 new connections beside 200: "
                     << std::chrono::duration_cast<std::chrono::microseconds>(worst).count() << " us");
  BOOST_TEST((worst < std::chrono::seconds(1)));
}

BOOST_AUTO_TEST_CASE(an_endless_pipeline_lets_others_in_between) {
  HttpServerOptions options = TestOptions();
  options.workers = 1;
  auto server = StartServer(std::move(options));
  RawClient greedy(server->port());
  std::string many;
  for (int i = 0; i < 200; ++i) {
    many += GetOf("/hello");
  }
  greedy.Send(many);
  RawClient modest(server->port());
  BOOST_TEST(modest.Ask(GetOf("/hello")).status == 200);
  int good = 0;
  for (int i = 0; i < 200; ++i) {
    good += greedy.Read().status == 200 ? 1 : 0;
  }
  BOOST_TEST(good == 200);
}

BOOST_AUTO_TEST_CASE(random_mutations_never_hang_or_kill_the_server) {
  HttpServerOptions options = TestOptions();
  options.limits.head_timeout = options.limits.body_timeout = milliseconds(20);
  options.limits.linger_timeout = milliseconds(20);
  auto server = StartServer(std::move(options));
  std::mt19937 random(20260101);
  const std::vector<std::string> seeds = {
      GetOf("/items/a%20b?filter=c&filter=d", "Accept-Encoding: gzip\r\n"), PostOf("0123456789"),
      Chunked("4\r\nabcd\r\n3;x\r\nefg\r\n0\r\nT: v\r\n\r\n"),
      PostOf(GzipOf("text text"), "Content-Encoding: gzip\r\n")};
  int ended = 0;
  for (int i = 0; i < 400; ++i) {
    std::string text = seeds[random() % seeds.size()];
    for (size_t edits = random() % 4 + 1; edits > 0; --edits) {
      size_t at = random() % text.size();
      switch (random() % 4) {
        case 0:
          text[at] = static_cast<char>(random());
          break;
        case 1:
          text.erase(at, random() % 8 + 1);
          break;
        case 2:
          text.insert(at, text.substr(random() % text.size(), random() % 20));
          break;
        default:
          text[at] = "\r\n: ;%0/"[random() % 8];
          break;
      }
      if (text.empty()) {
        text = "x";
      }
    }
    RawClient client(server->port());
    client.Send(text);
    ::shutdown(client.fd(), SHUT_WR);
    while (client.Read().status != 0) {
    }
    ended += client.Closed() || client.Closed() ? 1 : 0;
  }
  BOOST_TEST(ended == 400);
  BOOST_TEST(RawClient(server->port()).Ask(GetOf("/hello")).body == "hello");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mlalert::testing
