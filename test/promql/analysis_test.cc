#include "promql/analysis.h"

#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

#include "promql/parser.h"
#include "promql/printer.h"

namespace mlalert::promql {
namespace {

ExprPtr Parse(std::string_view text) {
  auto expr = ParseExpr(text);
  BOOST_TEST_REQUIRE(expr.has_value(), text << ": " << expr.error().message);
  return std::move(*expr);
}

std::vector<std::string> PresenceQueries(std::string_view text) {
  ExprPtr expr = Parse(text);
  std::vector<std::string> out;
  for (const auto& required : RequiredSelectors(*expr)) {
    out.push_back(PresenceQuery(required));
  }
  return out;
}

BOOST_AUTO_TEST_SUITE(promql_analysis)

BOOST_AUTO_TEST_CASE(lists_all_selectors_in_the_order_written) {
  ExprPtr expr = Parse("topk(scalar(a), rate(b{x=\"y\"}[5m])) unless absent(c) or max_over_time(d[1h:1m])");
  std::vector<std::string> names;
  for (const auto* selector : Selectors(*expr)) {
    names.push_back(selector->name);
  }
  BOOST_TEST(names == (std::vector<std::string>{"a", "b", "c", "d"}));
  BOOST_TEST(Selectors(*Parse("vector(1)")).empty());
}

BOOST_AUTO_TEST_CASE(finds_the_selectors_without_which_the_result_says_nothing) {
  using Queries = std::vector<std::string>;
  struct {
    const char* text;
    Queries presence;
  } cases[] = {
      {"up == 0", {"count(up)"}},
      {"up{job=\"x\"} offset 5m == 0", {"count(up{job=\"x\"} offset 5m)"}},
      {"rate(a[5m] offset 1h) > 1", {"count(last_over_time(a[5m] offset 1h))"}},
      {"sum(rate(a[5m])) / sum(rate(b[5m])) > 0.1",
       {"count(last_over_time(a[5m]))", "count(last_over_time(b[5m]))"}},
      {"rate(a[5m]) > 1 and rate(a[5m]) < 9", {"count(last_over_time(a[5m]))"}},
      {"a > 1 and b", {"count(a)", "count(b)"}},
      {"a > 1 unless b", {"count(a)"}},
      {"a > 1 and on () absent(b)", {"count(a)"}},
      {"a > 1 or b > 1", {}},
      {"a > 1 or a < 0", {"count(a)"}},
      {"(a > 1 and c) or (b > 1 and c)", {"count(c)"}},
      {"(sum(a) or vector(0)) == 0", {}},
      {"absent(a)", {}},
      {"absent_over_time(a[5m])", {}},
      {"vector(1)", {}},
      {"time()", {}},
      {"scalar(a)", {}},
      {"vector(scalar(a)) > 1", {}},
      {"a > scalar(b)", {"count(a)", "count(b)"}},
      {"a > 2 * scalar(b offset 1d)", {"count(a)", "count(b offset 1d)"}},
      {"a != scalar(b)", {"count(a)"}},
      {"a > bool scalar(b)", {"count(a)"}},
      {"a + scalar(b)", {"count(a)"}},
      {"info(a, {data=\"x\"})", {"count(a)"}},
      {"histogram_quantile(0.9, sum by (le) (rate(a_bucket[5m]))) > 1",
       {"count(last_over_time(a_bucket[5m]))"}},
      {"max_over_time(rate(a[5m] offset 1m)[1h:1m] offset 1d)",
       {"count(last_over_time(a[1h5m] offset 1d1m))"}},
      {"max_over_time((a > 1)[1h:])", {"count(last_over_time(a[1h]))"}},
      {"max_over_time(rate(a[5m] @ 100)[1h:1m] offset 1d)", {"count(last_over_time(a[5m] @ 100.000))"}},
      {"max_over_time(a[1h:1m] @ end())", {"count(last_over_time(a[1h] @ end()))"}},
      {"-(a)", {"count(a)"}},
      {"label_replace(a, \"x\", \"$1\", \"y\", \"(.*)\") == 1", {"count(a)"}},
      {"day_of_week() > 5 and on () a", {"count(a)"}},
      {"{\"my.metric\"} > 1", {"count({__name__=\"my.metric\"})"}},
  };
  for (const auto& c : cases) {
    BOOST_TEST_CONTEXT(c.text) {
      BOOST_TEST(PresenceQueries(c.text) == c.presence);
    }
  }
}

BOOST_AUTO_TEST_CASE(presence_queries_parse_and_take_further_matchers) {
  ExprPtr expr = Parse("rate(a{x=\"1\"}[5m] offset 1m) > 1");
  const LabelMatcher extra[] = {{"model", MatchOp::kEqual, "fraud \"v2\""},
                                {"env", MatchOp::kRegex, "prod|stage"}};
  std::string query = PresenceQuery(RequiredSelectors(*expr).at(0), extra);
  BOOST_TEST(
      query ==
      "count(last_over_time(a{env=~\"prod|stage\",model=\"fraud \\\"v2\\\"\",x=\"1\"}[5m] offset 1m))");
  BOOST_TEST(ParseExpr(query).has_value());
  const VectorSelector& selector = *Selectors(*expr).at(0);
  BOOST_TEST(PresenceQuery(selector, Duration::zero()) == "count(a{x=\"1\"} offset 1m)");
}

BOOST_AUTO_TEST_CASE(windows_of_nested_subqueries_do_not_overflow) {
  auto queries = PresenceQueries("max_over_time(max_over_time(a[290y:1d] offset 290y)[290y:1d] offset 290y)");
  BOOST_TEST(queries.size() == 1U);
}

BOOST_AUTO_TEST_CASE(answers_for_wide_expressions_in_reasonable_time) {
  std::string text = "a";
  for (int level = 0; level < 12; ++level) {
    text = "(" + text + ")or(" + text + ")";
  }
  BOOST_TEST(PresenceQueries(text) == std::vector<std::string>{"count(a)"});
}

BOOST_AUTO_TEST_CASE(scales_every_duration_but_not_below_a_second) {
  struct {
    const char* text;
    double divisor;
    const char* scaled;
  } cases[] = {
      {"rate(a[5m] offset 1h)", 60, "rate(a[5s] offset 1m)"},
      {"rate(a[30s])", 60, "rate(a[1s])"},
      {"rate(a[500ms])", 60, "rate(a[500ms])"},
      {"max_over_time(rate(a[5m])[1h:1m] offset -1d) > 1", 60,
       "max_over_time(rate(a[5s])[1m:1s] offset -24m) > 1"},
      {"max_over_time(a[1h:])", 60, "max_over_time(a[1m:])"},
      {"a offset 10s", 60, "a offset 167ms"},
      {"a > 5m", 60, "a > 5m"},
      {"predict_linear(a[1h], 3600)", 60, "predict_linear(a[1m], 3600)"},
      {"rate(a[1s])", 0.5, "rate(a[2s])"},
      {"rate(a[5m])", 0, "rate(a[5m])"},
      {"rate(a[5m])", -1, "rate(a[5m])"},
  };
  for (const auto& c : cases) {
    BOOST_TEST_CONTEXT(c.text) {
      ExprPtr expr = Parse(c.text);
      ScaleDurations(*expr, c.divisor);
      BOOST_TEST(Print(*expr) == c.scaled);
    }
  }
  ExprPtr huge = Parse("rate(a[290y] offset -290y)");
  ScaleDurations(*huge, 1e-300);
  BOOST_TEST(ParseExpr(Print(*huge)).has_value());
}

BOOST_AUTO_TEST_CASE(tells_the_type_of_a_result) {
  struct {
    const char* text;
    ValueType type;
  } cases[] = {{"1", ValueType::kScalar},          {"\"a\"", ValueType::kString},
               {"up", ValueType::kVector},         {"up[5m]", ValueType::kMatrix},
               {"up[5m:]", ValueType::kMatrix},    {"1 + 2", ValueType::kScalar},
               {"1 + up", ValueType::kVector},     {"-(up)", ValueType::kVector},
               {"-time()", ValueType::kScalar},    {"sum(up)", ValueType::kVector},
               {"scalar(up)", ValueType::kScalar}, {"vector(1)", ValueType::kVector},
               {"1 > bool 2", ValueType::kScalar}};
  for (const auto& c : cases) {
    BOOST_TEST_CONTEXT(c.text) {
      BOOST_TEST((TypeOf(*Parse(c.text)) == c.type));
    }
  }
}

BOOST_AUTO_TEST_CASE(names_what_servers_must_be_told_to_allow) {
  ExprPtr expr = Parse("limitk(1, mad_over_time(a[5m])) + info(b) + limitk(2, rate(c[5m]))");
  BOOST_TEST(ExperimentalNames(*expr) == (std::vector<std::string_view>{"limitk", "mad_over_time", "info"}),
             boost::test_tools::per_element());
  BOOST_TEST(ExperimentalNames(*Parse("sum(rate(a[5m]))")).empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mlalert::promql
