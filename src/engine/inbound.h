// What the engine is told by other systems, and what it answers. Thread: plain values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "model/incident.h"

namespace mlalert {

// How long an id is remembered, so that what is delivered again does nothing. PagerDuty repeats for 48 h.
inline constexpr Duration kInboundLife = std::chrono::hours(24 * 7);
// What happened longer ago than anybody repeats is not acted on.
inline constexpr Duration kPagerdutyAgeMax = std::chrono::hours(49);
// After the time to ring: to listen to the message three times, and for the callback to come.
inline constexpr Duration kCallPatience = std::chrono::seconds(150);

struct PagerdutyReply {
  // "acknowledged", "unacknowledged", "resolved", "reopened", "commented", "noted", or "ignored".
  std::string_view result = "ignored";
  std::string_view why;  // of "ignored"
  std::vector<IncidentId> incidents;
};

// A phone call that was asked for.
struct PhoneCall {
  enum class State : uint8_t { kCalling, kHeard, kNotHeard, kCancelled };

  int64_t id = 0;
  State state = State::kCalling;
  std::string receiver;
  uint32_t index = 0;   // in the receiver's twilio_configs
  uint32_t target = 0;  // in its `to`
  std::string group_key;
  Timestamp page_at = kUnset;  // of the chain's page that it is about; kUnset: the routes tell it
  std::vector<IncidentId> incidents;
  std::vector<int64_t> generations;  // of the incidents, when it was asked for
};
std::string_view ToString(PhoneCall::State state);

}  // namespace mlalert
