// Random stories about incidents: sources that fire, clear, flicker and get worse, by the dozen too; people
// who act; silences, business hours, inhibition, limits; receivers that refuse; a process that dies between
// any two writes. What must always hold is said and checked in support/story_witness. A story that fails is
// made as short as it can be and printed with its config and exact times, and with all that happened.
//
// MLALERT_PROPERTY_RUNS: so many stories of each kind. MLALERT_PROPERTY_SEED: that one alone.
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <fmt/format.h>
#include <map>
#include <string>

#include "incidents/ladder.h"
#include "support/story_player.h"

namespace mlalert::testing {
namespace {

uint64_t Number(const char* variable, uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text != nullptr ? std::stoull(text) : otherwise;
}

template <class F>
void ForSeeds(uint64_t first, uint64_t runs, F&& f) {
  const uint64_t only = Number("MLALERT_PROPERTY_SEED", 0);
  const uint64_t count = Number("MLALERT_PROPERTY_RUNS", runs);
  for (uint64_t seed = only != 0 ? only : first; seed < (only != 0 ? only + 1 : first + count); ++seed) {
    f(seed);
  }
}

using Trial = std::function<std::string(const Story&)>;

// Plays it; when something is wrong, says what in the shortest story that is wrong as well.
void Expect(uint64_t seed, const Story& story, const Trial& trial) {
  if (trial(story).empty()) {
    return;
  }
  const Story shortest = Shrink(story, [&](const Story& shorter) { return !trial(shorter).empty(); });
  StoryPlayer player(shortest);
  (void)player.Play();
  BOOST_ERROR(fmt::format("seed {}: {}\n{}\n{}", seed, trial(shortest), shortest.ToString(), player.Trace()));
}

std::string Play(const Story& story) {
  return StoryPlayer(story).Play();
}

// --- what a death must not change ---

std::string Minute(Timestamp t) {
  // What waits for a storm or an inhibition looks every minute, from the start on.
  return IsSet(t) && t != kNever ? "set" : "-";
}

struct Picture {
  std::string what;              // must be equal
  std::vector<Timestamp> times;  // may differ by two minutes
};

std::map<std::string, Picture> PictureOf(Sim& sim) {
  std::map<std::string, Picture> out;
  for (const Incident& i : sim.engine().ListIncidents()) {
    const IncidentCare& care = *i.care;
    Picture picture;
    picture.what = fmt::format(
        "{} {} base {} ladder {}/{} raised {} overruled {} chain {}/{} next {} rung {} episodes {} reopened "
        "{} "
        "ack {} snoozed {} muted {} flaps {}",
        ToString(i.state), ToString(i.severity), ToString(i.base), i.ladder_step, ToString(i.ladder),
        ToString(i.raised), ToString(i.overruled), i.chain_step, i.chain_round, Minute(i.chain_next_at),
        Minute(i.next_severity_at), i.episode_count, i.reopen_count, care.ack != nullptr ? care.ack->by : "-",
        Minute(care.snoozed_until), Minute(care.muted_since), Minute(care.flapping_since));
    picture.times = {
        i.chain_next_at,
        i.next_severity_at,
        care.snoozed_until,
        care.muted_since,
        care.ack != nullptr ? care.ack->expires_at : kUnset,
        i.opened_at,
        i.last_fired_at,
        i.resolved_at,
        Timestamp{} + LadderClock(i, sim.now(), LadderHoursOf(i, sim.engine().config().calendars.get()))};
    out[i.key.ToString()] = std::move(picture);  // the newest of its key
  }
  return out;
}

std::string Differs(Sim& whole, Sim& died) {
  const auto a = PictureOf(whole);
  const auto b = PictureOf(died);
  for (const auto& [key, picture] : a) {
    auto other = b.find(key);
    if (other == b.end()) {
      // Which of those that are over are forgotten already depends on when it was last looked.
      if (picture.what.starts_with("resolved")) {
        continue;
      }
      return key + " is lost";
    }
    if (picture.what != other->second.what) {
      return fmt::format("{}\n  without a death: {}\n  with: {}", key, picture.what, other->second.what);
    }
    for (size_t i = 0; i < picture.times.size(); ++i) {
      const Timestamp t = picture.times[i], u = other->second.times[i];
      if (std::max(t, u) - std::min(t, u) > minutes(2)) {
        return fmt::format("{}: time {} is {} and with a death {}", key, i, FormatRfc3339Millis(t),
                           FormatRfc3339Millis(u));
      }
    }
  }
  return "";
}

Story WithoutDeaths(Story story) {
  for (StoryStep& step : story.steps) {
    step.deaths.clear();
  }
  return story;
}

BOOST_AUTO_TEST_SUITE(incident_property)

BOOST_AUTO_TEST_CASE(random_stories_keep_the_invariants) {
  ForSeeds(1, 24, [](uint64_t seed) { Expect(seed, DrawStory(seed, 20 + seed % 40, false), Play); });
}

BOOST_AUTO_TEST_CASE(nothing_is_lost_when_the_process_dies_between_any_two_writes) {
  size_t died = 0;
  ForSeeds(100'001, 20, [&](uint64_t seed) {
    Expect(seed, DrawStory(seed, 15 + seed % 30, true), [&](const Story& story) {
      StoryPlayer player(story);
      std::string wrong = player.Play();
      died += player.died();
      return wrong;
    });
  });
  BOOST_TEST(died > 0U);
}

// What the database says after a death and a start is what it says without, when the start comes at once.
// Storms and limits are not: their windows are forgotten.
BOOST_AUTO_TEST_CASE(a_death_changes_nothing_but_what_is_said_twice) {
  ForSeeds(200'001, 14, [](uint64_t seed) {
    Story story = DrawStory(seed, 10 + seed % 20, true);
    story.features.storm = 0;
    story.features.limit = 0;
    for (StoryStep& step : story.steps) {
      if (step.kind == StoryStep::kRefuse || step.kind == StoryStep::kRestart) {
        step.kind = StoryStep::kNothing;
      }
      for (StoryDeath& death : step.deaths) {
        death.down = 0;
      }
    }
    Expect(seed, story, [](const Story& one) {
      StoryPlayer whole(WithoutDeaths(one));
      StoryPlayer died(one);
      const std::string wrong = whole.Play(false) + died.Play(false);
      return !wrong.empty() ? wrong : Differs(whole.sim(), died.sim());
    });
  });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mlalert::testing
