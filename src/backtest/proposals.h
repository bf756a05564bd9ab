// Candidate changes of noisy rules, proven on their stored firing periods by the engine that would have told
// of them. Chosen on the weeks before, verified on the last one. docs/alert-quality.md, "Proposals". Thread:
// one; may take seconds.
#pragma once

#include "backtest/replay.h"
#include "base/json.h"
#include "review/weekly_review.h"

namespace mlalert {

// Rules that are looked at, and firing periods of each.
inline constexpr size_t kProposalRulesMax = 5;
inline constexpr size_t kProposalEpisodesMax = 5000;

// A list of objects: rule, file, text, summary, change, removed, lost, ..., patch. `read_file`: for the
// patch; gives the text of a rule file, empty when it cannot be read.
Json Propose(QualitySource& source, const ProposalInput& input, const ConfigPtr& config,
             const std::function<std::string(const std::string&)>& read_file);

// --- parts, for tests ---

struct Candidate {
  std::string field;     // for | keep_firing_for | severity | delete
  std::string from, to;  // as the rule file has them
  int64_t from_ms = 0, to_ms = 0;
};
// What the alert's firing periods would have been; by start.
std::vector<StoredEpisode> Under(const Candidate& candidate, const std::vector<StoredEpisode>& episodes,
                                 Duration hold, Duration keep_firing_for);

}  // namespace mlalert
