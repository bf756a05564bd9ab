#include "net/http_transport.h"

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <map>
#include <zlib.h>

#include "base/json.h"
#include "net/caller.h"
#include "net/credentials.h"
#include "net/fake_names.h"
#include "net/local_server.h"
#include "net/rsa_key.h"

namespace mlalert {

using std::chrono::milliseconds;
using testing::Answer;
using testing::Caller;
using testing::Connection;
using testing::FromBase64Url;
using testing::IsSignedBy;
using testing::LocalServer;
using testing::Options;
using testing::Request;
using testing::TempDir;

namespace {

std::string Gzip(const std::string& text) {
  z_stream stream{};
  deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, text.size()), '\0');
  std::string in = text;
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

void CheckFailure(const HttpResult& result, Failure failure, std::string_view text) {
  BOOST_TEST(FailureName(result.failure) == FailureName(failure));
  BOOST_TEST(result.error.find(text) != std::string::npos, result.error << " lacks: " << text);
}

// Sends whatever it is told, once, after the first request of each connection.
LocalServer::Script Raw(std::string bytes) {
  return [bytes = std::move(bytes)](Connection& connection) {
    Request request;
    connection.ReadRequest(&request);
    connection.Write(bytes);
  };
}

}  // namespace

BOOST_AUTO_TEST_SUITE(http_call)

ON_BOTH_WAYS(sends_the_request_and_returns_the_answer) {
  LocalServer server(
      LocalServer::Answering([](const Request&) { return Answer(200, "pong", "X-Up: 1\r\nX-Up: 2\r\n"); }));
  Caller caller;
  const HttpResult result = caller.Call({.method = "POST",
                                         .url = server.Url("/a%2Fb/../c?q=x y"),
                                         .headers = {{"Content-Type", "application/json"}, {"X-Empty", ""}},
                                         .body = "{\"a\":1}"});
  BOOST_TEST(result.error == "");
  BOOST_TEST(result.status == 200);
  BOOST_TEST(result.body == "pong");
  BOOST_TEST(*result.Header("x-up") == "1");
  BOOST_TEST((result.Header("absent") == nullptr));
  BOOST_TEST((result.latency > Duration(0)));
  const Request request = server.requests().at(0);
  BOOST_TEST(request.method == "POST");
  BOOST_TEST(request.target == "/a%2Fb/../c?q=x%20y");
  BOOST_TEST(request.body == "{\"a\":1}");
  BOOST_TEST(request.Header("content-type") == "application/json");
  BOOST_TEST(request.Header("user-agent") == "mlalert/test");
  BOOST_TEST(request.Header("accept-encoding") == "gzip");
  BOOST_TEST(request.Header("expect") == "");
  BOOST_TEST(request.Header("authorization") == "");
}

ON_BOTH_WAYS(speaks_the_other_methods) {
  LocalServer server(LocalServer::Answering([](const Request& r) {
    return r.method == "HEAD" ? std::string("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")
                              : Answer(200, r.method);
  }));
  Caller caller;
  for (const std::string method : {"GET", "HEAD", "PUT", "DELETE", "PATCH", "POST", "GET"}) {
    BOOST_TEST_CONTEXT(method) {
      const HttpResult result = caller.Call({.method = method, .url = server.Url("/")});
      BOOST_TEST(result.error == "");
      BOOST_TEST(result.body == (method == "HEAD" ? "" : method));
    }
  }
  BOOST_TEST(server.requests().back().Header("content-type") == "");
}

ON_BOTH_WAYS(sends_no_expect_with_a_large_body) {
  LocalServer server(
      LocalServer::Answering([](const Request& r) { return Answer(200, std::to_string(r.body.size())); }));
  Caller caller;
  const HttpResult result =
      caller.Call({.method = "POST", .url = server.Url("/"), .body = std::string(3'000'000, 'x')});
  BOOST_TEST(result.body == "3000000");
  BOOST_TEST(server.requests().at(0).Header("expect") == "");
}

ON_BOTH_WAYS(an_error_status_is_an_answer) {
  LocalServer server(
      LocalServer::Answering([](const Request& r) { return Answer(std::atoi(&r.target[1]), "no"); }));
  Caller caller;
  for (const int status : {400, 401, 404, 429, 500, 503}) {
    const HttpResult result = caller.Get(server.Url("/" + std::to_string(status)));
    BOOST_TEST(result.status == status);
    BOOST_TEST(result.ok());
    BOOST_TEST(result.body == "no");
  }
  BOOST_TEST(server.connections() == 1U);
}

ON_BOTH_WAYS(reads_retry_after_in_both_forms) {
  LocalServer server(LocalServer::Answering([](const Request& r) {
    if (r.target == "/seconds") {
      return Answer(429, "", "Retry-After: 7\r\n");
    }
    if (r.target == "/date") {
      return Answer(503, "",
                    "Retry-After: Sun, 06 Nov 1994 08:50:07 GMT\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n");
    }
    // No Date: the injected clock stands at 2026-01-01T00:00:00Z.
    return Answer(503, "", "Retry-After: Thu, 01 Jan 2026 00:00:45 GMT\r\n");
  }));
  Caller caller;
  BOOST_TEST((caller.Get(server.Url("/seconds")).retry_after == std::chrono::seconds(7)));
  BOOST_TEST((caller.Get(server.Url("/date")).retry_after == std::chrono::seconds(30)));
  BOOST_TEST((caller.Get(server.Url("/clock")).retry_after == std::chrono::seconds(45)));
}

ON_BOTH_WAYS(reuses_its_connections) {
  LocalServer server(LocalServer::Answering([](const Request&) { return Answer(200); }));
  Caller caller;
  for (int i = 0; i < 20; ++i) {
    BOOST_TEST(caller.Get(server.Url("/")).ok());
  }
  BOOST_TEST(server.connections() == 1U);
}

ON_BOTH_WAYS(survives_a_kept_connection_that_the_server_has_closed) {
  // Answers one request per connection, promising more.
  LocalServer server([](Connection& connection) {
    Request request;
    if (connection.ReadRequest(&request)) {
      connection.Write(Answer(200));
    }
  });
  Caller caller;
  for (int i = 0; i < 20; ++i) {
    BOOST_TEST(caller.Call({.method = "POST", .url = server.Url("/"), .body = "x"}).error == "");
  }
}

ON_BOTH_WAYS(takes_the_final_answer_after_interim_ones) {
  LocalServer server(
      Raw("HTTP/1.1 103 Early\r\nX-Early: 1\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"));
  Caller caller;
  const HttpResult result = caller.Get(server.Url("/"));
  BOOST_TEST(result.status == 200);
  BOOST_TEST(result.body == "ok");
  BOOST_TEST((result.Header("x-early") == nullptr));
}

ON_BOTH_WAYS(refuses_calls_that_cannot_be_made) {
  Caller caller;
  const struct {
    HttpCall call;
    std::string_view error;
  } cases[] = {
      {{.url = "ftp://h/s3cret"}, "Get \"<redacted>\": unsupported scheme \"ftp\" for URL"},
      {{.url = "file:///etc/passwd"}, "Get \"<redacted>\": unsupported scheme \"file\" for URL"},
      {{.url = ""}, "unsupported scheme"},
      {{.method = "GET /s3cret", .url = "http://h"}, "? \"<redacted>\": invalid method"},
      {{.url = "http://h", .headers = {{"A\r\nB", "s3cret"}}}, "invalid header name"},
      {{.url = "http://h", .headers = {{"A", "s3cret\r\nB: c"}}}, "invalid value of header A"},
  };
  for (const auto& c : cases) {
    BOOST_TEST_CONTEXT(c.error) {
      const HttpResult result = caller.Call(c.call);
      CheckFailure(result, Failure::kOther, c.error);
      BOOST_TEST(result.status == 0);
      BOOST_TEST(result.error.find("s3cret") == std::string::npos);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(broken_peers)

ON_BOTH_WAYS(nobody_listens) {
  int port = 0;
  {
    port = LocalServer([](Connection&) {}).port();
  }
  Caller caller;
  const HttpResult result = caller.Get("http://127.0.0.1:" + std::to_string(port) + "/s3cret");
  CheckFailure(
      result, Failure::kConnect,
      "Get \"<redacted>\": connect to 127.0.0.1 port " + std::to_string(port) + ": connection refused");
  BOOST_TEST(result.status == 0);
}

ON_BOTH_WAYS(the_name_does_not_exist) {
  Caller caller;
  CheckFailure(caller.Get("http://nowhere.test/s3cret"), Failure::kDns, "lookup nowhere.test:");
}

ON_BOTH_WAYS(the_deadline_ends_a_silent_server) {
  LocalServer server([](Connection& connection) {
    Request request;
    connection.ReadRequest(&request);
    connection.Hang();
  });
  Caller caller;
  const HttpResult result = caller.Call({.url = server.Url("/s3cret"), .timeout = milliseconds(150)});
  CheckFailure(result, Failure::kTimeout, "deadline of 150ms exceeded while waiting for the answer");
  BOOST_TEST((result.latency >= milliseconds(145)));
  BOOST_TEST((result.latency < std::chrono::seconds(5)));
  BOOST_TEST(result.status == 0);
}

ON_BOTH_WAYS(the_deadline_is_total_and_not_per_byte) {
  LocalServer server([](Connection& connection) {
    Request request;
    connection.ReadRequest(&request);
    connection.Write("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n");
    while (connection.Pause(milliseconds(10)) && connection.Write("x")) {
    }
  });
  Caller caller;
  const HttpResult result = caller.Call({.url = server.Url("/"), .timeout = milliseconds(200)});
  CheckFailure(result, Failure::kTimeout, "while reading the answer");
  BOOST_TEST((result.latency < std::chrono::seconds(5)));
  BOOST_TEST(result.status == 200);
}

ON_BOTH_WAYS(the_deadline_holds_while_headers_drip) {
  LocalServer server([](Connection& connection) {
    Request request;
    connection.ReadRequest(&request);
    while (connection.Pause(milliseconds(10)) && connection.Write("HTTP/1.1 103 Early\r\n\r\n")) {
    }
  });
  Caller caller;
  const HttpResult result = caller.Call({.url = server.Url("/"), .timeout = milliseconds(200)});
  BOOST_TEST(FailureName(result.failure) == "timeout");
  BOOST_TEST(result.status == 0);
}

ON_BOTH_WAYS(a_body_beyond_the_limit_is_not_read) {
  LocalServer server([](Connection& connection) {
    Request request;
    connection.ReadRequest(&request);
    connection.Write("HTTP/1.1 200 OK\r\n\r\n");
    const std::string chunk(65536, 'x');
    while (connection.Write(chunk)) {
    }
  });
  Caller caller;
  const HttpResult result = caller.Call({.url = server.Url("/"), .response_bytes_max = 100'000});
  CheckFailure(result, Failure::kTooLarge, "answer is larger than 100000 bytes");
  BOOST_TEST(result.status == 200);
  BOOST_TEST(result.body.size() <= 100'000U);
}

ON_BOTH_WAYS(a_body_of_exactly_the_limit_is_read) {
  LocalServer server(
      LocalServer::Answering([](const Request&) { return Answer(200, std::string(1000, 'x')); }));
  Caller caller;
  BOOST_TEST(caller.Call({.url = server.Url("/"), .response_bytes_max = 1000}).body.size() == 1000U);
  BOOST_TEST(FailureName(caller.Call({.url = server.Url("/"), .response_bytes_max = 999}).failure) ==
             "too_large");
}

ON_BOTH_WAYS(gzip_is_undone) {
  const std::string text(50'000, 'a');
  LocalServer server(LocalServer::Answering(
      [&](const Request&) { return Answer(200, Gzip(text), "Content-Encoding: gzip\r\n"); }));
  Caller caller;
  BOOST_TEST((caller.Get(server.Url("/")).body == text));
}

ON_BOTH_WAYS(the_limit_counts_what_gzip_becomes) {
  const std::string bomb = Gzip(std::string(50'000'000, '\0'));
  LocalServer server(LocalServer::Answering(
      [&](const Request&) { return Answer(200, bomb, "Content-Encoding: gzip\r\n"); }));
  Caller caller;
  const HttpResult result = caller.Get(server.Url("/"));
  CheckFailure(result, Failure::kTooLarge, "answer is larger than 1048576 bytes");
  BOOST_TEST(result.body.size() <= kResponseBytesMaxDefault);
}

ON_BOTH_WAYS(bad_gzip_is_an_error) {
  LocalServer server(LocalServer::Answering(
      [](const Request&) { return Answer(200, "not gzip", "Content-Encoding: gzip\r\n"); }));
  Caller caller;
  CheckFailure(caller.Get(server.Url("/")), Failure::kOther, "answer could not be decompressed");
}

ON_BOTH_WAYS(endless_headers_are_refused) {
  LocalServer server([](Connection& connection) {
    Request request;
    connection.ReadRequest(&request);
    connection.Write("HTTP/1.1 200 OK\r\n");
    while (connection.Write("X-Header: " + std::string(100, 'x') + "\r\n")) {
    }
  });
  Caller caller;
  CheckFailure(caller.Get(server.Url("/")), Failure::kTooLarge, "headers of the answer are too large");
}

ON_BOTH_WAYS(connections_that_end_early_are_told_apart_from_answers) {
  Caller caller;
  {
    LocalServer server([](Connection& connection) {
      Request request;
      connection.ReadRequest(&request);
      connection.ResetOnClose();
    });
    CheckFailure(caller.Get(server.Url("/")), Failure::kReset, "connection reset by peer");
  }
  {
    LocalServer server(Raw(""));
    CheckFailure(caller.Get(server.Url("/")), Failure::kReset,
                 "connection closed before the answer was complete");
  }
  {
    LocalServer server(Raw("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"));
    const HttpResult result = caller.Get(server.Url("/"));
    CheckFailure(result, Failure::kReset, "connection closed before the answer was complete");
    BOOST_TEST(result.status == 200);
  }
  {
    LocalServer server([](Connection& connection) {
      Request request;
      connection.ReadRequest(&request);
      connection.HalfClose();
      connection.Hang();
    });
    CheckFailure(caller.Get(server.Url("/")), Failure::kReset,
                 "connection closed before the answer was complete");
  }
}

ON_BOTH_WAYS(what_is_not_http_is_not_an_answer) {
  LocalServer server(Raw("SSH-2.0-OpenSSH_9.2\r\n"));
  Caller caller;
  const HttpResult result = caller.Get(server.Url("/"));
  CheckFailure(result, Failure::kOther, "answer is not HTTP");
  BOOST_TEST(result.status == 0);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(redirects)

ON_BOTH_WAYS(are_followed_with_go_s_methods) {
  LocalServer server(LocalServer::Answering([](const Request& r) {
    return r.target == "/end" ? Answer(200, r.method + ":" + r.body)
                              : Answer(std::atoi(&r.target[1]), "", "Location: end\r\n");
  }));
  Caller caller;
  const std::map<int, std::string> expected = {
      {301, "GET:"}, {302, "GET:"}, {303, "GET:"}, {307, "POST:x"}, {308, "POST:x"}};
  for (const auto& [status, body] : expected) {
    const HttpResult result = caller.Call({.method = "POST",
                                           .url = server.Url("/" + std::to_string(status)),
                                           .headers = {{"Content-Type", "text/plain"}},
                                           .body = "x"});
    BOOST_TEST(result.body == body);
  }
}

ON_BOTH_WAYS(keep_credentials_on_the_same_host) {
  LocalServer server(LocalServer::Answering([](const Request& r) {
    return r.target == "/end" ? Answer(200, r.Header("authorization"))
                              : Answer(302, "", "Location: /end\r\n");
  }));
  Caller caller;
  HttpClientConfig config;
  config.authorization = Authorization{"Bearer", Secret("t0ken"), ""};
  BOOST_TEST(caller.Get(server.Url("/"), Options(config)).body == "Bearer t0ken");
}

ON_BOTH_WAYS(drop_credentials_and_headers_for_another_host_for_good) {
  LocalServer other(LocalServer::Answering([](const Request& r) {
    // Back to where it came from.
    return Answer(
        307, "",
        "Location: " + r.Header("x-unused") + "http://a.local.test:" + r.target.substr(1) + "/end\r\n");
  }));
  LocalServer server(LocalServer::Answering([&](const Request& r) {
    return r.target == "/end"
               ? Answer(200)
               : Answer(307, "", "Location: " + other.Url("/" + r.target.substr(1), "b.local.test") + "\r\n");
  }));
  Caller caller;
  HttpClientConfig config;
  config.basic_auth = BasicAuth{"user", "", Secret("pass"), ""};
  config.http_headers = {{"X-Tenant", {}, {Secret("tenant")}, {}}};
  const HttpResult result =
      caller.Call({.method = "POST",
                   .url = server.Url("/" + std::to_string(server.port()), "a.local.test"),
                   .headers = {{"X-Api-Key", "key"}, {"Content-Type", "text/x"}},
                   .body = "x",
                   .options = Options(config)});
  BOOST_TEST(result.error == "");
  BOOST_TEST(result.status == 200);
  // A repeatable call is sent again when its answer is a redirect.
  BOOST_REQUIRE(server.requests().size() == (Caller::repeatable ? 3U : 2U));
  BOOST_REQUIRE(other.requests().size() == 1U);
  const Request first = server.requests()[0];
  BOOST_TEST(first.Header("authorization") == BasicAuthorization("user", "pass"));
  BOOST_TEST(first.Header("x-tenant") == "tenant");
  BOOST_TEST(first.Header("x-api-key") == "key");
  for (const Request& later : {other.requests()[0], server.requests().back()}) {
    BOOST_TEST(later.Header("authorization") == "");
    BOOST_TEST(later.Header("x-tenant") == "");
    BOOST_TEST(later.Header("x-api-key") == "");
    BOOST_TEST(later.Header("content-type") == "text/x");
    BOOST_TEST(later.body == "x");
  }
}

ON_BOTH_WAYS(stop_after_ten_requests) {
  LocalServer server(
      LocalServer::Answering([](const Request&) { return Answer(302, "", "Location: /s3cret\r\n"); }));
  Caller caller;
  const HttpResult result = caller.Get(server.Url("/"));
  CheckFailure(result, Failure::kOther, "Get \"<redacted>\": stopped after 10 redirects");
  BOOST_TEST(server.requests().size() == (Caller::repeatable ? 11U : 10U));
}

ON_BOTH_WAYS(never_leave_http) {
  for (const std::string location :
       {"file:///etc/passwd", "gopher://h/", "http://", "http://h:99999/", "ftp://h/x"}) {
    LocalServer server(LocalServer::Answering(
        [&](const Request&) { return Answer(302, "", "Location: " + location + "\r\n"); }));
    Caller caller;
    BOOST_TEST_CONTEXT(location) {
      const HttpResult result = caller.Get(server.Url("/"));
      BOOST_TEST(FailureName(result.failure) == "other");
      BOOST_TEST(result.error.find(location) == std::string::npos);
    }
  }
}

ON_BOTH_WAYS(are_answers_when_not_wanted_or_without_a_target) {
  LocalServer server(LocalServer::Answering(
      [](const Request& r) { return Answer(302, "", r.target == "/to" ? "Location: /x\r\n" : ""); }));
  Caller caller;
  HttpClientConfig config;
  config.follow_redirects = false;
  BOOST_TEST(caller.Get(server.Url("/to"), Options(config)).status == 302);
  BOOST_TEST(caller.Get(server.Url("/")).status == 302);
}

ON_BOTH_WAYS(share_one_deadline) {
  LocalServer server([](Connection& connection) {
    Request request;
    while (connection.ReadRequest(&request) && connection.Pause(milliseconds(40)) &&
           connection.Write(Answer(302, "", "Location: /\r\n"))) {
    }
  });
  Caller caller;
  const HttpResult result = caller.Call({.url = server.Url("/"), .timeout = milliseconds(150)});
  BOOST_TEST(FailureName(result.failure) == "timeout");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(call_options)

ON_BOTH_WAYS(credential_files_are_read_for_every_call) {
  LocalServer server(LocalServer::Answering(
      [](const Request& r) { return Answer(200, r.Header("authorization") + "|" + r.Header("x-key")); }));
  Caller caller;
  const TempDir dir;
  HttpClientConfig basic;
  basic.basic_auth = BasicAuth{"", dir.Write("user", "bob\n"), Secret(), dir.Write("password", "old\n")};
  HttpClientConfig bearer;
  bearer.authorization = Authorization{"Bearer", Secret(), dir.Write("token", "t1\n")};
  bearer.http_headers = {{"X-Key", {}, {}, {dir.Write("key", " k1\n")}}};
  BOOST_TEST(caller.Get(server.Url("/"), Options(basic)).body == BasicAuthorization("bob", "old") + "|");
  BOOST_TEST(caller.Get(server.Url("/"), Options(bearer)).body == "Bearer t1|k1");
  dir.Write("password", "new");
  dir.Write("token", "t2");
  dir.Write("key", "k2");
  BOOST_TEST(caller.Get(server.Url("/"), Options(basic)).body == BasicAuthorization("bob", "new") + "|");
  BOOST_TEST(caller.Get(server.Url("/"), Options(bearer)).body == "Bearer t2|k2");
}

ON_BOTH_WAYS(a_missing_credential_file_fails_the_call_and_not_the_next) {
  LocalServer server(LocalServer::Answering([](const Request&) { return Answer(200); }));
  Caller caller;
  const TempDir dir;
  HttpClientConfig config;
  config.authorization = Authorization{"Bearer", Secret(), dir.Path("token")};
  CheckFailure(caller.Get(server.Url("/"), Options(config)), Failure::kOther,
               "unable to read authorization credentials: unable to read file");
  BOOST_TEST(server.requests().empty());
  dir.Write("token", "t");
  BOOST_TEST(caller.Get(server.Url("/"), Options(config)).status == 200);
}

ON_BOTH_WAYS(a_secret_that_would_split_the_request_is_refused) {
  Caller caller;
  HttpClientConfig config;
  config.authorization = Authorization{"Bearer", Secret("a\r\nX-Evil: s3cret"), ""};
  const HttpResult result = caller.Get("http://127.0.0.1:1/", Options(config));
  CheckFailure(result, Failure::kOther, "invalid value of header Authorization");
  BOOST_TEST(result.error.find("s3cret") == std::string::npos);
}

ON_BOTH_WAYS(the_caller_s_authorization_and_the_url_s_userinfo_find_their_place) {
  LocalServer server(
      LocalServer::Answering([](const Request& r) { return Answer(200, r.Header("authorization")); }));
  Caller caller;
  HttpClientConfig config;
  config.authorization = Authorization{"Bearer", Secret("config"), ""};
  BOOST_TEST(caller
                 .Call({.url = server.Url("/"),
                        .headers = {{"authorization", "Bearer call"}},
                        .options = Options(config)})
                 .body == "Bearer call");
  const std::string with_userinfo = "http://u:p%40@127.0.0.1:" + std::to_string(server.port());
  BOOST_TEST(caller.Get(with_userinfo).body == BasicAuthorization("u", "p@"));
  BOOST_TEST(caller.Get(with_userinfo, Options(config)).body == "Bearer config");
}

ON_BOTH_WAYS(http_headers_are_added_value_by_value) {
  LocalServer server(LocalServer::Answering([](const Request& r) {
    std::string seen;
    for (const auto& [name, value] : r.headers) {
      seen += name == "x-many" ? value + "," : "";
    }
    return Answer(200, seen);
  }));
  Caller caller;
  const TempDir dir;
  HttpClientConfig config;
  config.http_headers = {{"X-Many", {"a", "b"}, {Secret("c")}, {dir.Write("d", "d\n")}}};
  BOOST_TEST(caller.Get(server.Url("/"), Options(config)).body == "a,b,c,d,");
}

ON_BOTH_WAYS(a_proxy_gets_the_whole_url_unless_bypassed) {
  LocalServer proxy(
      LocalServer::Answering([](const Request& r) { return Answer(200, "proxy " + r.target); }));
  LocalServer server(LocalServer::Answering([](const Request&) { return Answer(200, "direct"); }));
  Caller caller;
  HttpClientConfig config;
  config.proxy.url = "http://pu:pp@127.0.0.1:" + std::to_string(proxy.port());
  BOOST_TEST(caller.Get("http://nowhere.test/x", Options(config)).body == "proxy http://nowhere.test/x");
  BOOST_TEST(proxy.requests()[0].Header("proxy-authorization") == BasicAuthorization("pu", "pp"));
  BOOST_TEST(caller.Get(server.Url("/"), Options(config)).body == "proxy " + server.Url("/"));
  config.proxy.no_proxy = "x.org";
  BOOST_TEST(caller.Get(server.Url("/"), Options(config)).body == "direct");
  // A tunnel that is refused is no answer of the target.
  LocalServer refusing(LocalServer::Answering([](const Request&) { return Answer(407); }));
  config.proxy.url = "http://pu:s3cret@127.0.0.1:" + std::to_string(refusing.port());
  config.proxy.connect_header = {{"X-Connect", {Secret("c")}}};
  const HttpResult result = caller.Get("https://nowhere.test/", Options(config));
  CheckFailure(result, Failure::kConnect, "proxy refused the tunnel with status 407");
  BOOST_TEST(result.status == 0);
  BOOST_TEST(result.error.find("s3cret") == std::string::npos);
  BOOST_TEST(refusing.requests()[0].Header("x-connect") == "c");
}

ON_BOTH_WAYS(an_oauth_token_is_fetched_once_and_again_after_a_401) {
  std::atomic<int> issued = 0;
  std::atomic<bool> revoked = false;
  LocalServer server(LocalServer::Answering([&](const Request& r) {
    if (r.target == "/token") {
      revoked = false;
      return Answer(200, R"({"access_token":"t)" + std::to_string(++issued) + R"(","expires_in":3600})");
    }
    return Answer(revoked ? 401 : 200, r.Header("authorization"));
  }));
  Caller caller;
  HttpClientConfig config;
  config.oauth2.emplace();
  config.oauth2->client_id = "id";
  config.oauth2->client_secret = Secret("s");
  config.oauth2->token_url = server.Url("/token");
  const HttpOptions options = Options(config);
  BOOST_TEST(caller.Get(server.Url("/a"), options).body == "Bearer t1");
  BOOST_TEST(caller.Get(server.Url("/b"), options).body == "Bearer t1");
  const Request token = server.requests().at(0);
  BOOST_TEST(token.Header("authorization") == BasicAuthorization("id", "s"));
  BOOST_TEST(token.body == "grant_type=client_credentials");
  revoked = true;
  BOOST_TEST(caller.Get(server.Url("/c"), options).status == 401);
  BOOST_TEST(caller.Get(server.Url("/d"), options).body == "Bearer t2");
}

// Verifies the assertion as an authorization server does, with the key of the configuration.
ON_BOTH_WAYS(an_assertion_signed_with_a_key_is_changed_for_a_token) {
  LocalServer server(LocalServer::Answering([](const Request& r) {
    return r.target == "/token" ? Answer(200, R"({"access_token":"t","expires_in":3600})")
                                : Answer(200, r.Header("authorization"));
  }));
  Caller caller;
  static const std::string kRsaKey = testing::MakeRsaKey();
  HttpClientConfig config;
  config.oauth2.emplace();
  OAuth2& oauth2 = *config.oauth2;
  oauth2.client_id = "id";
  oauth2.grant_type = "urn:ietf:params:oauth:grant-type:jwt-bearer";
  oauth2.client_certificate_key = Secret(kRsaKey);
  oauth2.client_certificate_key_id = "k1";
  oauth2.claims = {{"tenant", R"({"a":[1]})"}, {"aud", R"("mine")"}};
  oauth2.scopes = {"a", "b"};
  oauth2.endpoint_params = {{"resource", "x y"}};
  oauth2.token_url = server.Url("/token");
  for (const std::string algorithm : {"", "RS384", "RS512"}) {
    oauth2.signature_algorithm = algorithm;
    BOOST_TEST(caller.Get(server.Url("/a"), Options(config)).body == "Bearer t");
    BOOST_TEST(caller.Get(server.Url("/b"), Options(config)).body == "Bearer t");
    const std::vector<Request> requests = server.requests();
    const Request& token = requests[requests.size() - 3];
    BOOST_TEST(token.target == "/token");
    BOOST_TEST(token.Header("authorization") == "");
    BOOST_TEST(token.Header("content-type") == "application/x-www-form-urlencoded");
    const std::string begin = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=";
    BOOST_REQUIRE(token.body.starts_with(begin));
    BOOST_TEST(token.body.ends_with("&resource=x+y"));
    const std::string jwt =
        token.body.substr(begin.size(), token.body.find('&', begin.size()) - begin.size());
    const size_t first = jwt.find('.');
    const size_t last = jwt.rfind('.');
    const std::string name = algorithm.empty() ? "RS256" : algorithm;
    BOOST_TEST(FromBase64Url(jwt.substr(0, first)) == R"({"alg":")" + name + R"(","typ":"JWT","kid":"k1"})");
    const Json claims = *ParseJson(FromBase64Url(jwt.substr(first + 1, last - first - 1)));
    BOOST_TEST(claims.GetString("iss") == "id");
    BOOST_TEST(claims.GetString("sub") == "id");
    BOOST_TEST(claims.GetString("aud") == "mine");
    BOOST_TEST(claims.GetString("scope") == "a b");
    BOOST_TEST(claims.GetString("jti").size() == 36U);
    BOOST_TEST(claims.Find("iat")->AsInt() == 1'767'225'600);
    BOOST_TEST(claims.Find("exp")->AsInt() == 1'767'225'600 + 600);
    BOOST_TEST(claims.Find("tenant")->Dump() == R"({"a":[1]})");
    BOOST_TEST(IsSignedBy(kRsaKey, name, jwt.substr(0, last), FromBase64Url(jwt.substr(last + 1))));
  }
  oauth2.client_certificate_key = Secret("no key");
  CheckFailure(
      caller.Get(server.Url("/a"), Options(config)), Failure::kOther,
      "Post \"<redacted>\": oauth2: cannot fetch token: client_certificate_key: not an RSA private key "
      "in PEM without a passphrase");
}

ON_BOTH_WAYS(oauth_credentials_move_to_the_form_where_the_server_wants_them) {
  LocalServer server(LocalServer::Answering([](const Request& r) {
    if (r.target != "/token") {
      return Answer(200, r.Header("authorization"));
    }
    return r.body.find("client_secret=s") == std::string::npos ? Answer(401, R"({"error":"invalid_client"})")
                                                               : Answer(200, R"({"access_token":"t"})");
  }));
  Caller caller;
  HttpClientConfig config;
  config.oauth2.emplace();
  config.oauth2->client_id = "id";
  config.oauth2->client_secret = Secret("s");
  config.oauth2->token_url = server.Url("/token");
  BOOST_TEST(caller.Get(server.Url("/a"), Options(config)).body == "Bearer t");
  config.oauth2->client_secret = Secret("wrong");
  const HttpResult result = caller.Get(server.Url("/a"), Options(config));
  CheckFailure(result, Failure::kOther,
               "Post \"<redacted>\": oauth2: cannot fetch token: unexpected status code 401: invalid_client");
  BOOST_TEST(result.status == 0);
  BOOST_TEST(result.body == "");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(error_text)

ON_BOTH_WAYS(never_holds_what_a_secret_url_or_header_says) {
  LocalServer hanging([](Connection& connection) {
    Request request;
    connection.ReadRequest(&request);
    connection.Hang();
  });
  LocalServer resetting([](Connection& connection) {
    Request request;
    connection.ReadRequest(&request);
    connection.ResetOnClose();
  });
  LocalServer large(LocalServer::Answering([](const Request&) { return Answer(200, "xx"); }));
  LocalServer looping(LocalServer::Answering(
      [](const Request& r) { return Answer(307, "", "Location: " + r.target + "\r\nX: s3cret\r\n"); }));
  LocalServer garbage(Raw("s3cret s3cret\r\n\r\n"));
  Caller caller;
  HttpClientConfig config;
  config.http_headers = {{"X-Key", {}, {Secret("s3cret")}, {}}};
  for (const int port : {hanging.port(), resetting.port(), large.port(), looping.port(), garbage.port(), 1}) {
    for (const std::string scheme : {"http://", "https://"}) {
      const HttpResult result =
          caller.Call({.method = "POST",
                       .url = scheme + "s3cretuser:s3cretpass@127.0.0.1:" + std::to_string(port) +
                              "/s3cretpath?s3cretquery=1",
                       .body = "s3cretbody",
                       .timeout = milliseconds(200),
                       .response_bytes_max = 1,
                       .options = Options(config)});
      BOOST_TEST_CONTEXT(scheme << port << ": " << result.error) {
        BOOST_TEST(!result.ok());
        BOOST_TEST(result.error.starts_with("Post \"<redacted>\": "));
        BOOST_TEST(result.error.find("s3cret") == std::string::npos);
      }
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mlalert
