#include "promql/printer.h"

#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <filesystem>
#include <vector>

#include "promql/corpus.h"
#include "promql/parser.h"
#include "support/source_dir.h"

namespace mlalert::promql {
namespace {

void CheckRoundTrip(const std::string& text) {
  BOOST_TEST_CONTEXT(text) {
    auto expr = ParseExpr(text);
    BOOST_TEST_REQUIRE(expr.has_value(), expr.error().message);
    std::string printed = Print(**expr);
    auto again = ParseExpr(printed);
    BOOST_TEST_REQUIRE(again.has_value(), printed);
    BOOST_TEST(Print(**again) == printed);
  }
}

BOOST_AUTO_TEST_SUITE(promql_printer)

BOOST_AUTO_TEST_CASE(prints_the_canonical_form) {
  struct {
    const char* text;
    const char* printed;
  } cases[] = {
      {"sum(foo)by(a,b)", "sum by (a, b) (foo)"},
      {"sum by () (foo)", "sum(foo)"},
      {"sum without()(foo)", "sum without () (foo)"},
      {"TOPK(3,foo)", "topk(3, foo)"},
      {"up{b='x',a!~\"y\"}", "up{a!~\"y\",b=\"x\"}"},
      {"{__name__=\"up\"}", "{__name__=\"up\"}"},
      {"up{}", "up"},
      {"{\"my.metric\"}", "{__name__=\"my.metric\"}"},
      {"up{\"a.b\"=\"c\"}", "up{\"a.b\"=\"c\"}"},
      {"sum by (\"a.b\", c) (up)", "sum by (\"a.b\", c) (up)"},
      {"foo[90s]", "foo[1m30s]"},
      {"foo[7d]offset 24h", "foo[1w] offset 1d"},
      {"foo[300]", "foo[5m]"},
      {"foo offset 5m @ 1", "foo @ 1.000 offset 5m"},
      {"foo[5m]offset -1h@end()", "foo[5m] @ end() offset -1h"},
      {"rate(foo[5m])[1h:]", "rate(foo[5m])[1h:]"},
      {"rate(foo[5m])[1h:1m]offset 1m@ 0.5", "rate(foo[5m])[1h:1m] @ 0.500 offset 1m"},
      {"a+on()b", "a + on () b"},
      {"a*on(x)group_left b", "a * on (x) group_left () b"},
      {"a/ignoring(x,y)group_right(z)b", "a / ignoring (x, y) group_right (z) b"},
      {"a>bool 1", "a > bool 1"},
      {"- foo", "-foo"},
      {"1e6", "1000000"},
      {"0.10", "0.1"},
      {"inf", "+Inf"},
      {"-INF", "-Inf"},
      {"Inf ^ up", "Inf ^ up"},
      {"+Inf ^ up", "+Inf ^ up"},
      {"nan", "NaN"},
      {"1h30m", "1h30m"},
      {"'a\"b'", "\"a\\\"b\""},
      {"`\\d`", "\"\\\\d\""},
      {"\"\\xff\\u00e9\\u200b\\a\"", "\"\\xff\xc3\xa9\\u200b\\a\""},
      {"up # comment\n==\n0", "up == 0"},
      {"( a )", "(a)"},
      {"day_of_week( )", "day_of_week()"},
      {"label_join(a,'b',\"c\")", "label_join(a, \"b\", \"c\")"},
  };
  for (const auto& c : cases) {
    BOOST_TEST_CONTEXT(c.text) {
      auto expr = ParseExpr(c.text);
      BOOST_TEST_REQUIRE(expr.has_value(), expr.error().message);
      BOOST_TEST(Print(**expr) == c.printed);
    }
  }
}

BOOST_AUTO_TEST_CASE(prints_what_parses_to_the_same_over_the_corpus) {
  for (const auto& text : testing::ReadCorpus()) {
    CheckRoundTrip(text);
  }
}

// Rule files outside the repository are checked as well where MLALERT_RULE_PACKS names their folder.
BOOST_AUTO_TEST_CASE(prints_what_parses_to_the_same_over_the_shipped_rules) {
  namespace fs = std::filesystem;
  std::vector<fs::path> folders{fs::path(mlalert::testing::SourceDir()) / "rules"};
  if (const char* more = std::getenv("MLALERT_RULE_PACKS")) {
    folders.emplace_back(more);
  }
  for (const fs::path& folder : folders) {
    size_t count = 0;
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
      if (entry.path().extension() != ".yml" || entry.path().parent_path().filename() == "tests") {
        continue;
      }
      BOOST_TEST_CONTEXT(entry.path()) {
        for (const auto& text : testing::ReadRuleExpressions(entry.path())) {
          CheckRoundTrip(text);
          ++count;
        }
      }
    }
    BOOST_TEST_MESSAGE(count << " expressions in " << folder);
    BOOST_TEST(count > 0U);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mlalert::promql
