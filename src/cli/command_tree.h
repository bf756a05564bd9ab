// The subcommands and flags as plain data, for what is made of them: completions and the manual page.
// Fed by: the CLI11 tree, so that nothing can be forgotten. Thread: one.
#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace mlalert {

struct CommandNode {
  struct Flag {
    std::vector<std::string> names;  // with their dashes; of an argument: none
    std::string value;               // "LEVEL [info]"; empty: a switch
    std::string help;
  };
  std::string path;  // "mlalert incidents show"
  std::string name;
  std::string help;
  std::string footer;
  std::vector<Flag> flags;
  std::vector<Flag> arguments;  // `value` holds their name
  std::vector<CommandNode> children;
};

CommandNode ReadCommandTree(const CLI::App& app);

// Scripts that bash and zsh source.
std::string BashCompletion(const CommandNode& root);
std::string ZshCompletion(const CommandNode& root);
// mlalert(1) as troff.
std::string ManualPage(const CommandNode& root);

}  // namespace mlalert
