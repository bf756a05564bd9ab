#include "rules/rule_manager.h"

#include <algorithm>
#include <fmt/format.h>
#include <limits>

#include "rules/datasource.h"
#include "rules/rule_group.h"

namespace mlalert {

RuleManager::RuleManager(RuleManagerOptions options)
    : options_(std::move(options)), workspace_(std::make_shared<RuleWorkspace>()) {}

RuleManager::~RuleManager() = default;

void RuleManager::SetRules(std::vector<RuleGroup> groups, const Config& config, Timestamp now,
                           RuleEffects& fx) {
  evaluation_ = config.evaluation;
  std::vector<std::shared_ptr<Datasource>> gone = SetDatasources(config);

  std::map<GroupKey, std::unique_ptr<GroupRunner>> before = std::move(groups_);
  groups_.clear();
  for (RuleGroup& group : groups) {
    const GroupKey key{group.file, group.name};
    const auto old = before.find(key);
    const GroupSetup setup = SetupOf(group);
    std::unique_ptr<GroupRunner>& place = groups_[key];
    if (place != nullptr) {
      continue;  // the loader refuses this
    }
    if (old != before.end() && old->second->SameAs(group, setup)) {
      place = std::move(old->second);
      before.erase(old);
      continue;
    }
    place = std::make_unique<GroupRunner>(std::move(group), setup, now);
    if (old != before.end()) {
      place->Adopt(*old->second);
    }
  }
  for (auto& [key, group] : before) {
    Forget(*group);
    group->Retire(now, fx);
  }
  for (auto& datasource : gone) {
    datasource->Retire(now, fx);
  }
  for (auto& datasource : datasources_) {
    datasource->shortest_interval = kUnreachableAfterMax;
  }
  for (const auto& [key, group] : groups_) {
    if (group->datasource() != nullptr) {
      Duration& shortest = group->datasource()->shortest_interval;
      shortest = std::min(shortest, group->interval());
    }
  }
  SetWatchdog(config.evaluation, now, fx);
  Dispatch(now, fx);
}

void RuleManager::SetWatchdog(const EvaluationConfig& evaluation, Timestamp now, RuleEffects& fx) {
  watchdog_wanted_ = evaluation.watchdog;
  watchdog_.SetTimes(evaluation.resend_delay, evaluation.resend_delay);
  if (!watchdog_wanted_) {
    watchdog_.Resolve(now, fx);
  } else if (!watchdog_.firing()) {
    watchdog_ = SelfAlert(LabelSet::From({{"alertname", "Watchdog"}, {"severity", "none"}}),
                          options_.external_url, evaluation.resend_delay, evaluation.resend_delay);
    watchdog_.Fire(
        LabelSet::From({{"summary", "alerting works"},
                        {"description",
                         "This alert always fires. Where it ends, evaluation, routing or delivery is broken: "
                         "let something outside of mlalert watch for that."}}),
        now, fx);
  }
}

void RuleManager::OnClockAhead(Duration delta) {
  ++stats_.clock_resets;
  for (auto& [key, group] : groups_) {
    group->OnClockAhead(delta);
  }
}

// The loader has checked the name; a group without one asks the first data source.
GroupSetup RuleManager::SetupOf(const RuleGroup& group) {
  GroupSetup setup;
  for (const auto& datasource : datasources_) {
    if (group.datasource.empty() || datasource->config().name == group.datasource) {
      setup.datasource = datasource;
      break;
    }
  }
  setup.evaluation = evaluation_;
  setup.graph_url = !options_.external_url.empty() || setup.datasource == nullptr
                        ? options_.external_url
                        : setup.datasource->config().url;
  while (setup.graph_url.ends_with('/')) {
    setup.graph_url.pop_back();
  }
  setup.external_url = options_.template_url;
  setup.random = options_.random;
  setup.stats = &stats_;
  setup.workspace = workspace_;
  return setup;
}

std::vector<std::shared_ptr<Datasource>> RuleManager::SetDatasources(const Config& config) {
  std::vector<std::shared_ptr<Datasource>> before = std::move(datasources_);
  datasources_.clear();
  for (const DatasourceConfig& wanted : config.datasources) {
    const auto same = std::find_if(before.begin(), before.end(),
                                   [&](const auto& have) { return have && have->SameAs(wanted); });
    if (same == before.end()) {
      datasources_.push_back(std::make_shared<Datasource>(wanted, evaluation_));
    } else {
      datasources_.push_back(std::move(*same));
      datasources_.back()->SetEvaluation(evaluation_);
    }
  }
  std::erase(before, nullptr);
  return before;
}

// Answers to what it has asked come too late.
void RuleManager::Forget(const GroupRunner& group) {
  for (auto& [id, flight] : in_flight_) {
    if (flight.group == &group) {
      flight.group = nullptr;
    }
  }
  if (group.datasource() != nullptr) {
    std::erase(group.datasource()->waiting, &group);
  }
}

void RuleManager::Restore(std::vector<RuleStateRecord> records, Timestamp now, RuleEffects& fx) {
  std::map<GroupKey, std::vector<RuleStateRecord>> by_group;
  for (RuleStateRecord& record : records) {
    by_group[{record.file, record.group}].push_back(std::move(record));
  }
  for (auto& datasource : datasources_) {
    datasource->ExpectLeftover();
  }
  for (auto& [key, group_records] : by_group) {
    const auto group = groups_.find(key);
    if (group != groups_.end()) {
      group_records = group->second->Restore(std::move(group_records), now, fx);
    }
    for (RuleStateRecord& record : group_records) {
      if (record.state == "firing") {
        const Timestamp starts_at = IsSet(record.fired_at) ? record.fired_at : now;
        fx.alerts.push_back({record.labels, record.annotations, {}, std::min(starts_at, now), now});
      }
      fx.records.push_back(
          RuleStateDelete{record.file, record.group, record.rule, record.ordinal, record.labels});
    }
  }
}

void RuleManager::RunDue(Timestamp now, RuleEffects& fx) {
  watchdog_.Refresh(now, fx);
  for (auto& datasource : datasources_) {
    datasource->Refresh(now, fx);
  }
  for (auto& [key, group] : groups_) {
    group->RunDue(now, fx);
  }
  Dispatch(now, fx);
}

Timestamp RuleManager::NextDue() const {
  Timestamp next = watchdog_.NextRefresh();
  for (const auto& datasource : datasources_) {
    next = std::min(next, datasource->NextRefresh());
  }
  for (const auto& [key, group] : groups_) {
    next = std::min(next, group->NextDue());
  }
  return next;
}

void RuleManager::Dispatch(Timestamp now, RuleEffects& fx) {
  for (auto& datasource : datasources_) {
    while (datasource->HasRoom() && !datasource->waiting.empty()) {
      GroupRunner* group = datasource->waiting.front();
      datasource->waiting.pop_front();
      const QueryId id = next_query_id_++;
      fx.queries.push_back({id, datasource->config().name, group->TakeCall(now)});
      in_flight_[id] = {group, datasource};
      ++datasource->in_flight;
    }
  }
}

Timestamp RuleManager::OnQueryAnswer(QueryId id, QueryAnswer answer, Timestamp now, RuleEffects& fx) {
  const auto at = in_flight_.find(id);
  if (at == in_flight_.end()) {
    return kNever;
  }
  const InFlight flight = std::move(at->second);
  in_flight_.erase(at);
  --flight.datasource->in_flight;
  Timestamp due = kNever;
  if (flight.group != nullptr) {
    flight.group->OnAnswer(std::move(answer), now, fx);
    due = flight.group->NextDue();
  }
  Dispatch(now, fx);
  return std::min(due, flight.datasource->NextRefresh());
}

void RuleManager::OnQueryResult(QueryId id, HttpResult result, Timestamp now, RuleEffects& fx) {
  OnQueryAnswer(id, DecodeQueryAnswer(std::move(result)), now, fx);
}

std::vector<RuleGroupView> RuleManager::Snapshot(Timestamp now) {
  std::vector<RuleGroupView> out;
  out.reserve(groups_.size());
  for (auto& [key, group] : groups_) {
    out.push_back(group->View(now));
  }
  return out;
}

std::optional<RuleHistory> RuleManager::History(uint64_t rule_id, Timestamp now) {
  for (auto& [key, group] : groups_) {
    if (auto found = group->History(rule_id, now)) {
      return found;
    }
  }
  return std::nullopt;
}

std::vector<DatasourceView> RuleManager::Datasources() const {
  std::vector<DatasourceView> out;
  for (const auto& datasource : datasources_) {
    out.push_back({datasource->config().name, datasource->unreachable(), datasource->failing_since(),
                   datasource->failures_in_a_row(), datasource->last_error(), datasource->in_flight,
                   datasource->waiting.size()});
  }
  return out;
}

std::string RuleManager::Problem(Timestamp now) const {
  for (const auto& datasource : datasources_) {
    if (datasource->unreachable()) {
      return fmt::format("data source {} cannot be asked", datasource->config().name);
    }
  }
  for (const auto& [key, group] : groups_) {
    if (std::string problem = group->Problem(now); !problem.empty()) {
      return problem;
    }
  }
  return {};
}

uint64_t RuleManager::LateGroups(Timestamp now) const {
  uint64_t late = 0;
  for (const auto& [key, group] : groups_) {
    late += group->IsLate(now) ? 1 : 0;
  }
  return late;
}

RuleManagerStats RuleManager::Stats() const {
  RuleManagerStats out = stats_;
  out.groups = groups_.size();
  for (const auto& [key, group] : groups_) {
    out.rules += group->rule_count();
    out.instances += group->instance_count();
    out.label_template_runs += group->label_runs();
  }
  return out;
}

}  // namespace mlalert
