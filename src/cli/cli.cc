#include "cli/cli.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <exception>
#include <fmt/format.h>
#include <functional>
#include <iostream>
#include <string>
#include <vector>

#include "cli/action_command.h"
#include "cli/backtest_command.h"
#include "cli/check_command.h"
#include "cli/completion_command.h"
#include "cli/console.h"
#include "cli/demo_command.h"
#include "cli/feedback_command.h"
#include "cli/history_command.h"
#include "cli/incidents_command.h"
#include "cli/review_command.h"
#include "cli/serve_command.h"
#include "cli/simulate_command.h"
#include "cli/template_command.h"
#include "cli/version_command.h"

#include "config/diagnostics.h"

namespace mlalert {
namespace {

constexpr int kUsageExit = 2;

void AddCommands(CLI::App& app, int& exit_code, std::function<int()>& serve) {
  AddServeCommand(app, exit_code, serve);
  AddCheckCommand(app, exit_code);
  AddIncidentsCommand(app, exit_code);
  AddActionCommands(app, exit_code);
  AddFeedbackCommand(app, exit_code);
  AddChangesCommand(app, exit_code);
  AddReviewCommand(app, exit_code);
  AddBacktestCommand(app, exit_code);
  AddHistoryCommand(app, exit_code);
  AddSimulateCommand(app, exit_code);
  AddDemoCommand(app, exit_code);
  AddTemplateCommand(app, exit_code);
  AddVersionCommand(app, exit_code);
  AddCompletionCommands(app, exit_code);
}

// The innermost subcommand that was named: the one whose help explains the mistake.
const CLI::App& Innermost(const CLI::App& app) {
  const CLI::App* at = &app;
  while (!at->get_subcommands().empty()) {
    at = at->get_subcommands().back();
  }
  return *at;
}

std::string CommandPath(const CLI::App& app) {
  return app.get_parent() == nullptr ? app.get_name() : CommandPath(*app.get_parent()) + " " + app.get_name();
}

// Flags for what looks like one, else subcommands.
std::vector<std::string> Candidates(const CLI::App& command, std::string_view word) {
  std::vector<std::string> out;
  if (word.starts_with("-")) {
    for (const CLI::Option* option : command.get_options()) {
      for (const std::string& name : option->get_lnames()) {
        out.push_back("--" + name);
      }
    }
    return out;
  }
  for (const CLI::App* sub : command.get_subcommands({})) {
    out.push_back(sub->get_name());
  }
  return out;
}

// `serve` complains in Alertmanager's words, and with its exit code: unit files and scripts may know them.
int ReportServeUsage(const CLI::App& serve, const CLI::ParseError& error,
                     const std::vector<std::string>& extras) {
  std::string message = error.what();
  std::string hint;
  const std::string flag = message.substr(0, message.find(':'));
  if (!extras.empty()) {
    const std::string word = extras.front().substr(0, extras.front().find('='));
    message = word.starts_with("--")  ? fmt::format("unknown long flag '{}'", word)
              : word.starts_with("-") ? fmt::format("unknown short flag '{}'", word)
                                      : fmt::format("unexpected {}", word);
    const std::vector<std::string> known = Candidates(serve, word);
    hint = word.starts_with("--") ? DidYouMean(word, {known.begin(), known.end()}) : "";
  } else if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::ArgumentMismatch)) {
    const bool repeated =
        message.find("received") != std::string::npos && message.find("received 0") == std::string::npos;
    message = repeated
                  ? fmt::format("flag '{}' cannot be repeated", flag.substr(flag.rfind("--") == 0 ? 2 : 0))
                  : fmt::format("expected argument for flag '{}'", flag);
  } else if (message.starts_with("--log.")) {
    message = message.substr(std::min(flag.size() + 2, message.size()));
  }
  std::cerr << "mlalert: error: " << Printable(message) << ", try --help\n";
  if (!hint.empty()) {
    std::cerr << "  hint: " << Printable(hint) << '\n';
  }
  return 1;
}

int ReportUsage(const CLI::App& app, const CLI::ParseError& error) {
  const CLI::App& command = Innermost(app);
  if (command.get_name() == "serve") {
    bool is_extra = error.get_exit_code() == static_cast<int>(CLI::ExitCodes::ExtrasError);
    return ReportServeUsage(command, error, is_extra ? app.remaining(true) : std::vector<std::string>());
  }
  std::string message = error.what();
  std::string hint;
  std::vector<std::string> extras = app.remaining(true);
  if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::ExtrasError) && !extras.empty()) {
    std::string word = extras.front().substr(0, extras.front().find('='));
    std::vector<std::string> known = Candidates(command, word);
    bool subcommand = !word.starts_with("-") && !known.empty();
    message = word.starts_with("-") ? fmt::format("unknown flag {}", word)
              : subcommand          ? fmt::format("unknown subcommand {}", word)
                                    : fmt::format("unexpected argument {}", word);
    hint = DidYouMean(word, {known.begin(), known.end()});
  }
  std::cerr << "mlalert: " << Printable(message) << '\n';
  if (!hint.empty()) {
    std::cerr << "  hint: " << Printable(hint) << '\n';
  }
  std::cerr << fmt::format("Run `{} --help` for usage.\n", CommandPath(command));
  return kUsageExit;
}

// Flags without a subcommand are those of `serve`: a unit file that names the binary only has to be pointed
// at ours.
bool ServeIsMeant(int argc, char** argv) {
  if (argc < 2) {
    return false;
  }
  const std::string_view first = argv[1];
  return first.starts_with("--") && first != "--" && first != "--help" && first != "--version";
}

// "--flag=" is a flag with an empty value; CLI11 would take the next argument for its value.
std::vector<std::string> Arguments(int argc, char** argv) {
  std::vector<std::string> out;
  if (ServeIsMeant(argc, argv)) {
    out.emplace_back("serve");
  }
  for (int i = 1; i < argc; ++i) {
    std::string word = argv[i];
    if (word.size() > 3 && word.starts_with("--") && word.find('=') == word.size() - 1) {
      word.pop_back();
      out.push_back(std::move(word));
      out.emplace_back();
    } else {
      out.push_back(std::move(word));
    }
  }
  std::reverse(out.begin(), out.end());  // as CLI11 wants them
  return out;
}

int Parse(CLI::App& app, int argc, char** argv, int& exit_code) {
  try {
    app.parse(Arguments(argc, argv));
  } catch (const CLI::CallForHelp&) {
    std::cout << app.help();  // of the subcommand that was named
    return 0;
  } catch (const CLI::CallForVersion& version) {
    std::cout << version.what() << '\n';
    return 0;
  } catch (const CLI::ParseError& error) {
    return ReportUsage(app, error);
  }
  if (app.get_subcommands().empty()) {
    std::cerr << app.help();
    return kUsageExit;
  }
  return exit_code;
}

}  // namespace

int RunCli(int argc, char** argv) {
  int exit_code = 0;
  std::function<int()> serve;
  try {
    {
      CLI::App app("Evaluates alerting rules, is an Alertmanager, and remembers incidents.", "mlalert");
      app.get_formatter()->column_width(40);
      app.set_version_flag("--version", VersionText(), "Print the version and exit");
      app.footer("Run `mlalert SUBCOMMAND --help` for the flags of each.");
      AddCommands(app, exit_code, serve);
      exit_code = Parse(app, argc, argv, exit_code);
    }
    // A daemon that runs for months has no use for the commands and their flags.
    if (serve) {
      return serve();
    }
  } catch (const std::exception& error) {
    std::cerr << "mlalert: internal error: " << Printable(error.what()) << '\n';
    return 1;
  }
  // A full disk behind a redirection must not look like success.
  if (!std::cout.flush() && exit_code == 0) {
    std::cerr << "mlalert: cannot write to standard output\n";
    return 1;
  }
  return exit_code;
}

}  // namespace mlalert
