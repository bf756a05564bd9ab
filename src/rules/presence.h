// Tells "the condition is false" from "nobody knows": what a rule reads is asked for by itself. When an alert
// fires, the series behind it are looked for and remembered; when its element is missing later, they are
// looked for again. Used by: rules/alerting_rule (decides), rules/rule_group (asks). One question per
// selector serves all alerts of a rule, so its cost does not grow with their number. Pure. Thread: plain
// values.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/json.h"
#include "base/shared_text.h"
#include "model/label_set.h"
#include "promql/analysis.h"
#include "rules/query_result.h"

namespace mlalert {

// A label is narrowed down to the values that matter unless that takes more than this.
inline constexpr size_t kPresenceValuesMax = 200;
inline constexpr size_t kPresencePatternBytesMax = 4096;

// Which selectors had series when an alert fired, and by which of its labels they were found.
struct PresenceMemory {
  struct Entry {
    uint32_t selector = 0;
    std::vector<std::string> labels;  // sorted; empty: found without any

    friend bool operator==(const Entry&, const Entry&) = default;
  };
  std::vector<Entry> entries;

  const Entry* Find(uint32_t selector) const;
  // [[0,"instance","model"],[1]]
  Json ToJson() const;
  static std::optional<PresenceMemory> FromJson(const Json& json);
  // The same as text, in which alerts keep it: most rules have the same, and it is read when one is in doubt.
  SharedText ToText() const;
  static PresenceMemory FromText(const SharedText& text);

  friend bool operator==(const PresenceMemory&, const PresenceMemory&) = default;
};

// One alert about which a selector is asked.
struct PresenceSubject {
  LabelSet sample_labels;
  // Null: find out by which labels it can be found. Otherwise: is there anything with these labels?
  const PresenceMemory::Entry* known = nullptr;
};

// count by (...) (selector{...}): one element for each combination of the subjects' labels that has series. A
// subject that must find its labels also admits series without a label, which is how labels that a selector
// does not have drop out.
std::string PresenceQuestion(const promql::RequiredSelector& selector,
                             const std::vector<PresenceSubject>& subjects);
// Whether the selector has any series at all.
std::string BarePresenceQuestion(const promql::RequiredSelector& selector);

// The answer to PresenceQuestion(). Borrows it.
class PresenceAnswer {
 public:
  explicit PresenceAnswer(const QueryAnswer& answer);

  bool empty() const { return shapes_.empty(); }
  // The names, most first, by which the subject is found.
  std::optional<std::vector<std::string>> FindNames(const LabelSet& sample_labels);
  bool Has(const LabelSet& sample_labels, const std::vector<std::string>& names);

 private:
  // Elements with the same label names.
  struct Shape {
    std::vector<std::string> names;
    std::vector<std::span<const Label>> elements;
  };

  std::vector<Shape> shapes_;
  std::unordered_map<std::string, std::unordered_set<std::string>> projections_;  // by names asked for
};

}  // namespace mlalert
