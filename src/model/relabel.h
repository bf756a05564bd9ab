// Prometheus' relabel_configs: a list of steps that rewrite a label set or drop it. Used by: engine/ (targets
// and alerts of other Alertmanagers). Checked by: config/config_alerting.cc. Thread: immutable; copies share
// the compiled patterns.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/label_set.h"

namespace re2 {
class RE2;
}

namespace mlalert {

enum class RelabelAction : uint8_t {
  kReplace,
  kKeep,
  kDrop,
  kKeepEqual,
  kDropEqual,
  kHashMod,
  kLabelMap,
  kLabelDrop,
  kLabelKeep,
  kLowercase,
  kUppercase,
};
// In lower case; nothing for an unknown word.
std::optional<RelabelAction> ParseRelabelAction(std::string_view text);
std::string_view ToString(RelabelAction action);

struct RelabelConfig {
  std::vector<std::string> source_labels;
  std::string separator = ";";
  std::string regex = "(.*)";
  uint64_t modulus = 0;
  std::string target_label;
  std::string replacement = "$1";
  RelabelAction action = RelabelAction::kReplace;
  std::shared_ptr<const re2::RE2> program;  // of `regex`, anchored; set by Compile()

  // Fails for a bad pattern, in Go's words.
  Status Compile();

  friend bool operator==(const RelabelConfig& a, const RelabelConfig& b) {
    return a.source_labels == b.source_labels && a.separator == b.separator && a.regex == b.regex &&
           a.modulus == b.modulus && a.target_label == b.target_label && a.replacement == b.replacement &&
           a.action == b.action;
  }
};

using LabelMap = std::map<std::string, std::string>;

// Nothing: dropped. An empty value is no label.
std::optional<LabelMap> Relabel(LabelMap labels, const std::vector<RelabelConfig>& steps);

}  // namespace mlalert
