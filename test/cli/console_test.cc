#include "cli/console.h"

#include <boost/test/unit_test.hpp>
#include <sstream>

#include "cli/cli_case.h"

namespace mlalert {
namespace {

BOOST_AUTO_TEST_SUITE(printable)

BOOST_AUTO_TEST_CASE(what_drives_a_terminal_is_escaped_and_all_else_stays) {
  struct {
    std::string text;
    std::string want;
  } cases[] = {
      {"", ""},
      {"plain text, 100%", "plain text, 100%"},
      {"日本語 é 🔥", "日本語 é 🔥"},
      {"\x1b[2J\x1b]0;owned\x07", "\\x1b[2J\\x1b]0;owned\\x07"},
      {"a\nb\tc\rd", "a\\nb\\tc\\rd"},
      {std::string("nul\0nul", 7), "nul\\x00nul"},
      {"del\x7f", "del\\x7f"},
      {"\xc2\x9b"
       "31m",
       "\\u{009b}31m"},  // CSI as one C1 character
      {"abc\xe2\x80\xae"
       "cba",
       "abc\\u{202e}cba"},                                     // right-to-left override
      {"x\xe2\x81\xa6y\xe2\x81\xa9", "x\\u{2066}y\\u{2069}"},  // isolates
      {"zero\xe2\x80\x8bwidth\xef\xbb\xbf", "zero\\u{200b}width\\u{feff}"},
      {"line\xe2\x80\xa8separator", "line\\u{2028}separator"},
      {"tag\xf3\xa0\x81\x81", "tag\\u{e0041}"},
      {"\x9b"
       "31m",
       "\\x9b31m"},  // the same CSI as a bare byte
      {"\xff\xfe", "\\xff\\xfe"},
      {"cut \xe6\x97", "cut \\xe6\\x97"},
      {"\xc0\xaf overlong", "\\xc0\\xaf overlong"},
      {"\xed\xa0\x80", "\\xed\\xa0\\x80"},           // a surrogate
      {"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"},  // beyond Unicode
  };
  for (const auto& c : cases) {
    BOOST_TEST(Printable(c.text) == c.want);
    // Nothing is left to escape.
    BOOST_TEST(Printable(Printable(c.text)) == c.want);
  }
}

BOOST_AUTO_TEST_CASE(of_several_lines_breaks_and_tabs_stay) {
  BOOST_TEST(PrintableLines("a\n\tb\x1b\r\n") == "a\n\tb\\x1b\\r\n");
}

BOOST_AUTO_TEST_CASE(json_stays_json_and_says_the_same) {
  std::string hostile = "\x1b[2J \xc2\x9b \xe2\x80\xae \xf3\xa0\x81\x81 \x7f 日本\n";
  Json json = Json::MakeObject();
  json.Set("label", hostile);
  std::ostringstream out;
  PrintJson(out, json);
  std::string text = out.str();
  for (const char* raw : {"\x1b", "\xc2\x9b", "\xe2\x80\xae", "\xf3\xa0\x81\x81", "\x7f"}) {
    BOOST_TEST(!testing::Has(text, raw));
  }
  auto back = ParseJson(text);
  BOOST_REQUIRE(back.has_value());
  BOOST_TEST(back->GetString("label") == hostile);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(display_width)

BOOST_AUTO_TEST_CASE(counts_cells_not_bytes) {
  BOOST_TEST(DisplayWidth("") == 0u);
  BOOST_TEST(DisplayWidth("abc") == 3u);
  BOOST_TEST(DisplayWidth("é") == 1u);
  BOOST_TEST(DisplayWidth("e\xcc\x81") == 1u);  // e and a combining accent
  BOOST_TEST(DisplayWidth("日本") == 4u);
  BOOST_TEST(DisplayWidth("🔥") == 2u);
  BOOST_TEST(DisplayWidth("\xff") == 1u);
}

BOOST_AUTO_TEST_CASE(shortening_keeps_within_the_width_and_whole_characters) {
  BOOST_TEST(Shorten("abcdef", 6) == "abcdef");
  BOOST_TEST(Shorten("abcdefg", 6) == "abc...");
  BOOST_TEST(Shorten("日本語日本語", 8) == "日本...");
  BOOST_TEST(Shorten("日本語日本語", 9) == "日本語...");
  BOOST_TEST(Shorten("abcdefg", 2) == "..");
  BOOST_TEST(Shorten("abcdefg", 0) == "");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(report_error)

BOOST_AUTO_TEST_CASE(prints_message_and_hint_and_gives_the_code) {
  testing::TestConsole test;
  Error error{ErrorCode::kNotFound, "there is no incident 7\x1b[31m", {}, "look again"};
  BOOST_TEST(ReportError(test.console, error) == 3);
  BOOST_TEST(test.out.str() == "");
  BOOST_TEST(test.err.str() == "mlalert: there is no incident 7\\x1b[31m\n  hint: look again\n");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mlalert
