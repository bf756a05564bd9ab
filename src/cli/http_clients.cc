#include "cli/http_clients.h"

#include <fmt/format.h>
#include <set>
#include <string>
#include <utility>

#include "net/client_check.h"

namespace mlalert {
namespace {

void AddReceivers(const Route& route, std::set<std::string>& names) {
  names.insert(route.receiver);
  for (const Route& child : route.routes) {
    AddReceivers(child, names);
  }
}

Status Check(const HttpConfigPtr& config, const std::string& where) {
  if (config == nullptr) {
    return {};
  }
  Status status = CheckHttpClient(*config);
  return status ? Status{} : Fail(std::move(status.error()).Context(where));
}

}  // namespace

Status CheckHttpClients(const Config& config) {
  std::set<std::string> names;
  AddReceivers(config.route, names);
  // Chains, schedules and reviews have receivers as well.
  const bool all = !config.incident_policies.empty() || config.schedules != nullptr;
  for (const Receiver& receiver : config.receivers) {
    if (!all && !names.contains(receiver.name)) {
      continue;
    }
    for (const IntegrationRef& integration : IntegrationsOf(receiver)) {
      MLALERT_TRY(Check(
          IntegrationOf(receiver, integration).http_config,
          fmt::format("receiver {}: {}[{}]", receiver.name, ToString(integration.kind), integration.index)));
    }
  }
  for (const DatasourceConfig& source : config.datasources) {
    MLALERT_TRY(Check(source.http_config, fmt::format("data source {}", source.name)));
  }
  for (const AlertmanagerConfig& alertmanager : config.alerting.alertmanagers) {
    MLALERT_TRY(Check(alertmanager.http_config, "alerting.alertmanagers"));
  }
  return Check(config.heartbeat.http_config, "heartbeat");
}

}  // namespace mlalert
