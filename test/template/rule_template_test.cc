// Rule texts: literals, errors in place, and garbage that must never crash.
#include "template/rule_template.h"

#include <boost/test/unit_test.hpp>
#include <fstream>
#include <random>
#include <sstream>

#include "base/json.h"
#include "support/source_dir.h"
#include "template/notify_funcs.h"
#include "template/rule_funcs.h"

namespace mlalert::tmpl {
namespace {

RuleTemplateData SomeData() {
  static const LabelPair labels[] = {{"job", "api"}, {"model", "fraud"}};
  RuleTemplateData data;
  data.labels = labels;
  data.value = 1234567;
  return data;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(rule_template)

BOOST_AUTO_TEST_CASE(text_without_actions_is_a_literal) {
  auto parsed = RuleTemplate::Parse("A", "100% } } }} {x}");
  BOOST_REQUIRE(parsed.has_value());
  BOOST_TEST(parsed->IsLiteral());
  BOOST_TEST(parsed->Expand({}) == "100% } } }} {x}");
}

BOOST_AUTO_TEST_CASE(errors_are_rendered_in_place_and_reported) {
  auto parsed = RuleTemplate::Parse("A", "x {{ humanize $labels.job }}");
  BOOST_REQUIRE(parsed.has_value());
  std::optional<Error> error;
  BOOST_TEST(
      parsed->Expand(SomeData(), &error) ==
      "<error expanding template: error executing template __alert_A: template: __alert_A:1:117: executing "
      "\"__alert_A\" at <humanize $labels.job>: error calling humanize: strconv.ParseFloat: parsing \"api\": "
      "invalid syntax>");
  BOOST_TEST(error.has_value());
}

BOOST_AUTO_TEST_CASE(columns_are_shifted_on_the_first_line_only) {
  auto parsed = RuleTemplate::Parse("A", "a\n{{ .Foo }}");
  BOOST_TEST(parsed->Expand(SomeData()).find("__alert_A:2:3:") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(parse_errors_name_the_alert) {
  auto parsed = RuleTemplate::Parse("A", "{{ nofunc 1 }}");
  BOOST_REQUIRE(!parsed);
  BOOST_TEST(parsed.error().message == "template: __alert_A:1: function \"nofunc\" not defined");
}

BOOST_AUTO_TEST_CASE(variables_can_be_overwritten_for_one_expansion) {
  auto parsed =
      RuleTemplate::Parse("A", "{{ $value }}{{ $value = 2.0 }}{{ $value }}{{ $labels := 3 }}{{ $labels }}");
  BOOST_TEST(parsed->Expand(SomeData()) == "1.234567e+0623");
  BOOST_TEST(parsed->Expand(SomeData()) == "1.234567e+0623");
}

BOOST_AUTO_TEST_CASE(shared_definitions_are_usable) {
  auto shared = Template::Parse("shared", "{{ define \"who\" }}<{{ . }}>{{ end }}", RuleFunctions());
  auto parsed = RuleTemplate::Parse("A", "{{ template \"who\" $labels.model }}", &*shared);
  BOOST_TEST(parsed->Expand(SomeData()) == "<fraud>");
}

BOOST_AUTO_TEST_CASE(mutated_texts_never_crash) {
  std::ifstream file(mlalert::testing::SourceDir() + "/test/template/vectors.json");
  std::stringstream text;
  text << file.rdbuf();
  std::vector<std::string> seeds;
  const Json json = *ParseJson(text.str());
  for (const Json& vector : json.AsArray()) {
    seeds.push_back(vector.GetString("t"));
  }
  static const std::vector<std::string> kPieces{"{{",
                                                "}}",
                                                "{{-",
                                                "-}}",
                                                "{{ end }}",
                                                "{{ else }}",
                                                "{{ range $i, $e := . }}",
                                                "{{ if . }}",
                                                "{{ with $x := 1 }}",
                                                "|",
                                                "(",
                                                ")",
                                                ".",
                                                "$",
                                                "$x",
                                                " ",
                                                "\"",
                                                "`",
                                                "'",
                                                "\\",
                                                ":=",
                                                "=",
                                                "nil",
                                                "1e309",
                                                "-",
                                                "\xff",
                                                "é",
                                                "{{/*",
                                                "*/}}",
                                                "{{ define \"a\" }}",
                                                "{{ template \"a\" . }}",
                                                "{{ break }}",
                                                "printf \"%[2]*.[1]*f\"",
                                                "index",
                                                "slice",
                                                "%",
                                                "\n",
                                                "0x",
                                                "_"};
  std::mt19937 random(12345);
  auto pick = [&](size_t n) { return static_cast<size_t>(random()) % n; };
  auto shared = Template::Parse("fuzz", "", NotifyFunctions());
  size_t parsed_count = 0;
  for (int i = 0; i < 20000; ++i) {
    std::string t = seeds[pick(seeds.size())];
    for (size_t n = pick(4) + 1; n > 0; --n) {
      size_t at = t.empty() ? 0 : pick(t.size());
      switch (pick(4)) {
        case 0:
          t.insert(at, kPieces[pick(kPieces.size())]);
          break;
        case 1:
          t.erase(at, pick(5) + 1);
          break;
        case 2:
          t += seeds[pick(seeds.size())];
          break;
        default:
          if (!t.empty()) {
            t[at] = static_cast<char>(static_cast<unsigned char>(pick(256)));
          }
      }
    }
    if (auto parsed = RuleTemplate::Parse("F", t)) {
      ++parsed_count;
      parsed->Expand(SomeData());
    }
    if (auto parsed = shared->With("f", t)) {
      (void)parsed->Execute(Value::OfTime({}));
    }
  }
  BOOST_TEST(parsed_count > 1000U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mlalert::tmpl
