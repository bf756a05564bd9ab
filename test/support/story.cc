#include "support/story.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <random>

namespace mlalert::testing {
namespace {

constexpr std::array<std::string_view, StoryStep::kKinds> kWords = {
    "fire",      "resolve", "flicker", "burst",           "ack",     "unack",
    "snooze",    "raise",   "lower",   "resolve by hand", "silence", "silence until resolved",
    "unsilence", "refuse",  "restart", "nothing"};

constexpr std::array<std::string_view, 3> kNames = {"A", "B", "C"};
constexpr std::array<std::string_view, 3> kModels = {"m", "n", "o"};
constexpr std::array<std::string_view, 2> kInstances = {"1", "2"};
// P3 most often.
constexpr std::array<std::string_view, 4> kSeverities = {"P3", "P2", "P1", "P0"};

class Draw {
 public:
  explicit Draw(uint64_t seed) : random_(seed) {}
  int Below(int n) { return static_cast<int>(random_() % static_cast<uint64_t>(n)); }
  int OneOf(std::initializer_list<int> values) {
    return values.begin()[Below(static_cast<int>(values.size()))];
  }

  StoryFeatures Features() {
    StoryFeatures f;
    f.ladder = Below(StoryFeatures::kLadders);
    f.chain = Below(StoryFeatures::kChains);
    f.hours = Below(2) * Below(StoryFeatures::kHourses);
    f.grouping = Below(StoryFeatures::kGroupings);
    f.cooldown = OneOf({0, 10, 60});
    f.ack_expires = OneOf({0, 90});
    f.repeat = OneOf({40, 120, 24 * 60});
    f.group_wait = OneOf({0, 10, 30});
    f.group_interval = OneOf({1, 1, 5});
    f.flapping = Below(2);
    f.storm = Below(3) / 2;
    f.inhibition = Below(2);
    f.naps = Below(3) / 2;
    f.limit = OneOf({0, 0, 0, 1, 3});
    f.on_call = Below(3) / 2;
    return f;
  }

  // Few of them, so that they meet; a severity is the same for an instance as a rule, and rises at times.
  int Alert() {
    if (Below(12) == 0) {
      return kStoryAlerts - 1 - Below(3);
    }
    static constexpr int kSeverity[] = {0, 0, 0, 0, 1, 1, 2, 3};
    const int name = Below(3) * Below(3) / 2;
    const int model = Below(3) * Below(3) / 2;
    return ((name * 3 + model) * 2 + Below(4) / 3) * 4 + kSeverity[Below(8)];
  }

  StoryStep Step(bool deaths) {
    StoryStep step;
    const int pace = Below(10);
    step.wait = std::chrono::seconds(pace < 2   ? 0
                                     : pace < 6 ? Below(300)
                                     : pace < 9 ? Below(1800)
                                                : Below(14400));
    static constexpr StoryStep::Kind kOften[] = {
        StoryStep::kFire,    StoryStep::kFire,       StoryStep::kFire,          StoryStep::kFire,
        StoryStep::kResolve, StoryStep::kResolve,    StoryStep::kResolve,       StoryStep::kFlicker,
        StoryStep::kBurst,   StoryStep::kAck,        StoryStep::kUnack,         StoryStep::kSnooze,
        StoryStep::kRaise,   StoryStep::kLower,      StoryStep::kResolveByHand, StoryStep::kSilence,
        StoryStep::kSilence, StoryStep::kSilenceEnd, StoryStep::kUnsilence,     StoryStep::kRefuse,
        StoryStep::kRestart};
    step.kind = kOften[Below(static_cast<int>(std::size(kOften)))];
    step.target = Below(3) * Below(3) / 2 * 3 + Below(3) * Below(3) / 2;
    switch (step.kind) {
      case StoryStep::kFire:
      case StoryStep::kFlicker:
        step.target = Alert();
        step.amount = 2 + Below(4);
        break;
      case StoryStep::kResolve:
        step.target = Below(kStoryAlerts);  // the next one that fires
        break;
      case StoryStep::kBurst:
        step.target = Below(4);
        step.amount = 3 + Below(6);
        break;
      case StoryStep::kAck:
        step.amount = Below(3) == 0 ? 1 + Below(60) : 0;
        break;
      case StoryStep::kSnooze:
        step.amount = 1 + Below(90);
        break;
      case StoryStep::kRaise:
        step.amount = Below(3);
        break;
      case StoryStep::kLower:
        step.amount = 2 + Below(2);
        break;
      case StoryStep::kResolveByHand:
        step.amount = Below(2) == 0 ? 1 + Below(200) : 0;
        break;
      case StoryStep::kSilence:
      case StoryStep::kSilenceEnd:
        step.target = Below(static_cast<int>(StorySilences().size()));
        step.amount = 1 + Below(Below(3) == 0 ? 400 : 60);
        break;
      case StoryStep::kRefuse:
        step.target = Below(static_cast<int>(StoryReceivers().size()));
        step.amount = 1 + Below(4);
        break;
      case StoryStep::kRestart:
        step.amount = Below(2) == 0 ? 0 : Below(1800);
        break;
      default:
        break;
    }
    while (deaths && Below(4) == 0) {
      step.deaths.push_back({1 + Below(1 + Below(40)), Below(2) == 0 ? 0 : Below(120)});
    }
    return step;
  }

 private:
  std::mt19937_64 random_;
};

std::string Describe(const StoryStep& step) {
  std::string out(kWords[step.kind]);
  switch (step.kind) {
    case StoryStep::kFire:
      return out + ' ' + StoryAlert(step.target).ToString();
    case StoryStep::kFlicker:
      return fmt::format("{} {} {} times", out, StoryAlert(step.target).ToString(), step.amount);
    case StoryStep::kResolve:
      return fmt::format("{} the first that fires from {} on", out, StoryAlert(step.target).ToString());
    case StoryStep::kBurst:
      return fmt::format("{} of {} identities", out, step.amount);
    case StoryStep::kAck:
    case StoryStep::kSnooze:
    case StoryStep::kResolveByHand:
      return fmt::format("{} {} for {}m", out, StoryKey(step.target).ToString(), step.amount);
    case StoryStep::kUnack:
      return out + ' ' + StoryKey(step.target).ToString();
    case StoryStep::kRaise:
    case StoryStep::kLower:
      return fmt::format("{} {} to P{}", out, StoryKey(step.target).ToString(), step.amount);
    case StoryStep::kSilence:
    case StoryStep::kSilenceEnd:
      return fmt::format("{} {} for {}m", out, StorySilences()[static_cast<size_t>(step.target)],
                         step.amount);
    case StoryStep::kRefuse:
      return fmt::format("{} {} {} times", out, StoryReceivers()[static_cast<size_t>(step.target)],
                         step.amount);
    case StoryStep::kRestart:
      return fmt::format("{} after {}s", out, step.amount);
    default:
      return out;
  }
}

}  // namespace

LabelSet StoryAlert(int index) {
  if (index >= 72) {
    return Labels({{"alertname", "Up"}, {"model", kModels[static_cast<size_t>(index - 72)]}});
  }
  const auto i = static_cast<size_t>(index);
  return Labels({{"alertname", kNames[i / 24]},
                 {"model", kModels[i / 8 % 3]},
                 {"instance", kInstances[i / 4 % 2]},
                 {"severity", kSeverities[i % 4]}});
}

LabelSet StoryKey(int target) {
  const auto i = static_cast<size_t>(target);
  return Labels({{"alertname", kNames[i / 3]}, {"model", kModels[i % 3]}});
}

const std::vector<std::string>& StorySilences() {
  static const std::vector<std::string> kMatchers{"model=m", "alertname=A", "instance=\"1\"", "severity=P3",
                                                  "alertname=A,model=m,instance=\"2\""};
  return kMatchers;
}

const std::vector<std::string>& StoryReceivers() {
  static const std::vector<std::string> kReceivers{"board", "chat", "page", "l1", "l2", "last"};
  return kReceivers;
}

Story DrawStory(uint64_t seed, size_t steps, bool deaths) {
  Draw draw(seed);
  Story story;
  story.features = draw.Features();
  for (size_t i = 0; i < steps; ++i) {
    story.steps.push_back(draw.Step(deaths));
  }
  return story;
}

std::string Story::ToString() const {
  std::string out = features.ToYaml();
  Duration at{};
  for (const StoryStep& step : steps) {
    at += step.wait;
    out += fmt::format("+{} {}", FormatDuration(at), Describe(step));
    for (const StoryDeath& death : step.deaths) {
      out += fmt::format("; dies at write {}, is back after {}s", death.write, death.down);
    }
    out += '\n';
    if (step.kind == StoryStep::kFlicker) {
      at += std::chrono::minutes(2 * step.amount);
    } else if (step.kind == StoryStep::kRestart) {
      at += std::chrono::seconds(step.amount);
    }
  }
  return out;
}

Story Shrink(Story story, const std::function<bool(const Story&)>& fails, size_t tries) {
  auto accept = [&](const Story& shorter) {
    if (tries == 0) {
      return false;
    }
    --tries;
    if (!fails(shorter)) {
      return false;
    }
    story = shorter;
    return true;
  };
  for (bool better = true; better && tries > 0;) {
    better = false;
    for (size_t length = std::max<size_t>(story.steps.size() / 2, 1); length > 0; length /= 2) {
      for (size_t from = 0; from < story.steps.size();) {
        Story shorter = story;
        const auto begin = shorter.steps.begin() + static_cast<std::ptrdiff_t>(from);
        const auto end = begin + static_cast<std::ptrdiff_t>(std::min(length, story.steps.size() - from));
        // What is left out takes no time, or all of the time.
        Duration wait{};
        std::for_each(begin, end, [&](const StoryStep& step) { wait += step.wait; });
        shorter.steps.erase(begin, end);
        Story as_late = shorter;
        if (from < as_late.steps.size()) {
          as_late.steps[from].wait += wait;
        }
        if (accept(shorter) || accept(as_late)) {
          better = true;
        } else {
          from += length;
        }
      }
    }
    for (size_t i = 0; i < story.steps.size(); ++i) {
      for (size_t death = story.steps[i].deaths.size(); death > 0; --death) {
        Story shorter = story;
        shorter.steps[i].deaths.erase(shorter.steps[i].deaths.begin() +
                                      static_cast<std::ptrdiff_t>(death - 1));
        better = accept(shorter) || better;
      }
    }
    for (const auto& [feature, off] : StoryFeatures::All()) {
      Story shorter = story;
      if (shorter.features.*feature != off) {
        shorter.features.*feature = off;
        better = accept(shorter) || better;
      }
    }
  }
  // Rounder times.
  for (size_t i = 0; i < story.steps.size(); ++i) {
    for (const Duration unit : {Duration(std::chrono::hours(1)), Duration(std::chrono::minutes(10)),
                                Duration(std::chrono::minutes(1))}) {
      Story rounder = story;
      rounder.steps[i].wait -= rounder.steps[i].wait % unit;
      if (rounder.steps[i].wait == story.steps[i].wait || accept(rounder)) {
        break;
      }
    }
  }
  return story;
}

}  // namespace mlalert::testing
