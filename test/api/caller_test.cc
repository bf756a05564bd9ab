// Who acted, and from where, as the record of an action says it.
#include "api/caller.h"

#include <boost/test/unit_test.hpp>

namespace mlalert {
namespace {

HttpRequest From(std::string user, std::vector<std::string_view> forwarded = {}) {
  HttpRequest out;
  out.remote_addr = "127.0.0.1";
  out.user = std::move(user);
  for (std::string_view value : forwarded) {
    out.headers.push_back({"x-forwarded-for", value});
  }
  return out;
}

BOOST_AUTO_TEST_SUITE(caller)

BOOST_AUTO_TEST_CASE(who_logged_in_is_named_beside_whom_he_names) {
  BOOST_TEST(CallerName(From(""), "bob") == "bob");
  BOOST_TEST(CallerName(From(""), "") == "");
  BOOST_TEST(CallerName(From("alice"), "") == "alice");
  BOOST_TEST(CallerName(From("alice"), " \t") == "alice");
  BOOST_TEST(CallerName(From("alice"), "alice") == "alice");
  BOOST_TEST(CallerName(From("alice"), "bob") == "bob (alice)");
  // Whatever is said: the last word is ours.
  BOOST_TEST(CallerName(From("mallory"), "bob (alice)") == "bob (alice) (mallory)");
}

BOOST_AUTO_TEST_CASE(behind_a_proxy_its_own_entry_is_named_too) {
  BOOST_TEST(CallerAddress(From("")) == "127.0.0.1");
  BOOST_TEST(CallerAddress(From("", {"203.0.113.9"})) == "127.0.0.1 (for 203.0.113.9)");
  BOOST_TEST(CallerAddress(From("", {"6.6.6.6, 203.0.113.9 "})) == "127.0.0.1 (for 203.0.113.9)");
  BOOST_TEST(CallerAddress(From("", {"6.6.6.6", "198.51.100.1,\t2001:db8::1"})) ==
             "127.0.0.1 (for 2001:db8::1)");
  BOOST_TEST(CallerAddress(From("", {"0000:0000:0000:0000:0000:ffff:255.255.255.255"})) ==
             "127.0.0.1 (for 0000:0000:0000:0000:0000:ffff:255.255.255.255)");
}

BOOST_AUTO_TEST_CASE(what_is_no_address_is_not_looked_at) {
  const std::string long_text(5000, '1');
  for (std::string_view bad :
       {"", " ", ",", "203.0.113.9,", "unknown", "203.0.113.9:80", "[2001:db8::1]", "203.0.113", "1.2.3.4\n5",
        "fe80::1%eth0", "<script>", "256.1.1.1", "::g", "203.0.113.9 203.0.113.8"}) {
    BOOST_TEST(CallerAddress(From("", {bad})) == "127.0.0.1", bad);
  }
  BOOST_TEST(CallerAddress(From("", {long_text})) == "127.0.0.1");
  BOOST_TEST(CallerAddress(From("", {std::string_view("1.2.3.4\0x", 9)})) == "127.0.0.1");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mlalert
