#include "promql/parser.h"

#include <boost/test/unit_test.hpp>
#include <string>

#include "promql/corpus.h"
#include "promql/printer.h"

namespace mlalert::promql {
namespace {

std::string ErrorOf(std::string_view text) {
  auto expr = ParseExpr(text);
  return expr ? "accepted: " + Print(**expr) : expr.error().message;
}

template <class Node>
const Node& Root(const ExprPtr& expr) {
  BOOST_REQUIRE(expr->kind() == Node::kKind);
  return *As<Node>(*expr);
}

BOOST_AUTO_TEST_SUITE(promql_parser)

BOOST_AUTO_TEST_CASE(accepts_the_corpus) {
  auto corpus = testing::ReadCorpus();
  BOOST_TEST_REQUIRE(corpus.size() > 100U);
  for (const auto& text : corpus) {
    auto expr = ParseExpr(text);
    BOOST_TEST(expr.has_value(), text << ": " << (expr ? "" : expr.error().message));
  }
}

BOOST_AUTO_TEST_CASE(builds_selectors_with_all_their_modifiers) {
  auto expr = ParseExpr(R"(rate(http_requests{job=~"a.*", le!='1'}[5m] offset -1h @ 12.3456))");
  BOOST_TEST_REQUIRE(expr.has_value());
  const auto& call = Root<Call>(*expr);
  BOOST_TEST(call.function->name == "rate");
  const auto& matrix = Root<MatrixSelector>(call.args[0]);
  BOOST_TEST((matrix.window == std::chrono::minutes(5)));
  const auto& selector = *matrix.selector;
  BOOST_TEST(selector.name == "http_requests");
  BOOST_TEST((selector.offset == -std::chrono::hours(1)));
  BOOST_TEST_REQUIRE(selector.at.has_value());
  BOOST_TEST(selector.at->unix_ms == 12346);
  BOOST_TEST_REQUIRE(selector.matchers.size() == 3U);
  BOOST_TEST((selector.matchers[0] == LabelMatcher{"job", MatchOp::kRegex, "a.*"}));
  BOOST_TEST((selector.matchers[1] == LabelMatcher{"le", MatchOp::kNotEqual, "1"}));
  BOOST_TEST((selector.matchers[2] == LabelMatcher{"__name__", MatchOp::kEqual, "http_requests"}));
}

BOOST_AUTO_TEST_CASE(remembers_where_each_node_stands) {
  auto expr = ParseExpr("foo  +  sum(bar) by (a)\n* -baz");
  BOOST_TEST_REQUIRE(expr.has_value());
  const auto& plus = Root<BinaryExpr>(*expr);
  BOOST_TEST(plus.range.start == 0U);
  BOOST_TEST(plus.range.end == 30U);
  const auto& times = Root<BinaryExpr>(plus.rhs);
  BOOST_TEST(times.lhs->range.start == 8U);
  BOOST_TEST(times.lhs->range.end == 23U);
  BOOST_TEST(times.rhs->range.start == 26U);
  BOOST_TEST(times.rhs->range.end == 30U);
}

BOOST_AUTO_TEST_CASE(binds_operators_as_prometheus_does) {
  auto expr = ParseExpr("a or b and c == d + e * -f ^ g ^ h");
  BOOST_TEST_REQUIRE(expr.has_value());
  const auto& or_ = Root<BinaryExpr>(*expr);
  BOOST_TEST((or_.op == BinaryOp::kOr));
  const auto& and_ = Root<BinaryExpr>(or_.rhs);
  const auto& equal = Root<BinaryExpr>(and_.rhs);
  const auto& plus = Root<BinaryExpr>(equal.rhs);
  const auto& times = Root<BinaryExpr>(plus.rhs);
  const auto& minus = Root<UnaryExpr>(times.rhs);
  const auto& power = Root<BinaryExpr>(minus.expr);
  BOOST_TEST(Print(*power.lhs) == "f");
  BOOST_TEST(Print(*power.rhs) == "g ^ h");
  auto left = ParseExpr("a - b - c");
  BOOST_TEST_REQUIRE(left.has_value());
  BOOST_TEST(Print(*Root<BinaryExpr>(*left).lhs) == "a - b");
}

BOOST_AUTO_TEST_CASE(keeps_vector_matching_only_between_vectors) {
  auto vectors = ParseExpr("a * on (x) group_left (y) b");
  BOOST_TEST_REQUIRE(vectors.has_value());
  const auto& matching = Root<BinaryExpr>(*vectors).matching;
  BOOST_TEST_REQUIRE(matching.has_value());
  BOOST_TEST(matching->on);
  BOOST_TEST((matching->cardinality == Cardinality::kManyToOne));
  BOOST_TEST(matching->include == std::vector<std::string>{"y"});
  auto set = ParseExpr("a and b");
  BOOST_TEST((Root<BinaryExpr>(*set).matching->cardinality == Cardinality::kManyToMany));
  auto scalar = ParseExpr("a > 1");
  BOOST_TEST(!Root<BinaryExpr>(*scalar).matching.has_value());
}

BOOST_AUTO_TEST_CASE(reads_numbers_as_go_does) {
  struct {
    const char* text;
    double value;
  } cases[] = {{"1", 1},        {"010", 8},
               {"08", 8},       {"0x1F", 31},
               {"1e3", 1000},   {".5", 0.5},
               {"1_000", 1000}, {"1e-400", 0},
               {"1h", 3600},    {"-1.5", -1.5},
               {"1m30s", 90},   {"100ms", 0.1},
               {"0X_1f", 31},   {"9223372036854775808", 9223372036854775808.0}};
  for (const auto& c : cases) {
    BOOST_TEST_CONTEXT(c.text) {
      auto expr = ParseExpr(c.text);
      BOOST_TEST_REQUIRE(expr.has_value());
      BOOST_TEST(Root<NumberLiteral>(*expr).value == c.value);
    }
  }
}

BOOST_AUTO_TEST_CASE(unquotes_strings) {
  struct {
    const char* text;
    std::string value;
  } cases[] = {{R"("a\"b")", "a\"b"},       {R"('a\'b"')", "a'b\""},
               {"`a\\n\n`", "a\\n\n"},      {R"("\x41\101\t")", "AA\t"},
               {R"("\u00e9")", "\xc3\xa9"}, {R"("\U0001F600")", "\xf0\x9f\x98\x80"},
               {R"("\xff")", "\xff"}};
  for (const auto& c : cases) {
    BOOST_TEST_CONTEXT(c.text) {
      auto expr = ParseExpr(c.text);
      BOOST_TEST_REQUIRE(expr.has_value());
      BOOST_TEST(Root<StringLiteral>(*expr).value == c.value);
    }
  }
}

BOOST_AUTO_TEST_CASE(refuses_broken_syntax_in_prometheus_words) {
  struct {
    const char* text;
    const char* message;
  } cases[] = {
      {"", "unknown position: parse error: no expression found in input"},
      {"  ", "1:1: parse error: no expression found in input"},
      {"# only a comment", "1:1: parse error: no expression found in input"},
      {"up +", "1:5: parse error: unexpected end of input"},
      {"up up", "1:4: parse error: unexpected identifier \"up\""},
      {"up\n  + )", "2:6: parse error: unexpected right parenthesis ')'"},
      {"foo{", "1:5: parse error: unexpected end of input inside braces"},
      {"foo{a", "1:6: parse error: unexpected end of input inside braces"},
      {"foo{a b}",
       "1:7: parse error: unexpected identifier \"b\" in label matching, expected label matching operator"},
      {"foo{a=b}", "1:7: parse error: unexpected identifier \"b\" in label matching, expected string"},
      {"foo{a=\"b\" c}",
       "1:11: parse error: unexpected identifier \"c\" in label matching, expected \",\" or \"}\""},
      {"foo{,}", "1:5: parse error: unexpected \",\" in label matching, expected identifier or \"}\""},
      {"foo{a!b}", "1:6: parse error: unexpected character after '!' inside braces: 'b'"},
      {"foo{$}", "1:5: parse error: unexpected character inside braces: '$'"},
      {"foo{{}}", "1:5: parse error: unexpected left brace '{'"},
      {"(foo", "1:5: parse error: unclosed left parenthesis"},
      {"foo[5m", "1:7: parse error: unclosed left bracket"},
      {"foo]", "1:4: parse error: unexpected right bracket ']'"},
      {"foo[]", "1:5: parse error: bad number or duration syntax: \"\""},
      {"foo[x]", "1:5: parse error: bad number or duration syntax: \"\""},
      {"foo[5mm]", "1:5: parse error: bad number or duration syntax: \"5mm\""},
      {"foo[5m 5m]",
       "1:8: parse error: unexpected duration \"5m\" in subquery or range, expected \":\" or \"]\""},
      {"foo[5m:5m:]", "1:10: parse error: unexpected colon ':'"},
      {"foo[5m:5m 5m]", "1:11: parse error: unexpected duration \"5m\" in subquery selector, expected \"]\""},
      {"foo[5m:*]",
       "1:8: parse error: unexpected <op:*> in subquery selector, expected number or duration or \"]\""},
      {"foo[5m a]", "1:8: parse error: unexpected character: 'a', expected ':'"},
      {"foo[0s]", "1:5: parse error: duration must be greater than 0"},
      {"foo[1m1h]", "1:5: parse error: not a valid duration string: \"1m1h\""},
      {"foo[300y]", "1:5: parse error: duration out of range"},
      {"foo offset", "1:11: parse error: unexpected end of input in offset, expected number or duration"},
      {"foo offset bar",
       "1:12: parse error: unexpected identifier \"bar\" in offset, expected number or duration"},
      {"foo @ bar", "1:7: parse error: unexpected identifier \"bar\" in @, expected timestamp"},
      {"foo @ start", "1:12: parse error: unexpected end of input in @, expected timestamp"},
      {"foo @ Inf", "1:1: parse error: timestamp out of bounds for @ modifier: +Inf"},
      {"sum foo", "1:5: parse error: unexpected identifier \"foo\""},
      {"sum by foo", "1:8: parse error: unexpected identifier \"foo\" in grouping opts, expected \"(\""},
      {"sum by (1) (foo)", "1:9: parse error: unexpected number \"1\" in grouping opts, expected label"},
      {"sum by (a b) (foo)",
       "1:11: parse error: unexpected identifier \"b\" in grouping opts, expected \",\" or \")\""},
      {"sum by (a:b) (foo)",
       "1:9: parse error: unexpected metric identifier \"a:b\" in grouping opts, expected label"},
      {"sum by (a) foo", "1:12: parse error: unexpected identifier \"foo\" in aggregation"},
      {"sum(foo bar)", "1:9: parse error: unexpected identifier \"bar\" in aggregation"},
      {"sum()", "1:1: parse error: no arguments for aggregate expression provided"},
      {"topk(1)",
       "1:1: parse error: wrong number of arguments for aggregate expression provided, expected 2, got 1"},
      {"sum by (a) (b, c) )",
       "1:1: parse error: wrong number of arguments for aggregate expression provided, expected 1, got 2"},
      {"foo * on group_left bar",
       "1:10: parse error: unexpected <group_left> in grouping opts, expected \"(\""},
      {"foo * on (a) group_left on bar",
       "1:25: parse error: unexpected <on> in grouping opts, expected \"(\""},
      {"foo on bar", "1:5: parse error: unexpected <on>"},
      {"foo and sum bar", "1:13: parse error: unexpected identifier \"bar\""},
      {"rate(foo[5m],)", "1:13: parse error: trailing commas not allowed in function call args"},
      {"nosuch(foo)", "1:1: parse error: unknown function with name \"nosuch\""},
      {"Rate(foo[5m])", "1:1: parse error: unknown function with name \"Rate\""},
      {"foo = 1", "1:5: parse error: unexpected \"=\""},
      {"foo =~ 1", "1:5: parse error: unexpected character after '=': '~'"},
      {"foo !", "1:5: parse error: unexpected character after '!': '\xef\xbf\xbd'"},
      {"foo \xc3\xa9", "1:5: parse error: unexpected character: '\xc3\xa9'"},
      {"\"abc", "1:1: parse error: unterminated quoted string"},
      {"'a\nb'", "1:1: parse error: unterminated quoted string"},
      {"`abc", "1:1: parse error: unterminated raw string"},
      {"\"\\q\"", "1:1: parse error: unknown escape sequence U+0071 'q'"},
      {"\"\\'\"", "1:1: parse error: unknown escape sequence U+0027 '''"},
      {"\"\\xg1\"", "1:1: parse error: illegal character U+0067 'g' in escape sequence"},
      {"\"\\400\"", "1:1: parse error: escape sequence is an invalid Unicode code point"},
      {"\"\\ud800\"", "1:1: parse error: escape sequence is an invalid Unicode code point"},
      {"\"\xff\"", "1:1: parse error: invalid UTF-8 rune"},
      {"1e999",
       "1:1: parse error: error parsing number: strconv.ParseFloat: parsing \"1e999\": value out of range"},
      {"0x", "1:1: parse error: error parsing number: strconv.ParseFloat: parsing \"0x\": invalid syntax"},
      {"1..2", "1:1: parse error: bad number or duration syntax: \"1..\""},
      {"5 \"a very long string\"", "1:3: parse error: unexpected string \"\\\"a very lo\"..."},
      {"foo{a=~\"(\"}", "1:5: parse error: error parsing regexp: missing closing ): `^(?:()$`"},
  };
  for (const auto& c : cases) {
    BOOST_TEST_CONTEXT(c.text) {
      BOOST_TEST(ErrorOf(c.text) == c.message);
    }
  }
}

BOOST_AUTO_TEST_CASE(refuses_wrong_types_in_prometheus_words) {
  struct {
    const char* text;
    const char* message;
  } cases[] = {
      {"1 > 2", "1:3: parse error: comparisons between scalars must use BOOL modifier"},
      {"foo + bool bar", "1:5: parse error: bool modifier can only be used on comparison operators"},
      {"foo and 1", "1:1: parse error: set operator \"and\" not allowed in binary scalar expression"},
      {"foo and on (a) group_left () bar", "1:1: parse error: no grouping allowed for \"and\" operation"},
      {"foo + on (a) 1", "1:1: parse error: vector matching only allowed between instant vectors"},
      {"foo * on (a) group_left (a) bar",
       "1:5: parse error: label \"a\" must not occur in ON and GROUP clause at once"},
      {"foo + \"a\"",
       "1:7: parse error: binary expression must contain only scalar and instant vector types"},
      {"foo[5m] + 1",
       "1:1: parse error: binary expression must contain only scalar and instant vector types"},
      {"-\"a\"",
       "1:1: parse error: unary expression only allowed on expressions of type scalar or instant vector, got "
       "\"string\""},
      {"-foo[5m]",
       "1:1: parse error: unary expression only allowed on expressions of type scalar or instant vector, got "
       "\"range vector\""},
      {"{}", "1:1: parse error: vector selector must contain at least one non-empty matcher"},
      {"{a=\"\"}", "1:1: parse error: vector selector must contain at least one non-empty matcher"},
      {"{a=~\".*\",b!=\"x\"}",
       "1:1: parse error: vector selector must contain at least one non-empty matcher"},
      {"foo{__name__=\"bar\"}", "1:1: parse error: metric name must not be set twice: \"foo\" or \"bar\""},
      {"rate(foo)",
       "1:6: parse error: expected type range vector in call to function \"rate\", got instant vector"},
      {"abs(foo[5m])",
       "1:5: parse error: expected type instant vector in call to function \"abs\", got range vector"},
      {"abs()", "1:1: parse error: expected 1 argument(s) in call to \"abs\", got 0"},
      {"time(1)", "1:1: parse error: expected 0 argument(s) in call to \"time\", got 1"},
      {"round(foo, 1, 2)", "1:1: parse error: expected at most 2 argument(s) in call to \"round\", got 3"},
      {"round()", "1:1: parse error: expected at least 1 argument(s) in call to \"round\", got 0"},
      {"label_join(foo, \"a\", \"b\", 1)",
       "1:27: parse error: expected type string in call to function \"label_join\", got scalar"},
      {"sum(1)", "1:5: parse error: expected type instant vector in aggregation expression, got scalar"},
      {"topk(foo, bar)",
       "1:6: parse error: expected type scalar in aggregation parameter, got instant vector"},
      {"count_values(1, foo)",
       "1:14: parse error: expected type string in aggregation parameter, got scalar"},
      {"1[5m:]", "1:1: parse error: subquery is only allowed on instant vector, got scalar instead"},
      {"foo[5m][1h:]", "1:1: parse error: subquery is only allowed on instant vector, got matrix instead"},
      {"(foo)[5m]", "1:6: parse error: ranges only allowed for vector selectors"},
      {"foo offset 5m [5m]", "1:15: parse error: no offset modifiers allowed before range"},
      {"foo @ 1 [5m]", "1:9: parse error: no @ modifiers allowed before range"},
      {"foo offset 5m offset 5m", "1:1: parse error: offset may not be set multiple times"},
      {"foo @ 1 @ 2", "1:1: parse error: @ <timestamp> may not be set multiple times"},
      {"(foo) offset 5m",
       "1:1: parse error: offset modifier must be preceded by an instant vector selector or range vector "
       "selector or "
       "a subquery"},
      {"sum(foo) @ 1",
       "1:1: parse error: @ modifier must be preceded by an instant vector selector or range vector selector "
       "or a "
       "subquery"},
      {"info(foo, bar)", "1:11: parse error: expected label selectors only, got vector selector instead"},
      {"info(foo, 1)",
       "1:1: parse error: expected type instant vector in call to function \"info\", got scalar"},
      {"info(foo, (bar))", "1:11: parse error: expected label selectors only"},
  };
  for (const auto& c : cases) {
    BOOST_TEST_CONTEXT(c.text) {
      BOOST_TEST(ErrorOf(c.text) == c.message);
    }
  }
}

BOOST_AUTO_TEST_CASE(refuses_patterns_that_escape_their_anchors) {
  for (const char* pattern : {"a)|(b", ")(", "[)])(", "\\\\Q(\\\\E)(?:"}) {
    BOOST_TEST_CONTEXT(pattern) {
      auto expr = ParseExpr(std::string("foo{a=~\"") + pattern + "\"}");
      BOOST_TEST_REQUIRE(!expr.has_value());
      BOOST_TEST(expr.error().message.find("parsing regexp: unexpected ): `") != std::string::npos);
    }
  }
  for (const char* pattern :
       {"(a)|(b)", "[)]", "[])]", "[^])]", "[[:alpha:])]", "\\\\)", "\\\\Q)\\\\E", "[\\\\])]"}) {
    BOOST_TEST_CONTEXT(pattern) {
      auto expr = ParseExpr(std::string("foo{a=~\"") + pattern + "\"}");
      BOOST_TEST(expr.has_value(), expr.error().message);
    }
  }
}

BOOST_AUTO_TEST_CASE(gives_line_and_column_in_bytes) {
  auto expr = ParseExpr("foo{a=\"\xc3\xa9\"}\n  and on (a)\n bar )");
  BOOST_TEST_REQUIRE(!expr.has_value());
  BOOST_TEST((expr.error().code == ErrorCode::kInvalid));
  BOOST_TEST(expr.error().where.line == 3);
  BOOST_TEST(expr.error().where.column == 7);
  BOOST_TEST(expr.error().where.file.empty());
}

BOOST_AUTO_TEST_CASE(limits_length) {
  std::string text = "foo" + std::string(kMaxExprBytes - 3, ' ');
  BOOST_TEST(ParseExpr(text).has_value());
  auto longer = ParseExpr(text + " ");
  BOOST_TEST_REQUIRE(!longer.has_value());
  BOOST_TEST((longer.error().code == ErrorCode::kLimit));
}

std::string Repeat(std::string_view piece, int times) {
  std::string out;
  for (int i = 0; i < times; ++i) {
    out += piece;
  }
  return out;
}

BOOST_AUTO_TEST_CASE(limits_depth_whatever_makes_it) {
  auto nested = [](std::string_view open, std::string_view close, int times) {
    return Repeat(open, times) + "foo" + Repeat(close, times);
  };
  BOOST_TEST(ParseExpr(nested("(", ")", kMaxExprDepth - 1)).has_value());
  BOOST_TEST(ParseExpr(nested("foo+", "", kMaxExprDepth - 1)).has_value());
  const std::string too_deep[] = {nested("(", ")", kMaxExprDepth),
                                  nested("abs(", ")", kMaxExprDepth),
                                  nested("foo+", "", kMaxExprDepth),
                                  nested("foo^", "", 10000),
                                  nested("-", "", 60000),
                                  nested("(", ")", 30000),
                                  nested("sum(", ")", kMaxExprDepth),
                                  nested("foo or ", "", 9000),
                                  nested("", "[1m:]", kMaxExprDepth + 1)};
  for (const auto& text : too_deep) {
    BOOST_TEST_CONTEXT(text.substr(0, 20)) {
      auto expr = ParseExpr(text);
      BOOST_TEST_REQUIRE(!expr.has_value());
      BOOST_TEST((expr.error().code == ErrorCode::kLimit));
    }
  }
}

BOOST_AUTO_TEST_CASE(survives_two_thousand_broken_expressions) {
  auto corpus = testing::ReadCorpus();
  testing::Mutator mutator(20240229);
  int accepted = 0;
  for (int i = 0; i < 2000; ++i) {
    std::string text = mutator.Mutate(corpus[mutator.Below(corpus.size())]);
    if (i % 4 == 0) {
      text = mutator.Scramble(text);
    }
    auto expr = ParseExpr(text);
    if (!expr) {
      BOOST_TEST(!expr.error().message.empty());
      continue;
    }
    ++accepted;
    std::string printed = Print(**expr);
    auto again = ParseExpr(printed);
    BOOST_TEST_REQUIRE(again.has_value(), text << " -> " << printed);
    BOOST_TEST(Print(**again) == printed);
  }
  BOOST_TEST(accepted > 200);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mlalert::promql
