// The past of a data source, asked in big pieces and handed out as the instant answers that the rule
// evaluator asks for: query_range in chunks of at most 11,000 points (Prometheus refuses more), cut to the
// grid of the group that asks. What is no rule's expression (presence of series, queries in templates) is
// asked as it is, at its own time. Fed by: replay.cc. Owns: the chunks in use. Thread: one; blocks in
// `fetch`.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "net/transport.h"

namespace mlalert {

inline constexpr int64_t kRangePointsMax = 11'000;

class RangeData {
 public:
  using Fetch = std::function<HttpResult(const HttpCall&)>;
  // `intervals`: evaluation intervals of each expression, as written. Nothing after `until` is asked for.
  RangeData(Fetch fetch, std::map<std::string, Duration, std::less<>> intervals, Timestamp until)
      : fetch_(std::move(fetch)), intervals_(std::move(intervals)), until_(until) {}

  // The answer to one instant query of the evaluator. kUnavailable: the server did not answer, or refused the
  // range.
  Result<HttpResult> Answer(const HttpCall& call);

  uint64_t calls() const { return calls_; }
  // Warnings of the server, each once.
  const std::vector<std::string>& warnings() const { return warnings_; }

 private:
  struct Series {
    std::string metric;                                   // labels as a JSON object
    std::vector<std::pair<int64_t, std::string>> points;  // ms, value as sent
    size_t next = 0;  // where the last look ended: questions come in order
  };
  struct Chunk {
    int64_t from_ms = 0, until_ms = 0, step_ms = 0;
    std::vector<Series> series;
    bool Has(int64_t at) const { return at >= from_ms && at <= until_ms && (at - from_ms) % step_ms == 0; }
  };

  Result<Chunk> Load(const HttpCall& call, const std::string& query, int64_t from_ms, Duration step);
  static HttpResult AtInstant(Chunk& chunk, int64_t at_ms);

  Fetch fetch_;
  std::map<std::string, Duration, std::less<>> intervals_;
  Timestamp until_;
  std::map<std::string, std::deque<Chunk>>
      chunks_;  // by query; several groups may ask the same on other grids
  std::map<std::pair<std::string, std::string>, HttpResult> instants_;
  std::vector<std::string> warnings_;
  int64_t points_ = kRangePointsMax;
  uint64_t calls_ = 0;
};

}  // namespace mlalert
