// `mlalert ack | unack | snooze | comment | assign | raise | lower | resolve` (also below `mlalert
// incidents`): what people do with incidents. Thread: one.
#pragma once

#include <string>
#include <vector>

#include "cli/command_flags.h"
#include "cli/console.h"

#include "model/incident.h"

namespace CLI {
class App;
}

namespace mlalert {

struct ActionOptions {
  ServerFlags server;
  std::string action;  // the last part of the path: "snooze", ...
  std::vector<IncidentId> ids;
  std::string actor;  // empty: CurrentUser()
  std::string comment;
  // ack: until it expires; snooze: how long; resolve: for how long it stays resolved while it fires.
  std::string length;
  std::string severity;  // raise, lower
  std::string assignee;  // assign
  bool json = false;
};

// Acts on every id, also after one failed. Returns the exit code of the first failure.
int RunAction(const ActionOptions& options, Console& console);

// Adds all of them to `app`.
void AddActionCommands(CLI::App& app, int& exit_code);

}  // namespace mlalert
