// `mlalert ack` and `mlalert unack`: somebody takes incidents, or gives them back.
// Thread: one.
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

struct AckOptions {
  ServerFlags server;
  std::vector<IncidentId> ids;
  bool acknowledge = true;  // false: take the acknowledgement back
  std::string actor;        // empty: CurrentUser()
  std::string comment;
  std::string expires;  // a duration; empty: what the policy says
  bool json = false;
};

// Acts on every id, also after one failed. Returns the exit code of the first failure.
int RunAck(const AckOptions& options, Console& console);

void AddAckCommand(CLI::App& app, int& exit_code);
void AddUnackCommand(CLI::App& app, int& exit_code);

}  // namespace mlalert
