// `mlalert history`: what the file remembers, read directly and read-only, with or without a running daemon.
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

// Name of the database inside the storage directory.
inline constexpr const char* kDatabaseName = "mlalert.db";

enum class HistoryTopic : uint8_t { kIncidents, kEvents, kNotifications };

struct HistoryCommandOptions {
  // The directory given to `serve`, or a database file (a backup).
  std::string storage_path = "data/";
  SelectionFlags selection;
  std::string since = "7d";
  std::string until;
};

// Both return the exit code.
int RunHistory(const HistoryCommandOptions& options, HistoryTopic topic, Timestamp now, Console& console);
int RunHistoryShow(const HistoryCommandOptions& options, IncidentId id, Timestamp now, Console& console);

// The database file of a storage path, or the file itself. kInvalid: there is none.
Result<std::string> FindDatabase(const std::string& storage_path);

void AddHistoryCommand(CLI::App& app, int& exit_code);

}  // namespace mlalert
