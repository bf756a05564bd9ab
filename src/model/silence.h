// A silence as Alertmanager's: alerts that match all its matchers say nothing between two instants.
// Thread: plain value.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "model/label_set.h"
#include "model/matcher.h"

namespace mlalert {

enum class SilenceState : uint8_t { kActive, kPending, kExpired };

struct Silence {
  std::string id;     // UUID
  Matchers matchers;  // in the order given; never empty
  Timestamp starts_at = kUnset;
  Timestamp ends_at = kUnset;
  Timestamp updated_at = kUnset;
  std::string created_by;
  std::string comment;
  LabelSet annotations;
};

// Active in [starts_at, ends_at).
inline SilenceState StateAt(const Silence& silence, Timestamp now) {
  if (now >= silence.ends_at) {
    return SilenceState::kExpired;
  }
  return now < silence.starts_at ? SilenceState::kPending : SilenceState::kActive;
}

constexpr std::string_view ToString(SilenceState state) {
  return state == SilenceState::kActive ? "active" : state == SilenceState::kPending ? "pending" : "expired";
}

// A matcher as it was sent, not compiled yet.
struct MatcherText {
  std::string name;
  MatchOp op = MatchOp::kEqual;
  std::string value;
};

// A new silence, or a change of the one with this id.
struct SilenceRequest {
  std::string id;  // empty: new
  std::vector<MatcherText> matchers;
  Timestamp starts_at = kUnset;
  Timestamp ends_at = kUnset;
  std::string created_by;
  std::string comment;
  LabelSet annotations;
};

}  // namespace mlalert
