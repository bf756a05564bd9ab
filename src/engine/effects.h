// What a step of the engine wants done outside: rows to journal, attempts to make. Filled by the engine,
// drained by the gate in order. Thread: plain value.
#pragma once

#include <vector>

#include "model/record.h"
#include "notify/notification.h"

namespace mlalert {

struct Effects {
  std::vector<Record> records;
  std::vector<NotificationAttempt> attempts;

  bool empty() const { return records.empty() && attempts.empty(); }
};

}  // namespace mlalert
