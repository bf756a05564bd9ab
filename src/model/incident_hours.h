// What happens to messages about incidents that come outside business hours. Plain data, frozen into
// incidents with their policy. Thread: plain value.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model/severity.h"

namespace mlalert {

struct IncidentHours {
  // kDefer: told when the calendar opens, if it still fires. kDigest: told when it opens, together with what
  // cleared meanwhile. kDrop: what begins outside is not told, unless it becomes more severe.
  enum class Outside : uint8_t { kDefer, kDigest, kDrop };

  std::string calendar;
  Outside outside = Outside::kDefer;
  // Severities as urgent as this are told at any hour.
  Severity always_from = Severity::kP1;
};

}  // namespace mlalert
