#include "rules/rule_effects.h"

namespace mlalert {

std::vector<DecodedAlert> ToDecoded(std::span<const RuleAlert> alerts, std::vector<Label>& labels) {
  size_t count = 0;
  for (const RuleAlert& alert : alerts) {
    count += alert.labels.size() + alert.annotations.size();
  }
  // Reserved first: spans into it must survive what follows.
  labels.clear();
  labels.reserve(count);
  const auto append = [&labels](const LabelSet& set) {
    const size_t first = labels.size();
    for (const Label label : set) {
      labels.push_back(label);
    }
    return std::span<const Label>(labels).subspan(first);
  };
  std::vector<DecodedAlert> out;
  out.reserve(alerts.size());
  for (const RuleAlert& alert : alerts) {
    DecodedAlert& decoded = out.emplace_back();
    decoded.labels = append(alert.labels);
    decoded.annotations = append(alert.annotations);
    decoded.generator_url = alert.generator_url;
    decoded.starts_at = alert.starts_at;
    decoded.ends_at = alert.ends_at;
    decoded.source = AlertSource::kRules;
    decoded.fingerprint = alert.labels.fingerprint();
    decoded.label_set = &alert.labels;
    decoded.annotation_set = &alert.annotations;
  }
  return out;
}

}  // namespace mlalert
