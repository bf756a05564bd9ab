// A random story about incidents as plain data: the features of its configuration and what happens, step by
// step. It is drawn from a seed, can be printed with exact times, and can be made shorter while it still
// fails.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/time.h"
#include "model/label_set.h"
#include "support/builders.h"

namespace mlalert::testing {

// What the config of a story has; 0 is always the plainest.
struct StoryFeatures {
  enum Ladder { kNoLadder, kWall, kQuiet, kBusiness, kGuarded, kLadders };
  enum Chain { kNoChain, kSteps, kRota, kChains };
  enum Hours { kAllHours, kDefer, kDigest, kDrop, kHourses };
  enum Grouping { kByModel, kByName, kBySeverity, kEach, kGroupings };

  int ladder = kNoLadder;
  int chain = kNoChain;
  int hours = kAllHours;
  int grouping = kByModel;
  int cooldown = 0;        // minutes
  int ack_expires = 0;     // minutes
  int repeat = 24 * 60;    // minutes
  int group_wait = 0;      // seconds
  int group_interval = 1;  // minutes
  int flapping = 0;
  int storm = 0;
  int inhibition = 0;
  int naps = 0;     // recurring silences
  int limit = 0;    // messages to one receiver in 20 minutes
  int on_call = 0;  // P0 and P1 are routed to a schedule

  // Each with the value that switches it off.
  static const std::vector<std::pair<int StoryFeatures::*, int>>& All();
  std::string ToYaml() const;
};

// Within a day, every day, in UTC: [from, to) in minutes.
struct DayHours {
  int from = 0;
  int to = 0;
};
inline const std::vector<DayHours> kOfficeHours{{60, 180}, {300, 480}, {720, 900}, {1200, 1380}};
inline const std::vector<DayHours> kNapHours{{150, 190}, {360, 420}, {780, 810}};
inline constexpr Duration kLimitWindow = std::chrono::minutes(20);
inline constexpr std::string_view kLimitedReceiver = "chat";

bool IsWithin(const std::vector<DayHours>& spans, Timestamp t);
// When that was last otherwise than it is at `t`, or changed to what it is: not after `t`.
Timestamp LastEdge(const std::vector<DayHours>& spans, Timestamp t);
// First instant at or after `t` within them.
Timestamp NextWithin(const std::vector<DayHours>& spans, Timestamp t);

// The process dies at the n-th of its writes, and is started again so much later.
struct StoryDeath {
  int write = 0;
  int down = 0;  // seconds
};

struct StoryStep {
  enum Kind {
    kFire,
    kResolve,
    kFlicker,  // fires and resolves, a minute each, `amount` times
    kBurst,    // `amount` identities fire at once
    kAck,
    kUnack,
    kSnooze,  // `amount` minutes
    kRaise,   // to P`amount`
    kLower,
    kResolveByHand,
    kSilence,     // `amount` minutes; `target` says what
    kSilenceEnd,  // until it resolves
    kUnsilence,
    kRefuse,   // receiver `target` fails `amount` times
    kRestart,  // `amount` seconds
    kNothing,
    kKinds
  };
  Kind kind = kNothing;
  Duration wait{};  // before it
  int target = 0;
  int amount = 0;
  std::vector<StoryDeath>
      deaths;  // in order; writes are counted from the beginning of the step, or the death
};

// The alerts that may fire: names A to C, models m to o, instances 1 and 2, severities; and `Up` of a model,
// which inhibits A and B.
constexpr int kStoryAlerts = 3 * 3 * 2 * 4 + 3;
LabelSet StoryAlert(int index);
// The identity that a step of somebody is about, as labels.
LabelSet StoryKey(int target);
constexpr int kStoryKeys = 9;
const std::vector<std::string>& StorySilences();  // matchers
const std::vector<std::string>& StoryReceivers();

struct Story {
  StoryFeatures features;
  std::vector<StoryStep> steps;
  // With the exact time of each step, if nobody dies before it.
  std::string ToString() const;
};

// `deaths`: whether the process dies in it.
Story DrawStory(uint64_t seed, size_t steps, bool deaths);

// The shortest story that `fails` as well, of those that come from leaving out; `tries` at most.
Story Shrink(Story story, const std::function<bool(const Story&)>& fails, size_t tries = 600);

}  // namespace mlalert::testing
