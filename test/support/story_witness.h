// Watches a story and knows what must always hold, in terms of what people see: what receivers heard, what
// the journal says. It judges by rules of its own (its own calendar, its own matching of silences and
// inhibitions), not by asking the engine whether the engine is right. The first thing that is wrong is kept,
// with its time.
#pragma once

#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "support/sim.h"
#include "support/story.h"

namespace mlalert::testing {

class Witness {
 public:
  Witness(Sim& sim, const StoryFeatures& features) : sim_(sim), features_(features) {}

  // After each step of the engine that wrote something, and after each message.
  void Look();
  // Everything that is due has been done.
  void AfterStep();
  // The process dies, or is started again.
  void Disturb(Timestamp until);
  // Nothing fires any more, and there was time to say so.
  void OnEnd();

  const std::string& wrong() const { return wrong_; }

 private:
  // What a receiver of a group knows of an alert. `uncertain`: the process died before it could remember what
  // it had said last, so it may say it again, or may owe nothing.
  struct Knowledge {
    bool firing = false;
    bool uncertain = false;
  };
  struct Told {
    Severity severity = Severity::kNone;
    Timestamp at = kUnset;
  };
  struct StepTaken {
    Timestamp at = kUnset;
    std::string what;
  };
  struct Page {
    size_t event = 0;  // in the journal
    std::vector<std::string> receivers;
  };

  void Fail(std::string what);
  void ReadRecords();
  void ReadHeard();
  void OnIncident(const Incident& incident);
  void OnEvent(const EventRecord& event, size_t index);
  void OnChainStep(const EventRecord& event, size_t index);
  void OnMessage(const Heard& heard);
  void CheckCooldown(const Heard& heard, const NotifiedAlert& alert, const Incident& incident);
  void CheckLimit(const Heard& heard);
  void CheckEnds();
  void CheckIncident(const Incident& incident);
  void CheckPages();
  void Sample();
  void CheckKnown(const AlertView& view, const Incident& incident, Timestamp since);

  // Why nobody may be told of it now; empty: somebody may.
  std::string WhyQuiet(const Incident& incident);
  // Why this alert may not speak, whatever its incident.
  std::string WhyMuted(const LabelSet& effective);
  bool InStorm(const Incident& incident);
  bool ByHours(const Incident& incident) const;
  bool AllMuted(const Incident& incident);
  Timestamp RungOf(const Incident& incident) const;
  const std::vector<AlertView>& Firing();
  const Incident* Find(IncidentId id) { return sim_.engine().FindIncident(id); }
  Duration Patience() const;

  Sim& sim_;
  StoryFeatures features_;
  std::string wrong_;
  size_t records_ = 0, heard_ = 0, ended_ = 0, paged_ = 0;
  Timestamp disturbed_ = kUnset;

  std::vector<AlertView> firing_;
  size_t firing_as_of_ = static_cast<size_t>(-1);  // records
  Timestamp firing_at_ = kUnset;

  std::map<IncidentId, std::pair<int64_t, Severity>> severities_;  // opening, and how severe it is
  std::map<IncidentId, std::string> fell_;                         // and nobody has said so yet
  std::map<IncidentId, StepTaken> steps_;
  std::map<IncidentId, Timestamp> digests_;  // cleared outside hours, untold: since then
  std::map<IncidentId, Timestamp> quiet_;    // when it was last seen that somebody may not be told of it
  std::map<IncidentId, std::vector<Told>> told_;
  std::map<std::string, std::map<uint64_t, Knowledge>> knows_;    // by integration and group
  std::map<std::string, std::map<uint64_t, Severity>> heard_of_;  // by receiver
  std::map<uint64_t, Timestamp> free_since_;                      // alerts that somebody may be told of
  std::map<uint64_t, Severity> free_as_;
  std::vector<Page> pages_;
  std::vector<Timestamp> limited_;  // messages to the limited receiver
};

}  // namespace mlalert::testing
