#include "cli/check_command.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <memory>
#include <set>

#include "cli/series_check.h"
#include "cli/table_printer.h"

#include "api/tls_context.h"
#include "config/config_loader.h"
#include "config/file_io.h"
#include "config/file_kind.h"
#include "config/key_table.h"
#include "config/oncall_gaps.h"
#include "config/rule_loader.h"
#include "config/web_config.h"
#include "config/yaml_document.h"
#include "notify/action_links.h"
#include "notify/file_access.h"
#include "notify/template_set.h"

namespace mlalert {
namespace {

struct CheckedFile {
  std::string file;
  std::string kind;  // config | rules | unknown
  Diagnostics diagnostics;
  std::string summary;  // of a good file
  Json counts;
};

std::string Plural(size_t count, std::string_view noun) {
  if (count == 1) {
    return fmt::format("1 {}", noun);
  }
  return noun.ends_with("y") ? fmt::format("{} {}ies", count, noun.substr(0, noun.size() - 1))
                             : fmt::format("{} {}s", count, noun);
}

size_t CountRoutes(const Route& route) {
  size_t count = 1;
  for (const Route& child : route.routes) {
    count += CountRoutes(child);
  }
  return count;
}

Diagnostics OneProblem(DiagnosticLevel level, const std::string& file, std::string message) {
  Diagnostic diagnostic;
  diagnostic.level = level;
  diagnostic.where.file = file;
  diagnostic.message = std::move(message);
  Diagnostics out;
  out.Add(std::move(diagnostic));
  return out;
}

class Checker {
 public:
  Checker(bool lint, SeriesCheck* series) : series_(series) { plain_.lint = lint; }

  // A file named by the user.
  void Check(const std::string& file) {
    if (!FirstTime(file)) {
      return;
    }
    auto text = ReadSmallFile(file, kYamlBytesMax);
    if (!text) {
      Report(file, "unknown", OneProblem(DiagnosticLevel::kError, file, text.error().message));
      return;
    }
    Diagnostics problems;
    switch (DetectFileKind(*text, file, problems)) {
      case FileKind::kConfig:
        CheckConfig(file, *text);
        break;
      case FileKind::kRules:
        CheckRules(file, *text, plain_);
        break;
      case FileKind::kWeb:
        CheckWeb(file, *text);
        break;
      case FileKind::kUnknown:
        Report(file, "unknown", std::move(problems));
        break;
    }
  }

  const std::vector<CheckedFile>& files() const { return files_; }

 private:
  // A rule file named by a config and by the user too is checked once.
  bool FirstTime(const std::string& file) {
    std::error_code ignored;
    return seen_
        .insert(std::filesystem::weakly_canonical(file, ignored).string() + '\0' + (ignored ? file : ""))
        .second;
  }

  CheckedFile& Report(const std::string& file, std::string kind, Diagnostics diagnostics) {
    files_.push_back({file, std::move(kind), std::move(diagnostics), {}, Json::MakeObject()});
    return files_.back();
  }

  void CheckConfig(const std::string& file, const std::string& text) {
    ConfigPtr config;
    CheckedFile& report = Report(file, "config", {});
    report.diagnostics = LoadConfigText(text, file, config);
    if (config == nullptr) {
      return;
    }
    size_t routes = CountRoutes(config->route);
    report.summary = fmt::format("{}, {}, {}", Plural(config->receivers.size(), "receiver"),
                                 Plural(routes, "route"), Plural(config->incident_policies.size(), "policy"));
    report.counts.Set("receivers", static_cast<int64_t>(config->receivers.size()))
        .Set("routes", static_cast<int64_t>(routes))
        .Set("policies", static_cast<int64_t>(config->incident_policies.size()));
    WarnAboutGaps(*config, text, file, SystemClock().Now(), report.diagnostics);
    CheckTemplates(file, config, report.diagnostics);
    CheckInboundFiles(file, config->inbound, report.diagnostics);
    RuleDefaults defaults = RuleDefaultsOf(*config);
    defaults.lint = plain_.lint;
    for (const auto& [glob, datasource] : config->rule_files) {
      defaults.datasource = datasource;
      CheckGlob(glob, defaults);
    }
  }

  void CheckWeb(const std::string& file, const std::string& text) {
    WebConfig config;
    CheckedFile& report = Report(file, "web", {});
    report.diagnostics = LoadWebConfigText(text, file, config);
    if (!report.diagnostics.ok()) {
      return;
    }
    if (config.tls) {
      if (auto tls = TlsContext::Make(*config.tls); !tls) {
        report.diagnostics.Append(OneProblem(DiagnosticLevel::kError, file, tls.error().message));
      }
    }
    report.summary =
        fmt::format("{}, TLS {}", Plural(config.users.size(), "user"), config.tls ? "on" : "off");
    report.counts.Set("users", static_cast<int64_t>(config.users.size()));
  }

  // A broken template file stops the daemon; a broken text of a receiver fails each of its notifications.
  static void CheckTemplates(const std::string& file, const ConfigPtr& config, Diagnostics& out) {
    auto templates = NotifyTemplates::Load(config, RealFiles());
    if (!templates) {
      out.Append(OneProblem(DiagnosticLevel::kError, file, templates.error().ToString()));
      return;
    }
    for (const Error& warning : (*templates)->warnings()) {
      out.Append(OneProblem(DiagnosticLevel::kWarning, file, warning.ToString()));
    }
  }

  // Without them links, buttons and webhooks are refused. The daemon reads them anew each time, and the
  // machine that checks a config need not have them: no error.
  static void CheckInboundFiles(const std::string& file, const InboundConfig& inbound, Diagnostics& out) {
    const FileAccess files = RealFiles();
    auto warn = [&](std::string_view key, const Error& error, std::string_view then) {
      Diagnostics problem =
          OneProblem(DiagnosticLevel::kWarning, file,
                     fmt::format("inbound.{}: {}; until it can be read {}", key, error.message, then));
      out.Append(problem);
    };
    auto check = [&](std::string_view key, const std::string& path, std::string_view then) {
      auto text = path.empty() ? Result<std::string>("") : files.read(path, kKeyFileBytesMax);
      if (!text) {
        warn(key, text.error(), then);
      }
    };
    if (auto link_key = LinkKeyOf(inbound, "", files); !link_key) {
      warn("links.key_file", link_key.error(), "messages have no links, and links are answered with 503");
    }
    check("slack.signing_secret_file", inbound.slack.signing.file,
          "presses of buttons are answered with 503");
    check("pagerduty.webhook_secret_file", inbound.pagerduty.webhook.file, "webhooks are answered with 503");
    check("pagerduty.api_token_file", inbound.pagerduty.api_token_file, "PagerDuty is not asked");
  }

  void CheckGlob(const std::string& glob, const RuleDefaults& defaults) {
    std::vector<std::string> files = ExpandGlob(glob);
    if (files.empty()) {
      Report(glob, "rules", OneProblem(DiagnosticLevel::kWarning, glob, "no rule file matches this pattern"));
    }
    for (const std::string& file : files) {
      if (!FirstTime(file)) {
        continue;
      }
      auto text = ReadSmallFile(file, kYamlBytesMax);
      if (text) {
        CheckRules(file, *text, defaults);
        continue;
      }
      // As the daemon, and Prometheus, take it: a rule file that is not there yet is no error.
      bool missing = text.error().code == ErrorCode::kNotFound;
      Report(file, "rules",
             OneProblem(missing ? DiagnosticLevel::kWarning : DiagnosticLevel::kError, file,
                        missing ? "no such rule file" : text.error().message));
    }
  }

  void CheckRules(const std::string& file, const std::string& text, const RuleDefaults& defaults) {
    std::vector<RuleGroup> groups;
    CheckedFile& report = Report(file, "rules", LoadRuleText(text, file, defaults, groups));
    if (!report.diagnostics.ok()) {
      return;
    }
    if (series_ != nullptr) {
      report.diagnostics.Append(series_->Check(groups));
      report.diagnostics.Sort();
    }
    size_t alerting = 0;
    size_t recording = 0;
    for (const RuleGroup& group : groups) {
      alerting += group.rules.size();
      recording += group.recording_rules.size();
    }
    report.summary = fmt::format("{} in {}, {} (not evaluated)", Plural(alerting, "alerting rule"),
                                 Plural(groups.size(), "group"), Plural(recording, "recording rule"));
    report.counts.Set("alerting_rules", static_cast<int64_t>(alerting))
        .Set("groups", static_cast<int64_t>(groups.size()))
        .Set("recording_rules", static_cast<int64_t>(recording));
  }

  SeriesCheck* series_;  // null: no data source is asked
  RuleDefaults plain_;   // of rule files that no config names
  std::vector<CheckedFile> files_;
  std::set<std::string> seen_;
};

// "2 errors, 1 warning"
std::string CountsText(const Diagnostics& diagnostics) {
  std::string out;
  if (diagnostics.error_count() > 0) {
    out = Plural(diagnostics.error_count(), "error");
  }
  if (diagnostics.warning_count() > 0) {
    out += (out.empty() ? "" : ", ") + Plural(diagnostics.warning_count(), "warning");
  }
  return out;
}

void PrintText(const CheckedFile& file, Console& console) {
  console.out << PrintableLines(file.diagnostics.ToText());
  std::string counts = CountsText(file.diagnostics);
  std::string line = Printable(file.file) + ": ";
  if (!file.diagnostics.ok()) {
    line += Colored("FAILED", CellColor::kRed, console.color) + ": " + counts;
  } else {
    // A rule file's summary says what it is; a config's needs the word.
    line += file.kind == "config" ? "config OK: " : file.kind == "web" ? "web config OK: " : "";
    line += file.summary;
    if (!counts.empty()) {
      line += (file.summary.empty() ? "" : "; ") + Colored(counts, CellColor::kYellow, console.color);
    }
  }
  console.out << line << '\n';
}

Json ToJson(const CheckedFile& file) {
  Json found = file.diagnostics.ToJson();
  Json out = Json::MakeObject();
  out.Set("file", file.file).Set("kind", file.kind).Set("ok", file.diagnostics.ok());
  for (const auto& [name, value] : file.counts.AsObject()) {
    out.Set(name, value);
  }
  for (const auto& [name, value] : found.AsObject()) {
    out.Set(name, value);
  }
  return out;
}

}  // namespace

int RunCheck(const CheckOptions& options, Console& console) {
  std::unique_ptr<SeriesCheck> series;
  if (!options.datasource_url.empty()) {
    auto opened = SeriesCheck::Open(options.datasource_url);
    if (!opened) {
      console.err << "mlalert: error: --datasource.url: " << opened.error().message << '\n';
      return 2;
    }
    series = std::move(*opened);
  }
  Checker checker(options.lint, series.get());
  for (const std::string& file : options.files) {
    checker.Check(file);
  }
  size_t errors = 0;
  size_t warnings = 0;
  Json list = Json::MakeArray();
  for (const CheckedFile& file : checker.files()) {
    errors += file.diagnostics.error_count();
    warnings += file.diagnostics.warning_count();
    if (options.json) {
      list.Push(ToJson(file));
    } else {
      PrintText(file, console);
    }
  }
  int exit_code = errors > 0 ? 2 : warnings > 0 && options.strict ? 1 : 0;
  if (options.json) {
    Json out = Json::MakeObject();
    out.Set("ok", exit_code == 0)
        .Set("errors", static_cast<int64_t>(errors))
        .Set("warnings", static_cast<int64_t>(warnings))
        .Set("files", std::move(list));
    PrintJson(console.out, out);
  } else if (exit_code == 1) {
    console.err << "mlalert: " << Plural(warnings, "warning") << ", and --strict takes them for errors\n";
  }
  return exit_code;
}

void AddCheckCommand(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<CheckOptions>();
  auto format = std::make_shared<std::string>("text");
  CLI::App* command = app.add_subcommand("check", "Check config and rule files");
  command
      ->add_option("FILE", options->files, "Config or rule files; a config's rule_files are checked with it")
      ->option_text("...");
  auto print_defaults = std::make_shared<bool>(false);
  auto print_schema = std::make_shared<bool>(false);
  command->add_flag("--print-defaults", *print_defaults,
                    "Print a configuration with every key, its default and its meaning, and check nothing");
  command->add_flag("--print-schema", *print_schema,
                    "Print the JSON Schema of the configuration, for editors, and check nothing");
  command->add_flag("--strict", options->strict, "Warnings fail the check too (exit 1)");
  auto lint = std::make_shared<std::string>("all");
  command->add_option("--lint", *lint, "What a careful reviewer would say about rules")
      ->check(CLI::IsMember({"all", "none"}))
      ->option_text("all|none [all]");
  command
      ->add_option("--datasource.url", options->datasource_url,
                   "A Prometheus-compatible server: warn about rules whose series it does not have")
      ->option_text("URL");
  command->add_option("--format", *format, "How to print what was found")
      ->check(CLI::IsMember({"text", "json"}))
      ->option_text("text|json [text]");
  command->footer(
      "Exit codes: 0 fine, 1 warnings under --strict, 2 errors (also a file that cannot be read).");
  command->callback([options, format, lint, print_defaults, print_schema, &exit_code] {
    options->lint = *lint == "all";
    options->json = *format == "json";
    Console console = StandardConsole();
    if (*print_defaults || *print_schema) {
      console.out << (*print_schema ? ConfigSchema().DumpIndented() + "\n" : ConfigSample());
      exit_code = 0;
      return;
    }
    if (options->files.empty()) {
      throw CLI::RequiredError("FILE");
    }
    exit_code = RunCheck(*options, console);
  });
}

}  // namespace mlalert
