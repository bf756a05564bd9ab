// What a replay would have meant to people: per week, by severity, by hour, the worst night, the longest; and
// two rule sets side by side for a pull request. Thread: pure functions.
#pragma once

#include <string>
#include <vector>

#include "backtest/replay.h"
#include "base/json.h"
#include "review/quality.h"

namespace mlalert {

Json BacktestReport(const Replay& replay, const TimeZone& zone);
// Incidents on which somebody acted, as the history knows them: how many of them the replay has too.
Json KnownIncidents(const Replay& replay, const std::vector<IncidentFacts>& known);

// `before` and `after`: reports over the same time.
Json CompareReports(const Json& before, const Json& after);

std::string BacktestAsText(const Json& report);
std::string BacktestAsMarkdown(const Json& report);
// The comment for a pull request.
std::string ComparisonAsMarkdown(const Json& comparison);
std::string ComparisonAsText(const Json& comparison);

}  // namespace mlalert
