#include "config/watched_files.h"

#include <array>
#include <string_view>
#include <vector>

#include "base/hash.h"
#include "config/file_io.h"
#include "config/yaml_document.h"

namespace mlalert {
namespace {

// Secrets that are read once per load; the others are read for each call.
constexpr std::array<std::string_view, 3> kReadAtLoad{"token_file", "token_id_file",
                                                      "alert_source_token_file"};

void AddTexts(const YamlNode& node, std::vector<std::string>& out) {
  if (node.kind == YamlNode::Kind::kScalar) {
    out.push_back(node.text);
  }
  for (const YamlNodePtr& item : node.items) {
    AddTexts(*item, out);
  }
}

// `rule_files` holds patterns, or maps with a list of them.
void AddRuleFiles(const YamlNode& list, std::vector<std::string>& out) {
  for (const YamlNodePtr& item : list.items) {
    const auto* files = item->Find("files");
    AddTexts(files != nullptr ? *files->value : *item, out);
  }
}

void AddSecretFiles(const YamlNode& node, std::vector<std::string>& out) {
  for (const YamlNode::Entry& entry : node.entries) {
    for (std::string_view key : kReadAtLoad) {
      if (entry.key == key) {
        AddTexts(*entry.value, out);
      }
    }
    AddSecretFiles(*entry.value, out);
  }
  for (const YamlNodePtr& item : node.items) {
    AddSecretFiles(*item, out);
  }
}

}  // namespace

std::string FilesFingerprint(const std::string& config_file) {
  std::string contents;
  auto add = [&contents](const std::string& path, Result<std::string> text) {
    // The hash of each, so that no text can pass for two.
    contents += path + '\n' + (text ? Sha256Hex(*text) : "unreadable: " + text.error().message) + '\n';
  };
  auto text = ReadSmallFile(config_file, kYamlBytesMax);
  add(config_file, text);
  if (!text) {
    return Sha256Hex(contents);
  }
  Diagnostics ignored;  // the loader says them
  SourceText source(config_file, *text);
  YamlNodePtr tree = ParseYaml(*text, source, ignored);
  if (tree == nullptr) {
    return Sha256Hex(contents);
  }
  std::vector<std::string> patterns;
  if (const auto* rules = tree->Find("rule_files")) {
    AddRuleFiles(*rules->value, patterns);
  }
  if (const auto* templates = tree->Find("templates")) {
    AddTexts(*templates->value, patterns);
  }
  const std::string directory = DirectoryOf(config_file);
  for (const std::string& pattern : patterns) {
    for (const std::string& path : ExpandGlob(JoinDirectory(directory, pattern))) {
      add(path, ReadSmallFile(path, kYamlBytesMax));
    }
  }
  std::vector<std::string> secrets;
  if (const auto* receivers = tree->Find("receivers")) {
    AddSecretFiles(*receivers->value, secrets);
  }
  for (const std::string& path : secrets) {
    add(path, ReadSmallFile(path, kYamlBytesMax));  // relative to the working directory, as they are read
  }
  return Sha256Hex(contents);
}

}  // namespace mlalert
