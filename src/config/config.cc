#include "config/config.h"

#include <algorithm>

namespace mlalert {

const Receiver* Config::FindReceiver(std::string_view name) const {
  auto it =
      std::find_if(receivers.begin(), receivers.end(), [&](const Receiver& r) { return r.name == name; });
  return it != receivers.end() ? &*it : nullptr;
}

const DatasourceConfig* Config::FindDatasource(std::string_view name) const {
  auto it = std::find_if(datasources.begin(), datasources.end(),
                         [&](const DatasourceConfig& d) { return d.name == name; });
  return it != datasources.end() ? &*it : nullptr;
}

const ModelConfig* Config::FindModel(std::string_view name) const {
  auto it = std::find_if(models.begin(), models.end(), [&](const ModelConfig& m) { return m.name == name; });
  return it != models.end() ? &*it : nullptr;
}

const IncidentPolicy* Config::FindPolicy(const LabelSet& labels) const {
  auto it = std::find_if(incident_policies.begin(), incident_policies.end(),
                         [&](const IncidentPolicy& p) { return MatchesAll(p.matchers, labels); });
  return it != incident_policies.end() ? &*it : nullptr;
}

}  // namespace mlalert
