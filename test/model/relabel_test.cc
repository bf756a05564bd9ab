#include "model/relabel.h"

#include <boost/test/unit_test.hpp>

namespace mlalert {
namespace {

RelabelConfig Step(RelabelAction action, std::vector<std::string> sources, std::string regex = "(.*)",
                   std::string target = "", std::string replacement = "$1", uint64_t modulus = 0) {
  RelabelConfig out;
  out.action = action;
  out.source_labels = std::move(sources);
  out.regex = std::move(regex);
  out.target_label = std::move(target);
  out.replacement = std::move(replacement);
  out.modulus = modulus;
  BOOST_REQUIRE(out.Compile());
  return out;
}

std::string Text(const std::optional<LabelMap>& labels) {
  if (!labels) {
    return "dropped";
  }
  std::string out;
  for (const auto& [name, value] : *labels) {
    out += name + "=" + value + " ";
  }
  return out;
}

BOOST_AUTO_TEST_SUITE(relabel)

// Results are Prometheus' (model/relabel).
BOOST_AUTO_TEST_CASE(every_action_does_what_prometheus_does) {
  using enum RelabelAction;
  const LabelMap labels{{"a", "foo"}, {"b", "bar"}, {"c", "baz"}};
  const struct {
    RelabelConfig step;
    std::string result;
  } cases[] = {
      {Step(kReplace, {"a"}, "f(.*)", "d", "ch${1}-ch${1}"), "a=foo b=bar c=baz d=choo-choo "},
      {Step(kReplace, {"a", "b"}, "f(.*);(.*)r", "a", "b$2x"), "a=b b=bar c=baz "},  // group "2x" is no group
      {Step(kReplace, {"a", "b"}, "f(.*);(.*)r", "a", "b${2}$$"), "a=bba$ b=bar c=baz "},
      {Step(kReplace, {"a"}, "nomatch", "d"), "a=foo b=bar c=baz "},
      {Step(kReplace, {"a"}, "f(.*)", "$1-"), "a=foo b=bar c=baz "},  // no label name
      {Step(kReplace, {"a"}, "(?P<x>f)oo", "${x}_d", "v"), "a=foo b=bar c=baz f_d=v "},
      {Step(kReplace, {"a"}, "foo", "a", ""), "b=bar c=baz "},
      {Step(kReplace, {}, ".*", "n", "v"), "a=foo b=bar c=baz n=v "},
      {Step(kDrop, {"a"}, ".*o.*"), "dropped"},
      {Step(kDrop, {"a"}, "f|o"), "a=foo b=bar c=baz "},  // anchored
      {Step(kKeep, {"a"}, "f.o"), "a=foo b=bar c=baz "},
      {Step(kKeep, {"missing"}, "x"), "dropped"},
      {Step(kKeepEqual, {"a"}, "(.*)", "b"), "dropped"},
      {Step(kDropEqual, {"a"}, "(.*)", "b"), "a=foo b=bar c=baz "},
      {Step(kHashMod, {"c"}, "(.*)", "d", "$1", 1000), "a=foo b=bar c=baz d=976 "},
      {Step(kLabelMap, {}, "(a|b)", "", "x_${1}"), "a=foo b=bar c=baz x_a=foo x_b=bar "},
      {Step(kLabelDrop, {}, "(a|b)"), "c=baz "},
      {Step(kLabelKeep, {}, "(a|b)"), "a=foo b=bar "},
      {Step(kUppercase, {"a", "b"}, "(.*)", "d"), "a=foo b=bar c=baz d=FOO;BAR "},
      {Step(kLowercase, {"a"}, "(.*)", "a"), "a=foo b=bar c=baz "},
  };
  for (const auto& c : cases) {
    BOOST_TEST_CONTEXT(ToString(c.step.action) << " " << c.step.regex << " " << c.step.replacement) {
      BOOST_TEST(Text(Relabel(labels, {c.step})) == c.result);
    }
  }
}

BOOST_AUTO_TEST_CASE(steps_see_what_the_ones_before_have_done) {
  using enum RelabelAction;
  BOOST_TEST(Text(Relabel({{"a", "1"}}, {Step(kReplace, {"a"}, "(.*)", "b", "x$1"), Step(kKeep, {"b"}, "x1"),
                                         Step(kLabelDrop, {}, "a")})) == "b=x1 ");
  BOOST_TEST(!RelabelConfig{.regex = "("}.Compile());
  for (const char* word : {"replace", "keep", "drop", "keepequal", "dropequal", "hashmod", "labelmap",
                           "labeldrop", "labelkeep", "lowercase", "uppercase"}) {
    BOOST_TEST(ToString(*ParseRelabelAction(word)) == word);
  }
  BOOST_TEST(!ParseRelabelAction("Replace"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mlalert
