// The state machine of one alerting rule: samples in, alert instances that are pending, firing or resolved
// out. Follows Prometheus in every transition and in what is sent when; differs where Prometheus resolves
// without knowing: an error, a partial answer, or series that are gone keep a firing alert firing and
// refreshed. Fed by: rules/rule_group. Owns: the instances of the rule. Thread: that of the manager.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/pointer_index.h"
#include "base/result.h"
#include "base/time.h"
#include "config/evaluation.h"
#include "rules/compiled_rule.h"
#include "rules/no_data_watch.h"
#include "rules/presence.h"
#include "rules/query_result.h"
#include "rules/rule_effects.h"
#include "rules/rule_templates.h"
#include "rules/rule_view.h"
#include "rules/template_queries.h"

namespace mlalert {

// How long a resolved alert is sent again, as Prometheus does.
inline constexpr Duration kResolvedRetention = std::chrono::minutes(15);
// Alerts of one rule whose presence is asked about in one slot; those beyond wait, held, for the next slot.
inline constexpr size_t kPresenceSubjectsMax = 10000;
// A rule with more alerts than this finds them by hash.
inline constexpr size_t kIndexedFrom = 8;

struct AlertInstance {
  LabelSet labels;  // identity
  // As last seen. Empty while they are `labels` without those that the rule sets: see
  // RuleMachine::SampleOf().
  LabelSet sample_labels;
  LabelSet annotations;
  double value = 0;
  uint32_t seen = 0;  // evaluation it was last part of
  InstanceState state = InstanceState::kPending;
  bool sample_in_labels = false;
  bool partial = false;           // last seen in a partial answer
  bool annotations_stale = true;  // to be rendered when somebody looks
  bool resolve_unsent = false;
  bool changed = false;   // owes a record
  bool in_doubt = false;  // absent; Settle() decides
  Timestamp active_at = kUnset;
  Timestamp fired_at = kUnset;
  Timestamp resolved_at = kUnset;
  Timestamp keep_firing_since = kUnset;
  Timestamp last_sent_at = kUnset;
  Timestamp valid_until = kUnset;
  Timestamp no_data_since = kUnset;
  Timestamp unknown_since = kUnset;      // no verdict since then: errors, partial answers
  const NoDataPolicy* policy = nullptr;  // null: not looked up yet
  SharedText presence;       // PresenceMemory::ToText() under the rule's expression; empty: not known yet
  uint64_t sample_hash = 0;  // HashLabels() of the sample's labels
};

// What every template sees, whatever the rule.
struct RuleExternals {
  RuleExternals(std::map<std::string, std::string> external_labels, std::string external_url)
      : labels(std::move(external_labels)),
        pairs(labels.begin(), labels.end()),
        url(std::move(external_url)) {}
  RuleExternals(const RuleExternals&) = delete;
  RuleExternals& operator=(const RuleExternals&) = delete;

  const std::map<std::string, std::string> labels;
  const std::vector<tmpl::LabelPair> pairs;  // views into `labels`
  const std::string url;                     // without trailing slash
};

// What the rules of a group have in common.
struct RuleTimes {
  Duration interval{};
  Duration resend_delay{};
  int limit = 0;                                             // 0: none
  std::shared_ptr<const std::vector<NoDataPolicy>> no_data;  // null: everything is held for ever
  Duration hold_max{};                             // while the rule cannot be evaluated; 0: for ever
  std::shared_ptr<const RuleExternals> externals;  // null: none
};

// Where a rule's records belong.
struct RulePlace {
  SharedText file;
  SharedText group;
  uint32_t ordinal = 0;  // among rules of equal name and labels in the group
};

// What one rule after the other uses while it is evaluated.
struct RuleWorkspace {
  struct Target {
    AlertInstance* instance = nullptr;  // null: new
    bool by_sample = false;             // found without building its labels
    LabelSet labels;                    // of a new one
  };

  RuleTemplates templates;
  std::vector<Target> targets;
  std::vector<Label> labels;
  std::vector<std::string> values;
  std::vector<tmpl::LabelPair> pairs;
};

class RuleMachine {
 public:
  // `workspace`: shared by all rules of one manager; null: one of its own.
  RuleMachine(std::shared_ptr<const CompiledRule> rule, RulePlace place,
              std::shared_ptr<const RuleTimes> times, std::shared_ptr<RuleWorkspace> workspace = nullptr);

  const CompiledRule& rule() const { return *rule_; }
  const RulePlace& place() const { return place_; }
  size_t size() const { return instances_.size(); }
  // Label sets built so far.
  uint64_t label_runs() const { return label_runs_; }

  // A successful answer. On error nothing has changed, except that passing the limit drops every instance.
  // Instances about which Questions() has something to ask are left as they are until Settle().
  Status Evaluate(const QueryAnswer& answer, Timestamp ts, RuleEffects& fx);

  // The queries that the templates of this answer's alerts make and that have no answer yet; to be asked
  // before Evaluate(), again until there are none. Empty for rules whose templates do not query.
  std::vector<std::string> TemplateQuestions(const QueryAnswer& answer, Timestamp ts);
  // A new evaluation begins: answers to template queries of the last one are forgotten.
  void BeginTemplateQueries();
  void OnTemplateAnswer(const std::string& query, const QueryAnswer& answer);

  // What to ask before this slot is complete; empty in steady state. `selector` is an index into
  // CompiledRule::Required().
  struct Question {
    uint32_t selector = 0;
    bool bare = false;
    bool watch = false;  // about the rule itself, not about one of its alerts
    std::string query;
  };
  std::vector<Question> Questions();
  // The answer to one of them. May lead to a further question.
  std::optional<Question> OnPresence(const Question& question, const QueryAnswer& answer);
  // After the last one, or when there is none: holds or resolves what was in doubt. Returns how many are held
  // for want of data.
  size_t Settle(Timestamp ts, RuleEffects& fx);
  // Forgets what Questions() asked: what was in doubt stays as it is.
  void Abandon();

  // No usable answer: what fires is kept from running out. Returns how many alerts were sent.
  size_t Hold(Timestamp ts, RuleEffects& fx);

  // The rule is gone: what fires ends now.
  void Retire(Timestamp now, RuleEffects& fx);
  // Takes the instances of `old`, the same rule before a reload.
  void Adopt(RuleMachine& old);
  // `grid`: slots are at this time plus multiples of the interval; stored times, which lost what lies below a
  // millisecond, are put back on it. Alerts that fire are sent.
  void Restore(const std::vector<RuleStateRecord>& records, Timestamp grid, Timestamp now, RuleEffects& fx);
  // The clock was wrong by `delta`: all times move along.
  void Shift(Duration delta);
  // It jumped ahead: what waits for its time does not jump along. What fires keeps the time it began at.
  void ShiftWaits(Duration delta);

  InstanceState state() const;
  // Pending and firing ones.
  std::vector<RuleAlertView> View(Timestamp now);

 private:
  using Target = RuleWorkspace::Target;
  struct BySample {
    uint64_t operator()(const AlertInstance& instance) const { return instance.sample_hash; }
  };
  struct ByLabels {
    uint64_t operator()(const AlertInstance& instance) const { return instance.labels.fingerprint(); }
  };
  struct Indexes {
    PointerIndex<AlertInstance, BySample> by_sample;
    PointerIndex<AlertInstance, ByLabels> by_labels;
  };
  // Absent or new alerts of this evaluation, up to Settle().
  struct Doubts {
    std::vector<AlertInstance*> doubtful;              // absent: false, or no data?
    std::vector<AlertInstance*> unlearned;             // firing: which series are behind it?
    std::vector<bool> blind;                           // by doubtful: something it was computed from is gone
    std::map<const char*, PresenceMemory> remembered;  // what doubtful ones know, by their text
    std::vector<PresenceMemory> learned;               // by unlearned
    RequiredSeries required;
    bool failed = false;
  };

  // The labels of the sample behind an instance.
  LabelSet SampleOf(const AlertInstance& instance) const;
  void SetSample(AlertInstance& instance, std::span<const Label> labels, uint64_t hash) const;
  void RestoreSample(AlertInstance& instance, const LabelSet& sample) const;
  bool IsSampleOf(const AlertInstance& instance, std::span<const Label> labels, uint64_t hash) const;
  AlertInstance* FindByLabels(const LabelSet& labels) const;
  AlertInstance* FindBySample(std::span<const Label> labels, uint64_t hash) const;
  Doubts& doubts();
  const SharedText& GeneratorUrl();

  Status FindTargets(const QueryAnswer& answer, Timestamp ts);
  LabelSet BuildLabels(std::span<const Label> sample, double value, bool partial, Timestamp ts);
  void Refresh(const Target& target, const QueryAnswer& answer, const QuerySample& sample);
  void Begin(Target& target, const QueryAnswer& answer, const QuerySample& sample, Timestamp ts);
  // False: to be deleted.
  bool Step(AlertInstance& instance, bool partial, Timestamp ts, RuleEffects& fx);
  void StepPresent(AlertInstance& instance, Timestamp ts, RuleEffects& fx);
  // Whether keep_firing_for keeps it; starts its clock.
  bool Keeps(AlertInstance& instance, Timestamp ts);
  void Resolve(AlertInstance& instance, Timestamp ts);
  void SetNoData(AlertInstance& instance, Timestamp since, Timestamp ts, RuleEffects& fx);
  const PresenceMemory& Remembered(const AlertInstance& instance) const;
  bool CanDoubt(AlertInstance& instance) const;
  const NoDataPolicy& PolicyOf(AlertInstance& instance) const;
  // Whether nothing has been known about it for longer than `hold_max`; starts its clock.
  static bool HeldTooLong(AlertInstance& instance, Duration hold_max, Timestamp ts);
  void GiveUp(AlertInstance& instance, Timestamp ts, RuleEffects& fx);
  // Sends when it is time to, then writes the record if one is owed.
  void Finish(AlertInstance& instance, Timestamp ts, RuleEffects& fx);
  void Send(AlertInstance& instance, Timestamp ts, RuleEffects& fx);
  const LabelSet& Annotations(AlertInstance& instance, Timestamp now);
  LabelSet ExpandAnnotations(const RuleTemplateData& data) const;
  void Remove(AlertInstance& instance, RuleEffects& fx);
  void DropAll(RuleEffects& fx);
  RuleStateRecord Record(const AlertInstance& instance) const;
  RuleStateDelete DeleteRecord(const AlertInstance& instance) const;
  std::vector<PresenceSubject> Subjects(uint32_t selector) const;
  RuleTemplateData TemplateData(double value, bool partial, Timestamp now) const;
  void Index(AlertInstance& instance);
  void AddTo(Indexes& indexes, AlertInstance& instance) const;
  void Unindex(AlertInstance& instance);

  std::shared_ptr<const CompiledRule> rule_;
  RulePlace place_;
  std::shared_ptr<const RuleTimes> times_;
  std::shared_ptr<RuleWorkspace> workspace_;
  LabelSet literal_annotations_;  // for rules whose annotations never vary
  SharedText generator_url_;      // once an alert was sent

  std::vector<std::unique_ptr<AlertInstance>> instances_;  // in order of appearance
  std::unique_ptr<Indexes> indexes_;                       // null: so few that looking at each is as good
  uint32_t evaluation_ = 0;
  uint64_t label_runs_ = 0;
  std::unique_ptr<TemplateQueries> queries_;  // null: its texts ask nothing
  std::unique_ptr<NoDataWatch> watch_;        // null: not under the policy `alert`
  std::unique_ptr<Doubts> doubts_;            // null: none
};

}  // namespace mlalert
