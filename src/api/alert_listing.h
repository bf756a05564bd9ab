// Takes what a listing needs out of the engine in slices, so that 100,000 alerts hold up no sender: under the
// gate handles are copied, everything else (choosing, routing, sorting, rendering) happens outside.
// Fed by: the handlers of /api/v2/alerts and /api/v2/alerts/groups, /metrics. Thread: any worker.
#pragma once

#include <vector>

#include "api/alert_json.h"
#include "engine/gate.h"

namespace mlalert {

// Alerts (or incidents) that one entry of the gate looks at. At about a microsecond each, half a millisecond:
// what a sender may have to wait.
inline constexpr size_t kListSlice = 500;

// Gives the core away now and then: a listing is a burst of computing, and where there are as many readers as
// cores a sender would wait for the kernel to take one from it. Called with how much is done; yields after
// each slice.
class Breather {
 public:
  void operator()(size_t done);

 private:
  size_t next_ = kListSlice;
};

struct AlertListing {
  ConfigPtr config;
  std::vector<AlertView> alerts;  // by fingerprint, with receivers; those that `query` asks for
};
AlertListing TakeAlerts(Gate& gate, const AlertQuery& query, Timestamp now);

struct GroupListing {
  ConfigPtr config;
  std::vector<GroupView> groups;  // alerts in order, those that `query` asks for; may be none
};
GroupListing TakeGroups(Gate& gate, const AlertQuery& query, Timestamp now);

}  // namespace mlalert
