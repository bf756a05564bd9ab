// A story on simulated time: the real engine, the real journal records, a scripted outside world. Nothing
// sleeps. Every step happens at an exact instant; between two instants the engine runs all its timers in
// order.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "support/builders.h"

namespace mlalert::testing {

// What a receiver heard, in order.
struct Heard {
  Timestamp at;
  std::string receiver;  // "team-slack/slack[0]"
  NotifyReason reason = NotifyReason::kNone;
  std::vector<std::string> firing;    // alert names with effective severity: "Drift:P2"
  std::vector<std::string> resolved;  // alert names
  std::string group_key;
  std::string acknowledged_by;
  NotificationPtr notification;
  bool logged = false;     // false: the process died before it could remember that it had said so
  bool all_taken = false;  // it fires, and every firing alert in it belongs to an acknowledged incident

  std::string ToString() const;
};

// The process dies here: thrown out of whatever the story was doing. Restart() is the only thing to do then.
struct Crash {};

// Where rows go besides the memory of the simulation, and where a restart finds them.
class SimStore {
 public:
  virtual ~SimStore() = default;
  // One step: all of it or, when it throws Crash, nothing.
  virtual void Commit(const std::vector<Record>& records) = 0;
  virtual RestoredState Load() = 0;
};

class Sim {
 public:
  explicit Sim(const std::string& config_yaml,
               Timestamp start = FromUnixMillis(1767225600000),  // 2026-01-01
               const EngineOptions& options = {}, RestoredState state = {});

  // Moves to start + offset, running every timer on the way. Offsets never fall.
  Sim& At(Duration offset);
  Timestamp now() const { return now_; }

  // Firing until told otherwise: kept alive by the simulation as Prometheus would (no timeout) unless
  // `for_time`.
  Sim& Fire(const LabelSet& labels, std::optional<Duration> ends_in = std::nullopt);
  Sim& Resolve(const LabelSet& labels);
  // One post exactly as given.
  Sim& Post(const LabelSet& labels, Timestamp starts_at, Timestamp ends_at, bool timeout = false,
            const LabelSet& annotations = {});
  Sim& Ack(IncidentId id, const std::string& actor = "alice",
           std::optional<Duration> expires_in = std::nullopt);
  Sim& Unack(IncidentId id, const std::string& actor = "alice");
  // Anything else people do; throws when it is refused. `changed` of the last action: did it change anything?
  Sim& Act(ActionKind kind, IncidentId id, const std::function<void(IncidentAction&)>& edit = {});
  Sim& Snooze(IncidentId id, Duration length);
  Sim& Raise(IncidentId id, Severity severity);
  Sim& Lower(IncidentId id, Severity severity);
  Sim& ResolveByHand(IncidentId id, std::optional<Duration> hold = std::nullopt);
  bool changed() const { return changed_; }
  // Any other input of the engine, now.
  Sim& Step(const std::function<void(Engine&, Timestamp, Effects&)>& input);
  // A silence from now on, or changes the one with `id`; its id. `matchers` as in a config:
  // "alertname=Drift".
  std::string Silence(const std::string& matchers, Duration length, const std::string& id = "");
  Sim& Unsilence(const std::string& id);
  Sim& Reload(const std::string& config_yaml);
  // kill -9 and start again `down` later: only what was journalled survives. Attempts in flight are lost.
  Sim& Restart(Duration down = Duration::zero());

  Sim& SetStore(SimStore* store);
  // Asked before each step is committed, after it, and after each message has left: true throws Crash.
  Sim& CrashWhen(std::function<bool()> dies);

  // Called after each step that wrote something, once it is committed, and after each message that was heard.
  Sim& Watch(std::function<void()> look);

  // Scripts the answers of a receiver ("web/webhook[0]"): taken one per attempt, then always kSent. A hung
  // receiver never answers.
  Sim& Answer(const std::string& receiver, std::vector<DeliveryVerdict> verdicts);
  Sim& Hang(const std::string& receiver, bool hung = true);
  // Attempts of a hung receiver are answered now with this verdict.
  Sim& ReleaseHung(const std::string& receiver, DeliveryVerdict verdict);

  // What the wall clock says next; may lie in the past (somebody set it back).
  Sim& SetClock(Timestamp now);

  // Everything heard since the last call, one per line: "+15m web/webhook[0] first notification
  // firing=Drift:P3".
  std::vector<std::string> TakeHeard();
  const std::vector<Heard>& heard() const { return heard_; }
  size_t attempts() const { return attempts_; }
  // When each integration was asked, successful or not: "+500ms web/webhook[0]".
  const std::vector<std::string>& attempt_log() const { return attempt_log_; }

  Engine& engine() { return *engine_; }
  Incident IncidentOf(const LabelSet& labels);
  // Journalled events of an incident, as "type from->to reason".
  std::vector<std::string> Events(IncidentId id) const;
  size_t records_written() const { return records_; }
  // Rows as a database would hold them now.
  const std::vector<Record>& journal() const { return journal_; }
  Timestamp start() const { return start_; }

 private:
  void MayCrash() const;
  void Drain(Effects fx);
  void Deliver(const NotificationAttempt& attempt);
  void RunUntil(Timestamp t);
  RestoredState StateFromJournal() const;

  ConfigPtr config_;
  EngineOptions options_;
  Timestamp start_;
  Timestamp now_;
  std::unique_ptr<Engine> engine_;
  std::vector<Record> journal_;
  SimStore* store_ = nullptr;
  std::function<bool()> dies_;
  std::function<void()> look_;
  size_t records_ = 0;
  size_t attempts_ = 0;
  std::vector<std::string> attempt_log_;
  std::map<std::string, std::deque<DeliveryVerdict>> answers_;
  std::map<std::string, bool> hung_;
  std::vector<NotificationAttempt> hanging_;
  std::vector<Heard> heard_;
  size_t taken_ = 0;
  bool delivering_ = false;
  bool changed_ = false;
};

}  // namespace mlalert::testing
