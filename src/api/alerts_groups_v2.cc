// GET /api/v2/alerts/groups: the aggregation groups that live, as Alertmanager's UI and karma show them.
#include <algorithm>
#include <utility>

#include "api/alert_json.h"
#include "api/alert_listing.h"
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
  std::vector<std::pair<uint64_t, const std::string*>> all;
  for (const GroupView& group : groups) {
    for (const AlertView& alert : group.alerts) {
      all.emplace_back(alert.alert.fingerprint(), &group.receiver);
    }
  }
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) {
    return a.first != b.first ? a.first < b.first : *a.second < *b.second;
  });
  for (GroupView& group : groups) {
    for (AlertView& alert : group.alerts) {
      const uint64_t fingerprint = alert.alert.fingerprint();
      auto it = std::lower_bound(all.begin(), all.end(), fingerprint,
                                 [](const auto& entry, uint64_t value) { return entry.first < value; });
      for (; it != all.end() && it->first == fingerprint; ++it) {
        alert.receivers.push_back(*it->second);
      }
    }
  }
}

void GetGroups(ApiContext& context, HttpRequest& request, HttpResponse& response) {
  if (!CheckAcceptsJsonV2(request, response)) {
    return;
  }
  auto query = ParseAlertQuery(request, context.matcher_mode);
  if (!query) {
    SetErrorString(response, 400, query.error().message);
    return;
  }
  const bool muted = BoolParamV2(request, "muted", true);
  const Timestamp now = context.clock.Now();
  GroupListing listing = TakeGroups(context.gate, *query, now);
  std::vector<GroupView>& groups = listing.groups;
  std::erase_if(groups, [&](GroupView& group) {
    return group.alerts.empty() || (!muted && !group.muted_by.empty()) ||
           !ShowsReceiver(*query, *listing.config, group.receiver);
  });
  FillReceivers(groups);
  std::stable_sort(groups.begin(), groups.end(), [](const GroupView& a, const GroupView& b) {
    return a.labels == b.labels ? a.receiver < b.receiver : a.labels < b.labels;
  });
  response.content_type = "application/json";
  std::string& out = response.body;
  size_t alerts = 0;
  for (const GroupView& group : groups) {
    alerts += group.alerts.size();
  }
  out.reserve(groups.size() * 256 + alerts * 640 + 3);
  out += '[';
  Breather breathe;
  size_t done = 0;
  for (size_t i = 0; i < groups.size(); ++i) {
    breathe(done += groups[i].alerts.size());
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
