// The simulated ML platform of the demo: three models and a pipeline whose metrics follow a fixed, seeded
// schedule of faults. Pure: time since the start in, samples out. A "minute" of the shipped rules lasts one
// second here. Fed by: demo_exporter with the seconds since its start. Thread: one caller at a time.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace mlalert {

// What is wrong at this instant, per model; all zero or false: healthy.
struct DemoFaults {
  bool down = false;
  int drifted_features = 0;
  double null_ratio = 0.01;
  double slow_share = 0;    // share of requests that take 7 s
  double cost_today = 100;  // dollars of 500
  double accuracy = 0.95;
  double dominant_share = 0.6;  // share of the most frequent class
  double error_share = 0;
};

// `seconds` since the demo began. The schedule repeats every kDemoCycleSeconds.
inline constexpr double kDemoCycleSeconds = 150;
DemoFaults FaultsAt(const std::string& model, double seconds);

class DemoPlatform {
 public:
  explicit DemoPlatform(uint64_t seed);

  // Advances the simulation (never backwards) and returns the metrics in Prometheus' text format.
  // `unix_seconds` is the wall clock, for metrics that carry timestamps.
  std::string Scrape(double seconds, double unix_seconds);

 private:
  struct Model {
    std::string name;
    double requests_per_second = 30;
    double success = 0, errors = 0;
    std::map<std::string, double> buckets;  // le to count
    double latency_sum = 0, latency_count = 0;
    std::map<std::string, double> classes;
  };

  void Advance(Model& model, double from, double to);
  // Repeatable noise in [-1, 1) for one model and second.
  double Noise(const std::string& model, double seconds) const;

  uint64_t seed_;
  double at_ = 0;
  std::vector<Model> models_;
};

}  // namespace mlalert
