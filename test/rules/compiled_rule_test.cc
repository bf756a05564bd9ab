#include "rules/compiled_rule.h"

#include <boost/test/unit_test.hpp>

#include "rules/harness.h"

namespace mlalert {
namespace {

using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(compiled_rule)

BOOST_AUTO_TEST_CASE(what_a_template_depends_on) {
  const struct {
    const char* text;
    Varies varies;
  } cases[] = {
      {"plain", Varies::kConstant},
      {"{{ 1 }}", Varies::kConstant},
      {"{{ $labels.model }}", Varies::kWithLabels},
      {"{{ .Labels.value }} {{ $labels.query.now }}", Varies::kWithLabels},
      {"{{ $labels.model | toUpper }} {{ printf \"%s\" .Labels.a }}", Varies::kWithLabels},
      {"{{ if eq $labels.a \"$value now query\" }}x{{ else }}y{{ end }}", Varies::kWithLabels},
      {"{{ $value }}", Varies::kWithValue},
      {"{{ .Value | humanize }}", Varies::kWithValue},
      {"{{ $x := $value }}{{ $x }}", Varies::kWithValue},
      {"{{ if gt $value 5.0 }}{{ $labels.a }}{{ end }}", Varies::kWithValue},
      // The end of an action is not inside its strings.
      {"{{ printf \"}}\" $value }}", Varies::kWithValue},
      {"{{ printf `}}` $value }}", Varies::kWithValue},
      {"{{ \"\\\"}}\" }}{{ $value }}", Varies::kWithValue},
      {"{{ query \"up\" | first | value }}", Varies::kAlways},
      {"{{ with query \"up\" }}{{ . | first }}{{ end }}", Varies::kAlways},
      {"{{ now }}", Varies::kAlways},
      {"{{ . }}", Varies::kAlways},
      {"{{ $ }}", Varies::kAlways},
      {"{{ $.Value }}", Varies::kAlways},
      {"{{ $activeAt }}", Varies::kAlways},
      {"{{ .ActiveAt }}", Varies::kAlways},
      {"{{ $isPartial }}", Varies::kAlways},
      {"{{ template \"x\" }}", Varies::kAlways},
      {"{{ somethingNew }}", Varies::kAlways},
      {"{{", Varies::kConstant},
  };
  for (const auto& c : cases) {
    BOOST_TEST_CONTEXT(c.text) {
      BOOST_TEST((VariesWith(c.text) == c.varies));
    }
  }
}

BOOST_AUTO_TEST_CASE(identity_of_labels_and_of_the_expression) {
  const auto compile = [](const std::string& expr, std::map<std::string, std::string> labels) {
    return CompileRule(
        std::make_shared<const AlertingRule>(testing::MakeRule("A", expr, 0s, 0s, std::move(labels))),
        "http://x");
  };
  const auto base = compile("m > 0", {{"a", "b"}});
  BOOST_TEST(base->labels_hash != compile("m > 0", {{"ab", ""}})->labels_hash);
  BOOST_TEST(base->labels_hash == compile("m > 1", {{"a", "b"}})->labels_hash);
  // Spaces do not make another expression.
  BOOST_TEST(base->expr_hash == compile("m>0", {})->expr_hash);
  BOOST_TEST(base->expr_hash != compile("m > 1", {})->expr_hash);
  BOOST_TEST(base->GeneratorUrl().view() == "http://x/graph?g0.expr=m+%3E+0&g0.tab=1");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mlalert
