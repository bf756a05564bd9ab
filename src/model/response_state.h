// Was somebody there in time (response_targets)? What people see and filter by. Read by: the API, its
// metrics, history. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "model/incident.h"

namespace mlalert {

enum class ResponseState : uint8_t {
  kNone,  // there is no target
  kDue,
  kMet,
  kBreached,
  kNotNeeded,  // it was over before anybody had to act
};
// Those that somebody asks for.
inline constexpr std::array kResponseStates = {ResponseState::kDue, ResponseState::kMet,
                                               ResponseState::kBreached};

inline ResponseState ResponseStateOf(const Incident& incident, Timestamp now) {
  if (!IsSet(incident.response_due_at)) {
    return ResponseState::kNone;
  }
  const bool acted = IsSet(incident.care->response_at);
  const bool over = incident.state == IncidentState::kResolved;
  if (incident.response_breached || (!acted && !over && incident.response_due_at <= now)) {
    return ResponseState::kBreached;
  }
  if (acted) {
    return ResponseState::kMet;
  }
  return over ? ResponseState::kNotNeeded : ResponseState::kDue;
}

inline std::string_view ToString(ResponseState state) {
  switch (state) {
    case ResponseState::kNone:
      return "";
    case ResponseState::kDue:
      return "due";
    case ResponseState::kMet:
      return "met";
    case ResponseState::kBreached:
      return "breached";
    case ResponseState::kNotNeeded:
      return "not_needed";
  }
  return "";
}

// One of kResponseStates.
inline std::optional<ResponseState> ParseResponseState(std::string_view text) {
  for (const ResponseState state : kResponseStates) {
    if (text == ToString(state)) {
      return state;
    }
  }
  return std::nullopt;
}

}  // namespace mlalert
