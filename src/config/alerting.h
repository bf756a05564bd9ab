// `alerting`, the section of prometheus.yml: the Alertmanagers to which the alerts of rules are sent too, and
// what is done to these alerts on the way. Made by: config_alerting.cc. Read by: engine/alert_forwarder.
// Thread: immutable after load.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/http_client_config.h"
#include "base/time.h"
#include "config/receivers.h"
#include "model/relabel.h"

namespace mlalert {

// One entry of alerting.alertmanagers: any number of targets that share everything else.
struct AlertmanagerConfig {
  std::string scheme = "http";
  std::string path_prefix = "/";
  Duration timeout = std::chrono::seconds(10);
  struct Target {
    std::string address;
    std::map<std::string, std::string> labels;  // of its static_configs entry
    friend bool operator==(const Target&, const Target&) = default;
  };
  std::vector<Target> targets;
  std::vector<RelabelConfig> relabel_configs;        // of targets
  std::vector<RelabelConfig> alert_relabel_configs;  // of alerts, after the global ones
  HttpConfigPtr http_config;
};

struct AlertingConfig {
  std::vector<RelabelConfig> alert_relabel_configs;
  std::vector<AlertmanagerConfig> alertmanagers;
};

}  // namespace mlalert
