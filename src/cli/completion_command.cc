#include "cli/completion_command.h"

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "cli/command_tree.h"
#include "cli/console.h"

namespace mlalert {

void AddCompletionCommands(CLI::App& app, int& exit_code) {
  auto shell = std::make_shared<std::string>();
  CLI::App* completion = app.add_subcommand("completion", "Print a completion script for a shell");
  completion->add_option("SHELL", *shell, "bash or zsh")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh"}))
      ->option_text(" ");
  completion->footer("bash: source <(mlalert completion bash). The Debian package installs both.");
  completion->callback([&app, shell, &exit_code] {
    const CommandNode root = ReadCommandTree(app);
    StandardConsole().out << (*shell == "bash" ? BashCompletion(root) : ZshCompletion(root));
    exit_code = 0;
  });
  CLI::App* manual = app.add_subcommand("manual", "Print the manual page (troff)");
  manual->footer("mlalert manual | man -l -");
  manual->callback([&app, &exit_code] {
    StandardConsole().out << ManualPage(ReadCommandTree(app));
    exit_code = 0;
  });
}

}  // namespace mlalert
