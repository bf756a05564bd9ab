// Without incident policies the engine says what Alertmanager says: random stories under random configs,
// compared line by line with a slow and obvious second implementation.
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "support/dispatch_spec.h"
#include "support/expect.h"
#include "support/oracle_dispatch.h"
#include "support/sim.h"

namespace mlalert::testing {
namespace {

class Random {
 public:
  explicit Random(uint32_t seed) : random_(seed) {}
  uint32_t Pick(uint32_t n) { return static_cast<uint32_t>(random_() % n); }
  bool OneIn(uint32_t n) { return Pick(n) == 0; }
  template <class T>
  T Of(const std::vector<T>& list) {
    return list[Pick(static_cast<uint32_t>(list.size()))];
  }

 private:
  std::mt19937 random_;
};

const std::vector<std::string> kModels{"m0", "m1", "m2"};

// One or two labels; "" asks for an alert without the label.
LabelMap SomeMatchers(Random& random) {
  LabelMap out;
  if (!random.OneIn(3)) {
    out["team"] = random.Of<std::string>({"ml", "data", ""});
  }
  if (out.empty() || random.OneIn(3)) {
    out["model"] = random.Of(kModels);
  }
  return out;
}

RouteSpec SomeRoute(Random& random, int depth) {
  RouteSpec route;
  route.equals = SomeMatchers(random);
  route.receiver = random.Of<std::string>({"one", "pair", "calm"});
  route.group_by = random.Of<std::vector<std::string>>(
      {{}, {"model"}, {"team"}, {"model", "team"}, {"nothing", "alertname"}});
  route.group_by_all = random.OneIn(6);
  route.go_on = random.OneIn(3);
  route.wait = random.Of<int64_t>({0, 10, 30, 90});
  route.interval = random.Of<int64_t>({45, 60, 120, 300});
  route.repeat = random.Of<int64_t>({60, 600, 1020, 7200});
  for (uint32_t i = 0; depth < 2 && i < random.Pick(depth == 0 ? 4 : 3); ++i) {
    route.children.push_back(SomeRoute(random, depth + 1));
    // Siblings with equal matchers share a group key: upstream's quirk, and nobody's config.
    for (size_t k = 0; k + 1 < route.children.size(); ++k) {
      if (route.children[k].equals == route.children.back().equals) {
        route.children.pop_back();
        break;
      }
    }
  }
  return route;
}

void SomeMuting(Random& random, DispatchSpec& spec) {
  spec.inhibit.clear();
  for (uint32_t i = random.Pick(3); i > 0; --i) {
    InhibitSpec rule{SomeMatchers(random), SomeMatchers(random), {}};
    if (!random.OneIn(3)) {
      rule.equal = random.Of<std::vector<std::string>>({{"model"}, {"team"}, {"nothing"}});
    }
    spec.inhibit.push_back(rule);
  }
  spec.intervals = {{"early", {10, 70}}, {"later", {60, 200}}, {"late", {130, 1440}}};
  auto choose = [&](auto&& self, RouteSpec& route) -> void {
    for (RouteSpec& child : route.children) {
      child.mute = random.OneIn(4)
                       ? std::vector<std::string>{random.Of<std::string>({"early", "later", "late"})}
                       : std::vector<std::string>{};
      child.active = random.OneIn(5) ? std::vector<std::string>{"early", "late"} : std::vector<std::string>{};
      self(self, child);
    }
  };
  choose(choose, spec.root);
}

DispatchSpec SomeSpec(Random& random) {
  DispatchSpec spec;
  spec.root = SomeRoute(random, 0);
  spec.root.equals = {};
  spec.root.go_on = false;
  spec.receivers = {{"one", {{"one/webhook[0]", true}}},
                    {"pair", {{"pair/webhook[0]", true}, {"pair/webhook[1]", false}}},
                    {"calm", {{"calm/webhook[0]", false}}}};
  SomeMuting(random, spec);
  return spec;
}

class Story {
 public:
  explicit Story(uint32_t seed)
      : random_(seed), spec_(SomeSpec(random_)), sim_(ToYaml(spec_)), start_(sim_.now()), oracle_(spec_) {
    for (size_t i = 0; i < 9; ++i) {
      labels_.push_back({{"alertname", fmt::format("A{}", i)}, {"model", kModels[i % 3]}});
      if (i % 3 != 2) {
        labels_.back()["team"] = i % 2 == 0 ? "ml" : "data";
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
    const std::vector<std::string> want = oracle_.Said();
    if (lines != want) {
      ExpectLines(lines, want);
      BOOST_TEST_MESSAGE(ToYaml(spec_) << log_);
    }
    return lines == want;
  }

  const std::string& log() const { return log_; }

 private:
  int64_t Step() {
    switch (random_.Pick(4)) {
      case 0:
        return 0;
      case 1:
        return random_.Pick(20);
      case 2:
        return random_.Pick(120);
      default:
        return random_.OneIn(10) ? random_.Pick(4000) : random_.Pick(400);
    }
  }

  void Post(size_t i, int64_t starts, int64_t ends, bool timeout) {
    std::vector<std::pair<std::string, std::string>> pairs(labels_[i].begin(), labels_[i].end());
    const LabelSet labels = LabelSet::From(pairs);
    log_ += fmt::format("+{} post A{} from {} to {}{}\n", t_, i, starts, ends, timeout ? " (timeout)" : "");
    sim_.Post(labels, start_ + seconds(starts),
              ends == DispatchOracle::kForever ? kNever : start_ + seconds(ends), timeout);
    oracle_.Post(labels_[i], labels.fingerprint(), starts, ends, timeout);
  }

  void Act() {
    const size_t i = random_.Pick(static_cast<uint32_t>(labels_.size()));
    switch (random_.Pick(20)) {
      case 0:
      case 1:
      case 2:
      case 3:  // fires, or fires on, as Prometheus tells it
        if (random_.OneIn(3)) {
          starts_[i] = t_;
        }
        Post(i, starts_[i], t_ + 60 + random_.Pick(600), false);
        break;
      case 4:
        starts_[i] = t_ - random_.Pick(100);
        Post(i, starts_[i], DispatchOracle::kForever, false);
        break;
      case 5:  // without endsAt
        starts_[i] = t_;
        Post(i, t_, t_ + 300, true);
        break;
      case 6:  // begins in the future
        Post(i, t_ + random_.Pick(100), t_ + 100 + random_.Pick(600), false);
        break;
      case 7:
      case 8:
      case 9:
      case 10:
        Post(i, std::min(starts_[i], t_), t_, false);
        break;
      case 11:  // resolved a while ago
        Post(i, std::min(starts_[i], t_ - 100), t_ - random_.Pick(100), false);
        break;
      case 12:  // without startsAt
        Post(i, t_, t_, false);
        break;
      case 13:
        Fail();
        break;
      case 14:
        log_ += fmt::format("+{} reload\n", t_);
        if (random_.OneIn(2)) {
          SomeMuting(random_, spec_);
        }
        sim_.Reload(ToYaml(spec_));
        oracle_.Reload(spec_);
        break;
      case 15:
        log_ += fmt::format("+{} restart\n", t_);
        sim_.Restart();
        oracle_.Restart();
        break;
      case 16:
      case 17:
      case 18:
        Silence();
        break;
      default:
        if (!silences_.empty()) {
          const std::string id = random_.Of(silences_);
          log_ += fmt::format("+{} unsilence {}\n", t_, id);
          sim_.Unsilence(id);
          oracle_.Unsilence(id);
        }
    }
  }

  // Which of two groups meets a failure first is nobody's promise: all of an integration's notifications that
  // leave at once fail alike only when it has one group. So only the root fails, and only where it has one.
  void Fail() {
    const auto& integrations = spec_.receivers.at(spec_.root.receiver);
    if (!spec_.root.children.empty() || spec_.root.group_by_all || !spec_.root.group_by.empty()) {
      return;
    }
    const std::string name = random_.Of(integrations).name;
    if (failing_.insert(name).second) {  // a script replaces the one before, so only once
      const int times = 1 + static_cast<int>(random_.Pick(3));
      log_ += fmt::format("+{} fail {} {} times\n", t_, name, times);
      sim_.Answer(name, std::vector<DeliveryVerdict>(static_cast<size_t>(times), DeliveryVerdict::kFailed));
      oracle_.FailNext(name, times);
    }
  }

  void Silence() {
    const LabelMap equals = random_.OneIn(2) ? LabelMap{{"alertname", fmt::format("A{}", random_.Pick(9))}}
                                             : LabelMap{{"model", random_.Of(kModels)}};
    const int64_t length = 30 + random_.Pick(1500);
    std::string text;
    for (const auto& [name, value] : equals) {
      text += fmt::format("{}=\"{}\"", name, value);
    }
    const std::string id = sim_.Silence(text, seconds(length));
    log_ += fmt::format("+{} silence {} {} for {}\n", t_, id, text, length);
    silences_.push_back(id);
    oracle_.Silence(id, equals, t_ + length);
  }

  Random random_;
  DispatchSpec spec_;
  Sim sim_;
  Timestamp start_;
  DispatchOracle oracle_;
  int64_t t_ = 0;
  std::vector<LabelMap> labels_;
  std::vector<int64_t> starts_;
  std::vector<std::string> silences_;
  std::set<std::string> failing_;
  std::string log_;
};

BOOST_AUTO_TEST_SUITE(alertmanager_oracle)

// MLALERT_PROPERTY_SEED=N runs one seed and prints its config and story (with --log_level=message);
// MLALERT_PROPERTY_RUNS=N runs more.
BOOST_AUTO_TEST_CASE(says_the_same_at_the_same_second) {
  const char* more = std::getenv("MLALERT_PROPERTY_RUNS");
  const char* only = std::getenv("MLALERT_PROPERTY_SEED");
  const uint32_t first = only != nullptr ? static_cast<uint32_t>(std::stoul(only)) : 1;
  const uint32_t runs = only != nullptr ? 1 : more != nullptr ? static_cast<uint32_t>(std::stoul(more)) : 100;
  for (uint32_t seed = first; seed < first + runs; ++seed) {
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
