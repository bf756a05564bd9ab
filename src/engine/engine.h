// The machine: (state, input, now) -> (state, effects). Alerts in, records and notification attempts out.
// It owns no thread, clock, socket or file: production drives it through the Gate, tests and simulations call
// it directly with a clock of their own. Reads as the pipeline: store -> incidents -> mute -> dispatch ->
// notify. Owns: alert store, incidents, groups, notification log, attempts in flight. Thread: one caller at a
// time.
#pragma once

#include <algorithm>
#include <array>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "alerts/alert_store.h"
#include "base/timer_queue.h"
#include "config/config.h"
#include "dispatch/dispatcher.h"
#include "engine/effects.h"
#include "engine/engine_options.h"
#include "engine/engine_stats.h"
#include "engine/inbound.h"
#include "engine/inbound_memory.h"
#include "engine/plan.h"
#include "engine/why.h"
#include "incidents/incident_machine.h"
#include "intake/decoded_alert.h"
#include "intake/pagerduty_event.h"
#include "mute/mute_log.h"
#include "mute/muter.h"
#include "net/retry.h"
#include "notify/notification.h"
#include "storage/restored_state.h"

namespace mlalert {

struct DedupInput;  // notify/dedup.h

struct IngestResult {
  uint32_t firing = 0;  // received, before any merge
  uint32_t resolved = 0;
  uint32_t refreshed = 0;   // nothing but times changed
  uint32_t collisions = 0;  // refused: fingerprint taken by other labels
  uint32_t limited = 0;     // refused: its alertname has as many alerts as it may
};

// What the alert listing shows.
struct AlertView {
  Alert alert;
  LabelSet effective;
  std::vector<std::string> receivers;  // routing order, duplicates kept
  IncidentId incident_id = 0;
  bool acknowledged = false;
  // Why it may not speak, at the time of the listing. Empty in listings without a time.
  std::vector<std::string> silenced_by;  // ids
  std::optional<uint64_t> inhibited_by;  // fingerprint
};

// What the group listing shows.
struct GroupView {
  uint32_t id = 0;
  LabelSet labels;
  std::string receiver;
  std::map<std::string, std::string> route_labels;
  std::vector<std::string> muted_by;  // time intervals, as of the last flush
  std::vector<AlertView> alerts;      // firing ones, in notification order; receivers are left empty
};

class Engine {
 public:
  // `random` gives [0, 1): retry jitter.
  Engine(const ConfigPtr& config, std::function<double()> random, EngineOptions options = {});

  // Once, before anything else. Firing alerts are held until their senders have had time to speak again.
  void Restore(RestoredState state, Timestamp now, Effects& fx);
  void SetConfig(ConfigPtr config, Timestamp now, Effects& fx);

  IngestResult Ingest(std::span<const DecodedAlert> batch, Timestamp now, Effects& fx);
  // What people do, through whatever door. Errors as of IncidentMachine::Act. What is queued about the
  // incident and not wanted any more is stopped in the same step, and so in the same transaction.
  Result<ActionResult> Act(const IncidentAction& action, Timestamp now, Effects& fx);
  // A call to `receiver` about it was not heard (a voice mail, no key pressed, not made): the next step of
  // the chain is due at once. Nothing happens when somebody has it in hand. kNotFound: no such incident in
  // memory.
  Status NotHeard(IncidentId id, const std::string& receiver, const std::string& why, Timestamp now,
                  Effects& fx);
  // The journal cannot write, or it can again: an alert of its own.
  void ReportStorage(bool degraded, const std::string& why, Timestamp now, Effects& fx);
  // Rule groups that are evaluated more than three intervals late: for the self-audit, which takes the worst
  // of what it was told since the one before.
  void ReportLateRules(uint64_t groups) { rules_late_ = std::max(rules_late_, groups); }
  // A comment on an incident that the engine has forgotten; the caller knows from history that it was there.
  void CommentOnPast(const IncidentAction& action, Timestamp now, Effects& fx);
  // Alertmanager's rules; the id of the silence that holds now. Errors as of Silences::Set.
  Result<std::string> SetSilence(const SilenceRequest& request, Timestamp now, Effects& fx);
  // kNotFound: no such id.
  Status ExpireSilence(std::string_view id, Timestamp now, Effects& fx);
  void OnOutcome(const NotificationOutcome& outcome, Timestamp now, Effects& fx);
  // What somebody says about an incident, and from which address; the caller has made sure that there is one
  // of that id.
  void RecordFeedback(FeedbackRecord feedback, const std::string& address, Timestamp now, Effects& fx);
  // The change with its number.
  ChangeRecord RecordChange(ChangeRecord change, Timestamp now, Effects& fx);

  // What other systems say. `webhook_id`: of the delivery, the same when it is repeated; may be empty.
  PagerdutyReply OnPagerduty(const PagerdutyEvent& event, const std::string& webhook_id,
                             bool trust_remote_resolve, Timestamp now, Effects& fx);
  // Dedup keys under which PagerDuty was told that something fires and not yet that it is over, at most
  // `limit`, from `after` on: where the last call stopped; empty is the beginning, and again when all were
  // given.
  std::vector<std::string> PagerdutyKeys(size_t limit, std::string& after) const;
  // False: `key` of `source` was seen within `life` before. From now on it was.
  bool FirstSight(const std::string& source, const std::string& key, Duration life, Timestamp now,
                  Effects& fx);
  // What `key` of `source` is remembered by, if anything; and to be remembered from now on.
  std::optional<std::string> Remembered(const std::string& source, const std::string& key,
                                        Timestamp now) const;
  void Remember(const std::string& source, const std::string& key, std::string value, Duration life,
                Timestamp now, Effects& fx);
  // Nothing: never asked for, or forgotten.
  std::optional<PhoneCall> FindCall(int64_t id, Timestamp now) const;
  // A key was pressed (`heard`), or the call is over without. False: that is known already.
  bool EndCall(int64_t id, bool heard, const std::string& why, Timestamp now, Effects& fx);

  // Runs everything that is due, at most `limit` timers, so that a caller can let others in between. False
  // when more is due now.
  bool RunDue(Timestamp now, Effects& fx, size_t limit = 1000);
  // kNever when nothing is ahead.
  Timestamp NextDue() const;

  // The whole durable state as records: what a journal needs that has lost some.
  std::vector<Record> Snapshot();

  // Listings in slices: each call looks at `limit` alerts (or incidents) at most and gives the `from` of the
  // next one, 0 when that was all (base/slot_list.h). Whoever lists everything lets others in between, so
  // that 100,000 alerts hold nobody up.
  //
  // Alerts that fire, with what mutes each now. Receivers are left empty: routing needs no gate. The same
  // alert may come twice; SortByFingerprint drops the repeat.
  size_t ListAlertSlice(size_t from, size_t limit, Timestamp now, std::vector<AlertView>& out);
  size_t CountAlertSlice(size_t from, size_t limit, Timestamp now, AlertCounts& out);
  template <class F>
  size_t VisitIncidentSlice(size_t from, size_t limit, F&& f) const {
    return incidents_.table().VisitSlice(from, limit, [&](const IncidentEntry& entry) { f(entry.incident); });
  }
  struct GroupCursor {
    GroupId group = 0;  // where to go on; one group may take several slices
    size_t left = SlotList<AlertEntry>::kEnd;
    bool done = false;
  };
  // Groups by id, with at least one alert that fires; SortGroupAlerts puts the alerts of each in order.
  void ListGroupSlice(GroupCursor& cursor, size_t limit, Timestamp now, std::vector<GroupView>& out);

  // All known alerts that fire, unsorted.
  std::vector<AlertView> ListAlerts() const;
  // The same, with what mutes each of them now.
  std::vector<AlertView> ListAlerts(Timestamp now);
  // Groups that hold an alert that fires, unsorted.
  std::vector<GroupView> ListGroups(Timestamp now);
  std::vector<Incident> ListIncidents();
  const Incident* FindIncident(IncidentId id);
  // What is decided for it now; `receiver` empty: for all. Nothing when it is not in memory.
  std::vector<WhyStep> Why(IncidentId id, const std::string& receiver, Timestamp now);
  // What is ahead of it (engine/plan.h).
  std::vector<PlanStep> Plan(const Incident& incident, Timestamp now);
  const Muter& muter() const { return muter_; }
  EngineStats Stats() const;
  const Config& config() const { return *config_; }
  ConfigPtr shared_config() const { return config_; }

 private:
  enum class TimerKind : uint8_t {
    kAlertExpiry,
    kRetry,
    kPatience,
    kAbandon,
    kMaintenance,
    kAlertGc,
    kSilenceEdge,
    kGroupLook,
    kAudit,
    kCall,
    kWalk,
    kEndSilences,
    kRecurringEdge,
    kHandOver
  };
  struct TimerKey {
    TimerKind kind;
    uint64_t id;
  };
  struct InFlight {
    NotificationPtr notification;
    RetrySchedule schedule;
    Timestamp attempted_at = kUnset;  // when the current attempt left
    uint32_t attempt = 1;
    bool waiting = false;  // for its retry timer
    // The last failure, when no further attempt fits before the deadline: the flush ends at the deadline.
    std::optional<NotificationOutcome> last_word;
    std::unordered_set<GroupId> waiters;  // groups that want to speak to the same integration
    bool others_asked = false;            // not answered in time: the chain went on, the attempts go on too
  };

  void Fire(AlertEntry& alert, Timestamp now, Effects& fx);
  void Resolve(AlertEntry& alert, ResolveReason reason, Timestamp now, Effects& fx);
  // False: nothing has changed.
  bool Apply(IncidentMachine::Change change, Timestamp now, Effects& fx);
  void Overlay(AlertEntry& alert, const IncidentEntry& incident);
  void ArmExpiry(AlertEntry& alert);
  void ArmIncident(IncidentEntry& incident);
  // Its newest episode, which says what must be known of the alert.
  void JournalAlert(const AlertEntry& entry, std::vector<Record>& records) const;

  void Flush(Group& group, Timestamp now, Effects& fx);
  void PrefetchMembers(std::span<const GroupMember> members) const;
  std::vector<GroupMember> NotMuted(Group& group, Timestamp now, Effects& fx);
  std::vector<MuteLog::Cause> CausesOfQuiet(const AlertEntry& alert, const RouteMute* route,
                                            const std::string& receiver, Timestamp now);
  Timestamp EndOfQuiet(const MuteRecord& interval, Timestamp now);
  void ObserveQuiet(const AlertEntry& alert, const RouteMute& route, const std::string& receiver,
                    Timestamp now, Effects& fx);
  void SettleQuiet(Timestamp now, Effects& fx);
  // `former`: of a schedule whose shift is over; owed news, no more.
  struct Addressee {
    const Receiver* receiver = nullptr;
    bool former = false;
  };
  std::vector<Addressee> AddresseesOf(const Group& group, Timestamp now) const;
  bool NobodyOnCall(const Group& group, const std::vector<GroupMember>& members,
                    const std::vector<Addressee>& addressees, Timestamp now, Effects& fx);
  void ReportNobodyOnCall(const std::string& schedule, Timestamp now, Effects& fx);
  bool FlushIntegration(Group& group, const std::vector<GroupMember>& members, const Addressee& addressee,
                        IntegrationRef integration, Timestamp now, Effects& fx);
  void RetryOrGiveUp(InFlight& flight, Timestamp now, Effects& fx);
  void Abandon(InFlight& flight, std::string why, Timestamp now, Effects& fx);
  void AbandonAttempts(Timestamp now, Effects& fx);
  void Conclude(InFlight& flight, const NotificationOutcome& outcome, Timestamp now, Effects& fx);
  void FinishIfDone(Group& group, Timestamp now, Effects& fx);
  void NoteAsked(Group& group, const std::vector<GroupMember>& members);
  std::vector<IncidentId> UnreachedByPage(const Group* group, const Notification& n);
  Timestamp KnownAsOf(const Notification& n, Timestamp now);
  void WriteLog(const Notification& notification, const std::optional<std::string>& data,
                Timestamp known_as_of, Timestamp now, Effects& fx);
  NotificationRecord AttemptRecord(const Notification& notification, const NotificationOutcome& outcome,
                                   std::string_view result, Timestamp now);
  bool KnowsWhoAcknowledged(const std::vector<GroupMember>& members, const DedupInput& input,
                            const Notification& n);
  static bool WaitsForSomebody(const IncidentEntry& entry);
  bool StillWanted(const Notification& notification);
  void StopQueued(IncidentEntry& entry, Timestamp now, Effects& fx);

  bool KeepsUntold(const Group& group, const GroupMember& member, bool muted, Timestamp now);
  Timestamp DigestDueAt(const Incident& incident) const;
  bool OwesDigest(const AlertEntry& alert) const;
  bool IsToldHere(const Group& group, uint64_t fingerprint) const;
  void LookWhenOpen(Group& group, const IncidentEntry* entry, Timestamp now);
  void LookAgain(Group& group, Timestamp at);
  bool IsRateLimited(Group& group, const Receiver& receiver, NotifyReason reason, Timestamp now, Effects& fx);

  // why.cc
  void ExplainGroup(Group& group, uint32_t member, const std::string& receiver, Timestamp now,
                    std::vector<WhyStep>& out);
  bool NoteDecision(const Incident& incident, const std::string& receiver, const HeldBack& verdict,
                    Timestamp now, Effects& fx);
  void NoteWhereItGoes(const Incident& incident, const AlertEntry& alert, EventRecord& opening) const;
  std::string PlaceOf(int line) const;

  // storm.cc
  struct Storm {
    std::deque<std::pair<Timestamp, IncidentId>> openings;  // within the window
    std::vector<IncidentId> waiting;                        // to be put under it
    std::unordered_set<std::string> models;                 // whose first P0 was told
    LabelSet labels;                                        // of its own alert
    Timestamp until = kUnset;
    size_t count = 0;
    LabelSet annotations;   // of its own alert: how many, and of what
    size_t told_count = 0;  // that they speak of
  };
  void DescribeStorm(Storm& storm) const;
  void IngestOwn(const LabelSet& labels, const LabelSet& annotations, Timestamp ends_at, Timestamp now,
                 Effects& fx);
  void NoteOpened(IncidentEntry& entry, Timestamp now);
  void RaiseStorms(Timestamp now, Effects& fx);
  void JoinStorm(IncidentId id, IncidentId parent, Storm& storm, Timestamp now, Effects& fx);
  bool IsInStorm(const Incident& incident) const;

  // audit.cc
  static constexpr Duration kFirstAudit = std::chrono::seconds(15);  // after a start or a step of the clock
  bool IsAudible(const AlertEntry& alert, Timestamp now);
  uint64_t CountLate(Timestamp now);
  void WatchTwins(const IncidentEntry& entry);
  uint64_t CountTwins();
  uint64_t CountOwed();
  static bool IsUnheard(const IncidentEntry& entry);
  void Watch(const IncidentEntry& entry, Timestamp now);
  uint64_t CountUnheard(Timestamp now);
  void Audit(Timestamp now, Effects& fx);

  // held_chain.cc
  struct ChainHold {
    std::string why;  // empty: nothing holds it
    Timestamp until = kUnset;
    bool known = false;  // that it ends then; else it is looked at again
  };
  ChainHold HoldOf(const IncidentEntry& entry, Timestamp now) const;
  void HoldChain(IncidentEntry& entry, Timestamp now, Effects& fx);

  // plan_holds.cc
  Pause PauseOfMutes(const IncidentEntry& entry, Timestamp now);
  PlanLook NextTelling(const IncidentEntry& entry, Timestamp from, bool at_tick, Timestamp now) const;

  // escalation.cc
  Group* RoutedGroup(const AlertEntry& alert, const std::string& receiver, Timestamp now,
                     GroupMember** member);
  bool HeardSince(const GroupRecord& chain) const;
  Timestamp LastTold(const Group& group, const std::string& receiver) const;
  bool PageByRoutes(const IncidentEntry& entry, const std::string& receiver, Timestamp now);
  std::vector<std::string> Page(IncidentEntry& entry, const std::vector<std::string>& names, Timestamp now,
                                Effects& fx);
  void Escalate(IncidentEntry& entry, const std::vector<size_t>& steps, bool exhausted, Timestamp now,
                Effects& fx);
  void ResumePages(IncidentEntry& entry, Timestamp now);

  // hand_over.cc
  void ArmHandOver(Timestamp now);
  bool IsToldAlready(const IncidentEntry& entry, const std::string& receiver, Timestamp now);
  void HandOver(Timestamp now, Effects& fx);
  void HandOver(IncidentEntry& entry, Timestamp now, Effects& fx);
  void HandOverStep(IncidentEntry& entry, size_t number, Timestamp now, Effects& fx);

  void NobodyReached(IncidentEntry& entry, std::string why, Timestamp now, Effects& fx);
  void Reassign(std::vector<OwedNews> owed, Timestamp now, Effects& fx);
  void ObserveClock(Timestamp now);
  void DropExpired(Timestamp now, Effects& fx);

  // mute_recheck.cc
  std::string NameOfSource(uint64_t fingerprint) const;
  void RecheckMute(IncidentEntry& entry, Timestamp now, Effects& fx);
  void ArmSilence(const Silence& silence, Timestamp now);
  void ArmRecurring(Timestamp now);
  void OnRecurringEdge(Timestamp now, Effects& fx);
  void FollowSources(Timestamp now);

  // settled.cc
  bool IsSettled(const Group& group, Timestamp now) const;
  bool MaySettle(const Group& group) const;
  void Settle(Group& group, Timestamp now);
  bool RouseSettled();
  void Unsettle(const IncidentEntry& entry);
  uint64_t QuietEpoch() const { return quiet_epoch_ + muter_.inhibitor().version(); }

  // walks.cc
  struct Walk {
    bool active = false;
    bool again = false;  // something changed since it began: it begins anew when it is done
    size_t from = 0;     // of a slot list
    std::string after;   // of the log
  };
  void StartWalk(Walk& walk, Timestamp now);
  void NoteEnded(AlertEntry& alert);
  void NoteEnded(IncidentEntry& entry);
  void RunWalk(Timestamp now, Effects& fx);
  // Which of the incidents are silenced or inhibited altogether.
  void RecheckMutes(Timestamp now);
  void WalkMutes(Timestamp now, Effects& fx);
  void CollectAlerts(Timestamp now, Effects& fx);
  void CollectIncidents(Timestamp now);
  void CollectLog(Timestamp now, Effects& fx);
  void EndSilencesOf(const AlertEntry& alert, Timestamp now);
  void EndSilences(Timestamp now, Effects& fx);
  void AdoptForeignHashes();
  bool IsOwed(const NflogEntry& entry);
  AlertView View(const AlertEntry& entry) const;
  std::string MakeSilenceId(Timestamp now);
  bool RunTimers(Timestamp now, Effects& fx, size_t limit);
  void RunTimer(const TimerKey& key, Timestamp now, Effects& fx);
  void RunIncident(IncidentEntry& entry, Timestamp now, Effects& fx);

  // inbound.cc
  struct PagerdutyOrigin {
    std::string integration;
    bool told_of_acknowledgement = false;
  };
  std::vector<IncidentId> ToldToPagerduty(const std::string& dedup_key, bool over, PagerdutyOrigin& origin);
  std::vector<IncidentId> ReopenedThere(const std::string& dedup_key, Timestamp occurred_at,
                                        PagerdutyOrigin& origin, Timestamp now);
  std::string_view ActForPagerduty(IncidentId id, const PagerdutyEvent& event, const PagerdutyOrigin& origin,
                                   bool trust_remote_resolve, Timestamp now, Effects& fx);
  // At least so long a message is tried, however short the interval of its group.
  static constexpr Duration kFlushDeadlineMin = std::chrono::seconds(10);
  // unreached.cc
  std::vector<std::string> AskedByChain(const Incident& incident, Timestamp now) const;
  std::vector<IncidentId> UnreachedByRoutes(const Group* group, const Notification& n, Timestamp now) const;
  bool ReachedOthers(const IncidentEntry& entry, const Notification& failed, Timestamp now);
  std::vector<IncidentId> Unreached(const Notification& n, Timestamp now);
  void GoOnWithChain(const std::vector<IncidentId>& unreached, const Notification& failed,
                     const std::string& why, Timestamp now, Effects& fx);
  void ArmPatience(const Notification& n, Timestamp now);
  void OnPatience(InFlight& flight, Timestamp now, Effects& fx);
  // raise_news.cc
  bool OwesRaiseNews(const std::vector<GroupMember>& members, const NflogEntry* told,
                     IntegrationRef integration);
  void HastenThreads(const IncidentEntry& entry, Timestamp now);
  // phone.cc
  static bool IsCall(const Receiver& receiver, IntegrationRef integration);
  void PrepareCall(Notification& n, const NflogEntry* logged, Timestamp now, Effects& fx);
  void ConcludeCall(const Notification& n, const NotificationOutcome& outcome, Timestamp now, Effects& fx);
  bool FailedBefore(int64_t id, Timestamp now) const;
  bool FinishCall(int64_t id, bool heard, const std::string& why, bool hasten, Timestamp now, Effects& fx);
  void NoteCall(const PhoneCall& call, Timestamp now, Effects& fx);
  void RestoreCalls(Timestamp now);
  bool WasMade(const Notification& n, Timestamp now) const;
  bool HasNextNumber(const Notification& n) const;
  bool CallNextNumber(const PhoneCall& call, Timestamp now, Effects& fx);

  ConfigPtr config_;
  EngineOptions options_;
  std::function<double()> random_;
  AlertStore alerts_;
  IncidentMachine incidents_;
  Muter muter_;
  MuteLog mute_log_;
  Dispatcher dispatcher_;
  std::map<std::string, NflogEntry> nflog_;
  std::unordered_map<int64_t, InFlight> in_flight_;
  std::unordered_map<std::string, int64_t> in_flight_by_log_key_;
  TimerQueue<TimerKey> timers_;
  int64_t next_episode_id_ = 1;
  int64_t next_notification_id_ = 1;  // in this process
  int64_t next_attempt_id_ = 1;       // for ever
  int64_t next_change_id_ = 1;        // for ever
  uint64_t silence_ids_ = 0;          // made in this process
  int64_t next_call_id_ = 1;          // beyond every call that is remembered
  InboundMemory inbound_;
  Timestamp last_now_ = kUnset;
  std::map<std::string, Storm> storms_;  // by the values of storm.by
  bool storms_raised_ = false;
  // What holds an incident back from a receiver: hash of the receiver to hash of the words.
  std::map<std::pair<IncidentId, uint64_t>, uint64_t> decisions_;
  uint64_t quiet_epoch_ = 0;  // counts up when what keeps alerts quiet may have changed for any of them
  Walk mute_walk_, alert_walk_, incident_walk_, log_walk_;
  Timestamp log_expires_at_ = kUnset;  // nothing of the log is to be dropped before
  bool walking_ = false;               // a timer for the next slice is queued
  bool spoken_ = false;                // the flush under way decided to say something
  // Of those of its members that are not muted: the incident of each, and whether it speaks of it.
  std::vector<IncidentEntry*> flushed_;
  std::vector<bool> voiced_;
  // How the step taken last is called: most are taken by many at once.
  struct StepText {
    size_t step = 0;
    Duration after{};
    std::string text;
  };
  StepText step_text_;
  bool raises_go_to_threads_ = false;  // to those of some receiver of the config
  size_t records_expected_ = 0;        // as many as RunDue made lately
  uint64_t roused_epoch_ = 0;          // the epoch as of which groups that sleep have settled
  bool walked_ = false;                // a slice was done: let others in
  static constexpr uint32_t kGcRoundMask = 0x3FFFFFFF;  // of what an incident remembers
  uint32_t gc_round_ = 0;
  std::vector<uint64_t> ended_alerts_;       // do not fire, or did not lately: fingerprints
  std::vector<IncidentId> ended_incidents_;  // are resolved, or were lately
  std::set<std::string> ending_silences_;    // the last alert that they cover may have resolved
  uint64_t recurring_round_ = 0;             // of the timer for recurring silences that counts
  uint64_t sources_seen_ = 0;                // the version of what inhibits, as of the last look
  // When to look whether somebody has heard of it.
  MinHeap<Turn<IncidentId>> watched_;
  std::set<IncidentId> twins_;  // opened while another one of their key was open
  Timestamp audited_at_ = kUnset;
  Timestamp hand_over_at_ = kNever;  // when the next one of any schedule may be
  size_t audit_incident_ = 0;        // where the next audit goes on
  std::string audit_log_;
  uint64_t rules_late_ = 0;
  Timestamp clock_stepped_at_ = kUnset;
  std::unordered_map<std::string, std::deque<Timestamp>> sent_lately_;  // by receiver that has a rate limit
  EngineStats stats_;
};

// Has a receiver threads in which to hear that an incident that has left it became more severe?
bool RaisesGoToThreads(const Config& config);

// The receivers that a name of a route or a chain means at `now`: itself, or who is on call in that schedule.
std::vector<std::string> ReceiversNow(const Config& config, const std::string& name, Timestamp now);

// By fingerprint, each once.
void SortByFingerprint(std::vector<AlertView>& views);
// Notification order, each once.
void SortGroupAlerts(GroupView& group);

// "receiver/slack[0]": how an integration is called in events.
std::string IntegrationName(std::string_view receiver, std::string_view integration, uint32_t index);
// Key of the notification log.
std::string NflogKey(const std::string& group_key, const std::string& receiver,
                     const std::string& integration, uint32_t index);

}  // namespace mlalert
