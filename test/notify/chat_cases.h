// What the tests of the one-call kinds share: golden bodies, verdicts, acknowledgements.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "notify/fixture.h"

namespace mlalert::testing {

// The body for the golden alert, firing or resolved, must be upstream's to the byte.
inline void CheckGolden(const Receiver& receiver, IntegrationKind kind, const std::string& firing_call,
                        const std::string& resolved_call) {
  ConfigPtr config = ConfigOf(receiver);
  BOOST_TEST(BuildBody(MakeNotification(config, kind, {GoldenAlert(false)})) ==
             GoldenBody(firing_call, false));
  BOOST_TEST(BuildBody(MakeNotification(config, kind, {GoldenAlert(true)}, NotifyReason::kAllResolved)) ==
             GoldenBody(resolved_call, firing_call == resolved_call));
}

inline Notification FiringOf(const Receiver& receiver, IntegrationKind kind) {
  return MakeNotification(ConfigOf(receiver), kind, {GoldenAlert(false)});
}

inline Notification AcknowledgedOf(const Receiver& receiver, IntegrationKind kind, const std::string& by,
                                   const std::string& comment, bool all = true) {
  NotifiedAlert taken = GoldenAlert(false);
  taken.acknowledged = true;
  std::vector<NotifiedAlert> alerts{taken};
  if (!all) {
    alerts.push_back(GoldenAlert(false));
  }
  Notification n = MakeNotification(ConfigOf(receiver), kind, alerts, NotifyReason::kAcknowledged);
  n.acknowledged_by = by;
  n.acknowledge_comment = comment;
  return n;
}

// An alert whose annotation `t` is `text`.
inline Notification FiringWith(const Receiver& receiver, IntegrationKind kind, const std::string& text) {
  return MakeNotification(ConfigOf(receiver), kind, {MakeAlert({{"alertname", "A"}}, {{"t", text}})});
}
inline constexpr const char* kTheText = "{{ .CommonAnnotations.t }}";

struct VerdictCase {
  HttpResult answer;
  const char* verdict;
  const char* error;
};
inline void CheckVerdicts(const Notification& n, const std::vector<VerdictCase>& cases) {
  PreparedCall prepared = Must(Build(n));
  for (const VerdictCase& c : cases) {
    BOOST_TEST_CONTEXT(c.answer.status << ' ' << c.answer.body) {
      NotificationOutcome out = JudgeAnswer(n, prepared, c.answer).outcome;
      BOOST_TEST(Name(out.verdict) == c.verdict);
      BOOST_TEST(out.error == c.error);
      BOOST_TEST(out.notification_id == n.id);
    }
  }
}

// Of the kinds whose status alone decides; `prefix` goes before each error.
inline void CheckStatusVerdicts(const Notification& n, const std::string& prefix = "") {
  const std::string refused = prefix + "unexpected status code 400: no";
  const std::string limited = prefix + "unexpected status code 429: slow";
  const std::string failing = prefix + "unexpected status code 503";
  const std::string broken = prefix + "connection refused";
  HttpResult busy = Answer(429, "slow");
  busy.retry_after = std::chrono::seconds(7);
  CheckVerdicts(n, {{Answer(200, "whatever"), "sent", ""},
                    {Answer(204), "sent", ""},
                    {Answer(400, "no"), "failed", refused.c_str()},
                    {Answer(429, "slow"), "failed", limited.c_str()},
                    {busy, "retry", limited.c_str()},
                    {Answer(503), "retry", failing.c_str()},
                    {Broken(Failure::kConnect, "connection refused"), "retry", broken.c_str()}});
}

// A URL file that is missing or empty is worth another attempt; its text is trimmed.
inline void CheckUrlFile(const Receiver& receiver, IntegrationKind kind, const std::string& key) {
  Notification n = FiringOf(receiver, kind);
  FakeFiles files;
  files.texts["/keys/url"] = "\n http://h/S3CRET-token-of-a-webhook \n";
  PreparedCall prepared = Must(Build(n, files));
  BOOST_TEST(prepared.call.url == "http://h/S3CRET-token-of-a-webhook");
  std::string error =
      JudgeAnswer(n, prepared, Answer(404, "unknown webhook S3CRET-token-of-a-webhook")).outcome.error;
  BOOST_TEST(error.find("S3CRET") == std::string::npos, error);
  files.texts["/keys/url"] = " \n";
  auto empty = Build(n, files);
  BOOST_REQUIRE(!empty.has_value());
  BOOST_TEST((empty.error().code == ErrorCode::kIo));
  auto missing = Build(n);
  BOOST_REQUIRE(!missing.has_value());
  BOOST_TEST((missing.error().code == ErrorCode::kNotFound));
  BOOST_TEST(missing.error().message == "read " + key + "_file: /keys/url: no such file");
}

inline std::string Repeated(std::string_view text, size_t times) {
  std::string out;
  for (size_t i = 0; i < times; ++i) {
    out += text;
  }
  return out;
}
inline constexpr const char* kFire = "\xF0\x9F\x94\xA5";  // four bytes, one character
inline constexpr const char* kDots = "\xE2\x80\xA6";      // the ellipsis

}  // namespace mlalert::testing
