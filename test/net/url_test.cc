#include "net/url.h"

#include <boost/test/unit_test.hpp>

namespace mlalert {

BOOST_AUTO_TEST_SUITE(parse_url)

BOOST_AUTO_TEST_CASE(splits_into_parts) {
  const auto url = ParseUrl("HTTPS://us%40er:p%3Aw@Example.org:8443/a%2Fb/c?x=1&y=%20#frag");
  BOOST_REQUIRE(url.has_value());
  BOOST_TEST(url->scheme == "https");
  BOOST_TEST(*url->username == "us@er");
  BOOST_TEST(*url->password == "p:w");
  BOOST_TEST(url->host == "Example.org");
  BOOST_TEST(url->port == 8443);
  BOOST_TEST(url->path == "/a%2Fb/c");
  BOOST_TEST(url->query == "x=1&y=%20");
  BOOST_TEST(url->fragment == "frag");
  BOOST_TEST(url->ToString() == "https://us%40er:p%3Aw@Example.org:8443/a%2Fb/c?x=1&y=%20#frag");
  BOOST_TEST(url->ToWire() == "https://Example.org:8443/a%2Fb/c?x=1&y=%20");
}

BOOST_AUTO_TEST_CASE(refuses_with_the_field_s_own_words) {
  const struct {
    std::string_view text;
    std::string_view error;
  } cases[] = {
      {"", "unsupported scheme \"\" for URL"},
      {"a", "unsupported scheme \"\" for URL"},
      {"//host/x", "unsupported scheme \"\" for URL"},
      {"ftp://x", "unsupported scheme \"ftp\" for URL"},
      {"file:///etc/passwd", "unsupported scheme \"file\" for URL"},
      {"http://", "missing host for URL"},
      {"http:///path", "missing host for URL"},
      {"http:path", "missing host for URL"},
      {"http://:80/", "missing host for URL"},
      {"http://user@/", "missing host for URL"},
      {":80", "missing protocol scheme"},
      {"http://h/\n", "net/url: invalid control character in URL"},
      {"http://h\x7f/", "net/url: invalid control character in URL"},
      {"http://h:abc/", "invalid port after host"},
      {"http://h:99999/", "invalid port after host"},
      {"http://h:0/", "invalid port after host"},
      {"http://h:1:2/", "invalid port after host"},
      {"http://h h/", "invalid character in host name"},
      {"http://h%41/", "invalid character in host name"},
      {"http://[::1/", "missing ']' in host"},
      {"http://[::g]/", "invalid character in host name"},
      {"http://[::1]80/", "invalid port after host"},
      {"http://h/%zz", "invalid URL escape"},
      {"http://h/%4", "invalid URL escape"},
      {"http://us er@h/", "net/url: invalid userinfo"},
      {"http://u%4@h/", "invalid URL escape"},
  };
  for (const auto& c : cases) {
    BOOST_TEST_CONTEXT(c.text) {
      const auto url = ParseUrl(c.text);
      BOOST_REQUIRE(!url.has_value());
      BOOST_TEST(url.error().message == c.error);
      BOOST_TEST((url.error().code == ErrorCode::kInvalid));
    }
  }
}

BOOST_AUTO_TEST_CASE(refuses_what_is_too_long) {
  BOOST_TEST(!ParseUrl("http://h/" + std::string(kUrlBytesMax, 'a')).has_value());
}

BOOST_AUTO_TEST_CASE(understands_ipv6_and_empty_ports) {
  const auto v6 = ParseUrl("http://[::1]:9090/x");
  BOOST_REQUIRE(v6.has_value());
  BOOST_TEST(v6->host == "::1");
  BOOST_TEST(v6->HostPort() == "[::1]:9090");
  BOOST_TEST(v6->ToString() == "http://[::1]:9090/x");
  const auto empty_port = ParseUrl("https://h:/");
  BOOST_REQUIRE(empty_port.has_value());
  BOOST_TEST(empty_port->port == 0);
  BOOST_TEST(empty_port->EffectivePort() == 443);
}

BOOST_AUTO_TEST_CASE(escapes_what_would_break_the_request_line) {
  const auto url = ParseUrl("http://h/a b\"<\xc3\xa9>?q={job=\"x y\"}");
  BOOST_REQUIRE(url.has_value());
  BOOST_TEST(url->ToWire() == "http://h/a%20b%22%3C%C3%A9%3E?q=%7Bjob=%22x%20y%22%7D");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(url_building)

BOOST_AUTO_TEST_CASE(joins_paths_with_one_slash) {
  const struct {
    std::string_view base;
    std::string_view suffix;
    std::string_view joined;
  } cases[] = {
      {"http://h", "/api/v1/query", "http://h/api/v1/query"},
      {"http://h/", "api/v1/query", "http://h/api/v1/query"},
      {"http://h/prometheus//", "/api/v1/query", "http://h/prometheus/api/v1/query"},
      {"http://h/p?tenant=a", "x", "http://h/p/x?tenant=a"},
  };
  for (const auto& c : cases) {
    BOOST_TEST(JoinPath(*ParseUrl(c.base), c.suffix).ToString() == c.joined);
  }
}

BOOST_AUTO_TEST_CASE(escapes_as_go_does) {
  BOOST_TEST(QueryEscape("a b&c=d/e+f~g_\xc3\xa9") == "a+b%26c%3Dd%2Fe%2Bf~g_%C3%A9");
  BOOST_TEST(PathEscape("a b/c$&+=:@") == "a%20b%2Fc$&+=:@");
  BOOST_TEST(EncodeForm({{"query", "up == 0"}, {"time", "1"}}) == "query=up+%3D%3D+0&time=1");
  BOOST_TEST(EncodeForm({}).empty());
}

BOOST_AUTO_TEST_CASE(masks_passwords_for_logs) {
  BOOST_TEST(MaskUserinfo("http://user:secret@host/x?y=1") == "http://user:xxxxx@host/x?y=1");
  BOOST_TEST(MaskUserinfo("http://user@host/") == "http://user@host/");
  BOOST_TEST(MaskUserinfo("socks5://u:p@proxy:1080") == "socks5://u:xxxxx@proxy:1080");
  BOOST_TEST(MaskUserinfo("http://host") == "http://host");
  BOOST_TEST(MaskUserinfo("http://user:sec ret@host") == "<invalid URL>");
  BOOST_TEST(MaskUserinfo("user:secret") == "<invalid URL>");
}

BOOST_AUTO_TEST_CASE(credentials_stay_with_their_host) {
  const struct {
    std::string_view from;
    std::string_view to;
    bool may;
  } cases[] = {
      {"http://h/a", "http://h/b", true},       {"http://h/a", "http://H:80/b", true},
      {"http://h", "https://h", true},          {"https://h", "http://h", false},
      {"http://h", "http://h:8080", false},     {"http://h", "http://sub.h", false},
      {"http://h:8080", "https://h", false},    {"https://h", "https://h:443/x", true},
      {"http://h", "http://h.evil.org", false},
  };
  for (const auto& c : cases) {
    BOOST_TEST_CONTEXT(c.from << " -> " << c.to) {
      BOOST_TEST(MayShareCredentials(*ParseUrl(c.from), *ParseUrl(c.to)) == c.may);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mlalert
