// How rules are evaluated, what happens to alerts about which nothing is known, and who is told that all this
// works. Made by: config_evaluation.cc. Read by: rules/, engine/heartbeat. Thread: immutable after load.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/secret.h"
#include "base/time.h"
#include "config/receivers.h"
#include "model/matcher.h"

namespace mlalert {

// What becomes of a firing alert when the series it was computed from are gone.
enum class NoDataAction : uint8_t {
  kHold,     // it goes on firing
  kAlert,    // it goes on firing, and a rule without data raises RuleNoData, whether anything fired or not
  kResolve,  // it ends, as under Prometheus
};
// hold | alert | resolve
std::string_view ToString(NoDataAction action);

// For how long an alert is held at most; 0: for ever.
inline constexpr Duration kHoldMaxDefault = std::chrono::hours(24);

struct NoDataPolicy {
  Matchers matchers;  // of the alert's labels; for RuleNoData of the rule's, its name as alertname
  NoDataAction action = NoDataAction::kHold;
  Duration hold_max = kHoldMaxDefault;
  Duration after = std::chrono::minutes(5);  // without data, before RuleNoData is raised
  std::string severity = "P2";               // of RuleNoData

  friend bool operator==(const NoDataPolicy&, const NoDataPolicy&) = default;
};

struct EvaluationConfig {
  Duration interval = std::chrono::minutes(1);
  Duration query_offset{};
  int concurrency = 4;
  Duration resend_delay = std::chrono::minutes(1);
  // A group that has this label asks the data source of that name. Empty: no label does.
  std::string datasource_label;
  // While a rule cannot be evaluated, what it has firing is held for so long; 0: for ever.
  Duration hold_max = kHoldMaxDefault;
  // The first one that matches; the loader ends the list with one that matches everything.
  std::vector<NoDataPolicy> no_data_policies{NoDataPolicy{}};
  bool watchdog = false;  // an alert that always fires
  // What $externalLabels is, and what alerts sent to other Alertmanagers get where they have no such label.
  std::map<std::string, std::string> external_labels;
};

// A URL that is called while evaluation, storage and delivery are well.
struct HeartbeatConfig {
  Secret url;  // empty: nobody is called
  Duration interval = std::chrono::minutes(1);
  Duration timeout = std::chrono::seconds(10);
  bool use_post = false;
  HttpConfigPtr http_config;
};

}  // namespace mlalert
