// GET /api/v2/alerts/groups: the aggregation groups that live, as Alertmanager's UI and karma show them.
#include <algorithm>
#include <map>
#include <set>

#include "api/alert_json.h"
#include "api/handlers.h"
#include "api/http_error.h"
#include "api/negotiation.h"
#include "base/json.h"

namespace mlalert {
namespace {

void AppendGroup(std::string& out, const GroupView& group) {
  out += "{\"alerts\":[";
  for (size_t i = 0; i < group.alerts.size(); ++i) {
    if (i > 0) {
      out += ',';
    }
    AppendAlertJson(out, group.alerts[i], group.muted_by);
  }
  out += "],\"labels\":";
  AppendLabelsJson(out, group.labels);
  out += ",\"receiver\":{\"name\":";
  AppendJsonString(out, group.receiver);
  out += "},\"routeLabels\":";
  AppendLabelsJson(out, LabelSet::From({group.route_labels.begin(), group.route_labels.end()}));
  out += '}';
}

// Every alert shows the receivers of all groups that are shown and hold it.
void FillReceivers(std::vector<GroupView>& groups) {
  std::map<uint64_t, std::vector<std::string>> receivers;
  for (const GroupView& group : groups) {
    for (const AlertView& alert : group.alerts) {
      receivers[alert.alert.fingerprint()].push_back(group.receiver);
    }
  }
  for (auto& [fingerprint, names] : receivers) {
    std::sort(names.begin(), names.end());
  }
  for (GroupView& group : groups) {
    for (AlertView& alert : group.alerts) {
      alert.receivers = receivers[alert.alert.fingerprint()];
    }
  }
}

void GetGroups(ApiContext& context, HttpRequest& request, HttpResponse& response) {
  if (!CheckAcceptsJsonV2(request, response)) {
    return;
  }
  auto query = ParseAlertQuery(request);
  if (!query) {
    SetErrorString(response, 400, query.error().message);
    return;
  }
  const bool muted = BoolParamV2(request, "muted", true);
  const Timestamp now = context.clock.Now();
  ConfigPtr config;
  std::vector<GroupView> groups = context.gate.Read([&](Engine& engine) {
    config = engine.shared_config();
    return engine.ListGroups(now);
  });
  std::erase_if(groups, [&](GroupView& group) {
    std::erase_if(group.alerts, [&](const AlertView& alert) { return !ShowsAlert(*query, alert, now); });
    return group.alerts.empty() || (!muted && !group.muted_by.empty()) ||
           !ShowsReceiver(*query, *config, group.receiver);
  });
  FillReceivers(groups);
  std::stable_sort(groups.begin(), groups.end(), [](const GroupView& a, const GroupView& b) {
    return a.labels == b.labels ? a.receiver < b.receiver : a.labels < b.labels;
  });
  response.content_type = "application/json";
  std::string& out = response.body;
  out += '[';
  for (size_t i = 0; i < groups.size(); ++i) {
    if (i > 0) {
      out += ',';
    }
    AppendGroup(out, groups[i]);
  }
  out += "]\n";
}

}  // namespace

void AddAlertGroupsV2(HttpRouter& router, ApiContext& context) {
  router.Get(
      "/api/v2/alerts/groups",
      [&context](HttpRequest& request, HttpResponse& response) { GetGroups(context, request, response); },
      {.head = false});
}

}  // namespace mlalert
