#include "config/url_check.h"

#include <boost/test/unit_test.hpp>

using namespace mlalert;  // NOLINT(google-build-using-namespace)

BOOST_AUTO_TEST_SUITE(check_http_url)

BOOST_AUTO_TEST_CASE(accepts_what_go_accepts) {
  for (std::string_view text :
       {"http://a", "https://a:9090/x?y=1#z", "HTTP://a", "http://[::1]:80/", "http://user:pw@h/x",
        "http://a/%41", "http://a/b c", "http://ä.example/", "http://a:/x", "http://a_b/"}) {
    BOOST_TEST_CONTEXT("url " << text) {
      BOOST_TEST(CheckHttpUrl(text).has_value());
    }
  }
}

BOOST_AUTO_TEST_CASE(refuses_in_alertmanagers_words) {
  struct Case {
    std::string_view text;
    std::string_view message;
  };
  for (const Case& c : {
           Case{"", R"(unsupported scheme "" for URL)"},
           {"a", R"(unsupported scheme "" for URL)"},
           {"ftp://a", R"(unsupported scheme "ftp" for URL)"},
           {"hunter2:x", R"(unsupported scheme "" for URL)"},
           {"http:", "missing host for URL"},
           {"http://", "missing host for URL"},
           {"http:///x", "missing host for URL"},
           {"http:/x", "missing host for URL"},
           {"http://:80", "missing host for URL"},
           {"http://a:b", "invalid port after host"},
           {"http://[::1", "missing ']' in host"},
           {"http://a b/", R"(invalid character " " in host name)"},
           {"http://a/%zz", "invalid URL escape"},
           {"http://a/%4", "invalid URL escape"},
           {"http://a\n", "net/url: invalid control character in URL"},
           {"http://u s@h", "net/url: invalid userinfo"},
           {"http://%zz@h", "net/url: invalid userinfo"},
       }) {
    BOOST_TEST_CONTEXT("url " << c.text) {
      auto parts = CheckHttpUrl(c.text);
      BOOST_REQUIRE(!parts.has_value());
      BOOST_TEST(parts.error().message == c.message);
    }
  }
}

BOOST_AUTO_TEST_CASE(takes_userinfo_out) {
  auto parts = CheckHttpUrl("http://us%65r:p%40ss@host:9090/x?y#z");
  BOOST_REQUIRE(parts.has_value());
  BOOST_TEST(parts->username.value() == "user");
  BOOST_TEST(parts->password.value() == "p@ss");
  BOOST_TEST(parts->without_userinfo == "http://host:9090/x?y#z");
  BOOST_TEST(!CheckHttpUrl("http://user@h")->password.has_value());
}

BOOST_AUTO_TEST_SUITE_END()
