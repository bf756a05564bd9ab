// `mlalert check FILE...`: are these config and rule files right? Each file is taken for what its keys say;
// the rule files a config names are checked with it. Reads files only, unless a data source is named. Thread:
// one.
#pragma once

#include <string>
#include <vector>

#include "cli/console.h"

namespace CLI {
class App;
}

namespace mlalert {

struct CheckOptions {
  std::vector<std::string> files;
  bool strict = false;
  bool json = false;
  bool lint = true;
  std::string datasource_url;  // empty: no data source is asked
};

// 0: fine; 1: warnings under `strict`; 2: errors, also when a file cannot be read.
int RunCheck(const CheckOptions& options, Console& console);

void AddCheckCommand(CLI::App& app, int& exit_code);

}  // namespace mlalert
