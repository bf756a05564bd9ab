// `mlalert template`: what a template text prints, before it is in a config: of a receiver against a group
// given as JSON, or of a rule against labels, a value and stubbed query results. One text from flags, or a
// stream of requests as JSON lines. Reads files only, never the network. Thread: one.
#pragma once

#include <istream>
#include <string>
#include <vector>

#include "cli/console.h"

namespace CLI {
class App;
}

namespace mlalert {

struct TemplateOptions {
  std::vector<std::string> globs{};
  std::string config_file{};  // its `templates` are loaded too
  std::string text{};
  std::string file{};  // in place of text
  std::string type = "text";
  std::string data_file{};  // "-": standard input
  bool json_lines = false;
};

// 0: rendered (with json_lines: every line was answered); 1: it failed.
int RunTemplate(const TemplateOptions& options, std::istream& in, Console& console);

void AddTemplateCommand(CLI::App& app, int& exit_code);

}  // namespace mlalert
