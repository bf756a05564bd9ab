#include "cli/rule_versions.h"

#include <algorithm>
#include <fmt/format.h>
#include <fstream>
#include <map>

#include "base/hash.h"
#include "base/json.h"

namespace mlalert {
namespace {

std::string TextOf(const LabelSet& set) {
  Json json = Json::MakeObject();
  for (const auto& [name, value] : set) {
    json.Set(std::string(name), value);
  }
  return json.Dump();
}

}  // namespace

std::string ReadRuleFile(const std::string& path) {
  constexpr size_t kBytesMax = size_t{4} << 20;
  std::ifstream file(path, std::ios::binary);
  std::string text(kBytesMax + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(std::max<std::streamsize>(0, file.gcount())));
  return text.size() > kBytesMax ? "" : text;
}

RuleSetRecord RuleSetOf(const std::vector<RuleGroup>& groups, Timestamp now) {
  RuleSetRecord out;
  out.at = now;
  std::map<std::string, int> equals;
  for (const RuleGroup& group : groups) {
    for (const AlertingRule& rule : group.rules) {
      RuleVersion version;
      version.file = group.file;
      version.group = group.name;
      version.rule = rule.name;
      version.expr = rule.expr;
      version.for_ms = rule.hold / std::chrono::milliseconds(1);
      version.keep_firing_for_ms = rule.keep_firing_for / std::chrono::milliseconds(1);
      version.severity = rule.raw_labels.Get("severity");
      version.labels = TextOf(rule.raw_labels);
      version.annotations = TextOf(rule.raw_annotations);
      version.runbook_url = rule.raw_annotations.Get("runbook_url");
      version.team = rule.raw_labels.Get("team");
      const std::string text = fmt::format("{}\n{}\n{}\n{}\n{}\n{}\n{}\n{}", version.file, version.group,
                                           version.rule, version.expr, version.for_ms,
                                           version.keep_firing_for_ms, version.labels, version.annotations);
      version.digest = Sha256Hex(fmt::format("{}\n{}", text, equals[text]++)).substr(0, 32);
      out.rules.push_back(std::move(version));
    }
  }
  return out;
}

}  // namespace mlalert
