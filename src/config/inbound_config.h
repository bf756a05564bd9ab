// `inbound`: the ways by which people act on incidents from outside (signed links, Slack, PagerDuty), and who
// is believed. Made by: config_inbound.cc. Read by: notify/, which makes links and buttons, and api/, which
// answers them. Thread: immutable after load.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/secret.h"
#include "base/time.h"

namespace mlalert {

// Shared secrets of one sender: written in the config, or one on each line of a file, which is read anew for
// every call. Several, so that one can be replaced without a gap.
struct InboundSecrets {
  std::vector<Secret> values;
  std::string file;
  bool empty() const { return values.empty() && file.empty(); }
};

struct InboundConfig {
  // Of this mlalert, as phones, Slack and Twilio reach it; without trailing slash. Empty: --web.external-url.
  std::string public_url;

  struct Links {
    // What links are signed with; neither: a key that mlalert makes once and keeps beside its database.
    Secret key;
    std::string key_file;
    Duration expires = std::chrono::hours(24);
  } links;

  struct Slack {
    InboundSecrets signing;
    std::map<std::string, std::string> users;  // user id to the name that incidents show
    // Whether who is not in `users` may act. Unset: if `users` is empty.
    std::optional<bool> allow_unlinked;
    bool AllowsUnlinked() const { return allow_unlinked.value_or(users.empty()); }
  } slack;

  struct Pagerduty {
    InboundSecrets webhook;
    // A resolve in PagerDuty resolves here too, while the alert fires on. Else it acknowledges.
    bool trust_remote_resolve = false;
    // Of the REST API: asked for what no webhook has told. Neither: never asked.
    Secret api_token;
    std::string api_token_file;
    std::string api_url = "https://api.pagerduty.com";
    Duration reconcile_interval = std::chrono::minutes(5);
  } pagerduty;
};

}  // namespace mlalert
