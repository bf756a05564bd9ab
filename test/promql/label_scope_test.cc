#include "promql/label_scope.h"

#include <boost/test/unit_test.hpp>

#include "promql/parser.h"

namespace mlalert::promql {
namespace {

// "*" but those named, or those named.
std::string Scope(std::string_view expr) {
  auto parsed = ParseExpr(expr);
  BOOST_REQUIRE_MESSAGE(parsed, expr);
  const LabelScope scope = LabelsOf(**parsed);
  std::string out = scope.all ? "*" : "";
  for (const std::string& name : scope.names) {
    out += (scope.all ? "-" : out.empty() ? "" : " ") + name;
  }
  return out;
}

BOOST_AUTO_TEST_SUITE(label_scope)

BOOST_AUTO_TEST_CASE(what_can_be_left_of_the_labels) {
  const struct {
    const char* expr;
    const char* scope;
  } cases[] = {
      {"up", "*"},
      {"up{a=\"\"}", "*-a"},
      {"1", ""},
      {"vector(1)", ""},
      {"time() - x", "*"},
      {"rate(x[5m])", "*"},
      {"max_over_time(sum by (a) (x)[5m:1m])", "a"},
      {"sum(x)", ""},
      {"sum by (a, b) (x)", "a b"},
      {"sum without (a) (x)", "*-a"},
      {"sum by (a) (sum by (b) (x))", ""},
      {"topk(3, sum by (a) (x))", "a"},
      {"count_values by (a) (\"v\", x)", "a v"},
      {"sum by (a) (x) > 5", "a"},
      {"sum by (a) (x) / sum by (b) (y)", "a"},
      {"x / on (a) y", "a"},
      {"x / ignoring (a) y", "*-a"},
      {"sum by (a, b) (x) / on (a) group_left (c) y", "a b c"},
      {"x / on (a) group_left (c) sum by (a) (y)", "*-c"},
      {"sum by (a) (x) * on (a) group_right () y", "*"},
      {"sum by (a) (x) and on () y", "a"},
      {"sum by (a) (x) unless y", "a"},
      {"sum by (a) (x) or sum by (b) (y)", "a b"},
      {"sum by (a) (x) or y", "*"},
      {"sum without (a) (x) or sum without (a, b) (y)", "*-a"},
      {"absent(up{job=\"a\", x=~\"b\"})", "job"},
      {"absent(sum(up{job=\"a\"}))", ""},
      {"absent_over_time(up{job=\"a\"}[5m])", "job"},
      {"label_replace(sum by (a) (x), \"n\", \"$1\", \"a\", \"(.*)\")", "a n"},
      {"label_join(sum(x), \"n\", \",\", \"a\")", "n"},
      {"histogram_quantile(0.9, sum by (le, a) (rate(x[5m])))", "a"},
      {"scalar(x)", ""},
      {"-sum by (a) (x)", "a"},
      {"(sum by (a) (x))", "a"},
      {"sum by (a) (x) > bool scalar(y)", "a"},
  };
  for (const auto& c : cases) {
    BOOST_TEST(Scope(c.expr) == c.scope, c.expr << " gives " << Scope(c.expr) << ", not " << c.scope);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mlalert::promql
