#include "model/matcher_parse.h"

#include <boost/test/unit_test.hpp>

#include "model/matcher_lexer.h"

using namespace mlalert;  // NOLINT(google-build-using-namespace)

namespace {

// The printed list, or "E: " and the error text.
std::string Show(std::string_view text, MatcherMode mode, std::string* warning = nullptr) {
  auto parsed = ParseMatchers(text, mode, warning);
  return parsed ? ToString(*parsed) : "E: " + parsed.error().message;
}

std::string ShowOne(std::string_view text, MatcherMode mode) {
  auto parsed = ParseMatcher(text, mode);
  return parsed ? parsed->ToString() : "E: " + parsed.error().message;
}

struct Row {
  std::string_view input;
  std::string_view classic;
  std::string_view fallback;  // empty: as classic
  std::string_view strict;    // empty: as fallback
  bool warns = false;
};

constexpr std::string_view kOperator = "end of input: expected an operator such as '=', '!=', '=~' or '!~'";

}  // namespace

BOOST_AUTO_TEST_SUITE(parse_matchers)

BOOST_AUTO_TEST_CASE(reads_as_alertmanager_in_all_three_modes) {
  const Row rows[] = {
      {"a=b", R"({a="b"})", "", ""},
      {"a = b", R"({a="b"})", "", ""},
      {"  a=b  ", R"({a="b"})", "", ""},
      {"{a=b}", R"({a="b"})", "", ""},
      {"{a=b,}", R"({a="b"})", "", ""},
      {R"({ a = "b" })", R"({a="b"})", "", ""},
      {"a=b,", R"({a="b"})", "", ""},
      {"a = b , c != d", R"({a="b",c!="d"})", "", ""},
      {"a=~b.*", R"({a=~"b.*"})", "", ""},
      {"a=~b|c", R"({a=~"b|c"})", "", ""},
      {"a=[x]", R"({a="[x]"})", "", ""},
      {"a=(x|y)", R"m({a="(x|y)"})m", "", ""},
      {"a=$x", R"({a="$x"})", "", ""},
      {R"(a="x,y",b=~"z|w")", R"({a="x,y",b=~"z|w"})", "", ""},
      {R"("a"="b")", R"(E: bad matcher format: "a"="b")", R"({a="b"})", ""},
      {R"("x y"=~"z")", R"(E: bad matcher format: "x y"=~"z")", R"({"x y"=~"z"})", ""},
      {"🙂=x", "E: bad matcher format: 🙂=x", R"({🙂="x"})", ""},
      {"0a=b", "E: bad matcher format: 0a=b", R"({0a="b"})", ""},
      {"a-b=c", "E: bad matcher format: a-b=c", R"({a-b="c"})", ""},
      {"a.b=c", "E: bad matcher format: a.b=c", R"({a.b="c"})", ""},
      {"a/b=c", "E: bad matcher format: a/b=c", R"({a/b="c"})", ""},
      {"a@b=c", "E: bad matcher format: a@b=c", R"({a@b="c"})", ""},
      {"a+b=c", "E: bad matcher format: a+b=c", R"({a+b="c"})", ""},
      {"a%=c", "E: bad matcher format: a%=c", R"({a%="c"})", ""},
      {"a=🙂", R"({a="🙂"})", "", ""},
      {"a:b=c", R"({a:b="c"})", "", ""},
      {"_a=b", R"({_a="b"})", "", ""},
      {"", "{}", "", ""},
      {"{}", "{}", "", ""},
      {"{", "{}", "", "E: 0:1: end of input: expected close brace", true},
      {"{a=b", R"({a="b"})", "", "E: 0:4: end of input: expected close brace", true},
      {"a=b}", R"({a="b"})", "", "E: 0:4: }: expected opening brace", true},
      {"{{a=b}}", "E: bad matcher format: {a=b}", "", "E: 1:2: unexpected {: expected label name"},
      {"a", "E: bad matcher format: a", "",
       "E: end of input: expected an operator such as '=', '!=', '=~' or '!~'"},
      {"=b", "E: bad matcher format: =b", "", "E: 0:1: unexpected =: expected label name"},
      {"a=", R"({a=""})", "", "E: end of input: expected label value", true},
      {"a=,b=c", R"({a="",b="c"})", "", "E: 2:3: unexpected ,: expected label value", true},
      {R"(a="")", R"({a=""})", "", ""},
      {R"(a!="")", R"({a!=""})", "", ""},
      {R"(a!~".+")", R"({a!~".+"})", "", ""},
      {"a=b c", R"({a="b c"})", "", "E: 4:5: unexpected c: expected a comma or close brace", true},
      {"a='b'", R"({a="'b'"})", "", "E: 2:3: ': invalid input: expected label value", true},
      {"a=`b`", R"({a="`b`"})", "", "E: 2:3: `: invalid input: expected label value", true},
      {R"(a="b)", R"(E: matcher value contains unescaped double quote: "b)", "",
       R"(E: 2:4: "b: missing end ": expected label value)"},
      {R"(a="b""c")", R"(E: matcher value contains unescaped double quote: "b""c")", "",
       R"(E: 5:8: unexpected "c": expected a comma or close brace)"},
      {R"(a="\x41")", R"({a="\\x41"})", "", R"({a="A"})", true},
      {R"(a="\u00e9")", R"({a="\\u00e9"})", "", R"({a="é"})", true},
      {R"(a="\t")", R"({a="\\t"})", "", "{a=\"\t\"}", true},
      {R"(a="\xff")", R"({a="\\xff"})", "", R"(E: 2:8: "\xff": invalid input)", true},
      {R"(a=\d)", R"({a="\\d"})", "", R"(E: 2:3: \: invalid input: expected label value)", true},
      {R"(a=\)", R"({a="\\"})", "", R"(E: 2:3: \: invalid input: expected label value)", true},
      {R"(a=~"\d")", R"({a=~"\\d"})", "", R"(E: 3:7: "\d": invalid input)", true},
      {R"(a=~"\\d")", R"({a=~"\\d"})", "", ""},
      {"a==b", R"({a="=b"})", "", "E: 2:3: unexpected =: expected label value", true},
      {"a=!b", R"({a="!b"})", "", "E: 2:3: !: expected one of '=~': expected label value", true},
      {"a=b=c", R"({a="b=c"})", "", "E: 3:4: unexpected =: expected a comma or close brace", true},
      {"a=b;c=d", R"({a="b;c=d"})", "", "E: 5:6: unexpected =: expected a comma or close brace", true},
      {"a={x}", R"({a="{x"})", "", "E: 2:3: unexpected {: expected label value", true},
      {"a!b", "E: bad matcher format: a!b", "",
       "E: 1:2: !: expected one of '=~': expected an operator such as '=', '!=', '=~' or '!~'"},
      {"a=b,c", "E: bad matcher format: c", "",
       "E: end of input: expected an operator such as '=', '!=', '=~' or '!~'"},
      {"{a=b,,c=d}", "E: bad matcher format: ", "",
       "E: 5:6: unexpected ,: expected a matcher or close brace after comma"},
      {",a=b", "E: bad matcher format: ", "", "E: 0:1: unexpected ,: expected label name"},
      {"a=~[", "E: error parsing regexp: missing closing ]: `[)$`", "",
       "E: failed to create matcher: error parsing regexp: missing closing ]: `[)$`"},
  };
  for (const Row& row : rows) {
    BOOST_TEST_CONTEXT("input " << row.input) {
      std::string_view fallback = row.fallback.empty() ? row.classic : row.fallback;
      std::string_view strict = row.strict.empty() ? fallback : row.strict;
      std::string warning = "stale";
      BOOST_TEST(Show(row.input, MatcherMode::kClassic) == row.classic);
      BOOST_TEST(Show(row.input, MatcherMode::kFallback, &warning) == fallback);
      BOOST_TEST(Show(row.input, MatcherMode::kUtf8Strict) == strict);
      BOOST_TEST(!warning.empty() == row.warns);
    }
  }
}

BOOST_AUTO_TEST_CASE(warning_says_how_to_write_it) {
  std::string warning;
  Show("a=b c", MatcherMode::kFallback, &warning);
  BOOST_TEST(warning.find(R"(suggestion {a="b c"})") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(missing_operator_is_named) {
  BOOST_TEST(Show("a", MatcherMode::kUtf8Strict) == "E: " + std::string(kOperator));
}

BOOST_AUTO_TEST_CASE(junk_behind_the_close_brace_is_refused) {
  BOOST_TEST(Show("{a=b} x", MatcherMode::kUtf8Strict) == "E: 6:7: x: expected end of input");
  BOOST_TEST(Show("{} x", MatcherMode::kUtf8Strict) == "E: 3:4: x: expected end of input");
}

BOOST_AUTO_TEST_CASE(comma_inside_quotes_does_not_split) {
  BOOST_TEST(Show(R"(a="x\",y",b=c)", MatcherMode::kClassic) == R"({a="x\",y",b="c"})");
}

BOOST_AUTO_TEST_CASE(hostile_text_is_refused_with_a_word) {
  BOOST_TEST(Show("a=\xff", MatcherMode::kFallback) == "E: matcher text is not valid UTF-8");
  auto parsed = ParseMatchers(std::string(kMatcherTextBytesMax + 1, 'a'));
  BOOST_REQUIRE(!parsed);
  BOOST_TEST((parsed.error().code == ErrorCode::kLimit));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(parse_matcher)

BOOST_AUTO_TEST_CASE(takes_exactly_one) {
  BOOST_TEST(ShowOne("a=b", MatcherMode::kFallback) == R"(a="b")");
  BOOST_TEST(ShowOne("a=b,c=d", MatcherMode::kUtf8Strict) == "E: expected 1 matcher, found 2");
  BOOST_TEST(ShowOne("", MatcherMode::kUtf8Strict) == "E: no matchers");
  BOOST_TEST(ShowOne("", MatcherMode::kFallback) == "E: bad matcher format: ");
}

BOOST_AUTO_TEST_CASE(falls_back_to_classic_where_a_comma_is_part_of_the_value) {
  BOOST_TEST(ShowOne("a=b,c=d", MatcherMode::kFallback) == R"(a="b,c=d")");
}

BOOST_AUTO_TEST_CASE(refuses_braces) {
  for (MatcherMode mode : {MatcherMode::kFallback, MatcherMode::kUtf8Strict}) {
    BOOST_TEST(ShowOne("{foo=bar}", mode) == "E: unexpected open or close brace: {foo=bar}");
    BOOST_TEST(ShowOne("foo=bar}", mode) == "E: unexpected open or close brace: foo=bar}");
  }
  BOOST_TEST(ShowOne("{foo=bar}", MatcherMode::kClassic) == "E: bad matcher format: {foo=bar}");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(go_unquote)

BOOST_AUTO_TEST_CASE(decodes_every_escape) {
  std::string out;
  BOOST_TEST(GoUnquote(R"("\a\b\f\n\r\t\v\\\"")", out));
  BOOST_TEST(out == "\a\b\f\n\r\t\v\\\"");
  BOOST_TEST(GoUnquote(R"("\101\x42\u0043\U0001F642")", out));
  BOOST_TEST(out == "ABC\xF0\x9F\x99\x82");
  BOOST_TEST(GoUnquote(R"("\xc3\xa9")", out));
  BOOST_TEST(out == "é");
}

BOOST_AUTO_TEST_CASE(refuses_what_go_refuses) {
  std::string out;
  for (std::string_view bad : {R"("\'")", R"("\400")", R"("\ud800")", R"("\U00110000")", R"("\x4")",
                               R"("\q")", "\"a\nb\"", R"("\xff")", R"(")", "abc", R"("\")"}) {
    BOOST_TEST_CONTEXT("literal " << bad) {
      BOOST_TEST(!GoUnquote(bad, out));
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
