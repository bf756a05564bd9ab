#include "config/file_kind.h"

#include <algorithm>
#include <array>

#include "config/yaml_reader.h"

namespace mlalert {
namespace {

constexpr std::array<std::string_view, 15> kConfigKeys{"global",
                                                       "route",
                                                       "receivers",
                                                       "inhibit_rules",
                                                       "templates",
                                                       "time_intervals",
                                                       "mute_time_intervals",
                                                       "incident_policies",
                                                       "datasources",
                                                       "rule_files",
                                                       "evaluation",
                                                       "incidents",
                                                       "history",
                                                       "models",
                                                       "review"};

// Of --web.config.file.
constexpr std::array<std::string_view, 4> kWebKeys{"tls_server_config", "http_server_config",
                                                   "basic_auth_users", "rate_limit"};

}  // namespace

FileKind DetectFileKind(std::string_view text, const std::string& file, Diagnostics& out) {
  SourceText source(file, text.substr(0, kYamlBytesMax + 1));
  Diagnostics problems;
  YamlNodePtr tree = ParseYaml(text, source, problems);
  if (tree == nullptr) {
    out.Append(std::move(problems));
    return FileKind::kUnknown;
  }
  if (tree->kind == YamlNode::Kind::kNull) {
    return FileKind::kConfig;  // an empty file: its loader says what is missing, as amtool does
  }
  // Duplicate keys and the like are left to the loader that reads the file next.
  bool rules = tree->Find("groups") != nullptr;
  bool config = std::any_of(kConfigKeys.begin(), kConfigKeys.end(),
                            [&](std::string_view key) { return tree->Find(key) != nullptr; });
  bool web = std::any_of(kWebKeys.begin(), kWebKeys.end(),
                         [&](std::string_view key) { return tree->Find(key) != nullptr; });
  if (web && !rules && !config) {
    return FileKind::kWeb;
  }
  if (rules != config) {
    return rules ? FileKind::kRules : FileKind::kConfig;
  }
  YamlValue(*tree, source, out)
      .Error(rules
                 ? "this file mixes a rule file (groups) with a config file (route, receivers, global, ...)"
                 : "this is neither a config file (route, receivers, global, ...) nor a rule file (groups)");
  return FileKind::kUnknown;
}

}  // namespace mlalert
