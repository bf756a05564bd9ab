// A review for people: every format escapes what came from outside.
#include "review/render.h"

#include <boost/test/unit_test.hpp>

namespace mlalert {
namespace {

Json Review() {
  auto json = ParseJson(
      R"({"definition_version":1,"week":"2025-W48","team":"<b>","from":"a","until":"b","time_zone":"UTC",
    "totals":{"incidents":3,"told":2,"acted":1,"action_ratio":{"value":0.5,"k":1,"n":2,"low":0.0945,"high":0.9055}},
    "previous":{"weeks":["2025-W47"],"median":{"incidents":5},"change":{"incidents":-2}},
    "worst_rules":[{"rule":"=cmd|'/c calc'!A1","reason":"flaps","why":"<script>alert(1)</script> & *x*","told":2}],
    "rules":[{"rule":"=cmd|'/c calc'!A1","told":2,"reason":"flaps","why":"a,\"b\""}],
    "proposals":[{"rule":"R","summary":"for 5m to 12m","patch":"--- a/r.yml\n+++ b/r.yml\n"}],
    "hygiene":{}})");
  BOOST_REQUIRE(json);
  return *json;
}

bool Has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

BOOST_AUTO_TEST_SUITE(render)

BOOST_AUTO_TEST_CASE(html_runs_nothing) {
  const std::string html = ReviewAsHtml(Review());
  BOOST_TEST(!Has(html, "<script>"));
  BOOST_TEST(Has(html, "&lt;script&gt;"));
  BOOST_TEST(Has(html, "team &lt;b&gt;"));
  BOOST_TEST(Has(html, "+++ b/r.yml"));
  BOOST_TEST(!Has(html, "http://"));
}

BOOST_AUTO_TEST_CASE(csv_is_no_formula) {
  const std::string csv = ReviewAsCsv(Review());
  BOOST_TEST(Has(csv, "\r\n2025-W48,<b>,'=cmd|'/c calc'!A1,"));
  BOOST_TEST(Has(csv, "\"a,\"\"b\"\"\""));
  for (const char* text : {"=1", "+1", "-1", "@x", "\tx", "\rx"}) {
    BOOST_TEST((CsvCell(text).front() == '\'' || CsvCell(text).starts_with("\"'")), text);
  }
  BOOST_TEST(CsvCell("plain") == "plain");
}

BOOST_AUTO_TEST_CASE(markdown_and_chat_say_what_they_were_given) {
  const std::string markdown = ReviewAsMarkdown(Review());
  BOOST_TEST(Has(markdown, "# Weekly review 2025-W48, team \\<b\\>"));
  BOOST_TEST(Has(markdown, "\\*x\\*"));
  BOOST_TEST(Has(markdown, "~~~~~~diff\n--- a/r.yml"));
  const std::string slack = ReviewAsSlack(Review());
  BOOST_TEST(Has(slack, "&lt;script&gt;"));
  const std::string text = ReviewAsText(Review());
  BOOST_TEST(Has(text, "50 % (1 of 2; 95 %: 9 % to 91 %)"));
  BOOST_TEST(Has(text, "3 (-2 against the median of 1 week before)"));
}

BOOST_AUTO_TEST_CASE(a_review_of_another_version_still_prints) {
  Json empty = Json::MakeObject();
  for (const std::string& text : {ReviewAsText(empty), ReviewAsMarkdown(empty), ReviewAsHtml(empty),
                                  ReviewAsCsv(empty), ReviewAsSlack(empty)}) {
    BOOST_TEST(!text.empty());
  }
}

BOOST_AUTO_TEST_CASE(spans) {
  BOOST_TEST(MinutesText(45) == "45 s");
  BOOST_TEST(MinutesText(720) == "12 min");
  BOOST_TEST(MinutesText(3 * 3600 + 300) == "3 h 5 min");
  BOOST_TEST(MinutesText(50 * 3600) == "2 d 2 h");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mlalert
