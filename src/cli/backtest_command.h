// `mlalert backtest RULES --datasource URL`: what rules would have done to people, from the past of a data
// source. Thread: one, and the transport's.
#pragma once

#include <string>
#include <vector>

#include "cli/console.h"

#include "base/time.h"

namespace CLI {
class App;
}

namespace mlalert {

// Exit code of --compare when the new rules interrupt more than allowed.
inline constexpr int kMoreInterruptionsExit = 4;

struct BacktestOptions {
  std::vector<std::string> rules;
  std::vector<std::string> compare;
  std::string datasource;
  std::string config_file;
  std::string history;
  std::string since = "28d";
  std::string until;
  std::string time_zone = "UTC";
  std::string format = "table";
  std::string default_severity;
  double max_increase = 0;
  bool progress = false;
};

int RunBacktest(const BacktestOptions& options, Timestamp now, Console& console);
void AddBacktestCommand(CLI::App& app, int& exit_code);

}  // namespace mlalert
