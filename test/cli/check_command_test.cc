#include "cli/check_command.h"

#include <boost/test/unit_test.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli_case.h"

#include "base/json.h"
#include "support/source_dir.h"

namespace mlalert {
namespace {

using testing::Has;
using testing::TempFolder;
using testing::TestConsole;

constexpr const char* kConfig = R"(route:
  receiver: page
  routes:
  - {matchers: ['severity=~"P2|P3"'], receiver: chat}
receivers:
- name: page
  pagerduty_configs: [{routing_key: 0123456789abcdef0123456789abcdef}]
- name: chat
  webhook_configs: [{url: 'http://127.0.0.1:9/x'}]
)";
constexpr const char* kRules = R"(groups:
- name: g
  rules:
  - {alert: A, expr: up == 0}
  - {alert: B, expr: up == 0}
)";

struct Checked {
  int exit_code = 0;
  std::string out;
  std::string err;
};
Checked Check(std::vector<std::string> files, bool strict = false, bool json = false) {
  TestConsole test;
  Checked out;
  out.exit_code = RunCheck({std::move(files), strict, json, false, ""}, test.console);
  out.out = test.out.str();
  out.err = test.err.str();
  return out;
}

BOOST_AUTO_TEST_SUITE(check)

BOOST_AUTO_TEST_CASE(a_good_config_is_summed_up) {
  TempFolder dir;
  std::string file = dir.Write("c.yml", kConfig);
  Checked got = Check({file});
  BOOST_TEST(got.exit_code == 0);
  BOOST_TEST(got.out == file + ": config OK: 2 receivers, 2 routes, 0 policies\n");
  BOOST_TEST(Check({file}, true).exit_code == 0);
}

BOOST_AUTO_TEST_CASE(a_key_that_is_not_there_is_said) {
  TempFolder dir;
  const std::string config = std::string(kConfig) + "inbound: {links: {key_file: link.key}}\n";
  const std::string file = dir.Write("c.yml", config);
  Checked got = Check({file});
  BOOST_TEST(got.exit_code == 0);
  BOOST_TEST(Has(got.out, "inbound.links.key_file: "), got.out);
  BOOST_TEST(Has(got.out, "link.key"), got.out);
  BOOST_TEST(Check({file}, true).exit_code != 0);
  dir.Write("link.key", "too short");
  BOOST_TEST(Has(Check({file}).out, "holds fewer than"), Check({file}).out);
  dir.Write("link.key", std::string(32, 'k'));
  BOOST_TEST(Check({file}, true).exit_code == 0, Check({file}, true).out);
}

BOOST_AUTO_TEST_CASE(a_good_rule_file_is_summed_up) {
  TempFolder dir;
  std::string file = dir.Write("r.yml", kRules);
  Checked got = Check({file});
  BOOST_TEST(got.exit_code == 0);
  BOOST_TEST(got.out == file + ": 2 alerting rules in 1 group, 0 recording rules (not evaluated)\n");
}

BOOST_AUTO_TEST_CASE(the_shipped_rules_are_good) {
  Checked got = Check({mlalert::testing::SourceDir() + "/rules/ml-core.yml"}, true);
  BOOST_TEST(got.exit_code == 0);
  BOOST_TEST(Has(got.out, " alerting rules in "));
}

BOOST_AUTO_TEST_CASE(rule_files_of_a_config_are_checked_relative_to_it_and_once) {
  TempFolder dir;
  std::string rules = dir.Write("sub/rules/r.yml", kRules);
  std::string config =
      dir.Write("sub/c.yml", std::string(kConfig) + "rule_files: [rules/*.yml, rules/r.yml]\n");
  Checked got = Check({config, rules, dir.Path("sub/../sub/rules/r.yml")});
  BOOST_TEST(got.exit_code == 0);
  BOOST_TEST(got.out == config + ": config OK: 2 receivers, 2 routes, 0 policies\n" + rules +
                            ": 2 alerting rules in 1 group, 0 recording rules (not evaluated)\n");
}

BOOST_AUTO_TEST_CASE(an_error_in_a_rule_file_of_a_config_fails_the_check) {
  TempFolder dir;
  std::string rules = dir.Write("rules/r.yml", "groups: [{name: g, rules: [{alert: A, expr: 'up =='}]}]\n");
  std::string config = dir.Write("c.yml", std::string(kConfig) + "rule_files: [rules/*.yml]\n");
  Checked got = Check({config});
  BOOST_TEST(got.exit_code == 2);
  BOOST_TEST(Has(got.out, config + ": config OK"));
  BOOST_TEST(Has(got.out, rules + ":1:"));
  BOOST_TEST(Has(got.out, "could not parse expression"));
  BOOST_TEST(Has(got.out, rules + ": FAILED: 1 error\n"));
}

BOOST_AUTO_TEST_CASE(an_error_shows_place_line_caret_and_hint) {
  TempFolder dir;
  std::string file = dir.Write("c.yml", "route:\n  reciever: page\nreceivers: [{name: page}]\n");
  Checked got = Check({file});
  BOOST_TEST(got.exit_code == 2);
  BOOST_TEST(Has(got.out, file + ":2:3: error: "));
  BOOST_TEST(Has(got.out, "\n  2 |   reciever: page\n    |   ^\n"));
  BOOST_TEST(Has(got.out, "hint: did you mean \"receiver\"?"));
  BOOST_TEST(Has(got.out, "FAILED: "));
}

BOOST_AUTO_TEST_CASE(a_config_that_pages_nobody_is_warned_about) {
  TempFolder dir;
  std::string file = dir.Write("c.yml", R"(route: {receiver: chat}
receivers: [{name: chat, webhook_configs: [{url: 'http://127.0.0.1:9/x'}]}]
incident_policies: [{name: all, cooldown: 5m}]
)");
  Checked got = Check({file});
  BOOST_TEST(got.exit_code == 0);
  BOOST_TEST(Has(got.out, "warning: alerts of severity P0 and P1 reach no receiver that pages"));
  BOOST_TEST(Has(got.out, ": config OK: 1 receiver, 1 route, 1 policy; 1 warning\n"));

  Checked strict = Check({file}, true);
  BOOST_TEST(strict.exit_code == 1);
  BOOST_TEST(Has(strict.err, "--strict"));
}

BOOST_AUTO_TEST_CASE(errors_outweigh_warnings_under_strict) {
  TempFolder dir;
  std::string warned = dir.Write("w.yml", "groups: [{name: g, rules: [{record: a, expr: up}]}]\n");
  BOOST_TEST(Check({warned}).exit_code == 0);
  BOOST_TEST(Has(Check({warned}).out, "1 recording rule (not evaluated); 1 warning\n"));
  BOOST_TEST(Check({warned}, true).exit_code == 1);
  BOOST_TEST(Check({warned, dir.Path("none.yml")}, true).exit_code == 2);
}

BOOST_AUTO_TEST_CASE(a_missing_file_is_an_error_when_named_and_a_warning_when_a_config_names_it) {
  TempFolder dir;
  Checked named = Check({dir.Path("none.yml")});
  BOOST_TEST(named.exit_code == 2);
  BOOST_TEST(Has(named.out, "none.yml: error: "));
  std::string config = dir.Write("c.yml", std::string(kConfig) + "rule_files: [none.yml, 'empty/*.yml']\n");
  Checked listed = Check({config});
  BOOST_TEST(listed.exit_code == 0);
  BOOST_TEST(Has(listed.out, "none.yml: warning: no such rule file"));
  BOOST_TEST(Has(listed.out, "empty/*.yml: warning: no rule file matches this pattern"));
  BOOST_TEST(Check({config}, true).exit_code == 1);
}

BOOST_AUTO_TEST_CASE(what_cannot_be_read_is_an_error) {
  TempFolder dir;
  BOOST_TEST(Check({dir.path()}).exit_code == 2);
  BOOST_TEST(Has(Check({dir.path()}).out, "is a directory"));
  if (geteuid() != 0) {  // root reads everything
    std::string file = dir.Write("c.yml", kConfig);
    ::chmod(file.c_str(), 0);
    BOOST_TEST(Check({file}).exit_code == 2);
    BOOST_TEST(Has(Check({file}).out, "Permission denied"));
  }
}

BOOST_AUTO_TEST_CASE(what_is_neither_kind_is_an_error) {
  TempFolder dir;
  for (const char* text :
       {"", "a: 1\n", "[1, 2]\n", "groups: []\nroute: {}\n", "a: [\n", "\xff\xfe\x00", "just text"}) {
    BOOST_TEST_CONTEXT(text) {
      std::string file = dir.Write("x.yml", text);
      Checked got = Check({file});
      BOOST_TEST(got.exit_code == 2);
      BOOST_TEST(Has(got.out, "FAILED"));
    }
  }
}

BOOST_AUTO_TEST_CASE(one_bad_file_does_not_hide_the_others) {
  TempFolder dir;
  std::string good = dir.Write("r.yml", kRules);
  Checked got = Check({dir.Path("none.yml"), good});
  BOOST_TEST(got.exit_code == 2);
  BOOST_TEST(Has(got.out, good + ": 2 alerting rules"));
}

BOOST_AUTO_TEST_CASE(a_hostile_file_cannot_drive_the_terminal) {
  TempFolder dir;
  // ESC is no YAML, C1 and bidirectional marks are.
  Checked got = Check({dir.Write("a.yml",
                                 "route: {receiver: \"\xc2\x9b"
                                 "2J\xe2\x80\xae\"}\nreceivers: []\n"),
                       dir.Write("b.yml", "\x1b[2J: x\n"), dir.Path("none\x1b[31m.yml")});
  BOOST_TEST(got.exit_code == 2);
  for (const char* raw : {"\x1b", "\xc2\x9b", "\xe2\x80\xae"}) {
    BOOST_TEST(!Has(got.out, raw));
  }
}

BOOST_AUTO_TEST_CASE(template_files_and_texts_of_receivers_are_parsed) {
  TempFolder dir;
  std::string good = dir.Write("good.tmpl", "{{ define \"x\" }}{{ .Status }}{{ end }}");
  std::string config = dir.Write("c.yml", std::string(kConfig) + "templates: ['*.tmpl']\n");
  BOOST_TEST(Check({config}, true).exit_code == 0);
  dir.Write("bad.tmpl", "{{ define \"y\" }}{{ .Status }");
  Checked broken = Check({config});
  BOOST_TEST(broken.exit_code == 2);
  BOOST_TEST(Has(broken.out, "bad.tmpl"));
  BOOST_TEST(Has(broken.out, "FAILED: 1 error"));

  std::string text = kConfig;
  text.replace(text.find("webhook_configs"), std::string::npos,
               "slack_configs: [{api_url: 'http://127.0.0.1:9/x', channel: c, title: '{{ .Nope'}]\n");
  Checked warned = Check({dir.Write("t.yml", text)});
  BOOST_TEST(warned.exit_code == 0);
  BOOST_TEST(Has(warned.out, "warning: receiver chat: slack_configs[0].title"));
}

BOOST_AUTO_TEST_CASE(secrets_are_not_printed) {
  TempFolder dir;
  std::string config = kConfig;
  config.replace(config.find("0123456789abcdef}"), 16, "TOPSECRETTOPSECR, routing_kee: 1");
  Checked got = Check({dir.Write("c.yml", config)});
  BOOST_TEST(got.exit_code == 2);
  BOOST_TEST(!Has(got.out, "TOPSECRET"));
}

BOOST_AUTO_TEST_CASE(json_tells_the_same) {
  TempFolder dir;
  std::string rules = dir.Write("rules/r.yml", kRules);
  std::string config = dir.Write("c.yml", std::string(kConfig) + "rule_files: [rules/*.yml, none.yml]\n");
  Checked got = Check({config, dir.Write("bad.yml", "a: 1\n")}, false, true);
  BOOST_TEST(got.exit_code == 2);
  BOOST_TEST(got.err == "");
  auto json = ParseJson(got.out);
  BOOST_REQUIRE(json.has_value());
  BOOST_TEST(json->Find("ok")->AsBool(true) == false);
  BOOST_TEST(json->Find("errors")->AsInt() == 1);
  BOOST_TEST(json->Find("warnings")->AsInt() == 1);
  const auto& files = json->Find("files")->AsArray();
  BOOST_REQUIRE(files.size() == 4u);
  BOOST_TEST(files[0].GetString("kind") == "config");
  BOOST_TEST(files[0].Find("routes")->AsInt() == 2);
  BOOST_TEST(files[1].GetString("kind") == "rules");
  BOOST_TEST(files[1].Find("alerting_rules")->AsInt() == 2);
  BOOST_TEST(files[1].Find("ok")->AsBool());
  BOOST_TEST(files[2].Find("warnings")->AsInt() == 1);
  BOOST_TEST(files[3].Find("ok")->AsBool(true) == false);
  BOOST_TEST(files[3].Find("diagnostics")->AsArray().at(0).GetString("level") == "error");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mlalert
