#include "notify/chat_cases.h"

namespace mlalert::testing {
namespace {

constexpr auto kKind = IntegrationKind::kVictorops;

Receiver Victorops() {
  Receiver r;
  VictoropsConfig& c = r.victorops_configs.emplace_back();
  c.api_url = "http://127.0.0.1/vo/";
  c.api_key = Secret("VKEY");
  c.routing_key = "rk{{ .Status }}";
  c.message_type = "CRITICAL";
  c.state_message = R"({{ template "victorops.default.state_message" . }})";
  c.entity_display_name = R"({{ template "victorops.default.entity_display_name" . }})";
  c.monitoring_tool = R"({{ template "victorops.default.monitoring_tool" . }})";
  c.custom_fields["cf"] = "{{ .Status }}";
  return r;
}

std::string Type(const Notification& n) {
  return BuildJson(n).GetString("message_type");
}

}  // namespace

BOOST_AUTO_TEST_SUITE(victorops)

BOOST_AUTO_TEST_CASE(equals_upstream_byte_for_byte) {
  CheckGolden(Victorops(), kKind, "POST /vo/VK/rkfiring", "POST /vo/VK/rkresolved");
}

BOOST_AUTO_TEST_CASE(message_type_table) {
  Receiver r = Victorops();
  for (auto [text, want] :
       std::vector<std::pair<const char*, const char*>>{{"INFO", "INFO"},
                                                        {"WARNING", "WARNING"},
                                                        {"CRITICAL", "CRITICAL"},
                                                        {"warning", "CRITICAL"},
                                                        {"RECOVERY", "CRITICAL"},
                                                        {"{{ .CommonLabels.nope }}", "CRITICAL"}}) {
    r.victorops_configs[0].message_type = text;
    BOOST_TEST(Type(FiringOf(r, kKind)) == want);
    BOOST_TEST(Type(MakeNotification(ConfigOf(r), kKind, {GoldenAlert(true)})) == "RECOVERY");
  }
  Json taken = BuildJson(AcknowledgedOf(Victorops(), kKind, "Ann", "on it"));
  BOOST_TEST(taken.GetString("message_type") == "ACKNOWLEDGEMENT");
  BOOST_TEST(taken.GetString("state_message") == "Acknowledged by Ann: on it");
  // The incident is about the whole group: half of it is still nobody's.
  BOOST_TEST(Type(AcknowledgedOf(Victorops(), kKind, "Ann", "", false)) == "CRITICAL");
}

BOOST_AUTO_TEST_CASE(keys_are_escaped_in_the_path_and_stay_out_of_errors) {
  Receiver r = Victorops();
  r.victorops_configs[0].api_key = Secret("S3CRET KEY");
  r.victorops_configs[0].routing_key = "a/b c?d#e%f:g@h";
  Notification n = FiringOf(r, kKind);
  PreparedCall prepared = Must(Build(n));
  BOOST_TEST(prepared.call.url == "http://127.0.0.1/vo/S3CRET%20KEY/a/b%20c%3Fd%23e%25f:g@h");
  std::string error = JudgeAnswer(n, prepared, Answer(403, "bad key S3CRET KEY, S3CRET%20KEY")).outcome.error;
  BOOST_TEST(error == "unexpected status code 403: bad key <secret>, <secret>");
}

BOOST_AUTO_TEST_CASE(state_message_is_cut_in_characters) {
  Receiver r = Victorops();
  r.victorops_configs[0].state_message = kTheText;
  BOOST_TEST(BuildJson(FiringWith(r, kKind, Repeated(kFire, 20481))).GetString("state_message") ==
             Repeated(kFire, 20479) + kDots);
}

BOOST_AUTO_TEST_CASE(key_file_and_failing_texts) {
  Receiver r = Victorops();
  r.victorops_configs[0].api_key = Secret();
  r.victorops_configs[0].api_key_file = "/keys/vo";
  FakeFiles files;
  files.texts["/keys/vo"] = "K\n";
  BOOST_TEST(Must(Build(FiringOf(r, kKind), files)).call.url == "http://127.0.0.1/vo/K/rkfiring");
  BOOST_TEST(BuildError(FiringOf(r, kKind)) == "read api_key_file: /keys/vo: no such file");
  r = Victorops();
  r.victorops_configs[0].custom_fields["x"] = "{{ .Nope }}";
  BOOST_TEST(BuildError(FiringOf(r, kKind)).starts_with("templating error: template: :1:3"));
}

BOOST_AUTO_TEST_CASE(verdicts) {
  CheckStatusVerdicts(FiringOf(Victorops(), kKind));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mlalert::testing
