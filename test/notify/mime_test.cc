#include "notify/mime.h"

#include <boost/test/unit_test.hpp>

namespace mlalert {

BOOST_AUTO_TEST_SUITE(mime)

BOOST_AUTO_TEST_CASE(encodes_header_texts_as_go_does) {
  BOOST_TEST(EncodeHeaderText("plain ASCII, =?_ too") == "plain ASCII, =?_ too");
  BOOST_TEST(EncodeHeaderText("b\xC3\xA9 firing_=?") == "=?utf-8?q?b=C3=A9_firing=5F=3D=3F?=");
  BOOST_TEST(EncodeHeaderText("a\r\nBcc: x@y") == "=?utf-8?q?a=0D=0ABcc:_x@y?=");
  BOOST_TEST(EncodeHeaderText("") == "");
}

BOOST_AUTO_TEST_CASE(splits_long_header_texts_between_characters) {
  std::string text;
  for (int i = 0; i < 30; ++i) {
    text += "\xE2\x82\xAC";
  }
  const std::string out = EncodeHeaderText(text);
  for (size_t at = 0; at < out.size();) {
    const size_t end = std::min(out.find(' ', at), out.size());
    BOOST_TEST(end - at <= 75U);
    BOOST_TEST(out.substr(end - 11, 11) == "=E2=82=AC?=");
    at = end + 1;
  }
}

BOOST_AUTO_TEST_CASE(bad_utf8_is_encoded_byte_by_byte) {
  BOOST_TEST(EncodeHeaderText("\xC3(") == "=?utf-8?q?=C3(?=");
}

BOOST_AUTO_TEST_CASE(keeps_addresses_readable_and_encodes_their_names) {
  BOOST_TEST(EncodeAddressHeader("a@x.org, \"B\" <b@x.org>") == "a@x.org, \"B\" <b@x.org>");
  BOOST_TEST(EncodeAddressHeader("B\xC3\xA9 <b@x.org>, C <c@x.org>\n") ==
             "=?utf-8?q?B=C3=A9?= <b@x.org>, \"C\" <c@x.org>");
  BOOST_TEST(EncodeAddressHeader("\xC3\xA9@x.org") == "=?utf-8?q?=C3=A9@x.org?=");
  BOOST_TEST(EncodeAddressHeader("no list \xC3\xA9") == "=?utf-8?q?no_list_=C3=A9?=");
}

BOOST_AUTO_TEST_CASE(folds_lines_beyond_the_limit_only) {
  BOOST_TEST(HeaderLine("Subject", "short") == "Subject: short\r\n");
  std::string words;
  for (int i = 0; i < 400; ++i) {
    words += "word ";
  }
  const std::string out = HeaderLine("Subject", words);
  std::string unfolded;
  for (size_t at = 0; at < out.size();) {
    const size_t end = out.find("\r\n", at);
    BOOST_TEST(end - at <= 998U);
    unfolded += out.substr(at, end - at);
    at = end + 2;
    BOOST_TEST((at == out.size() || out[at] == ' '));
  }
  BOOST_TEST(unfolded == "Subject: " + words);
  // Nowhere to fold: left as it is.
  BOOST_TEST(HeaderLine("X", std::string(2000, 'x')).size() == 2005U);
}

BOOST_AUTO_TEST_CASE(quoted_printable_as_go_writes_it) {
  BOOST_TEST(QuotedPrintable("a = b\xC3\xA9\n") == "a =3D b=C3=A9\r\n");
  BOOST_TEST(QuotedPrintable("blank \ntab\t\r\nend ") == "blank=20\r\ntab=09\r\nend=20");
  BOOST_TEST(QuotedPrintable("a\r\nb\nc\rd") == "a\r\nb\r\nc\r\nd");
  BOOST_TEST(QuotedPrintable(std::string(76, 'x')) == std::string(75, 'x') + "=\r\nx");
  BOOST_TEST(QuotedPrintable(std::string(75, 'x')) == std::string(75, 'x'));
  BOOST_TEST(QuotedPrintable(std::string(73, 'x') + "==") == std::string(73, 'x') + "=\r\n=3D=3D");
}

BOOST_AUTO_TEST_CASE(parts_stand_between_boundaries) {
  MultipartBody body("B");
  body.Add("text/plain", "p");
  body.Add("text/html", "<h>");
  BOOST_TEST(
      body.Finish() ==
      "--B\r\nContent-Transfer-Encoding: quoted-printable\r\nContent-Type: text/plain; charset=UTF-8\r\n"
      "\r\np\r\n--B\r\nContent-Transfer-Encoding: quoted-printable\r\nContent-Type: text/html; "
      "charset=UTF-8\r\n\r\n<h>\r\n--B--\r\n");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mlalert
