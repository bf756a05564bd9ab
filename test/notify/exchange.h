// Runs the calls of one attempt against scripted answers.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "notify/fixture.h"

namespace mlalert::testing {

inline HttpOptions DefaultHttp() {
  return std::make_shared<const HttpClientConfig>();
}

struct Exchange {
  std::vector<HttpCall> calls;
  NotificationOutcome outcome;
  // Of the building, when not even the first call could be made.
  std::string build_error;

  std::vector<std::string> Lines() const {
    std::vector<std::string> out;
    for (const HttpCall& call : calls) {
      out.push_back(call.method + " " + call.url);
    }
    return out;
  }
};

struct ExchangeSetting {
  FakeFiles files{};
  ReceiverCachesPtr caches{};
  std::map<std::string, std::string> environment{};
  Timestamp now = At("2026-01-02T03:05:00Z");
  ActionLinksPtr links{};
};

inline Exchange Run(const Notification& n, std::vector<HttpResult> answers, ExchangeSetting setting = {}) {
  Exchange out;
  FileAccess access = setting.files.Access();
  auto templates = Must(NotifyTemplates::Load(n.config, access));
  auto prepared = BuildPayload(n, {.templates = *templates,
                                   .files = access,
                                   .external_url = "http://am.example.org",
                                   .incident_url_prefix = "http://am.example.org/ui/incidents/",
                                   .user_agent = "mlalert/test",
                                   .now = setting.now,
                                   .caches = setting.caches,
                                   .hostname = "vm",
                                   .environment = [&](const char* name) { return setting.environment[name]; },
                                   .links = setting.links});
  if (!prepared) {
    out.build_error = prepared.error().ToString();
    return out;
  }
  PreparedCall call = std::move(*prepared);
  for (HttpResult& answer : answers) {
    out.calls.push_back(call.call);
    NextStep next = JudgeAnswer(n, call, answer);
    if (!next.call) {
      BOOST_TEST(out.calls.size() == answers.size(), "answers are left over");
      out.outcome = std::move(next.outcome);
      return out;
    }
    call = std::move(*next.call);
  }
  BOOST_ERROR("one more call was made: " << call.call.method << " " << call.call.url);
  return out;
}

inline std::string HeaderOf(const HttpCall& call, const std::string& name) {
  for (const auto& [key, value] : call.headers) {
    if (key == name) {
      return value;
    }
  }
  return "";
}

}  // namespace mlalert::testing
