#include "config/rule_loader.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>

using namespace mlalert;  // NOLINT(google-build-using-namespace)
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

Diagnostics Check(std::string_view text) {
  std::vector<RuleGroup> groups;
  return LoadRuleText(text, "rules.yml", {}, groups);
}

std::vector<RuleGroup> MustLoad(std::string_view text, const RuleDefaults& defaults = {}) {
  std::vector<RuleGroup> groups;
  Diagnostics d = LoadRuleText(text, "rules.yml", defaults, groups);
  BOOST_REQUIRE_MESSAGE(d.ok(), d.ToText());
  return groups;
}

void ExpectError(std::string_view text, std::string_view message) {
  Diagnostics d = Check(text);
  bool found = std::any_of(d.items().begin(), d.items().end(), [&](const Diagnostic& item) {
    return item.level == DiagnosticLevel::kError && item.message == message;
  });
  BOOST_TEST(found, "expected\n  " << message << "\nof\n" << text << "\nbut got\n" << d.ToText());
}

std::string Group(std::string_view body) {
  return "groups: [{name: g, " + std::string(body) + "}]\n";
}
std::string Rule(std::string_view body) {
  return Group("rules: [{" + std::string(body) + "}]");
}

class TempDir {
 public:
  TempDir() {
    std::string pattern = (std::filesystem::temp_directory_path() / "mlalert-rules-XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }
  ~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  std::string Write(const std::string& name, std::string_view text) const {
    std::ofstream(path_ + "/" + name) << text;
    return path_ + "/" + name;
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(load_rule_text)

BOOST_AUTO_TEST_CASE(no_groups_are_fine) {
  for (std::string_view text : {"", "{}", "groups:", "groups: []"}) {
    BOOST_TEST_CONTEXT("text " << text) {
      BOOST_TEST(MustLoad(text).empty());
    }
  }
}

BOOST_AUTO_TEST_CASE(reads_a_group_with_its_defaults) {
  auto groups = MustLoad(R"(groups:
- name: g
  interval: 30s
  limit: 5
  query_offset: 2m
  labels: {team: x, tier: "1"}
  rules:
  - alert: A
    expr: up == 0
    for: 5m
    keep_firing_for: 10m
    labels: {severity: P1, team: '{{ $labels.team }}'}
    annotations: {summary: "v {{ $value }}"}
- name: h
)",
                         {.interval = minutes(2), .query_offset = seconds(7)});
  const RuleGroup& g = groups[0];
  BOOST_TEST((g.interval == seconds(30) && g.query_offset == minutes(2)));
  BOOST_TEST(g.limit == 5);
  BOOST_TEST(g.file == "rules.yml");
  const AlertingRule& a = g.rules[0];
  BOOST_TEST(a.name == "A");
  BOOST_TEST(a.expr == "up == 0");
  BOOST_TEST((a.hold == minutes(5) && a.keep_firing_for == minutes(10)));
  BOOST_TEST(a.line == 8);
  BOOST_TEST(a.raw_labels.size() == 3U);
  BOOST_TEST(a.raw_labels.Get("team") == "{{ $labels.team }}");
  BOOST_TEST(a.raw_labels.Get("tier") == "1");
  BOOST_TEST(a.raw_annotations.size() == 1U);
  BOOST_TEST((groups[1].interval == minutes(2) && groups[1].query_offset == seconds(7)));
  BOOST_TEST(groups[1].rules.empty());
}

BOOST_AUTO_TEST_CASE(zero_interval_and_negative_limit_mean_the_default) {
  auto groups = MustLoad(Group("interval: 0s, limit: -1"));
  BOOST_TEST((groups[0].interval == minutes(1)));
  BOOST_TEST(groups[0].limit == 0);
}

BOOST_AUTO_TEST_CASE(scalars_keep_their_text) {
  auto groups = MustLoad(
      R"(groups: [{name: 5, rules: [{alert: 123, expr: 1, for: 0, labels: {a: 1, b: true, c: 1.50, e: 0x10, f: yes, g: 2020-01-01, h: ~}}]}])");
  const auto& labels = groups[0].rules[0].raw_labels;
  BOOST_TEST(groups[0].name == "5");
  BOOST_TEST(groups[0].rules[0].name == "123");
  BOOST_TEST(labels.Get("a") == "1");
  BOOST_TEST(labels.Get("b") == "true");
  BOOST_TEST(labels.Get("c") == "1.50");
  BOOST_TEST(labels.Get("e") == "0x10");
  BOOST_TEST(labels.Get("f") == "yes");
  BOOST_TEST(labels.Get("g") == "2020-01-01");
  BOOST_TEST(labels.Get("h") == "");
}

BOOST_AUTO_TEST_CASE(anchors_and_merges_work) {
  auto groups = MustLoad(R"(groups:
- name: g
  rules:
  - alert: A
    expr: up == 0
    labels: &l {severity: P1}
  - alert: B
    expr: up == 0
    labels: {<<: *l, x: y}
)");
  BOOST_TEST(groups[0].rules[1].raw_labels.Get("severity") == "P1");
}

BOOST_AUTO_TEST_CASE(recording_rules_are_listed_with_one_warning) {
  std::vector<RuleGroup> groups;
  Diagnostics d = LoadRuleText(Group("rules: [{record: 'j:x', expr: up, labels: {a: '{{'}}, {record: 'j:y', "
                                     "expr: up}, {alert: A, expr: up}]"),
                               "a.yml", {}, groups);
  BOOST_TEST(d.ok(), d.ToText());
  BOOST_TEST(d.warning_count() == 1U);
  BOOST_TEST(d.items()[0].message ==
             R"(group "g" has 2 recording rules, which mlalert does not evaluate: j:x, j:y)");
  BOOST_REQUIRE(groups[0].recording_rules.size() == 2U);
  BOOST_TEST(groups[0].recording_rules[1].expr == "up");
  BOOST_TEST(groups[0].recording_rules[0].raw_labels.Get("a") == "{{");
  BOOST_TEST(groups[0].recording_rules[1].position == 2);
  BOOST_TEST(groups[0].rules[0].position == 3);
  BOOST_TEST(groups[0].rules.size() == 1U);
}

BOOST_AUTO_TEST_CASE(refuses_in_prometheus_words) {
  struct Case {
    std::string text;
    std::string message;
  };
  for (
      const Case& c : {
          Case{"groups: [{rules: []}]", "Groupname must not be empty"},
          {"groups: [{name: a}, {name: a}]", R"(groupname: "a" is repeated in the same file)"},
          {Rule("alert: A, record: b, expr: up"),
           R"(group "g", rule 1, "b": only one of 'record' and 'alert' must be set)"},
          {Rule("expr: up"), R"(group "g", rule 1, "": one of 'record' or 'alert' must be set)"},
          {Rule("alert: A"), R"(group "g", rule 1, "A": field 'expr' must be set in rule)"},
          {Rule("alert: A, expr: ''"), R"(group "g", rule 1, "A": field 'expr' must be set in rule)"},
          {Rule("alert: A, expr: 'up =='"),
           R"(group "g", rule 1, "A": could not parse expression: 1:6: parse error: unexpected end of input)"},
          {Rule("record: a, expr: up, annotations: {x: y}"),
           R"(group "g", rule 1, "a": invalid field 'annotations' in recording rule)"},
          {Rule("record: a, expr: up, for: 1m"),
           R"(group "g", rule 1, "a": invalid field 'for' in recording rule)"},
          {Rule("record: a, expr: up, keep_firing_for: 1m"),
           R"(group "g", rule 1, "a": invalid field 'keep_firing_for' in recording rule)"},
          {Rule("record: 'a{b=\"c\"}', expr: up"),
           R"(group "g", rule 1, "a{b=\"c\"}": braces present in the recording rule name; should it be in expr?: a{b="c"})"},
          {Rule("alert: A, expr: up, labels: {__name__: x}"),
           R"(group "g", rule 1, "A": invalid label name: __name__)"},
          {Rule("alert: A, expr: up, labels: {'': x}"), R"(group "g", rule 1, "A": invalid label name: )"},
          {Rule("alert: A, expr: up, annotations: {'': x}"),
           R"(group "g", rule 1, "A": invalid annotation name: )"},
          {Group("labels: {__name__: x}"), "invalid label name: __name__"},
          {Rule("alert: A, expr: up, labels: {K: '{{ foo }}'}"),
           R"(group "g", rule 1, "A": label "K": template: __alert_A:1: function "foo" not defined)"},
          {Rule("alert: A, expr: up, annotations: {K: '{{ $value '}"),
           R"(group "g", rule 1, "A": annotation "K": template: __alert_A:1: unclosed action)"},
          {Rule("alert: A, expr: up, for: 5"), R"(not a valid duration string: "5")"},
          {Rule("alert: A, expr: up, for: 1.5m"), R"(unknown unit "." in duration "1.5m")"},
          {Rule("alert: A, expr: up, for: -5m"), R"(not a valid duration string: "-5m")"},
          {Rule("alert: A, expr: up, for: ''"), "empty duration string"},
          {Group("interval: 1x"), R"(unknown unit "x" in duration "1x")"},
          {Group("limit: x"), "cannot unmarshal !!str `x` into int"},
          {Group("foo: x"), "field foo not found in type rulefmt.RuleGroup"},
          {Rule("alert: A, expr: up, foo: x"), "field foo not found in type rulefmt.RuleNode"},
          {"foo: x", "field foo not found in type rulefmt.RuleGroups"},
          {Rule("alert: A, expr: up, alert: B"), R"(mapping key "alert" already defined at line 1)"},
          {Rule("alert: [A], expr: up"), "cannot unmarshal !!seq into string"},
          {Rule("alert: A, expr: {a: b}"), "cannot unmarshal !!map into string"},
          {Group("rules: x"), "cannot unmarshal !!str `x` into []rulefmt.RuleNode"},
      }) {
    ExpectError(c.text, c.message);
  }
}

BOOST_AUTO_TEST_CASE(keys_of_vmalert_mean_what_they_mean_there) {
  std::vector<RuleGroup> groups;
  Diagnostics d = LoadRuleText(Group("interval: 1m, type: prometheus, concurrency: 3, eval_offset: -10s, "
                                     "params: {nocache: ['1'], a: [x, "
                                     "y]}, headers: ['X-Scope-OrgID: ml', 'Empty:'], debug: true, "
                                     "notifier_headers: ['a: b'], rules: [{alert: "
                                     "A, expr: up, debug: true, update_entries_limit: 7}]"),
                               "a.yml", {}, groups);
  BOOST_REQUIRE_MESSAGE(d.ok(), d.ToText());
  BOOST_TEST(d.warning_count() == 9U);
  const GroupExtras& extras = groups[0].extras;
  BOOST_TEST(extras.concurrency == 3);
  BOOST_TEST((extras.eval_offset == -seconds(10)));
  BOOST_TEST(extras.params.size() == 3U);
  BOOST_TEST(extras.headers[0].first == "X-Scope-OrgID");
  BOOST_TEST(extras.headers[0].second == "ml");
  BOOST_TEST(extras.headers[1].second.empty());
  BOOST_TEST(groups[0].rules[0].update_entries_limit == 7);
  groups = MustLoad(Group("eval_delay: 30s, eval_alignment: true"));
  BOOST_TEST((groups[0].query_offset == seconds(30)));
  BOOST_TEST((groups[0].extras.eval_offset == seconds(0)));
}

BOOST_AUTO_TEST_CASE(keys_of_vmalert_that_mean_nothing_here_are_refused_in_plain_words) {
  ExpectError(Group("type: graphite"), R"(rules of type "graphite" are not evaluated by mlalert)");
  ExpectError(Group("tenant: '1:2'"), "tenant is not supported in rule files");
  ExpectError(Group("interval: 1m, eval_offset: 2m"), "eval_offset should be smaller than interval");
  ExpectError(Group("eval_offset: 5"), R"(not a valid duration string: "5")");
  ExpectError(Group("eval_delay: 5s, query_offset: 1s"),
              "eval_delay and query_offset mean the same: keep one");
  ExpectError(Group("eval_delay: 5s, eval_offset: 1s"), "eval_offset cannot be used with eval_delay");
  ExpectError(Group("headers: [x]"), R"(missing ':' in header "x"; expecting "key: value" format)");
  ExpectError(Group("params: {time: ['1']}"),
              R"(params cannot hold "time": mlalert sets it for every query)");
  ExpectError(Group("concurrency: -1"), "concurrency must be from 0 to 256");
}

BOOST_AUTO_TEST_CASE(all_errors_of_a_file_are_reported_in_order) {
  Diagnostics d = Check(
      "groups:\n- name: g\n  interval: 5\n  rules:\n  - alert: A\n    expr: sum(\n  - expr: up\n  foo: 1\n");
  BOOST_REQUIRE(d.error_count() == 4U);
  BOOST_TEST(d.items()[0].where.line == 3);
  BOOST_TEST(d.items()[1].where.line == 6);
  BOOST_TEST(d.items()[2].where.line == 7);
  BOOST_TEST(d.items()[3].where.line == 8);
}

BOOST_AUTO_TEST_CASE(the_caret_stands_inside_the_expression) {
  // Prometheus points behind the parenthesis it did not expect.
  Diagnostics plain = Check("groups:\n- name: g\n  rules:\n  - alert: A\n    expr: sum(up) ) + 1\n");
  BOOST_TEST(plain.items()[0].where.line == 5);
  BOOST_TEST(plain.items()[0].where.column == 20);
  Diagnostics block =
      Check("groups:\n- name: g\n  rules:\n  - alert: A\n    expr: |\n      sum(up)\n        ) + 1\n");
  BOOST_TEST(block.items()[0].where.line == 7);
  BOOST_TEST(block.items()[0].where.column == 10);
  BOOST_TEST(block.items()[0].source_line == "        ) + 1");
}

BOOST_AUTO_TEST_CASE(duplicates_are_a_warning) {
  Diagnostics d = Check(
      "groups:\n- name: g\n  labels: {k: v}\n  rules:\n  - {alert: A, expr: up}\n- name: h\n  rules:\n  - "
      "{alert: A, expr: down, labels: {k: v}}\n  - {alert: A, expr: up}\n");
  BOOST_TEST(d.ok());
  BOOST_REQUIRE(d.warning_count() == 1U);
  BOOST_TEST(d.items()[0].message == R"(rule "A" has the same name and labels as the one at line 5)");
}

BOOST_AUTO_TEST_CASE(nothing_comes_out_of_a_bad_file) {
  std::vector<RuleGroup> groups(3);
  LoadRuleText(Group("foo: 1"), "a.yml", {}, groups);
  BOOST_TEST(groups.size() == 3U);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(rule_datasources)

RuleDefaults TwoSources() {
  RuleDefaults defaults;
  defaults.datasource_label = "source";
  defaults.datasources.resize(2);
  defaults.datasources[1].name = "vm";
  defaults.datasources[1].dialect = DatasourceConfig::Dialect::kMetricsql;
  return defaults;
}

BOOST_AUTO_TEST_CASE(a_group_label_chooses_one) {
  std::vector<RuleGroup> groups;
  Diagnostics d = LoadRuleText(
      "groups:\n- {name: a, labels: {source: vm}, rules: [{alert: A, expr: up == 0}]}\n- {name: b, rules: "
      "[{alert: A, "
      "expr: up == 0}]}\n",
      "r.yml", TwoSources(), groups);
  BOOST_TEST(d.ok(), d.ToText());
  BOOST_REQUIRE(groups.size() == 2U);
  BOOST_TEST(groups[0].datasource == "vm");
  BOOST_TEST(groups[1].datasource == "");
}

BOOST_AUTO_TEST_CASE(one_that_does_not_exist_is_an_error) {
  std::vector<RuleGroup> groups;
  Diagnostics d =
      LoadRuleText("groups:\n- {name: a, labels: {source: v}, rules: [{alert: A, expr: up == 0}]}\n", "r.yml",
                   TwoSources(), groups);
  BOOST_TEST(!d.ok());
  BOOST_TEST(d.ToText().find("names the data source \"v\", which does not exist") != std::string::npos,
             d.ToText());
}

BOOST_AUTO_TEST_CASE(only_a_source_that_speaks_metricsql_relaxes_the_parser) {
  constexpr std::string_view kMetricsql = "expr: 'rate(m) keep_metric_names > 0'";
  std::vector<RuleGroup> groups;
  Diagnostics vm = LoadRuleText(
      fmt::format("groups:\n- {{name: a, labels: {{source: vm}}, rules: [{{alert: A, {}}}]}}\n", kMetricsql),
      "r.yml", TwoSources(), groups);
  BOOST_TEST(vm.ok(), vm.ToText());
  BOOST_TEST(vm.warning_count() == 1U);
  BOOST_TEST(groups[0].rules[0].expr == "rate(m) keep_metric_names > 0");
  BOOST_TEST(!LoadRuleText(fmt::format("groups:\n- {{name: a, rules: [{{alert: A, {}}}]}}\n", kMetricsql),
                           "r.yml", TwoSources(), groups)
                  .ok());
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(load_rule_files)

BOOST_AUTO_TEST_CASE(globs_are_sorted_and_files_are_read_once) {
  TempDir dir;
  dir.Write("b.yml", Group("rules: [{alert: B, expr: up}]"));
  dir.Write("a.yml", Group("rules: [{alert: A, expr: up}]"));
  std::vector<RuleGroup> groups;
  Diagnostics d = LoadRuleFiles({{dir.path() + "/*.yml", ""}, {dir.path() + "/a.yml", ""}}, {}, groups);
  BOOST_TEST(d.ok(), d.ToText());
  BOOST_REQUIRE(groups.size() == 2U);
  BOOST_TEST(groups[0].rules[0].name == "A");
  BOOST_TEST(groups[1].file == dir.path() + "/b.yml");
}

BOOST_AUTO_TEST_CASE(what_is_not_there_is_a_warning_and_what_cannot_be_read_an_error) {
  TempDir dir;
  std::vector<RuleGroup> groups;
  Diagnostics missing = LoadRuleFiles({{dir.path() + "/*.yml", ""}, {dir.path() + "/a.yml", ""}}, {}, groups);
  BOOST_TEST(missing.ok());
  BOOST_TEST(missing.warning_count() == 2U);
  BOOST_TEST(!LoadRuleFiles({{dir.path(), ""}}, {}, groups).ok());
}

BOOST_AUTO_TEST_CASE(one_bad_file_keeps_all_out_and_all_errors_are_told) {
  TempDir dir;
  dir.Write("a.yml", Group("foo: 1"));
  dir.Write("b.yml", Group("rules: []"));
  dir.Write("c.yml", Group("bar: 1"));
  std::vector<RuleGroup> groups;
  Diagnostics d = LoadRuleFiles({{dir.path() + "/*.yml", ""}}, {}, groups);
  BOOST_TEST(d.error_count() == 2U);
  BOOST_TEST(groups.empty());
}

BOOST_AUTO_TEST_SUITE_END()
