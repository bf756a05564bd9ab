#include "net/proxy_bypass.h"

#include <boost/test/unit_test.hpp>

namespace mlalert {

BOOST_AUTO_TEST_SUITE(bypasses_proxy)

BOOST_AUTO_TEST_CASE(matches_as_go_does) {
  const struct {
    std::string_view list;
    std::string_view host;
    uint16_t port;
    bool bypass;
  } cases[] = {
      {"", "example.org", 80, false},
      {"", "127.0.0.1", 80, false},
      {"x.org", "127.0.0.1", 80, true},
      {"x.org", "127.8.8.8", 80, true},
      {"x.org", "::1", 80, true},
      {"x.org", "localhost", 80, true},
      {"*", "example.org", 80, true},
      {"other.org, *", "example.org", 80, true},
      {"example.org", "example.org", 80, true},
      {"example.org", "EXAMPLE.ORG.", 80, true},
      {"Example.org", "sub.example.org", 80, true},
      {"example.org", "notexample.org", 80, false},
      {"example.org", "example.org.evil.net", 80, false},
      {".example.org", "example.org", 80, false},
      {".example.org", "sub.example.org", 80, true},
      {"*.example.org", "sub.example.org", 80, true},
      {"*.example.org", "example.org", 80, false},
      {"example.org:8080", "example.org", 8080, true},
      {"example.org:8080", "example.org", 80, false},
      {"10.0.0.0/8", "10.1.2.3", 80, true},
      {"10.0.0.0/8", "11.1.2.3", 80, false},
      {"10.0.0.0/33", "10.1.2.3", 80, false},
      {"10.0.0.0/", "10.1.2.3", 80, false},
      {"0.0.0.0/0", "9.9.9.9", 80, true},
      {"0.0.0.0/0", "2001:db8::1", 80, false},
      {"10.0.0.0/8", "example.org", 80, false},
      {"10.1.2.3", "10.1.2.3", 80, true},
      {"10.1.2.3:443", "10.1.2.3", 80, false},
      {"2001:db8::/32", "2001:db8::1", 80, true},
      {"2001:DB8::1", "2001:db8:0::1", 80, true},
      {"[2001:db8::1]:80", "2001:db8::1", 80, true},
      {"[2001:db8::1]:81", "2001:db8::1", 80, false},
      {" , ,. ,:,[],/", "example.org", 80, false},
  };
  for (const auto& c : cases) {
    BOOST_TEST_CONTEXT(c.list << " | " << c.host << ":" << c.port) {
      BOOST_TEST(BypassesProxy(c.list, c.host, c.port) == c.bypass);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mlalert
