// Plays a story: the alerts that fire and clear, the people who act, the process that dies. What its senders
// do not know to have arrived they send again.
#pragma once

#include <memory>
#include <set>
#include <string>

#include "support/sim.h"
#include "support/story.h"
#include "support/story_witness.h"

namespace mlalert::testing {

class StoryPlayer {
 public:
  explicit StoryPlayer(Story story);
  ~StoryPlayer();

  // What is wrong first; empty: nothing. `to_the_end`: then everything clears, and is told.
  std::string Play(bool to_the_end = true);

  size_t died() const { return died_; }
  Sim& sim() { return *sim_; }
  // Everything that happened, for whoever looks for the reason.
  std::string Trace() const;

 private:
  bool Dies();
  void Advance(Duration wait);
  void Act(const StoryStep& step);
  void Survive(const std::function<void()>& f, bool again);
  void Fire(int alert);
  void Resolve(int alert);
  void Silence(const StoryStep& step);
  void Unsilence();
  IncidentId IncidentOf(int target);
  void RunOut();

  Story story_;
  std::unique_ptr<SimStore> store_;  // only where it dies
  std::unique_ptr<Sim> sim_;
  std::unique_ptr<Witness> witness_;
  std::vector<StoryDeath> deaths_;  // of the step under way
  int writes_ = 0;
  size_t died_ = 0;
  Timestamp at_ = kUnset;
  std::set<int> fire_, known_;
};

}  // namespace mlalert::testing
