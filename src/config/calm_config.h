// What keeps people calm beyond single incidents: storms, limits per receiver, silences that come back.
// Thread: immutable after load.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/time.h"
#include "model/matcher.h"
#include "model/severity.h"

namespace mlalert {

struct StormConfig {
  int line = 0;       // of the config file
  int incidents = 0;  // more new ones than this `within` make a storm; 0: no protection
  Duration within = std::chrono::minutes(5);
  Duration quiet = std::chrono::minutes(10);  // without a new one it is over
  std::vector<std::string> by;                // labels: a storm of its own for each value
  Severity severity = Severity::kP1;          // of the one alert that stands for all
};

struct RateLimit {
  int line = 0;
  int count = 0;
  Duration per{};
};

struct RecurringSilence {
  int line = 0;
  std::string name;
  Matchers matchers;
  std::vector<std::string> time_intervals;  // any of them
};

struct CalmConfig {
  StormConfig storm;
  std::map<std::string, RateLimit, std::less<>> rate_limits;  // by receiver
  std::vector<RecurringSilence> silences;
};

}  // namespace mlalert
