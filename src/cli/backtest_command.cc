#include "cli/backtest_command.h"

#include <CLI/CLI.hpp>
#include <filesystem>
#include <fmt/format.h>
#include <future>
#include <memory>
#include <unistd.h>

#include "cli/history_command.h"
#include "cli/interrupt.h"
#include "cli/progress_line.h"
#include "cli/time_text.h"

#include "backtest/replay.h"
#include "backtest/report.h"
#include "config/config_loader.h"
#include "config/rule_loader.h"
#include "net/http_transport.h"
#include "storage/history.h"

namespace mlalert {
namespace {

// Without a config of yours: P0 and P1 page, the rest goes to a chat.
constexpr std::string_view kPlainConfig = R"(
route:
  receiver: chat
  group_by: [alertname, env, model, pipeline]
  group_wait: 30s
  group_interval: 5m
  repeat_interval: 4h
  routes:
  - {matchers: ['severity=~"P0|P1|critical|page|high|error"'], receiver: page}
receivers:
- name: page
  pagerduty_configs: [{routing_key: backtest}]
- name: chat
  slack_configs: [{api_url: "http://127.0.0.1:9/", channel: backtest}]
)";

Status Check(Diagnostics diagnostics, Console& console) {
  for (const Diagnostic& item : diagnostics.items()) {
    if (item.level == DiagnosticLevel::kError) {
      console.err << PrintableLines(item.ToString()) << '\n';
    }
  }
  return diagnostics.ToStatus();
}

// The config whose only data source is the one that was named.
Result<ConfigPtr> LoadConfigOf(const BacktestOptions& options, Console& console) {
  ConfigPtr loaded;
  MLALERT_TRY(Check(options.config_file.empty() ? LoadConfigText(kPlainConfig, "backtest", loaded)
                                                : LoadConfigFile(options.config_file, loaded),
                    console));
  auto config = std::make_shared<Config>(*loaded);
  DatasourceConfig source;
  if (const DatasourceConfig* named = config->FindDatasource(options.datasource)) {
    source = *named;
  } else if (options.datasource.starts_with("http://") || options.datasource.starts_with("https://")) {
    // Through the loader, so that userinfo, paths and bad URLs are treated as in a config.
    ConfigPtr with_source;
    Json url = options.datasource;
    MLALERT_TRY(Check(LoadConfigText(fmt::format("{}datasources: [{{url: {}}}]\n", kPlainConfig, url.Dump()),
                                     "--datasource", with_source),
                      console));
    source = with_source->datasources.front();
  } else if (options.datasource.empty() && !config->datasources.empty()) {
    source = config->datasources.front();
  } else {
    return Fail(Error{ErrorCode::kInvalid,
                      fmt::format("--datasource \"{}\" is neither a URL nor a data source of the config",
                                  options.datasource),
                      {},
                      "--datasource http://prometheus:9090"});
  }
  config->datasources = {source};
  config->rule_files.clear();
  return ConfigPtr(std::move(config));
}

Result<std::vector<RuleGroup>> LoadRulesOf(const std::vector<std::string>& paths, const Config& config,
                                           Console& console) {
  std::vector<RuleFiles> files;
  for (const std::string& path : paths) {
    std::error_code error;
    if (path.find_first_of("*?[") == std::string::npos && !std::filesystem::exists(path, error)) {
      return Fail(ErrorCode::kInvalid, fmt::format("there is no rule file {}", path));
    }
    files.push_back({std::filesystem::absolute(path).string(), ""});
  }
  std::vector<RuleGroup> groups;
  MLALERT_TRY(Check(LoadRuleFiles(files, RuleDefaultsOf(config), groups), console));
  for (RuleGroup& group : groups) {
    group.datasource.clear();
  }
  size_t rules = 0;
  for (const RuleGroup& group : groups) {
    rules += group.rules.size();
  }
  if (rules == 0) {
    return Fail(ErrorCode::kInvalid, "there is no alerting rule in these files");
  }
  return groups;
}

struct Past {
  std::vector<Silence> silences;
  std::vector<IncidentFacts> incidents;
};

Result<Past> ReadPast(const BacktestOptions& options, const Span& span) {
  Past out;
  if (options.history.empty()) {
    return out;
  }
  MLALERT_ASSIGN(const std::string file, FindDatabase(options.history));
  MLALERT_ASSIGN(auto source, QualitySource::Open(file));
  MLALERT_ASSIGN(out.incidents, source->Incidents(span, ""));
  MLALERT_ASSIGN(auto history, History::Open(file));
  MLALERT_ASSIGN(out.silences, history->ListSilences(span.from, span.until));
  return out;
}

class Client {
 public:
  Status Open() {
    MLALERT_ASSIGN(transport_, HttpTransport::Start(clock_));
    lane_ = transport_->OpenLane({.name = "backtest"});
    return {};
  }
  ~Client() {
    if (transport_ != nullptr) {
      transport_->Shutdown();
    }
  }
  HttpResult Fetch(const HttpCall& call) {
    auto promise = std::make_shared<std::promise<HttpResult>>();
    auto future = promise->get_future();
    transport_->Send(lane_, call, [promise](HttpResult result) { promise->set_value(std::move(result)); });
    while (future.wait_for(std::chrono::milliseconds(100)) != std::future_status::ready) {
      if (Interrupted()) {
        HttpResult stopped;
        stopped.failure = Failure::kCancelled;
        stopped.error = "stopped";
        return stopped;
      }
    }
    return future.get();
  }

 private:
  SystemClock clock_;
  std::unique_ptr<HttpTransport> transport_;
  LaneId lane_{};
};

Result<Json> Replayed(const std::vector<std::string>& rules, const ConfigPtr& config, const Span& span,
                      const Past& past, const TimeZone& zone, Client& client, ProgressLine& line,
                      Console& console) {
  MLALERT_ASSIGN(std::vector<RuleGroup> groups, LoadRulesOf(rules, *config, console));
  ReplayInput input;
  input.config = config;
  input.groups = std::move(groups);
  input.span = span;
  input.silences = past.silences;
  input.fetch = [&](const HttpCall& call) { return client.Fetch(call); };
  input.progress = [&](double done) {
    line.Show(done);
    return !Interrupted();
  };
  MLALERT_ASSIGN(Replay replay, ReplayRules(std::move(input)));
  line.Done();
  Json report = BacktestReport(replay, zone);
  if (!past.incidents.empty()) {
    report.Set("known_incidents", KnownIncidents(replay, past.incidents));
  }
  return report;
}

Result<int> Run(const BacktestOptions& options, Timestamp now, Console& console) {
  MLALERT_ASSIGN(const TimeZone zone, TimeZone::Find(options.time_zone));
  Span span;
  MLALERT_ASSIGN(span.from, ParseTimeFlag(options.since, now));
  span.until = now;
  if (!options.until.empty()) {
    MLALERT_ASSIGN(span.until, ParseTimeFlag(options.until, now));
  }
  if (span.from >= span.until || span.until > now) {
    return Fail(ErrorCode::kInvalid, "--since must lie before --until, and both in the past");
  }
  MLALERT_ASSIGN(ConfigPtr config, LoadConfigOf(options, console));
  MLALERT_ASSIGN(const Past past, ReadPast(options, span));
  Client client;
  MLALERT_TRY(client.Open());
  ProgressLine line(console.err, options.progress || isatty(STDERR_FILENO) == 1, "backtest");
  MLALERT_ASSIGN(Json after, Replayed(options.rules, config, span, past, zone, client, line, console));
  if (options.compare.empty()) {
    if (options.format == "json") {
      PrintJson(console.out, after);
    } else {
      console.out << PrintableLines(options.format == "markdown" ? BacktestAsMarkdown(after)
                                                                 : BacktestAsText(after));
    }
    return 0;
  }
  MLALERT_ASSIGN(Json before, Replayed(options.compare, config, span, past, zone, client, line, console));
  Json comparison = CompareReports(before, after);
  const double more = comparison.Find("change_per_week")->Find("interruptions")->AsDouble();
  const bool too_many = more > options.max_increase + 1e-9;
  comparison.Set("verdict", too_many ? "interrupts more than allowed" : "ok");
  if (options.format == "json") {
    PrintJson(console.out, comparison);
  } else {
    console.out << PrintableLines(options.format == "markdown" ? ComparisonAsMarkdown(comparison)
                                                               : ComparisonAsText(comparison));
  }
  if (too_many) {
    console.out.flush();
    console.err << fmt::format(
        "mlalert: {:.1f} more interruptions per week, {:.1f} are allowed (--max-increase)\n", more,
        options.max_increase);
  }
  return too_many ? kMoreInterruptionsExit : 0;
}

}  // namespace

int RunBacktest(const BacktestOptions& options, Timestamp now, Console& console) {
  CatchInterrupts();
  auto code = Run(options, now, console);
  if (code) {
    return *code;
  }
  const int failed = ReportError(console, code.error());
  return Interrupted() ? kInterruptedExit : failed;
}

void AddBacktestCommand(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<BacktestOptions>();
  CLI::App* command = app.add_subcommand(
      "backtest", "What rules would have done to people: the real machines on the past of a data source");
  command->add_option("RULES", options->rules, "Rule files")->required()->option_text("FILE...");
  command->add_option("--datasource", options->datasource, "URL, or name of a data source of the config")
      ->option_text("URL [the config's first]");
  command->add_option("--since", options->since, "From this time on (28d, RFC 3339 or a date)")
      ->option_text("TIME [28d]");
  command->add_option("--until", options->until, "Before this time")->option_text("TIME [now]");
  command
      ->add_option("--config.file", options->config_file,
                   "Routes, policies and time intervals; without: P0 and P1 page, the rest goes to a chat")
      ->option_text("FILE");
  command
      ->add_option("--history", options->history,
                   "Storage path or database: silences as they were, and incidents that must not be missed")
      ->option_text("DIR");
  command->add_option("--compare", options->compare, "The rules before: prints both, for a pull request")
      ->expected(1)
      ->option_text("FILE");
  command
      ->add_option("--max-increase", options->max_increase,
                   "With --compare: so many more interruptions per week are fine")
      ->option_text("N [0]");
  command->add_option("--time-zone", options->time_zone, "Of weeks, nights and hours")
      ->option_text("ZONE [UTC]");
  command->add_option("--format", options->format, "table, markdown or json")
      ->check(CLI::IsMember({"table", "markdown", "json"}))
      ->option_text("FORMAT [table]");
  command->add_flag("--progress", options->progress, "Show progress also when standard error is no terminal");
  command->footer(
      "Exit codes: 0 fine, 1 the data source cannot be asked, 2 bad flags or files, 4 with --compare: more "
      "interruptions than allowed.");
  command->callback([options, &exit_code] {
    Console console = StandardConsole();
    exit_code = RunBacktest(*options, SystemClock().Now(), console);
  });
}

}  // namespace mlalert
