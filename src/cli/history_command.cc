#include "cli/history_command.h"

#include <CLI/CLI.hpp>
#include <filesystem>
#include <fmt/format.h>
#include <memory>
#include <unistd.h>

#include "cli/history_query.h"
#include "cli/history_tools.h"
#include "cli/incident_text.h"
#include "cli/time_text.h"

namespace mlalert {
namespace {

struct Topic {
  HistoryTopic topic;
  const char* name;
  const char* help;
};
constexpr Topic kTopics[] = {
    {HistoryTopic::kIncidents, "incidents", "Incidents that opened in the time (the default)"},
    {HistoryTopic::kEvents, "events", "Every change of state, with who did it and why"},
    {HistoryTopic::kNotifications, "notifications", "Every attempt to tell somebody, and its outcome"},
};

Result<std::unique_ptr<History>> OpenHistory(const std::string& storage_path) {
  MLALERT_ASSIGN(const std::string name, FindDatabase(storage_path));
  const std::filesystem::path file = name;
  auto history = History::Open(file.string());
  std::string directory = file.has_parent_path() ? file.parent_path().string() : ".";
  if (!history && history.error().hint.empty() && access(directory.c_str(), W_OK) != 0) {
    history.error().hint = fmt::format(
        "SQLite's readers too need to write in {} while no mlalert serves from it: run as its user, or copy "
        "the "
        "file",
        directory);
  }
  return history;
}

Result<HistorySelection> ParseSelection(const HistoryCommandOptions& options, Timestamp now) {
  HistorySelection out;
  out.model = options.selection.model;
  out.alertname = options.selection.alertname;
  out.limit = static_cast<size_t>(options.selection.limit);
  MLALERT_ASSIGN(out.severities, ParseSeverities(options.selection.severities));
  auto read = [&](const char* flag, const std::string& text, Timestamp& to) -> Status {
    if (text.empty()) {
      return {};
    }
    auto time = ParseTimeFlag(text, now);
    if (!time) {
      return Fail(std::move(time.error()).Context(flag));
    }
    to = *time;
    return {};
  };
  MLALERT_TRY(read("--since", options.since, out.since));
  MLALERT_TRY(read("--until", options.until, out.until));
  if (IsSet(out.since) && IsSet(out.until) && out.since >= out.until) {
    return Fail(
        Error{ErrorCode::kInvalid,
              fmt::format("--since {} is not before --until {}", TimeText(out.since), TimeText(out.until)),
              {},
              "--since is 7d unless it is given"});
  }
  return out;
}

struct Answer {
  HistorySelection selection;
  HistoryRows rows;
};

Result<Answer> Ask(const HistoryCommandOptions& options, HistoryTopic topic, Timestamp now) {
  Answer out;
  MLALERT_ASSIGN(out.selection, ParseSelection(options, now));
  MLALERT_ASSIGN(auto history, OpenHistory(options.storage_path));
  switch (topic) {
    case HistoryTopic::kIncidents: {
      MLALERT_ASSIGN(out.rows, SelectIncidents(*history, out.selection, now));
      break;
    }
    case HistoryTopic::kEvents: {
      MLALERT_ASSIGN(out.rows, SelectEvents(*history, out.selection));
      break;
    }
    case HistoryTopic::kNotifications: {
      MLALERT_ASSIGN(out.rows, SelectNotifications(*history, out.selection));
      break;
    }
  }
  return out;
}

void PrintRows(HistoryTopic topic, const Json& rows, Timestamp now, Console& console) {
  switch (topic) {
    case HistoryTopic::kIncidents:
      PrintIncidents(console, rows, now);
      break;
    case HistoryTopic::kEvents:
      PrintEvents(console, rows);
      break;
    case HistoryTopic::kNotifications:
      PrintNotifications(console, rows);
      break;
  }
}

}  // namespace

Result<std::string> FindDatabase(const std::string& storage_path) {
  std::error_code error;
  std::filesystem::path file = storage_path;
  if (std::filesystem::is_directory(file, error)) {
    file /= kDatabaseName;
  }
  if (!std::filesystem::exists(file, error)) {
    ErrorCode code = error ? ErrorCode::kIo : ErrorCode::kInvalid;
    return Fail(Error{code,
                      error ? fmt::format("{}: {}", file.string(), error.message())
                            : fmt::format("there is no history at {}", file.string()),
                      {},
                      "--storage.path is the directory `mlalert serve` was given"});
  }
  return file.string();
}

int RunHistory(const HistoryCommandOptions& options, HistoryTopic topic, Timestamp now, Console& console) {
  auto answer = Ask(options, topic, now);
  if (!answer) {
    return ReportError(console, answer.error());
  }
  const char* name = kTopics[static_cast<size_t>(topic)].name;
  HistoryRows& found = answer->rows;
  if (options.selection.json) {
    Json out = Json::MakeObject();
    out.Set(name, std::move(found.rows)).Set("more", found.more);
    PrintJson(console.out, out);
    return 0;
  }
  if (found.rows.AsArray().empty()) {
    std::string until = TimeText(answer->selection.until);
    console.err << fmt::format("no {} since {}{}{}\n", name, TimeText(answer->selection.since),
                               until.empty() ? "" : " until ", until);
    return 0;
  }
  PrintRows(topic, found.rows, now, console);
  if (found.more) {
    console.out.flush();
    console.err << fmt::format("note: the newest {} are shown, there are more (--limit)\n",
                               options.selection.limit);
  }
  return 0;
}

int RunHistoryShow(const HistoryCommandOptions& options, IncidentId id, Timestamp now, Console& console) {
  auto history = OpenHistory(options.storage_path);
  if (!history) {
    return ReportError(console, history.error());
  }
  auto detail = SelectIncident(**history, id, now);
  if (!detail) {
    return ReportError(console, detail.error());
  }
  if (options.selection.json) {
    PrintJson(console.out, *detail);
  } else {
    PrintIncident(console, *detail, now);
  }
  return 0;
}

void AddHistoryCommand(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<HistoryCommandOptions>();
  options->storage_path = EnvironmentOr("MLALERT_STORAGE_PATH", options->storage_path);
  auto ids = std::make_shared<std::vector<IncidentId>>();
  CLI::App* command =
      app.add_subcommand("history", "Show what happened, from the database file; needs no running mlalert");
  command->footer(
      "Times are UTC. Exit codes: 0 fine, 1 the file cannot be read, 2 bad flags or no file, 3 no such "
      "incident.");
  auto add_path = [&](CLI::App& target) {
    target
        .add_option("--storage.path", options->storage_path,
                    "The directory `serve` was given, or a database file")
        ->option_text("DIR [data/] (env MLALERT_STORAGE_PATH)");
  };
  auto add_flags = [&](CLI::App& target) {
    target
        .add_option("--since", options->since,
                    "From this time on: a duration back from now (24h, 7d), RFC 3339 or a date")
        ->option_text("TIME [7d]");
    target.add_option("--until", options->until, "Before this time, written alike")
        ->option_text("TIME [now]");
    AddSelectionFlags(target, options->selection);
    add_path(target);
  };
  auto run = [options, &exit_code](HistoryTopic topic) {
    Console console = StandardConsole();
    exit_code = RunHistory(*options, topic, SystemClock().Now(), console);
  };
  add_flags(*command);
  for (const Topic& topic : kTopics) {
    CLI::App* one = command->add_subcommand(topic.name, topic.help);
    add_flags(*one);
    one->callback([run, which = topic.topic] { run(which); });
  }
  CLI::App* show = command->add_subcommand("show", "One incident with its timeline");
  AddIncidentIds(*show, *ids, false);
  show->add_flag("--json", options->selection.json, "Print JSON instead");
  add_path(*show);
  show->callback([options, ids, &exit_code] {
    Console console = StandardConsole();
    exit_code = RunHistoryShow(*options, ids->front(), SystemClock().Now(), console);
  });
  AddHistoryTools(*command, exit_code);
  // The flags of `history` itself are those of `history incidents`.
  command->callback([command, run] {
    if (command->get_subcommands().empty()) {
      run(HistoryTopic::kIncidents);
    }
  });
}

}  // namespace mlalert
