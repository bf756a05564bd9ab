// Alerts as /api/v2 shows them (gettableAlert), and the query parameters that choose among them: shared by
// the listings of alerts and of groups. Thread: pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "api/http_types.h"
#include "base/regex.h"
#include "engine/engine.h"
#include "model/matcher_parse.h"

namespace mlalert {

struct AlertQuery {
  bool active = true;
  bool silenced = true;
  bool inhibited = true;
  Matchers filters;
  std::optional<Regex> receiver;
  Matchers receiver_matchers;
};

// Errors carry Alertmanager's texts.
Result<AlertQuery> ParseAlertQuery(const HttpRequest& request, MatcherMode mode);

// Whether the alert itself is asked for; says nothing about receivers.
bool ShowsAlert(const AlertQuery& query, const AlertView& view, Timestamp now);
bool ShowsReceiver(const AlertQuery& query, const Config& config, const std::string& receiver);

void AppendLabelsJson(std::string& out, const LabelSet& labels);
// `muted_by`: time intervals that mute the group it is shown in.
void AppendAlertJson(std::string& out, const AlertView& view, const std::vector<std::string>& muted_by = {});

}  // namespace mlalert
