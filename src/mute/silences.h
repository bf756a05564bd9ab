// The silences: created, changed in place or replaced, expired and forgotten by Alertmanager's rules, and the
// answer to "which of them silence this alert now". Verdicts are remembered per alert: the matchers of an id
// never change, so an alert is compared only with silences that are newer than its last verdict, and not at
// all while there are none. Fed by the engine (API requests, restore, sweep). Owns: silences and verdicts.
// Limits: SilenceLimits. Thread: engine only. Time and new ids are passed in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "model/silence.h"

namespace mlalert {

struct SilenceLimits {
  // Silences kept, expired ones included; checked when one is created. 0: none.
  size_t count_max = 100'000;
  // Of one silence in Alertmanager's encoding (protobuf), so that its flag means the same here. 0: none.
  size_t bytes_max = size_t{1} << 20;
  // How long an expired silence can still be looked at: --data.retention.
  Duration retention = std::chrono::hours(120);
  // Label names of matchers must be classic ones: --enable-feature=classic-mode.
  bool classic_names = false;
};

struct SilenceStats {
  size_t active = 0;
  size_t pending = 0;
  size_t expired = 0;
};

// Annotation of a silence: "true" ends it with the last alert that it covers.
inline constexpr std::string_view kUntilResolved = "until_resolved";

class Silences {
 public:
  // A UUID that nobody else made; asked again when it is taken.
  using MakeId = std::function<std::string()>;

  explicit Silences(SilenceLimits limits = {}) : limits_(limits) {}

  struct Change {
    std::string id;  // of the silence that holds now
    // Rows to journal, in order: one, or the expired predecessor and its successor.
    std::vector<Silence> changed;
    bool created = false;
  };
  // Without an id: a new silence. With one: that silence is changed in place when the matchers are the same
  // in the same order and its past stays as it was; else it expires now and a new one takes its place.
  // kNotFound: no such id. kInvalid and kLimit carry Alertmanager's texts.
  Result<Change> Set(const SilenceRequest& request, Timestamp now, const MakeId& make_id);

  // Ends it now; nothing (and no row) when it has ended. kNotFound: no such id.
  Result<std::optional<Silence>> Expire(std::string_view id, Timestamp now);

  // Forgets what expired longer than the retention ago; their ids.
  std::vector<std::string> Collect(Timestamp now);

  // As it was journalled.
  void Restore(Silence silence);

  const Silence* Find(std::string_view id) const;
  // By id.
  std::vector<Silence> All() const;

  // Ids of the active silences that match an alert, sorted. `fingerprint` is the alert's identity; the labels
  // of one alert may differ from call to call.
  std::vector<std::string> SilencedBy(uint64_t fingerprint, const LabelSet& labels, Timestamp now);
  // The same as yes or no: the cheap form.
  bool IsSilenced(uint64_t fingerprint, const LabelSet& labels, Timestamp now);
  // The alert is gone: drops what is remembered of it.
  void Forget(uint64_t fingerprint) { verdicts_.erase(fingerprint); }

  size_t size() const { return by_id_.size(); }
  // Was there ever one that ends with the alerts it covers?
  bool AnyUntilResolved() const { return any_until_resolved_; }
  SilenceStats Stats(Timestamp now) const;

 private:
  struct Entry {
    Silence silence;
    uint64_t version = 0;  // when it was added; counts up
  };
  struct Verdict {
    uint64_t version = 0;            // of the newest silence that was compared
    LabelSet labels;                 // with these labels
    std::vector<uint64_t> matching;  // versions, rising
  };

  Status Validate(const SilenceRequest& request, Matchers& matchers) const;
  Status CheckSize(const Silence& silence) const;
  void Add(Silence silence);
  const std::vector<uint64_t>& Matching(uint64_t fingerprint, const LabelSet& labels, Timestamp now);

  SilenceLimits limits_;
  bool any_until_resolved_ = false;
  std::map<std::string, std::unique_ptr<Entry>, std::less<>> by_id_;
  std::map<uint64_t, const Entry*> by_version_;
  uint64_t version_ = 0;
  std::unordered_map<uint64_t, Verdict> verdicts_;
  Timestamp newest_now_ = kUnset;
};

}  // namespace mlalert
