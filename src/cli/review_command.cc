#include "cli/review_command.h"

#include <CLI/CLI.hpp>
#include <filesystem>
#include <fmt/format.h>
#include <memory>

#include "cli/command_flags.h"
#include "cli/history_command.h"
#include "cli/rule_versions.h"
#include "cli/time_text.h"

#include "backtest/proposals.h"
#include "config/config_loader.h"
#include "review/render.h"
#include "review/weekly_review.h"

namespace mlalert {
namespace {

Result<Json> Ask(const ReviewOptions& options, Timestamp now) {
  ReviewQuery query;
  query.week = options.week;
  query.team = options.team;
  query.time_zone = options.time_zone;
  query.live = options.live;
  if (!options.since.empty()) {
    MLALERT_ASSIGN(query.since, ParseTimeFlag(options.since, now));
  }
  if (!options.config_file.empty()) {
    ConfigPtr config;
    MLALERT_TRY(LoadConfigFile(options.config_file, config).ToStatus());
    query.live = true;
    query.propose = [config](QualitySource& source, const ProposalInput& input) {
      return Propose(source, input, config, ReadRuleFile);
    };
  }
  MLALERT_ASSIGN(const std::string file, FindDatabase(options.storage_path));
  MLALERT_ASSIGN(auto source, QualitySource::Open(file));
  return AskReview(*source, query, now);
}

}  // namespace

int RunReview(const ReviewOptions& options, Timestamp now, Console& console) {
  auto review = Ask(options, now);
  if (!review) {
    return ReportError(console, review.error());
  }
  if (options.format == "json") {
    PrintJson(console.out, *review);
  } else if (options.format == "markdown") {
    console.out << ReviewAsMarkdown(*review);
  } else if (options.format == "html") {
    console.out << ReviewAsHtml(*review);
  } else if (options.format == "csv") {
    console.out << ReviewAsCsv(*review);
  } else {
    console.out << PrintableLines(ReviewAsText(*review));
  }
  return 0;
}

void AddReviewCommand(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<ReviewOptions>();
  options->storage_path = EnvironmentOr("MLALERT_STORAGE_PATH", options->storage_path);
  CLI::App* command =
      app.add_subcommand("review", "The weekly review, from the database file; needs no running mlalert");
  command->add_option("--week", options->week, "ISO week; a frozen one prints as it was frozen")
      ->option_text("2026-W47 [the last whole week]");
  command
      ->add_option("--since", options->since, "Instead of a week: from this time on (7d, RFC 3339 or a date)")
      ->option_text("TIME");
  command->add_option("--team", options->team, "Only incidents with this label team")->option_text("NAME");
  command->add_option("--time-zone", options->time_zone, "Of weeks and of business, off and sleep hours")
      ->option_text("ZONE [of the last review, else UTC]");
  command->add_option("--format", options->format, "table, markdown, html, json or csv")
      ->check(CLI::IsMember({"table", "markdown", "html", "json", "csv"}))
      ->option_text("FORMAT [table]");
  command
      ->add_option("--config.file", options->config_file,
                   "Also compute proposals, by these routes and policies (implies --live)")
      ->option_text("FILE");
  command->add_flag("--live", options->live, "Compute a frozen week anew: what was learned since is in it");
  command
      ->add_option("--storage.path", options->storage_path,
                   "The directory `serve` was given, or a database file")
      ->option_text("DIR [data/] (env MLALERT_STORAGE_PATH)");
  command->footer("Exit codes: 0 fine, 1 the file cannot be read, 2 bad flags or no file.");
  command->callback([options, &exit_code] {
    Console console = StandardConsole();
    exit_code = RunReview(*options, SystemClock().Now(), console);
  });
}

}  // namespace mlalert
