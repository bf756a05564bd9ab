// The plan of an incident as lines: "2026-01-05T00:15 raise P2 chat", with what holds a step behind it.
#pragma once

#include <fmt/format.h>
#include <string>
#include <vector>

#include "support/sim.h"

namespace mlalert::testing {

inline std::vector<std::string> PlanLines(Sim& sim, IncidentId id) {
  std::vector<std::string> out;
  for (const PlanStep& step : sim.engine().Plan(*sim.engine().FindIncident(id), sim.now())) {
    std::string line = IsSet(step.at) ? FormatRfc3339Millis(step.at).substr(0, 16) : "-";
    line += fmt::format(" {} {}", ToString(step.kind), ToString(step.severity));
    for (const std::string& receiver : step.receivers) {
      line += " " + receiver;
    }
    out.push_back(line + (step.paused ? " paused: " : step.why.empty() ? "" : " ") + step.why);
  }
  return out;
}

}  // namespace mlalert::testing
