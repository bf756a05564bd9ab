// The flags of `mlalert serve`, under Alertmanager's names and with its defaults, so that the command line of
// an Alertmanager starts mlalert: "--x=v", "--x v", "--flag", "--no-flag". Fed by: CLI11.
// Hands on: ServeOptions. Thread: main.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "cli/daemon.h"

#include "base/result.h"

namespace CLI {
class App;
}

namespace mlalert {

struct ServeFlags {
  ServeOptions options;
  std::string level = "info";
  std::string format = "logfmt";
  std::vector<std::string> features;
  std::map<std::string, std::string> durations;  // by flag, as given; without those that were not
  uint64_t max_silences = 0;
  uint64_t max_silence_bytes = 0;
  uint64_t per_alertname_limit = 0;
  std::vector<std::string> ignored;  // flags that were given and do nothing here
};

// Adds all of them to the subcommand; `flags` must live as long as it.
void AddServeFlags(CLI::App& serve, const std::shared_ptr<ServeFlags>& flags);

// After parsing: what CLI11 cannot check. Errors have the words that follow "mlalert: error: ".
Result<ServeOptions> FinishServeFlags(const ServeFlags& flags);

}  // namespace mlalert
