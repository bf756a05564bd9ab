// `mlalert incidents`: what is going on now, asked from the running daemon.
// Thread: one.
#pragma once

#include <string>

#include "cli/command_flags.h"
#include "cli/console.h"

#include "model/incident.h"

namespace CLI {
class App;
}

namespace mlalert {

struct IncidentsOptions {
  ServerFlags server;
  SelectionFlags selection;
  std::string state = "active";  // active (open and acknowledged) | open | acknowledged | resolved | all
  std::string response;          // due | met | breached; empty: any
};

// Both return the exit code. `now` is for ages only.
int RunIncidentsList(const IncidentsOptions& options, Timestamp now, Console& console);
int RunIncidentsShow(const IncidentsOptions& options, IncidentId id, Timestamp now, Console& console);

struct WhyOptions {
  ServerFlags server;
  std::string receiver;
  std::string at;  // RFC 3339; empty: now
  bool json = false;
};
int RunIncidentsWhy(const WhyOptions& options, IncidentId id, Console& console);

void AddIncidentsCommand(CLI::App& app, int& exit_code);

}  // namespace mlalert
