#include "config/diagnostics.h"

#include <boost/test/unit_test.hpp>

using namespace mlalert;  // NOLINT(google-build-using-namespace)

namespace {

Diagnostic Make(int line, std::string message, DiagnosticLevel level = DiagnosticLevel::kError) {
  Diagnostic out;
  out.level = level;
  out.where = {"a.yml", line, 3};
  out.message = std::move(message);
  return out;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(diagnostics)

BOOST_AUTO_TEST_CASE(prints_place_line_caret_and_hint) {
  Diagnostic d = Make(12, "field foo not found");
  d.path = "route.foo";
  d.source_line = "  foo: bar";
  d.caret = 3;
  d.hint = "did you mean \"for\"?";
  BOOST_TEST(d.ToString() ==
             "a.yml:12:3: error: field foo not found [route.foo]\n"
             "  12 |   foo: bar\n"
             "     |   ^\n"
             "  hint: did you mean \"for\"?");
}

BOOST_AUTO_TEST_CASE(counts_sorts_and_drops_repetitions) {
  Diagnostics d;
  d.Add(Make(9, "later"));
  d.Add(Make(2, "careful", DiagnosticLevel::kWarning));
  d.Add(Make(2, "wrong"));
  d.Add(Make(9, "later"));
  d.Sort();
  BOOST_TEST(d.error_count() == 2U);
  BOOST_TEST(d.warning_count() == 1U);
  BOOST_TEST(d.items()[0].message == "wrong");
  BOOST_TEST(d.items()[1].message == "careful");
  BOOST_TEST(!d.ok());
}

BOOST_AUTO_TEST_CASE(stops_collecting_at_the_limit_and_says_how_many_more) {
  Diagnostics d;
  for (int i = 0; i < static_cast<int>(kDiagnosticsMax) + 5; ++i) {
    d.Add(Make(i + 1, "x"));
  }
  BOOST_TEST(d.items().size() == kDiagnosticsMax);
  BOOST_TEST(d.error_count() == kDiagnosticsMax + 5);
  BOOST_TEST(d.ToText().ends_with("and 5 more\n"));
}

BOOST_AUTO_TEST_CASE(appended_counts_add_up) {
  Diagnostics a;
  Diagnostics b;
  a.Add(Make(1, "x"));
  for (int i = 0; i < static_cast<int>(kDiagnosticsMax) + 5; ++i) {
    b.Add(Make(i + 2, "y"));
  }
  a.Append(std::move(b));
  BOOST_TEST(a.error_count() == kDiagnosticsMax + 6);
  BOOST_TEST(a.ToText().ends_with("and 6 more\n"));
}

BOOST_AUTO_TEST_CASE(becomes_one_error_value) {
  Diagnostics d;
  BOOST_TEST(d.ToStatus().has_value());
  d.Add(Make(1, "careful", DiagnosticLevel::kWarning));
  BOOST_TEST(d.ToStatus().has_value());
  d.Add(Make(4, "wrong"));
  d.Add(Make(5, "also wrong"));
  Status status = d.ToStatus();
  BOOST_REQUIRE(!status.has_value());
  BOOST_TEST(status.error().ToString() == "a.yml:4:3: wrong (and 1 more)");
}

BOOST_AUTO_TEST_CASE(prints_json) {
  Diagnostics d;
  d.Add(Make(4, "wrong \"x\""));
  BOOST_TEST(d.ToJson().Dump() ==
             R"({"errors":1,"warnings":0,"diagnostics":[{"level":"error","file":"a.yml","line":4,"column":3,)"
             R"("path":"","message":"wrong \"x\"","hint":"","source":""}]})");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(did_you_mean)

BOOST_AUTO_TEST_CASE(finds_the_nearest_word) {
  std::vector<std::string_view> words{"receiver", "group_by", "group_wait", "routes", "match"};
  BOOST_TEST(NearestWord("reciever", words) == "receiver");
  BOOST_TEST(NearestWord("groupby", words) == "group_by");
  BOOST_TEST(NearestWord("route", words) == "routes");
  BOOST_TEST(NearestWord("xyz", words) == "");
  BOOST_TEST(NearestWord("", words) == "");
  BOOST_TEST(NearestWord(std::string(1000, 'a'), words) == "");
}

BOOST_AUTO_TEST_CASE(counts_edits) {
  BOOST_TEST(EditDistance("", "abc", 5) == 3U);
  BOOST_TEST(EditDistance("abc", "abc", 5) == 0U);
  BOOST_TEST(EditDistance("abcd", "acbd", 5) == 1U);
  BOOST_TEST(EditDistance("kitten", "sitting", 5) == 3U);
  BOOST_TEST(EditDistance("kitten", "sitting", 1) == 2U);
}

BOOST_AUTO_TEST_SUITE_END()
