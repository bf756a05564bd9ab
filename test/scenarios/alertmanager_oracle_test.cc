// Without incident policies the engine says what Alertmanager says: random stories, compared line by line
// with a slow and obvious second implementation.
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "support/expect.h"
#include "support/oracle_dispatch.h"
#include "support/sim.h"

namespace mlalert::testing {
namespace {

const std::string kConfig = R"(
route:
  receiver: root
  group_by: [model]
  group_wait: 30s
  group_interval: 2m
  repeat_interval: 17m
  routes:
  - {matchers: ['team="ml"'], receiver: pair, group_by: [team], group_wait: 10s, group_interval: 1m, repeat_interval: 10m, continue: true}
  - {matchers: ['model="m1"'], receiver: quiet, group_by: ['model', 'team'], group_wait: 0s, group_interval: 45s, repeat_interval: 30m}
receivers:
- {name: root, webhook_configs: [{url: "http://127.0.0.1:9/"}]}
- {name: pair, webhook_configs: [{url: "http://127.0.0.1:9/"}, {url: "http://127.0.0.1:9/b", send_resolved: false}]}
- {name: quiet, webhook_configs: [{url: "http://127.0.0.1:9/", send_resolved: false}]}
)";

DispatchOracle MakeOracle() {
  using R = DispatchOracle::RouteSpec;
  return {R{{}, "root", {"model"}, false, 30, 120, 1020},
          {R{{{"team", "ml"}}, "pair", {"team"}, true, 10, 60, 600},
           R{{{"model", "m1"}}, "quiet", {"model", "team"}, false, 0, 45, 1800}},
          {{"root", {{"root/webhook[0]", true}}},
           {"pair", {{"pair/webhook[0]", true}, {"pair/webhook[1]", false}}},
           {"quiet", {{"quiet/webhook[0]", false}}}}};
}

class Story {
 public:
  explicit Story(uint32_t seed) : sim_(kConfig), start_(sim_.now()), random_(seed), oracle_(MakeOracle()) {
    const std::vector<std::string> models{"m0", "m1", "m2"};
    for (size_t i = 0; i < 9; ++i) {
      labels_.push_back({{"alertname", fmt::format("A{}", i)}, {"model", models[i % 3]}});
      if (i % 2 == 0) {
        labels_.back()["team"] = i % 4 == 0 ? "ml" : "data";
      }
    }
    starts_.resize(labels_.size());
  }

  void Run(int steps) {
    for (int i = 0; i < steps; ++i) {
      t_ += Step();
      sim_.At(seconds(t_));
      oracle_.RunTo(t_);
      Act();
    }
    t_ += 7200;
    sim_.At(seconds(t_));
    oracle_.RunTo(t_);
  }

  bool Compare() const {
    std::vector<std::pair<int64_t, std::string>> got;
    for (Heard heard : sim_.heard()) {  // the oracle knows no order within a notification
      std::sort(heard.firing.begin(), heard.firing.end());
      std::sort(heard.resolved.begin(), heard.resolved.end());
      got.emplace_back((heard.at - start_) / seconds(1), heard.ToString());
    }
    std::sort(got.begin(), got.end());
    std::vector<std::string> lines;
    for (const auto& [at, line] : got) {
      lines.push_back(fmt::format("+{} {}", at, line));
    }
    ExpectLines(lines, oracle_.Said());
    return lines == oracle_.Said();
  }

 private:
  uint32_t Pick(uint32_t n) { return static_cast<uint32_t>(random_() % n); }
  int64_t Step() {
    switch (Pick(4)) {
      case 0:
        return 0;
      case 1:
        return Pick(20);
      case 2:
        return Pick(120);
      default:
        return Pick(10) == 0 ? Pick(4000) : Pick(400);
    }
  }

  void Post(size_t i, int64_t starts, int64_t ends, bool timeout) {
    std::vector<std::pair<std::string, std::string>> labels(labels_[i].begin(), labels_[i].end());
    sim_.Post(LabelSet::From(labels), start_ + seconds(starts),
              ends == DispatchOracle::kForever ? kNever : start_ + seconds(ends), timeout);
    oracle_.Post(labels_[i], starts, ends, timeout);
  }

  void Act() {
    const size_t i = Pick(static_cast<uint32_t>(labels_.size()));
    switch (Pick(16)) {
      case 0:
      case 1:
      case 2:
      case 3:  // fires, or fires on, as Prometheus tells it
        if (Pick(3) == 0) {
          starts_[i] = t_;
        }
        Post(i, starts_[i], t_ + 60 + Pick(600), false);
        break;
      case 4:
        starts_[i] = t_ - Pick(100);
        Post(i, starts_[i], DispatchOracle::kForever, false);
        break;
      case 5:  // without endsAt
        starts_[i] = t_;
        Post(i, t_, t_ + 300, true);
        break;
      case 6:  // begins in the future
        Post(i, t_ + Pick(100), t_ + 100 + Pick(600), false);
        break;
      case 7:
      case 8:
      case 9:
      case 10:
        Post(i, std::min(starts_[i], t_), t_, false);
        break;
      case 11:  // resolved a while ago
        Post(i, std::min(starts_[i], t_ - 100), t_ - Pick(100), false);
        break;
      case 12:  // without startsAt
        Post(i, t_, t_, false);
        break;
      case 13: {
        // A receiver with one group only: which of two groups meets a failure first is nobody's promise.
        static const std::vector<std::string> kNames{"pair/webhook[0]", "pair/webhook[1]"};
        const std::string& name = kNames[Pick(2)];
        if (failing_.insert(name).second) {  // a script replaces the one before, so only once
          const int times = 1 + static_cast<int>(Pick(3));
          sim_.Answer(name,
                      std::vector<DeliveryVerdict>(static_cast<size_t>(times), DeliveryVerdict::kFailed));
          oracle_.FailNext(name, times);
        }
        break;
      }
      case 14:
        sim_.Reload(kConfig);
        oracle_.Reload();
        break;
      default:
        sim_.Restart();
        oracle_.Restart();
    }
  }

  Sim sim_;
  Timestamp start_;
  std::mt19937 random_;
  DispatchOracle oracle_;
  int64_t t_ = 0;
  std::vector<DispatchOracle::LabelMap> labels_;
  std::vector<int64_t> starts_;
  std::set<std::string> failing_;
};

BOOST_AUTO_TEST_SUITE(alertmanager_oracle)

BOOST_AUTO_TEST_CASE(says_the_same_at_the_same_second) {
  const char* more = std::getenv("MLALERT_PROPERTY_RUNS");
  const uint32_t runs = more != nullptr ? static_cast<uint32_t>(std::stoul(more)) : 100;
  for (uint32_t seed = 1; seed <= runs; ++seed) {
    BOOST_TEST_CONTEXT("seed " << seed) {
      Story story(seed);
      story.Run(60);
      if (!story.Compare()) {
        return;
      }
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mlalert::testing
