// alerting: other Alertmanagers, as prometheus.yml names them. Error texts of relabeling are Prometheus'.
#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "config/config_sections.h"
#include "config/config_words.h"
#include "model/label_set.h"

namespace mlalert {
namespace {

constexpr std::array<std::string_view, 8> kOwnKeys{
    "scheme",          "path_prefix",           "timeout", "api_version", "static_configs",
    "relabel_configs", "alert_relabel_configs", "sigv4"};

// Discovery that mlalert does not have: better said than called unknown.
constexpr std::array<std::string_view, 12> kDiscoveries{
    "dns_sd_configs",    "file_sd_configs",  "http_sd_configs",   "kubernetes_sd_configs",
    "consul_sd_configs", "ec2_sd_configs",   "azure_sd_configs",  "gce_sd_configs",
    "docker_sd_configs", "nomad_sd_configs", "eureka_sd_configs", "openstack_sd_configs"};

// Prometheus' relabelTarget: a label name that may hold $1 or ${1}.
bool IsTemplatedLabelName(std::string_view text) {
  size_t at = 0;
  if (text.empty()) {
    return false;
  }
  auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  auto word = [&](char c) { return letter(c) || (c >= '0' && c <= '9'); };
  bool first = true;
  while (at < text.size()) {
    if (text[at] == '$') {
      bool braces = at + 1 < text.size() && text[at + 1] == '{';
      size_t begin = at + (braces ? 2 : 1);
      size_t end = begin;
      while (end < text.size() && word(text[end])) {
        ++end;
      }
      if (end == begin || (braces && (end == text.size() || text[end] != '}'))) {
        return false;
      }
      at = braces ? end + 1 : end;
    } else if (first ? letter(text[at]) : word(text[at])) {
      ++at;
    } else {
      return false;
    }
    first = false;
  }
  return true;
}

class RelabelReader {
 public:
  RelabelReader(const YamlValue& item, const LoadContext& context)
      : item_(item), context_(context), map_(item, "relabel.plain") {}

  RelabelConfig Read() {
    RelabelConfig out;
    map_.Read("source_labels", out.source_labels);
    separator_ = map_.Read("separator", out.separator);
    map_.Read("regex", out.regex);
    map_.Read("modulus", out.modulus);
    map_.Read("target_label", out.target_label);
    replacement_ = map_.Read("replacement", out.replacement);
    std::string action = "replace";
    map_.Read("action", action);
    map_.Finish();
    std::transform(action.begin(), action.end(), action.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; });
    auto known = ParseRelabelAction(action);
    if (map_.Failed()) {
      return out;
    }
    if (!known) {
      map_.At("action").Error(fmt::format("unknown relabel action {}", Quoted(action)));
      return out;
    }
    out.action = *known;
    if (Status compiled = out.Compile(); !compiled) {
      map_.At("regex").Error(compiled.error().message);
      return out;
    }
    Check(out);
    return out;
  }

 private:
  void Check(const RelabelConfig& c) {
    using enum RelabelAction;
    const std::string_view action = ToString(c.action);
    if (c.action == kHashMod && c.modulus == 0) {
      item_.Error("relabel configuration for hashmod requires non-zero modulus");
      return;
    }
    bool equal = c.action == kKeepEqual || c.action == kDropEqual;
    bool cases = c.action == kLowercase || c.action == kUppercase;
    if ((c.action == kReplace || c.action == kHashMod || equal || cases) && c.target_label.empty()) {
      item_.Error(fmt::format("relabel configuration for {} action requires 'target_label' value", action));
      return;
    }
    bool plain_target = c.target_label.find('$') == std::string::npos;
    bool valid = c.action == kReplace && !plain_target ? IsTemplatedLabelName(c.target_label)
                                                       : IsLabelName(c.target_label, context_);
    if ((c.action == kReplace || c.action == kHashMod || cases) && !valid) {
      map_.At("target_label")
          .Error(fmt::format("{} is invalid 'target_label' for {} action", Quoted(c.target_label), action));
    }
    if (cases && replacement_ && c.replacement != "$1") {
      map_.At("replacement").Error(fmt::format("'replacement' can not be set for {} action", action));
    }
    if (c.action == kLabelMap && !IsTemplatedLabelName(c.replacement)) {
      map_.At("replacement")
          .Error(fmt::format("{} is invalid 'replacement' for {} action", Quoted(c.replacement), action));
    }
    const bool others =
        c.modulus != 0 || (separator_ && c.separator != ";") || (replacement_ && c.replacement != "$1");
    if (equal && (c.regex != "(.*)" || others)) {
      item_.Error(fmt::format(
          "{} action requires only 'source_labels' and `target_label`, and no other fields", action));
    }
    if ((c.action == kLabelDrop || c.action == kLabelKeep) &&
        (!c.source_labels.empty() || !c.target_label.empty() || others)) {
      item_.Error(fmt::format("{} action requires only 'regex', and no other fields", action));
    }
  }

  const YamlValue& item_;
  const LoadContext& context_;
  YamlMap map_;
  bool separator_ = false;
  bool replacement_ = false;
};

void ReadRelabeling(YamlMap& map, std::string_view key, const LoadContext& context,
                    std::vector<RelabelConfig>& out) {
  if (auto list = map.Take(key)) {
    for (const YamlValue& item : list->Items("a list of relabel_configs")) {
      if (item.IsNull()) {
        item.Error("empty or null relabeling rule");
      } else {
        out.push_back(RelabelReader(item, context).Read());
      }
    }
  }
}

void ReadStatic(const YamlValue& item, const LoadContext& context, AlertmanagerConfig& out) {
  YamlMap map(item, "struct");
  std::vector<std::string> targets;
  map.Read("targets", targets);
  std::map<std::string, std::string> labels;
  map.Read("labels", labels);
  for (const auto& [name, text] : labels) {
    if (!IsLabelName(name, context)) {
      map.At("labels").Error(fmt::format("{} is not a valid label name", Quoted(name)));
    }
  }
  for (std::string& target : targets) {
    if (target.find_first_of("/@") != std::string::npos) {
      map.At("targets").Error(fmt::format("{} is not a valid hostname", Quoted(target)),
                              "write host:port; scheme and path_prefix are keys of their own");
    }
    out.targets.push_back({std::move(target), labels});
  }
  map.Finish();
}

void ReadAlertmanager(const YamlValue& item, const LoadContext& context, AlertmanagerConfig& out) {
  YamlMap map(item, "config.plain");
  std::vector<std::string_view> known(kOwnKeys.begin(), kOwnKeys.end());
  for (std::string_view key : kDiscoveries) {
    known.push_back(key);
    if (map.Take(key)) {
      map.At(key).Error(fmt::format("{} is not supported: mlalert does not discover Alertmanagers", key),
                        "list them in static_configs");
    }
  }
  if (map.TakeSet("sigv4")) {
    map.At("sigv4").Error("sigv4 is not supported for Alertmanagers");
  }
  ReadWord(map, "scheme", {{"http", std::string("http")}, {"https", std::string("https")}}, out.scheme);
  map.Read("path_prefix", out.path_prefix);
  if (ReadIfSet(map, "timeout", out.timeout) && out.timeout == Duration::zero()) {
    map.At("timeout").Error("timeout must be more than 0");
  }
  std::string version = "v2";
  if (map.Read("api_version", version) && version != "v2") {
    map.At("api_version")
        .Error(fmt::format("expected Alertmanager api version to be one of [v2] but got {}", version));
  }
  if (auto list = map.Take("static_configs")) {
    for (const YamlValue& entry : list->Items("a list of static_configs")) {
      ReadStatic(entry, context, out);
    }
  }
  ReadRelabeling(map, "relabel_configs", context, out.relabel_configs);
  ReadRelabeling(map, "alert_relabel_configs", context, out.alert_relabel_configs);
  out.http_config = ReadInlineHttpConfig(item, context.directory, known);
}

}  // namespace

void ReadAlerting(YamlMap& root, const LoadContext& context, AlertingConfig& out) {
  auto value = root.TakeSet("alerting");
  if (!value) {
    return;
  }
  YamlMap map(*value, "alerting");
  ReadRelabeling(map, "alert_relabel_configs", context, out.alert_relabel_configs);
  if (auto list = map.Take("alertmanagers")) {
    for (const YamlValue& item : list->Items("a list of alertmanagers")) {
      ReadAlertmanager(item, context, out.alertmanagers.emplace_back());
    }
  }
  map.Finish();
}

}  // namespace mlalert
