#include "api/http_router.h"

#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

#include "api/http_error.h"
#include "base/http_body.h"

namespace mlalert {

namespace {

HttpRouter MakeRouter() {
  HttpRouter router;
  auto nothing = [](HttpRequest&, HttpResponse&) {};
  router.Post("/api/v2/alerts", nothing);
  router.Get("/api/v2/alerts", nothing, {.head = false});
  router.Get("/api/v2/silence/{id}", nothing);
  router.Delete("/api/v2/silence/{id}", nothing);
  router.Get("/api/v2/silence/new", nothing);
  router.Get("/", nothing);
  router.Get("/ui/{file...}", nothing);
  return router;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(http_router)

BOOST_AUTO_TEST_CASE(finds_routes_by_method_and_path) {
  struct {
    const char* method;
    const char* path;
    const char* pattern;  // "" = none
    const char* allow;
    const char* param;
  } const cases[] = {
      {"POST", "/api/v2/alerts", "/api/v2/alerts", "", ""},
      {"GET", "/api/v2/alerts/", "/api/v2/alerts", "", ""},
      {"PUT", "/api/v2/alerts", "", "POST, GET", ""},
      {"HEAD", "/api/v2/alerts", "", "POST, GET", ""},
      {"GET", "/api/v2/silence/7", "/api/v2/silence/{id}", "", "7"},
      {"HEAD", "/api/v2/silence/7", "/api/v2/silence/{id}", "", "7"},
      {"GET", "/api/v2/silence/new", "/api/v2/silence/new", "", ""},
      {"POST", "/api/v2/silence/7", "", "GET, HEAD, DELETE", ""},
      {"GET", "/api/v2/silence/", "", "", ""},
      {"GET", "/api/v2/silence/a/b", "", "", ""},
      {"GET", "/api/v2/silence/a%2fb", "/api/v2/silence/{id}", "", "a/b"},
      {"GET", "/api/v2/%61lerts", "/api/v2/alerts", "", ""},
      {"GET", "/api%2Fv2/alerts", "", "", ""},
      {"GET", "/", "/", "", ""},
      {"GET", "/ui/", "/ui/{file...}", "", ""},
      {"GET", "/ui/a/b.js", "/ui/{file...}", "", "a/b.js"},
      {"GET", "/ui", "/ui/{file...}", "", ""},
      {"GET", "*", "", "", ""},
      {"GET", "", "", "", ""},
  };
  HttpRouter router = MakeRouter();
  for (const auto& c : cases) {
    BOOST_TEST_CONTEXT(c.method << " " << c.path) {
      std::vector<HttpParam> params;
      HttpRouter::Match match = router.Find(c.method, c.path, params);
      BOOST_TEST((match.route != nullptr ? match.route->pattern : "") == c.pattern);
      BOOST_TEST(match.allow == c.allow);
      BOOST_TEST((params.empty() ? "" : params[0].value) == c.param);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(http_error)

BOOST_AUTO_TEST_CASE(prints_both_shapes_as_alertmanager_does) {
  BOOST_TEST(HttpErrorObject(602, "comment in body is required") ==
             R"({"code":602,"message":"comment in body is required"})");
  BOOST_TEST(HttpErrorObject(400, "a<b>&\"\n") == R"({"code":400,"message":"a\u003cb\u003e\u0026\"\n"})");
  BOOST_TEST(HttpErrorString("bad matcher format: a<b>&\"") == "\"bad matcher format: a<b>&\\\"\"\n");
  // A backslash that was in the text stays one.
  BOOST_TEST(HttpErrorString("\\u003c <\\") == "\"\\\\u003c <\\\\\"\n");
  HttpResponse response;
  SetErrorObject(response, 422, "x", 602);
  BOOST_TEST(response.status == 422);
  BOOST_TEST(response.body == R"({"code":602,"message":"x"})");
  BOOST_TEST(response.content_type == "application/json");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(http_body)

BOOST_AUTO_TEST_CASE(chunks_decode_alike_byte_by_byte) {
  std::string wire = "A;ext=\"v\"\r\n0123456789\r\n00003 \r\nabc\r\n0\r\nX: y\r\nZ: w\r\n\r\nnext";
  for (size_t step : {size_t{1}, size_t{2}, size_t{7}, wire.size()}) {
    BOOST_TEST_CONTEXT(step) {
      ChunkedDecoder decoder;
      ChunkedDecoder::State state = ChunkedDecoder::State::kMore;
      std::string out;
      size_t at = 0;
      while (state == ChunkedDecoder::State::kMore && at < wire.size()) {
        size_t consumed = 0;
        state = decoder.Feed(std::string_view(wire).substr(at, step), out, 13, consumed);
        at += consumed;
      }
      BOOST_TEST((state == ChunkedDecoder::State::kDone));
      BOOST_TEST(out == "0123456789abc");
      BOOST_TEST(wire.substr(at) == "next");
    }
  }
}

BOOST_AUTO_TEST_CASE(many_small_honest_chunks_are_fine) {
  ChunkedDecoder decoder;
  std::string wire;
  for (int i = 0; i < 100'000; ++i) {
    wire += "1\r\nx\r\n";
  }
  wire += "0\r\n\r\n";
  std::string out;
  size_t consumed = 0;
  BOOST_TEST((decoder.Feed(wire, out, 1 << 20, consumed) == ChunkedDecoder::State::kDone));
  BOOST_TEST(out.size() == 100'000u);
}

BOOST_AUTO_TEST_CASE(gzip_survives_a_round_trip_and_keeps_its_limit) {
  GzipWriter writer;
  std::string zipped;
  std::string plain;
  for (size_t size : {size_t{100}, size_t{5000}, size_t{3'000'000}}) {
    std::string text;
    while (text.size() < size) {
      text += "{\"alertname\":\"Drift\",\"n\":" + std::to_string(text.size()) + "}";
    }
    BOOST_TEST_CONTEXT(size) {
      BOOST_REQUIRE(writer.Compress(text, zipped));
      BOOST_TEST((Gunzip(zipped, text.size(), plain) == GunzipResult::kOk));
      BOOST_TEST((plain == text));
      BOOST_TEST((Gunzip(zipped, text.size() - 1, plain) == GunzipResult::kTooLarge));
      BOOST_TEST((Gunzip(std::string_view(zipped).substr(0, zipped.size() / 2), text.size(), plain) ==
                  GunzipResult::kMalformed));
    }
  }
  BOOST_TEST(!writer.Compress("x", zipped));
  BOOST_TEST((Gunzip("", 100, plain) == GunzipResult::kMalformed));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mlalert
