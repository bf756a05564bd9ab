// Inhibition: alerts that need not speak because a graver one says it all.
// An alert is inhibited by a rule when it matches the target side and some firing alert that matches the
// source side has equal values of the rule's `equal` labels (missing counts as empty). When it matches the
// source side as well, sources that match the target side do not count: nothing inhibits itself, and no two
// alerts inhibit each other. Fed by the engine with every alert that fires, resolves or changes its effective
// labels; those labels match. All sources of a key are kept, so one that resolves uncovers the next. Sources
// are taken whatever their own route, silences and inhibition are. Owns: the index; borrows alert entries,
// which must be removed before they die. Thread: engine only. Time: passed in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "alerts/alert_store.h"
#include "config/config.h"

namespace mlalert {

class Inhibitor {
 public:
  explicit Inhibitor(ConfigPtr config);

  // The rules of another config; sources are forgotten, the caller calls Update for every firing alert again.
  void SetConfig(ConfigPtr config);

  // To be called after `alert` fired, resolved or changed its effective labels. Cheap when nothing of that
  // happened.
  void Update(const AlertEntry& alert);
  // The entry is about to die.
  void Remove(uint64_t fingerprint);

  // A source that inhibits an alert with these effective labels; of the first rule that applies the source
  // with the lowest fingerprint. None: it may speak.
  // `which`, when not null, receives the rule.
  std::optional<uint64_t> InhibitedBy(const LabelSet& labels, Timestamp now,
                                      const InhibitRule** which = nullptr) const;

  // Counts up whenever a source comes, goes or changes.
  uint64_t version() const { return version_; }
  size_t rule_count() const { return rules_.size(); }
  // Alerts that match the source side of some rule.
  size_t source_count() const { return indexed_.size(); }

 private:
  using Sources = std::map<uint64_t, const AlertEntry*>;  // by fingerprint
  struct Bucket {
    Sources plain;
    Sources two_sided;  // these match the target side as well
  };
  struct Rule {
    const InhibitRule* rule = nullptr;
    std::unordered_map<std::string, Bucket> buckets;  // by the values of the equal labels
  };

  static const AlertEntry* FirstFiring(const Sources& sources, Timestamp now);

  ConfigPtr config_;
  uint64_t version_ = 0;
  std::vector<Rule> rules_;
  // The labels under which a source stands in the index.
  std::unordered_map<uint64_t, LabelSet> indexed_;
};

}  // namespace mlalert
