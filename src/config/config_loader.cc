#include "config/config_loader.h"

#include <array>
#include <fmt/format.h>
#include <openssl/evp.h>

#include "base/hash.h"
#include "config/config_print.h"
#include "config/config_sections.h"
#include "config/file_io.h"
#include "config/yaml_reader.h"

namespace mlalert {
namespace {

// The value of alertmanager_config_hash: the first 6 bytes of the MD5, little endian.
uint64_t AlertmanagerHash(std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  if (EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_md5(), nullptr) != 1 || size < 6) {
    return 0;  // a system that forbids MD5: the metric stays 0
  }
  uint64_t out = 0;
  for (size_t i = 0; i < 6; ++i) {
    out |= static_cast<uint64_t>(digest[i]) << (8 * i);
  }
  return out;
}

Diagnostics FileProblem(const std::string& file, std::string message) {
  Diagnostics out;
  Diagnostic diagnostic;
  diagnostic.where.file = file;
  diagnostic.message = std::move(message);
  out.Add(std::move(diagnostic));
  return out;
}

void ReadConfig(const YamlValue& value, LoadContext& context, Config& out) {
  YamlMap root(value, "config.plain");
  ReadGlobal(root, context, out.global);
  if (auto intervals = root.Take("mute_time_intervals")) {
    ReadTimeIntervals(*intervals, true, context, out.time_intervals);
  }
  if (auto intervals = root.Take("time_intervals")) {
    ReadTimeIntervals(*intervals, false, context, out.time_intervals);
  }
  if (auto receivers = root.Take("receivers")) {
    ReadReceivers(*receivers, context, out.global, out.receivers);
  }
  ReadCalendars(root, context, out);
  ReadSchedules(root, out);
  if (auto route = root.TakeSet("route")) {
    ReadRootRoute(*route, context, out, out.route);
  } else {
    root.At("route").Error("no routes provided");
  }
  if (auto rules = root.Take("inhibit_rules")) {
    ReadInhibitRules(*rules, context, out.inhibit_rules);
  }
  root.Read("templates", out.templates);
  for (auto& glob : out.templates) {
    glob = JoinDirectory(context.directory, glob);
  }
  ReadMlalertSections(root, context, out);
  ReadInbound(root, context, out.receivers, out.inbound);
  ReadObservability(root);
  root.Finish();
}

}  // namespace

Diagnostics LoadConfigText(std::string_view text, const std::string& file, ConfigPtr& out,
                           const ConfigOptions& options) {
  Diagnostics diagnostics;
  SourceText source(file, text.substr(0, kYamlBytesMax + 1));
  YamlNodePtr tree =
      ParseYaml(text, source, diagnostics, {.duplicate_key = "field {key} already set in type config.plain"});
  if (tree == nullptr) {
    return diagnostics;
  }
  YamlValue value(*tree, source, diagnostics);
  if (value.IsNull()) {
    value.Error("no route provided in config");
    return diagnostics;
  }
  LoadContext context;
  context.options = options;
  context.directory = DirectoryOf(file);
  auto config = std::make_shared<Config>();
  config->file = file;
  config->text_hash = Sha256Hex(text);
  config->alertmanager_hash = AlertmanagerHash(text);
  ReadConfig(value, context, *config);
  if (diagnostics.ok()) {
    LintConfig(YamlMap(value, "config.plain"), *config);
    config->printed = PrintConfig(*tree, *config, options, PrintFor::kNewest);
    config->printed_for_old_clients = PrintConfig(*tree, *config, options, PrintFor::kOldClients);
    out = std::move(config);
  }
  diagnostics.Sort();
  return diagnostics;
}

Diagnostics LoadConfigFile(const std::string& path, ConfigPtr& out, const ConfigOptions& options) {
  auto text = ReadSmallFile(path, kYamlBytesMax);
  if (!text) {
    return FileProblem(path, text.error().message);
  }
  return LoadConfigText(*text, path, out, options);
}

}  // namespace mlalert
