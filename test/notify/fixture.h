// Notifications for the tests: a config text, alerts, and what a builder makes of them.
#pragma once

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <fstream>
#include <map>
#include <memory>
#include <sstream>
#include <string>

#include "base/hash.h"
#include "config/config_loader.h"
#include "notify/payload.h"
#include "support/source_dir.h"

namespace mlalert::testing {

inline Timestamp At(std::string_view text) {
  return ParseRfc3339(text).value();
}

inline ConfigPtr LoadConfig(const std::string& yaml) {
  ConfigPtr config;
  Diagnostics problems = LoadConfigText(yaml, "test.yml", config);
  BOOST_REQUIRE_MESSAGE(problems.ok(), problems.ToText());
  return config;
}

// The value; the test ends here when there is none.
template <class T>
T Must(Result<T> result) {
  if (!result) {
    BOOST_FAIL(result.error().ToString());
  }
  return std::move(*result);
}

// One receiver "all" with these integrations, YAML indented by two.
inline ConfigPtr ConfigWith(const std::string& integrations, const std::string& more = "") {
  return LoadConfig("route: {receiver: all}\nreceivers:\n- name: all\n" + integrations + "\n" + more);
}

// A config of one receiver "all" made by hand.
inline ConfigPtr ConfigOf(Receiver receiver) {
  auto out = std::make_shared<Config>(*LoadConfig("route: {receiver: all}\nreceivers: [{name: all}]"));
  receiver.name = "all";
  out->receivers = {std::move(receiver)};
  return out;
}

// A file system made of texts.
class FakeFiles {
 public:
  std::map<std::string, std::string> texts;

  FileAccess Access() {
    FileAccess out;
    out.read = [this](const std::string& path, size_t) -> Result<std::string> {
      auto it = texts.find(path);
      if (it == texts.end()) {
        return Fail(ErrorCode::kNotFound, path + ": no such file");
      }
      return it->second;
    };
    out.expand = [](const std::string& pattern) { return std::vector<std::string>{pattern}; };
    return out;
  }
};

inline NotifiedAlert MakeAlert(
    std::initializer_list<std::pair<std::string_view, std::string_view>> labels,
    std::initializer_list<std::pair<std::string_view, std::string_view>> annotations = {},
    bool resolved = false) {
  NotifiedAlert out;
  out.alert.labels = LabelSet::From(labels);
  out.alert.annotations = LabelSet::From(annotations);
  out.alert.starts_at = At("2026-01-02T03:04:05.6Z");
  out.alert.ends_at = At("2026-01-02T04:00:00Z");
  out.fingerprint = out.alert.labels.fingerprint();
  out.resolved = resolved;
  out.severity = SeverityFromLabel(out.alert.labels.Get("severity"));
  return out;
}

// The alert of the golden payloads.
inline NotifiedAlert GoldenAlert(bool resolved) {
  NotifiedAlert out = MakeAlert({{"alertname", "A"}, {"cluster", "eu"}, {"severity", "critical"}},
                                {{"summary", "x<1"}}, resolved);
  out.alert.generator_url = "http://p/g?a=1&b=2";
  return out;
}

inline Notification MakeNotification(ConfigPtr config, IntegrationKind kind,
                                     std::vector<NotifiedAlert> alerts,
                                     NotifyReason reason = NotifyReason::kFirst) {
  Notification n;
  n.id = 7;
  n.config = std::move(config);
  n.receiver = &n.config->receivers.front();
  n.integration = {kind, 0};
  n.group_labels = LabelSet::From({{"alertname", "A"}, {"cluster", "eu"}});
  n.group_key = "{}:" + n.group_labels.ToString();
  n.route_id = "{}";
  n.reason = reason;
  n.alerts = std::move(alerts);
  n.flushed_at = At("2026-01-02T03:05:00Z");
  n.deadline = n.flushed_at + std::chrono::minutes(5);
  for (const NotifiedAlert& alert : n.alerts) {
    (alert.resolved ? n.resolved : n.firing).push_back(alert.fingerprint);
  }
  std::sort(n.firing.begin(), n.firing.end());
  std::sort(n.resolved.begin(), n.resolved.end());
  return n;
}

inline Result<PreparedCall> Build(const Notification& n, FakeFiles files = {}) {
  FileAccess access = files.Access();
  auto templates = Must(NotifyTemplates::Load(n.config, access));
  return BuildPayload(n, {.templates = *templates,
                          .files = access,
                          .external_url = "http://am.example.org",
                          .incident_url_prefix = "http://am.example.org/ui/incidents/",
                          .user_agent = "mlalert/test",
                          .now = At("2026-01-02T03:05:00Z")});
}

inline std::string BuildBody(const Notification& n, FakeFiles files = {}) {
  return Must(Build(n, std::move(files))).call.body;
}

inline Json BuildJson(const Notification& n, FakeFiles files = {}) {
  return Must(ParseJson(BuildBody(n, std::move(files))));
}

inline std::string BuildError(const Notification& n, FakeFiles files = {}) {
  auto prepared = Build(n, std::move(files));
  return prepared ? "no error" : prepared.error().ToString();
}

// `text` as a template over the notification's data; an error's text otherwise.
inline std::string RenderText(const Notification& n, const std::string& text, bool html = false) {
  FakeFiles files;
  FileAccess access = files.Access();
  auto templates = Must(NotifyTemplates::Load(n.config, access));
  ReceiverContext context{.templates = *templates,
                          .files = access,
                          .external_url = "http://am.example.org",
                          .incident_url_prefix = "http://am.example.org/ui/incidents/",
                          .user_agent = "mlalert/test",
                          .now = At("2026-01-02T03:05:00Z")};
  TemplateData data = DataFor(n, context);
  Renderer render(context, data);
  std::string out = html ? render.Html(text) : render(text);
  return render.ok() ? out : render.status().error().message;
}

inline std::string ReadGolden(const std::string& name) {
  std::ifstream in(mlalert::testing::SourceDir() + "/test/notify/golden/" + name);
  BOOST_REQUIRE_MESSAGE(in.good(), name);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

// A call that Alertmanager 0.33.1 made for the golden alert under all-receivers.yml: the first is about
// firing, the second about resolved.
inline std::string GoldenBody(const std::string& call, bool resolved) {
  std::istringstream calls(ReadGolden("all_receivers.txt"));
  std::string line, body;
  for (int seen = 0; std::getline(calls, line);) {
    if (line == call && std::getline(calls, body) && (!resolved || ++seen == 2)) {
      return body + "\n";
    }
  }
  BOOST_FAIL("no golden call " + call);
  return {};
}

inline HttpResult Answer(int status, std::string body = {}, std::string content_type = {}) {
  HttpResult out;
  out.status = status;
  out.body = std::move(body);
  if (!content_type.empty()) {
    out.headers.emplace_back("content-type", std::move(content_type));
  }
  return out;
}

inline HttpResult Broken(Failure failure, std::string error) {
  HttpResult out;
  out.failure = failure;
  out.error = std::move(error);
  return out;
}

inline const char* Name(DeliveryVerdict verdict) {
  switch (verdict) {
    case DeliveryVerdict::kSent:
      return "sent";
    case DeliveryVerdict::kRetry:
      return "retry";
    case DeliveryVerdict::kCancelled:
    case DeliveryVerdict::kFailed:
      return "failed";
  }
  return "?";
}

}  // namespace mlalert::testing
