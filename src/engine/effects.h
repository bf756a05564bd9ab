// What a step of the engine wants done outside: rows to journal, attempts to make. Filled by the engine,
// drained by the gate in order. Thread: plain value.
#pragma once

#include <string>
#include <vector>

#include "model/record.h"
#include "notify/notification.h"

namespace mlalert {

struct Effects {
  std::vector<Record> records;
  std::vector<NotificationAttempt> attempts;
  // Notifications that were given up, in Alertmanager's words: for the log.
  std::vector<std::string> given_up;

  bool empty() const { return records.empty() && attempts.empty() && given_up.empty(); }
};

}  // namespace mlalert
