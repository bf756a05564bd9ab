// Flags that several subcommands share, so that they are named, described and checked alike.
// Thread: one.
#pragma once

#include <string>
#include <vector>

#include "cli/api_client.h"

#include "base/result.h"
#include "base/time.h"
#include "model/incident.h"
#include "model/severity.h"

namespace CLI {
class App;
}

namespace mlalert {

// The environment variable's value, or `fallback` when it is unset or empty. Not CLI11's envname(): of two
// subcommands that share a variable, the environment of the one not named would win over the flag of the
// other.
std::string EnvironmentOr(const char* name, const std::string& fallback);

// Where the daemon is. Environment: MLALERT_URL.
struct ServerFlags {
  std::string url = kDefaultApiUrl;
  std::string timeout = "15s";
};
void AddServerFlags(CLI::App& command, ServerFlags& flags);
Result<ApiClient> Connect(const ServerFlags& flags);

// Which incidents. Severities as P0..P3, separated by commas.
struct SelectionFlags {
  std::string model;
  std::string alertname;
  std::vector<std::string> severities;
  int64_t limit = 100;
  bool json = false;
};
inline constexpr int64_t kLimitMax = 100'000;
void AddSelectionFlags(CLI::App& command, SelectionFlags& flags);
Result<std::vector<Severity>> ParseSeverities(const std::vector<std::string>& words);

// Takes numbers of incidents: positive, decimal, digits only. CLI11's own conversion clamps what is too
// large.
void AddIncidentIds(CLI::App& command, std::vector<IncidentId>& ids, bool several);

// `text` of the flag `name` as a positive duration.
Result<Duration> PositiveDuration(std::string_view name, const std::string& text);

// The name of the user who runs us: $USER, else what the system knows; empty when it knows none.
std::string CurrentUser();

}  // namespace mlalert
