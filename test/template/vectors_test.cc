// The observed outputs of Prometheus 3.5 (where it has one, else of vmalert) for 314 texts, replayed.
// vectors.json: {id, t: text, want: output, from: "vmalert"?} or {id, t, reject: true} for texts refused at
// load.
#include <boost/test/unit_test.hpp>
#include <fstream>
#include <map>
#include <sstream>

#include "base/json.h"
#include "support/source_dir.h"
#include "template/rule_template.h"

namespace mlalert::tmpl {
namespace {

// Vectors we answer differently, each with the reason.
const std::map<int, std::string>& Deviations() {
  static const std::map<int, std::string> deviations{
      {99, "toDuration exists since Prometheus 3.6; the recording was made with 3.5"},
      {100, "toDuration exists since Prometheus 3.6; the recording was made with 3.5"},
      {167, "urlQueryEscape exists since Prometheus 3.8; the recording was made with 3.5"},
  };
  return deviations;
}

const std::map<std::string, std::vector<Sample>>& QueryResults() {
  static const Sample up{{{"__name__", "up"}, {"instance", "127.0.0.1:19290"}, {"job", "prom"}}, 0};
  static const std::map<std::string, std::vector<Sample>> results{
      {"up", {up}},
      {"up{job=\"prom\"}", {up}},
      {"vector(42)", {{{}, 42}}},
      {"vector(1)", {{{}, 1}}},
      {"vector(3) > 5", {}},
      {"vector(1)==2", {}},
      {"scalar(vector(5))", {{{}, 5}}},
      {"label_replace(vector(7),\"a\",\"b\",\"\",\"\")", {{{{"a", "b"}}, 7}}},
  };
  return results;
}

Result<std::vector<Sample>> FakeQuery(const std::string& expr) {
  if (expr == "bad(") {
    return Fail(ErrorCode::kInvalid, "1:5: parse error: unclosed left parenthesis");
  }
  auto it = QueryResults().find(expr);
  if (it == QueryResults().end()) {
    return Fail(ErrorCode::kInvalid, "rule result is not a vector or scalar");
  }
  return it->second;
}

Json LoadVectors() {
  std::ifstream file(mlalert::testing::SourceDir() + "/test/template/vectors.json");
  std::stringstream text;
  text << file.rdbuf();
  auto json = ParseJson(text.str());
  BOOST_REQUIRE_MESSAGE(json.has_value(), "vectors.json");
  return *json;
}

std::string Expand(const RuleTemplate& parsed) {
  static const QueryFn query = FakeQuery;
  static const LabelPair labels[] = {{"instance", "h1.ex.com:9100"}, {"job", "api"}};
  static const LabelPair external[] = {{"dc", "dc1"}};
  RuleTemplateData data;
  data.labels = labels;
  data.value = 0.1234567;
  data.external_labels = external;
  data.external_url = "http://ext.host:9090/path/prefix";
  data.query = &query;
  data.now = FromUnixMillis(1795402082000);
  data.active_at = FromUnixMillis(1795402074000);
  data.expr =
      "label_replace(label_replace(vector(0.1234567),\"job\",\"api\",\"\",\"\"),\"instance\",\"h1.ex.com:"
      "9100\",\"\",\"\")";
  data.alert_id = 17391597394966624887U;
  data.group_id = 1136900085456335491U;
  return parsed.Expand(data);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(vectors)

BOOST_AUTO_TEST_CASE(every_text_gives_what_prometheus_gives) {
  const Json json = LoadVectors();
  BOOST_TEST(json.AsArray().size() == 314U);
  for (const Json& vector : json.AsArray()) {
    int id = static_cast<int>(vector.Find("id")->AsInt());
    const std::string& text = vector.GetString("t");
    BOOST_TEST_CONTEXT("vector " << id << ": " << text) {
      auto parsed = RuleTemplate::Parse(
          "T" + std::string(id < 100 ? id < 10 ? "00" : "0" : "") + std::to_string(id), text);
      std::string got = parsed ? Expand(*parsed) : "rejected: " + parsed.error().message;
      bool same = vector.Find("reject") != nullptr ? !parsed : got == vector.GetString("want");
      bool deviates = Deviations().count(id) > 0;
      BOOST_TEST(same != deviates, "got:  " << got << "\n  want: " << vector.GetString("want"));
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mlalert::tmpl
