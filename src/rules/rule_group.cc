#include "rules/rule_group.h"

#include <algorithm>
#include <fmt/format.h>
#include <set>

#include "base/hash.h"
#include "base/json.h"
#include "rules/curl_command.h"
#include "rules/rule_slots.h"

namespace mlalert {

namespace {

constexpr BackoffOptions kQueryBackoff{std::chrono::milliseconds(250), std::chrono::seconds(5), 3, 0.5};

Duration QueryTimeout(Duration interval, const Datasource* datasource) {
  return datasource == nullptr ? interval : std::min(interval, datasource->config().timeout);
}

Duration OffsetOf(const RuleGroup& group, Duration interval) {
  if (!group.extras.eval_offset) {
    return SlotOffset(group.file, group.name, interval);
  }
  const Duration offset = *group.extras.eval_offset % interval;
  return offset < Duration::zero() ? offset + interval : offset;
}

uint64_t IdOf(const RuleMachine& machine) {
  uint64_t id = kFnvOffset;
  for (const std::string_view text : {machine.place().file.view(), machine.place().group.view(),
                                      std::string_view(machine.rule().rule->name)}) {
    id = FnvAdd(FnvAdd(id, text), static_cast<unsigned char>(0xFF));
  }
  return FnvAdd(id, fmt::format("{}/{}", machine.rule().labels_hash, machine.place().ordinal));
}

// A template may ask with what an earlier query gave it; deeper than this it goes without.
constexpr int kTemplateRoundsMax = 3;

}  // namespace

GroupRunner::GroupRunner(RuleGroup group, GroupSetup setup, Timestamp now)
    : setup_(std::move(setup)),
      file_(group.file),
      name_(group.name),
      interval_(std::max<Duration>(group.interval, std::chrono::milliseconds(1))),
      query_offset_(group.query_offset),
      limit_(group.limit),
      recording_rules_(std::move(group.recording_rules)),
      extras_(group.extras),
      grid_(OffsetOf(group, interval_)),
      next_slot_(SlotAtOrBefore(now, grid_, interval_) + interval_) {
  const auto times = std::make_shared<const RuleTimes>(RuleTimes{
      interval_, setup_.evaluation.resend_delay, limit_,
      std::make_shared<const std::vector<NoDataPolicy>>(setup_.evaluation.no_data_policies),
      setup_.evaluation.hold_max,
      std::make_shared<const RuleExternals>(setup_.evaluation.external_labels, setup_.external_url)});
  const SharedText graph_url(setup_.graph_url);
  std::map<std::pair<std::string, LabelSet>, uint32_t> ordinals;
  rules_.reserve(group.rules.size());
  for (AlertingRule& rule : group.rules) {
    auto shared = std::make_shared<const AlertingRule>(std::move(rule));
    const uint32_t ordinal = ordinals[{shared->name, shared->raw_labels}]++;
    Rule& added = rules_.emplace_back();
    added.machine = std::make_unique<RuleMachine>(CompileRule(std::move(shared), graph_url),
                                                  RulePlace{file_, name_, ordinal}, times, setup_.workspace);
    added.id = IdOf(*added.machine);
    const int kept = added.machine->rule().rule->update_entries_limit;
    added.log = EvaluationLog(kept > 0 ? static_cast<size_t>(kept) : kEvaluationsKept);
  }
}

bool GroupRunner::SameAs(const RuleGroup& group, const GroupSetup& setup) const {
  const EvaluationConfig& a = setup_.evaluation;
  const EvaluationConfig& b = setup.evaluation;
  const bool same_setup = setup_.datasource == setup.datasource && setup_.graph_url == setup.graph_url &&
                          a.resend_delay == b.resend_delay && a.hold_max == b.hold_max &&
                          a.no_data_policies == b.no_data_policies && a.external_labels == b.external_labels;
  if (!same_setup || group.interval != interval_ || group.query_offset != query_offset_ ||
      group.limit != limit_ || group.recording_rules != recording_rules_ || group.extras != extras_) {
    return false;
  }
  return std::equal(
      rules_.begin(), rules_.end(), group.rules.begin(), group.rules.end(),
      [](const Rule& x, const AlertingRule& y) { return SameRule(*x.machine->rule().rule, y); });
}

void GroupRunner::Adopt(GroupRunner& old) {
  const auto same_identity = [](const RuleMachine& a, const RuleMachine& b) {
    return a.rule().rule->name == b.rule().rule->name &&
           a.rule().rule->raw_labels == b.rule().rule->raw_labels && a.place().ordinal == b.place().ordinal;
  };
  for (Rule& rule : rules_) {
    for (Rule& before : old.rules_) {
      if (before.machine && same_identity(*rule.machine, *before.machine)) {
        std::unique_ptr<RuleMachine> machine = std::move(rule.machine);
        machine->Adopt(*before.machine);
        rule = std::move(before);
        rule.machine = std::move(machine);
        before.machine.reset();
        break;
      }
    }
  }
  std::erase_if(old.rules_, [](const Rule& rule) { return rule.machine == nullptr; });
  for (const Rule& rule : rules_) {
    auto alert = old.failing_alerts_.extract(rule.machine->rule().rule->name);
    if (!alert.empty()) {
      failing_alerts_.insert(std::move(alert));
    }
  }
  if (old.interval_ == interval_) {
    next_slot_ = old.next_slot_;
  }
  iterations_ = old.iterations_;
  iterations_missed_ = old.iterations_missed_;
  evaluations_ = old.evaluations_;
  failures_ = old.failures_;
  completed_ = old.completed_;
  duration_total_ = old.duration_total_;
  last_started_ = old.last_started_;
  last_duration_ = old.last_duration_;
}

void GroupRunner::Retire(Timestamp now, RuleEffects& fx) {
  for (Rule& rule : rules_) {
    rule.machine->Retire(now, fx);
  }
  for (auto& [name, alert] : failing_alerts_) {
    alert.Resolve(now, fx);
  }
  rules_.clear();
  failing_alerts_.clear();
  running_ = false;
}

std::vector<RuleStateRecord> GroupRunner::Restore(std::vector<RuleStateRecord> records, Timestamp now,
                                                  RuleEffects& fx) {
  std::vector<std::vector<RuleStateRecord>> by_rule(rules_.size());
  std::vector<RuleStateRecord> strangers;
  for (RuleStateRecord& record : records) {
    const Result<Json> data = ParseJson(record.data);
    const std::string hash = data ? data->GetString("rule") : std::string();
    const auto at = std::find_if(rules_.begin(), rules_.end(), [&](const Rule& rule) {
      const RuleMachine& machine = *rule.machine;
      return machine.rule().rule->name == record.rule && machine.place().ordinal == record.ordinal &&
             (hash.empty() || hash == Hex16(machine.rule().labels_hash));
    });
    if (at == rules_.end()) {
      strangers.push_back(std::move(record));
    } else {
      by_rule[static_cast<size_t>(at - rules_.begin())].push_back(std::move(record));
    }
  }
  for (size_t i = 0; i < rules_.size(); ++i) {
    rules_[i].machine->Restore(by_rule[i], grid_, now, fx);
  }
  return strangers;
}

void GroupRunner::RunDue(Timestamp now, RuleEffects& fx) {
  for (auto& [name, alert] : failing_alerts_) {
    alert.Refresh(now, fx);
  }
  if (rules_.empty() || setup_.datasource == nullptr) {
    return;
  }
  if (running_) {
    // A clock that stepped back must not keep it waiting.
    if (IsSet(retry_at_) && (now >= retry_at_ || now < asked_at_)) {
      retry_at_ = kUnset;
      Ask();
    }
    if (now >= hold_at_) {
      HoldAll(now, fx);
    }
    return;
  }
  FollowClock(now);
  if (now >= next_slot_) {
    StartIteration(now);
  }
}

Timestamp GroupRunner::NextDue() const {
  Timestamp next = kNever;
  for (const auto& [name, alert] : failing_alerts_) {
    next = std::min(next, alert.NextRefresh());
  }
  if (rules_.empty() || setup_.datasource == nullptr) {
    return next;
  }
  if (running_) {
    next = std::min(next, hold_at_);
    return IsSet(retry_at_) ? std::min(next, retry_at_) : next;
  }
  return std::min(next, next_slot_);
}

// The clock was ahead and has been put right. Waiting until it gets there again would leave us blind; so the
// group goes on from the right time, and what it remembers keeps its age. A step of less than an interval
// only delays.
void GroupRunner::FollowClock(Timestamp now) {
  const Timestamp last_slot = next_slot_ - interval_;
  if (now >= last_slot - interval_) {
    return;
  }
  const Duration delta = SlotAtOrBefore(now, grid_, interval_) - last_slot;
  next_slot_ += delta;
  for (Rule& rule : rules_) {
    rule.machine->Shift(delta);
  }
  ++setup_.stats->clock_resets;
}

std::string GroupRunner::Problem(Timestamp now) const {
  // Two slots missed in a row, and still nothing.
  const Timestamp late = next_slot_ + (running_ ? 1 : 2) * interval_ + std::chrono::seconds(5);
  if (rules_.empty() || setup_.datasource == nullptr || now < late) {
    return {};
  }
  return fmt::format("group {} of {} has not been evaluated since {}", name_, file_,
                     FormatRfc3339Millis(next_slot_ - interval_));
}

bool GroupRunner::IsLate(Timestamp now) const {
  return !rules_.empty() && setup_.datasource != nullptr && now - (next_slot_ - interval_) > 3 * interval_;
}

void GroupRunner::OnClockAhead(Duration delta) {
  for (Rule& rule : rules_) {
    rule.machine->ShiftWaits(delta);
    if (IsSet(rule.failing_since)) {
      rule.failing_since += delta;
    }
  }
}

void GroupRunner::StartIteration(Timestamp now) {
  ts_ = SlotAtOrBefore(now, grid_, interval_);
  const auto missed = static_cast<uint64_t>((ts_ - next_slot_) / interval_);
  iterations_ += missed + 1;
  iterations_missed_ += missed;
  setup_.stats->iterations += missed + 1;
  setup_.stats->iterations_missed += missed;
  next_slot_ = ts_ + interval_;
  hold_at_ = next_slot_;
  running_ = true;
  done_ = 0;
  last_started_ = now;
  setup_.stats->lag_seconds.Observe(now - ts_);
  StartRule(now);
}

void GroupRunner::StartRule(Timestamp now) {
  rule_started_ = now;
  current().last_evaluation = now;
  questions_.clear();
  question_.reset();
  pending_answer_.reset();
  template_queries_.clear();
  template_query_.reset();
  template_rounds_ = 0;
  attempts_ = 0;
  Ask();
}

void GroupRunner::Ask() {
  setup_.datasource->waiting.push_back(this);
}

HttpCall GroupRunner::TakeCall(Timestamp now) {
  Datasource& datasource = *setup_.datasource;
  const Duration timeout = QueryTimeout(interval_, &datasource);
  if (attempts_ == 0) {
    asked_at_ = now;
    deadline_ = now + timeout;
    backoff_.reset();
  }
  ++attempts_;
  ++setup_.stats->queries;
  setup_.stats->query_retries += attempts_ > 1 ? 1 : 0;
  asked_by_get_ = datasource.uses_get();
  datasource.ChooseUrl(now);
  asked_url_ = datasource.active_url();
  const Duration left = std::clamp<Duration>(deadline_ - now, std::chrono::milliseconds(100), timeout);
  const Timestamp at = ts_ - query_offset_;
  if (template_query_) {
    // query_offset is the rule's own
    return datasource.BuildCall(PrepareQuery(*template_query_, timeout), ts_, left, extras_);
  }
  if (question_) {
    ++setup_.stats->presence_queries;
    return datasource.BuildCall(PrepareQuery(question_->query, timeout), at, left, extras_);
  }
  return datasource.BuildCall(PrepareQuery(current().machine->rule().rule->expr, timeout), at, left, extras_);
}

void GroupRunner::OnAnswer(QueryAnswer answer, Timestamp now, RuleEffects& fx) {
  if (!running_) {
    return;
  }
  Datasource& datasource = *setup_.datasource;
  if (answer.error == AnswerError::kCancelled) {
    // We stop, or are being reconfigured: nothing was learnt, nothing changes.
    current().machine->Abandon();
    running_ = false;
    hold_at_ = kNever;
    return;
  }
  if (answer.method_not_allowed && !asked_by_get_) {
    datasource.FallBackToGet();
    Ask();
    return;
  }
  if (answer.error == AnswerError::kSource) {
    datasource.OnUnanswered(asked_url_, now);
  }
  if (TryAgain(answer, now)) {
    return;
  }
  if (answer.error == AnswerError::kSource) {
    datasource.OnFailed(answer.error_text, now, fx);
  } else {
    datasource.OnAnswered(now, fx);
  }
  setup_.stats->partial_answers += answer.partial ? 1 : 0;
  if (template_query_) {
    current().machine->OnTemplateAnswer(*template_query_, answer);
    AskForTemplates(now, fx);
    return;
  }
  if (!question_) {
    OnRuleAnswer(std::move(answer), now, fx);
    return;
  }
  if (auto further = current().machine->OnPresence(*question_, answer)) {
    questions_.push_back(std::move(*further));
  }
  AskNextQuestion(now, fx);
}

bool GroupRunner::TryAgain(const QueryAnswer& answer, Timestamp now) {
  // An unreachable source is probed, not hammered.
  if (answer.error != AnswerError::kSource || !answer.retryable || attempts_ >= kQueryAttemptsMax ||
      setup_.datasource->unreachable()) {
    return false;
  }
  if (!backoff_) {
    backoff_.emplace(setup_.random, kQueryBackoff);
  }
  const Duration wait = std::max(backoff_->Next(), answer.retry_after.value_or(Duration(0)));
  if (wait >= deadline_ - now) {
    return false;
  }
  retry_at_ = now + wait;
  return true;
}

void GroupRunner::OnRuleAnswer(QueryAnswer answer, Timestamp now, RuleEffects& fx) {
  Rule& rule = current();
  rule.warnings = answer.warnings;
  rule.partial = answer.partial;
  setup_.stats->warnings += answer.warnings.empty() ? 0 : 1;
  if (!answer.ok()) {
    const bool source_failed = answer.error == AnswerError::kSource;
    FailRule(rule, answer.error_text, source_failed ? RuleFailure::kDatasource : RuleFailure::kQuery, now,
             fx);
    if (source_failed && setup_.datasource->unreachable()) {
      SkipRest(answer.error_text, now, fx);
    } else {
      FinishRule(now, fx);
    }
    return;
  }
  rule.last_samples = answer.samples().size();
  setup_.stats->samples += answer.samples().size();
  rule.machine->BeginTemplateQueries();
  pending_answer_ = std::move(answer);
  AskForTemplates(now, fx);
}

void GroupRunner::AskForTemplates(Timestamp now, RuleEffects& fx) {
  template_query_.reset();
  if (template_queries_.empty() && template_rounds_ < kTemplateRoundsMax) {
    ++template_rounds_;
    template_queries_ = current().machine->TemplateQuestions(*pending_answer_, ts_);
  }
  if (template_queries_.empty()) {
    const QueryAnswer answer = std::move(*pending_answer_);
    pending_answer_.reset();
    Evaluate(answer, now, fx);
    return;
  }
  template_query_ = std::move(template_queries_.back());
  template_queries_.pop_back();
  attempts_ = 0;
  Ask();
}

void GroupRunner::Evaluate(const QueryAnswer& answer, Timestamp now, RuleEffects& fx) {
  Rule& rule = current();
  const Status status = rule.machine->Evaluate(answer, ts_, fx);
  if (!status) {
    FailRule(rule, status.error().message, RuleFailure::kResult, now, fx);
    FinishRule(now, fx);
    return;
  }
  ++setup_.stats->evaluations;
  rule.health = RuleHealth::kOk;
  rule.last_error.clear();
  rule.failures_in_a_row = 0;
  rule.failing_since = kUnset;
  questions_ = rule.machine->Questions();
  std::reverse(questions_.begin(), questions_.end());
  AskNextQuestion(now, fx);
}

void GroupRunner::AskNextQuestion(Timestamp now, RuleEffects& fx) {
  if (questions_.empty()) {
    question_.reset();
    setup_.stats->holds_no_data += current().machine->Settle(ts_, fx);
    FinishRule(now, fx);
    return;
  }
  question_ = std::move(questions_.back());
  questions_.pop_back();
  attempts_ = 0;
  Ask();
}

void GroupRunner::FailRule(Rule& rule, const std::string& error, RuleFailure reason, Timestamp now,
                           RuleEffects& fx) {
  ++setup_.stats->evaluations;
  ++setup_.stats->evaluation_failures;
  ++setup_.stats->failures_by_reason[static_cast<size_t>(reason)];
  ++failures_;
  rule.health = RuleHealth::kError;
  rule.last_error = error;
  rule.source_failed = reason == RuleFailure::kDatasource;
  ++rule.failures_in_a_row;
  if (!IsSet(rule.failing_since) || now < rule.failing_since) {
    rule.failing_since = now;
  }
  setup_.stats->holds_error += rule.machine->Hold(ts_, fx);
}

// The data source does not answer: asking it for the other rules too would only make the group miss slots.
// The next iteration begins with the next rule, so that one rule that always fails cannot starve the others.
void GroupRunner::SkipRest(const std::string& error, Timestamp now, RuleEffects& fx) {
  const size_t failed = (first_ + done_) % rules_.size();
  current().evaluation_time = std::max(now - rule_started_, Duration(0));
  LogEvaluation(current());
  for (++done_; done_ < rules_.size(); ++done_) {
    current().last_evaluation = now;
    current().evaluation_time = Duration(0);
    FailRule(current(), error, RuleFailure::kDatasource, now, fx);
    LogEvaluation(current());
  }
  first_ = (failed + 1) % rules_.size();
  FinishIteration(now, fx);
}

void GroupRunner::LogEvaluation(Rule& rule) {
  ++evaluations_;
  setup_.stats->evaluation_seconds.Observe(rule.evaluation_time);
  const bool failed = rule.health == RuleHealth::kError;
  rule.log.Add(ts_ - query_offset_, rule.last_evaluation, rule.evaluation_time,
               failed ? 0 : rule.last_samples, rule.last_error);
}

void GroupRunner::FinishRule(Timestamp now, RuleEffects& fx) {
  current().evaluation_time = std::max(now - rule_started_, Duration(0));
  LogEvaluation(current());
  if (++done_ < rules_.size()) {
    StartRule(now);
    return;
  }
  FinishIteration(now, fx);
}

void GroupRunner::FinishIteration(Timestamp now, RuleEffects& fx) {
  running_ = false;
  hold_at_ = kNever;
  last_duration_ = std::max(now - last_started_, Duration(0));
  ++completed_;
  duration_total_ += last_duration_;
  if (!setup_.datasource->unreachable()) {
    first_ = 0;
  }
  UpdateFailingAlerts(now, fx);
}

// The iteration has overrun its slot; what fires must not run out of time because of that.
void GroupRunner::HoldAll(Timestamp now, RuleEffects& fx) {
  const Timestamp slot = SlotAtOrBefore(now, grid_, interval_);
  for (Rule& rule : rules_) {
    setup_.stats->holds_error += rule.machine->Hold(slot, fx);
  }
  hold_at_ = slot + interval_;
}

const GroupRunner::Rule* GroupRunner::FindFailing(const std::string& name, Timestamp now) const {
  const bool firing = failing_alerts_.contains(name);
  for (const Rule& rule : rules_) {
    if (rule.machine->rule().rule->name != name || rule.failures_in_a_row == 0) {
      continue;
    }
    const bool long_enough =
        rule.failures_in_a_row >= kRuleFailuresMax && now - rule.failing_since >= kRuleFailingAfter;
    const bool outage = rule.source_failed && setup_.datasource->unreachable();
    if (firing || (long_enough && !outage)) {
      return &rule;
    }
  }
  return nullptr;
}

void GroupRunner::UpdateFailingAlerts(Timestamp now, RuleEffects& fx) {
  const auto event = [&](std::string type, const std::string& name, const std::string& reason) {
    EventRecord out;
    out.at = now;
    out.type = std::move(type);
    out.actor_kind = "system";
    out.actor = "rules";
    out.reason = reason;
    out.to_value = fmt::format("{};{};{}", file_, name_, name);
    fx.records.push_back(std::move(out));
  };
  std::set<std::string> names;
  for (const auto& [name, alert] : failing_alerts_) {
    names.insert(name);
  }
  for (const Rule& rule : rules_) {
    if (rule.failures_in_a_row > 0) {
      names.insert(rule.machine->rule().rule->name);
    }
  }
  for (const std::string& name : names) {
    const Rule* failing = FindFailing(name, now);
    const auto known = failing_alerts_.find(name);
    if (failing == nullptr && known != failing_alerts_.end()) {
      event("rule_recovered", name, "it can be evaluated again");
      known->second.Resolve(now, fx);
      failing_alerts_.erase(known);
    }
    if (failing == nullptr) {
      continue;
    }
    if (known == failing_alerts_.end()) {
      event("rule_failing", name, failing->last_error);
      failing_alerts_[name] = SelfAlert(
          LabelSet::From(
              {{"alertname", "RuleEvaluationFailing"}, {"rule", name}, {"group", name_}, {"severity", "P2"}}),
          failing->machine->rule().GeneratorUrl(), setup_.evaluation.resend_delay, interval_);
    }
    failing_alerts_[name].Fire(
        LabelSet::From(
            {{"summary", fmt::format("alerting rule {} cannot be evaluated", name)},
             {"description", fmt::format("Rule {} of group {} in {} has failed since {}. It cannot fire, "
                                         "and what it had firing is held.",
                                         name, name_, file_, FormatRfc3339Millis(failing->failing_since))},
             {"error", failing->last_error}}),
        now, fx);
  }
}

RuleGroupView GroupRunner::View(Timestamp now) {
  RuleGroupView out;
  out.file = file_;
  out.name = name_;
  out.datasource = setup_.datasource == nullptr ? std::string() : setup_.datasource->config().name;
  out.interval = interval_;
  out.limit = limit_;
  out.evaluation_time = last_duration_;
  out.last_evaluation = last_started_;
  out.iterations = iterations_;
  out.iterations_missed = iterations_missed_;
  out.evaluations = evaluations_;
  out.evaluation_failures = failures_;
  out.completed = completed_;
  out.duration_total = duration_total_;
  out.recording_rules = recording_rules_;
  for (Rule& rule : rules_) {
    out.rules.push_back(ViewOf(rule, now));
    out.last_samples += rule.last_samples;
    out.last_rule_duration_sum += rule.evaluation_time;
  }
  return out;
}

RuleView GroupRunner::ViewOf(Rule& rule, Timestamp now) {
  RuleView view;
  view.id = rule.id;
  view.rule = rule.machine->rule().rule;
  view.health = rule.health;
  view.last_error = rule.last_error;
  view.warnings = rule.warnings;
  view.partial = rule.partial;
  view.state = rule.machine->state();
  view.evaluation_time = rule.evaluation_time;
  view.last_evaluation = rule.last_evaluation;
  view.failing_since = rule.failing_since;
  view.failures_in_a_row = rule.failures_in_a_row;
  view.last_samples = rule.last_samples;
  view.alerts = rule.machine->View(now);
  return view;
}

std::optional<RuleHistory> GroupRunner::History(uint64_t id, Timestamp now) {
  const auto rule = std::find_if(rules_.begin(), rules_.end(), [id](const Rule& r) { return r.id == id; });
  if (rule == rules_.end()) {
    return std::nullopt;
  }
  RuleHistory out;
  out.file = file_;
  out.group = name_;
  out.rule = ViewOf(*rule, now);
  if (setup_.datasource == nullptr) {
    return out;
  }
  out.datasource = setup_.datasource->config().name;
  const Duration timeout = QueryTimeout(interval_, setup_.datasource.get());
  const std::string prepared = PrepareQuery(rule->machine->rule().rule->expr, timeout);
  for (RuleEvaluation& one : rule->log.Newest()) {
    RuleHistory::Evaluation& shown = out.evaluations.emplace_back();
    static_cast<RuleEvaluation&>(shown) = std::move(one);
    shown.curl = CurlCommand(setup_.datasource->BuildCall(prepared, shown.at, timeout, extras_));
  }
  return out;
}

size_t GroupRunner::instance_count() const {
  size_t count = 0;
  for (const Rule& rule : rules_) {
    count += rule.machine->size();
  }
  return count;
}

uint64_t GroupRunner::label_runs() const {
  uint64_t runs = 0;
  for (const Rule& rule : rules_) {
    runs += rule.machine->label_runs();
  }
  return runs;
}

}  // namespace mlalert
