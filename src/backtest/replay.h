// The production machines on a simulated clock: the rule evaluator and the engine, fed with the past instead
// of the present. Every notification is taken at once by a receiver that never fails; nobody acts unless told
// so. Thread: one. Time: that of the past.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "backtest/range_data.h"
#include "config/config.h"
#include "config/rule_file.h"
#include "model/record.h"
#include "storage/quality_source.h"

namespace mlalert {

// What came of it.
struct Replay {
  Span span;
  std::vector<NotificationRecord> notifications;  // in order; all of them sent
  std::map<IncidentId, Incident> incidents;
  std::map<int64_t, EpisodeRecord> episodes;
  std::map<IncidentId, Timestamp> first_acknowledged;
  uint64_t evaluations = 0;  // instant answers given
  uint64_t calls = 0;        // asked of the data source
  std::vector<std::string> warnings;
};

// `done` from 0 to 1; false stops it.
using Progress = std::function<bool(double done)>;

struct ReplayInput {
  ConfigPtr config;  // has one data source
  std::vector<RuleGroup> groups;
  Span span;
  std::vector<Silence> silences;  // as they were
  RangeData::Fetch fetch;
  Progress progress{};
};
// Errors: those of the data source; kDeadline when `progress` stopped it.
Result<Replay> ReplayRules(ReplayInput input);

// A firing period as it was stored, to be fed to the engine again.
struct StoredEpisode {
  LabelSet labels;
  LabelSet annotations;
  Timestamp started_at = kUnset;
  Timestamp ended_at = kUnset;  // kUnset: fires until the end of the span
  IncidentId incident_id = 0;   // that it belonged to
};
struct StoredAcknowledgement {
  LabelSet labels;  // of the alert
  Timestamp at = kUnset;
  std::string actor;
};
// By start.
Result<Replay> ReplayEpisodes(const ConfigPtr& config, const std::vector<StoredEpisode>& episodes,
                              const std::vector<StoredAcknowledgement>& acknowledgements, const Span& span);

// As facts of alert quality: what reviews count is counted alike here.
std::vector<IncidentFacts> FactsOf(const Replay& replay);
std::vector<PageFacts> PagesOf(const Replay& replay);
// Those that it spoke of.
std::vector<IncidentId> IncidentsOf(const NotificationRecord& notification);

}  // namespace mlalert
