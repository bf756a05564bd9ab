// What the demo must have shown, ticked off as it happens: alert, climb, page, acknowledgement, resolve,
// group. Fed by the sink (notifications) and by polling the incidents API. Thread: any (a lock inside).
#pragma once

#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "base/json.h"

namespace mlalert {

struct DemoIncident {
  int64_t id = 0;
  std::string alertname, model, state, severity;
  double first_seen = 0;                // seconds since the demo began
  std::vector<std::string> severities;  // as they rose
  double acked_at = -1;
  size_t severities_at_ack = 0;
};

class DemoStory {
 public:
  // A notification body as a receiver got it; `kind` is slack, pagerduty or webhook. Returns the line a
  // person reads.
  std::string OnNotification(const std::string& kind, const Json& body, double seconds);
  // One poll of GET /api/mlalert/v1/incidents?state=all. Returns lines about what changed.
  std::vector<std::string> OnIncidents(const Json& answer, double seconds);
  // The incident that the demo's on-call should acknowledge at this moment; 0: none.
  int64_t WantsAck(double seconds);
  void OnAcked(int64_t id, double seconds);

  // Step name to the second it was first seen; missing ones are -1.
  std::vector<std::pair<std::string, double>> Steps();
  bool Complete();

 private:
  void Mark(const std::string& step, double seconds);

  std::mutex mutex_;
  std::map<std::string, double> seen_;
  std::map<int64_t, DemoIncident> incidents_;
};

}  // namespace mlalert
