#include "notify/mail_address.h"

#include <boost/test/unit_test.hpp>

namespace mlalert {
namespace {

std::string Parsed(std::string_view text) {
  auto list = ParseAddressList(text);
  if (!list) {
    return list.error().message;
  }
  std::string out;
  for (const MailAddress& one : *list) {
    out += "[" + one.name + "|" + one.address + "]";
  }
  return out;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(mail_address)

BOOST_AUTO_TEST_CASE(reads_the_forms_of_rfc_5322) {
  BOOST_TEST(Parsed("a@x.org") == "[|a@x.org]");
  BOOST_TEST(Parsed(" a@x.org , \"B, C\" <b@x.org>,Alert Manager <am@x.org>\n") ==
             "[|a@x.org][B, C|b@x.org][Alert Manager|am@x.org]");
  BOOST_TEST(Parsed("<a@x.org>") == "[|a@x.org]");
  BOOST_TEST(Parsed("J. Doe (on call) <j.doe+alerts@x.org> (home)") == "[J. Doe|j.doe+alerts@x.org]");
  BOOST_TEST(Parsed("ops: a@x.org, B <b@x.org>;, c@x.org") == "[|a@x.org][B|b@x.org][|c@x.org]");
  BOOST_TEST(Parsed("a@[127.0.0.1]") == "[|a@[127.0.0.1]]");
  BOOST_TEST(Parsed("root@localhost,,") == "[|root@localhost]");
  BOOST_TEST(Parsed("\xC3\xA9@\xC3\xA9.org") == "[|\xC3\xA9@\xC3\xA9.org]");
}

BOOST_AUTO_TEST_CASE(a_quoted_local_part_stays_quoted) {
  BOOST_TEST(Parsed("\"a b\"@x.org") == "[|\"a b\"@x.org]");
  BOOST_TEST(Parsed("\"ab\"@x.org") == "[|ab@x.org]");
  BOOST_TEST(Parsed("\"a>\\\"\"@x.org") == "[|\"a>\\\"\"@x.org]");
}

BOOST_AUTO_TEST_CASE(refuses_what_is_no_address) {
  for (std::string_view bad :
       {"", " ", "a", "a@", "@x.org", "a b@x.org", "a@x.org b@x.org", "a@x.org;", "<a@x.org", "A <a@x.org> b",
        "a..b@x.org", ".a@x.org", "a@x..org", "\"a@x.org", "(a@x.org", "g: a@x.org",
        "a@x.org>\r\nRCPT TO:<b@x.org", "a\r\n@x.org", "\"a\r\nb\"@x.org"}) {
    BOOST_TEST(!ParseAddressList(bad), bad);
  }
  BOOST_TEST(!ParseAddressList(std::string(100, '(')));
  BOOST_TEST(!ParseAddressList("a: b: c: d@x.org;;;"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mlalert
