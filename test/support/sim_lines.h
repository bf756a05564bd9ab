// What a simulation has told and written, as stories ask for it.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "support/sim.h"

namespace mlalert::testing {

// Whom steps of chains told since the last look: "+1m l1".
inline std::vector<std::string> Paged(Sim& sim) {
  std::vector<std::string> out;
  for (const std::string& line : sim.TakeHeard()) {
    if (line.find("escalated") != std::string::npos) {
      out.push_back(line.substr(0, line.find('/')));
    }
  }
  return out;
}

inline size_t EventsOf(const Sim& sim, IncidentId id, std::string_view type) {
  const std::vector<std::string> events = sim.Events(id);
  return static_cast<size_t>(std::count_if(
      events.begin(), events.end(), [&](const std::string& event) { return event.starts_with(type); }));
}

}  // namespace mlalert::testing
