#include "api/http_parse.h"

#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

namespace mlalert {

BOOST_AUTO_TEST_SUITE(http_parse)

BOOST_AUTO_TEST_CASE(reads_what_a_head_says) {
  HttpHead head;
  std::vector<HttpField> headers;
  std::string text =
      "POST /a%20b?c=d HTTP/1.1\r\nHost: x\r\ncontent-LENGTH:  12 \r\nAccept-Encoding: deflate, "
      "gzip;q=0.5\r\n"
      "Connection: foo, Close\r\nContent-Encoding: GZIP\r\nExpect: 100-Continue\r\nEmpty:\r\n\r\n";
  BOOST_REQUIRE(!ParseHttpHead(text, head, headers));
  BOOST_TEST(head.method == "POST");
  BOOST_TEST(head.path == "/a%20b");
  BOOST_TEST(head.query == "c=d");
  BOOST_TEST(head.content_length == 12u);
  BOOST_TEST(head.accepts_gzip);
  BOOST_TEST(head.gzip_body);
  BOOST_TEST(head.expect_continue);
  BOOST_TEST(!head.keep_alive);
  BOOST_TEST(!head.chunked);
  BOOST_REQUIRE(headers.size() == 7u);
  BOOST_TEST(headers[1].value == "12");
  BOOST_TEST(headers[6].value == "");
}

BOOST_AUTO_TEST_CASE(reads_absolute_targets) {
  struct {
    const char* target;
    const char* path;
    const char* query;
  } const cases[] = {{"http://h", "/", ""},
                     {"http://h/", "/", ""},
                     {"http://h:1/p?q", "/p", "q"},
                     {"/p?u=http://h/x", "/p", "u=http://h/x"},
                     {"/p://x", "/p://x", ""}};
  for (const auto& c : cases) {
    BOOST_TEST_CONTEXT(c.target) {
      HttpHead head;
      std::vector<HttpField> headers;
      std::string text = "GET " + std::string(c.target) + " HTTP/1.1\r\nHost: h\r\n\r\n";
      BOOST_TEST(!ParseHttpHead(text, head, headers));
      BOOST_TEST(head.path == c.path);
      BOOST_TEST(head.query == c.query);
    }
  }
  HttpHead head;
  std::vector<HttpField> headers;
  // "http://h?q" has no path at all.
  BOOST_TEST(ParseHttpHead("GET http://h?q HTTP/1.1\r\nHost: h\r\n\r\n", head, headers).has_value());
}

BOOST_AUTO_TEST_CASE(scanner_finds_the_same_end_for_every_cut) {
  std::string text = "\r\nGET / HTTP/1.1\r\nA: b\r\nC: d\r\n\r\nrest\r\n\r\n";
  for (size_t cut = 0; cut <= text.size(); ++cut) {
    HttpHeadScanner scanner;
    HttpHeadScanner::State state = scanner.Scan(std::string_view(text).substr(0, cut), {});
    if (state == HttpHeadScanner::State::kMore) {
      state = scanner.Scan(text, {});
    }
    BOOST_TEST_CONTEXT(cut) {
      BOOST_TEST((state == HttpHeadScanner::State::kComplete));
      BOOST_TEST(scanner.begin() == 2u);
      BOOST_TEST(text.substr(scanner.end()) == "rest\r\n\r\n");
    }
  }
}

BOOST_AUTO_TEST_CASE(percent_decoding_is_strict) {
  struct {
    const char* text;
    bool ok;
    const char* want;
  } const cases[] = {{"", true, ""},     {"a%20b+c", true, "a b+c"}, {"%41%4a%4A", true, "AJJ"},
                     {"%", false, ""},   {"%4", false, ""},          {"%4g", false, ""},
                     {"%00", false, ""}, {"a%%20", false, ""},       {"%25%32%35", true, "%25"}};
  for (const auto& c : cases) {
    BOOST_TEST_CONTEXT(c.text) {
      std::string out;
      BOOST_TEST(PercentDecode(c.text, false, out) == c.ok);
      BOOST_TEST((!c.ok || out == c.want));
    }
  }
}

BOOST_AUTO_TEST_CASE(query_keeps_order_repeats_and_empty_values) {
  std::vector<HttpParam> params;
  BOOST_REQUIRE(ParseHttpQuery("a=1&b&&a=2&c==d&%65=%26+&=v", params));
  std::string flat;
  for (const HttpParam& p : params) {
    flat += "[" + p.name + "=" + p.value + "]";
  }
  BOOST_TEST(flat == "[a=1][b=][a=2][c==d][e=& ][=v]");
}

BOOST_AUTO_TEST_CASE(accept_encoding_weights_count) {
  struct {
    const char* value;
    bool accepts;
  } const cases[] = {{"", false},          {"gzip", true},           {"GZip", true},
                     {"gzip;q=0", false},  {"gzip; q=0.000", false}, {"gzip;q=0.001", true},
                     {"br, x-gzip", true}, {"identity", false},      {"*", true},
                     {"*;q=0", false},     {"*, gzip;q=0", false},   {"gzipped", false}};
  for (const auto& c : cases) {
    BOOST_TEST_CONTEXT(c.value) {
      BOOST_TEST(AcceptsGzip(c.value) == c.accepts);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mlalert
