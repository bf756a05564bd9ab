#include "cli/template_command.h"

#include <CLI/CLI.hpp>
#include <filesystem>
#include <fmt/format.h>
#include <iostream>
#include <iterator>
#include <memory>

#include "cli/template_preview.h"

#include "config/config_loader.h"
#include "notify/file_access.h"

namespace mlalert {
namespace {

constexpr size_t kDataBytesMax = size_t{16} << 20;  // of a data file, and of one line

using Files = std::vector<std::pair<std::string, std::string>>;

Status AddFiles(const std::vector<std::string>& patterns, const FileAccess& access, Files& out) {
  for (const std::string& pattern : patterns) {
    for (const std::string& path : access.expand(pattern)) {
      MLALERT_ASSIGN(std::string text, access.read(path, kTemplateFileBytesMax));
      out.emplace_back(std::filesystem::path(path).filename().string(), std::move(text));
    }
  }
  return {};
}

Result<Files> TemplateFiles(const TemplateOptions& options) {
  const FileAccess access = RealFiles();
  Files out;
  if (!options.config_file.empty()) {
    ConfigPtr config;
    Diagnostics problems = LoadConfigFile(options.config_file, config);
    if (config == nullptr) {
      return Fail(ErrorCode::kInvalid, problems.ToText());
    }
    MLALERT_TRY(AddFiles(config->templates, access, out));
  }
  MLALERT_TRY(AddFiles(options.globs, access, out));
  return out;
}

Result<std::string> ReadText(const std::string& file, std::istream& in) {
  if (file != "-") {
    return RealFiles().read(file, kDataBytesMax);
  }
  return std::string(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
}

Result<PreviewRequest> RequestOf(const TemplateOptions& options, std::istream& in) {
  PreviewRequest out;
  out.kind = options.type == "html"   ? PreviewRequest::Kind::kHtml
             : options.type == "rule" ? PreviewRequest::Kind::kRule
                                      : PreviewRequest::Kind::kText;
  out.text = options.text;
  if (!options.file.empty()) {
    MLALERT_ASSIGN(out.text, ReadText(options.file, in));
  }
  MLALERT_ASSIGN(out.templates, TemplateFiles(options));
  if (!options.data_file.empty()) {
    MLALERT_ASSIGN(std::string text, ReadText(options.data_file, in));
    auto data = ParseJson(text);
    if (!data) {
      return Fail(std::move(data.error()).Context(options.data_file));
    }
    out.data = std::move(*data);
  }
  out.now = SystemClock().Now();
  return out;
}

Json Answer(const std::string& line, const PreviewRequest& defaults) {
  Json out = Json::MakeObject();
  auto render = [&]() -> Result<std::string> {
    if (line.size() > kDataBytesMax) {
      return Fail(ErrorCode::kLimit, fmt::format("a line is longer than {} bytes", kDataBytesMax));
    }
    MLALERT_ASSIGN(Json json, ParseJson(line));
    if (const Json* id = json.Find("id")) {
      out.Set("id", *id);
    }
    MLALERT_ASSIGN(PreviewRequest request, ParsePreviewRequest(json, defaults));
    return Preview(request);
  };
  Result<std::string> rendered = render();
  out.Set(rendered ? "output" : "error", rendered ? *rendered : rendered.error().message);
  return out;
}

// One answer for each line, in order, at once: the other side may wait for it.
void AnswerLines(const PreviewRequest& defaults, std::istream& in, Console& console) {
  for (std::string line; std::getline(in, line);) {
    if (line.find_first_not_of(" \t\r") == std::string::npos) {
      continue;
    }
    PreviewRequest current = defaults;
    current.now = SystemClock().Now();
    console.out << Answer(line, current).Dump() << '\n' << std::flush;
  }
}

}  // namespace

int RunTemplate(const TemplateOptions& options, std::istream& in, Console& console) {
  auto request = RequestOf(options, in);
  if (!request) {
    return ReportError(console, request.error());
  }
  if (options.json_lines) {
    AnswerLines(*request, in, console);
    return 0;
  }
  auto rendered = Preview(*request);
  if (!rendered) {
    ReportError(console, rendered.error());
    return 1;
  }
  console.out << *rendered;
  return 0;
}

void AddTemplateCommand(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<TemplateOptions>();
  CLI::App* command = app.add_subcommand("template", "Show what a template prints");
  // As amtool has it: `amtool template render`.
  CLI::App* render = command->add_subcommand("render", "The same")->fallthrough()->silent();
  render->set_help_flag();  // --help falls through, too
  command
      ->add_option("--template.glob", options->globs, "Template files to load after the defaults; repeatable")
      ->allow_extra_args(false);
  command->add_option("--config.file", options->config_file, "Load the templates that this config names");
  CLI::Option* text = command->add_option("--template.text", options->text, "The text to render");
  command->add_option("--template.file", options->file, "A file with the text to render; - is standard input")
      ->excludes(text);
  command->add_option("--template.type", options->type, "text, html, or rule: a rule's label or annotation")
      ->check(CLI::IsMember({"text", "html", "rule"}))
      ->capture_default_str();
  command->add_option("--template.data", options->data_file,
                      "JSON file with the group, or with the rule's labels, value and query results; - is "
                      "standard input; default: an example");
  command->add_flag("--json-lines", options->json_lines,
                    "Read requests from standard input, one JSON object a line, and answer each with a line");
  command->callback([options, text, &exit_code] {
    Console console = StandardConsole();
    if (!options->json_lines && text->empty() && options->file.empty()) {
      throw CLI::RequiredError("--template.text");
    }
    exit_code = RunTemplate(*options, std::cin, console);
  });
}

}  // namespace mlalert
