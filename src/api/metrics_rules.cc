#include "api/metrics_rules.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "api/api.h"

namespace mlalert {
namespace {

void AddDurations(const DurationHistogram& histogram, FamilyList& out) {
  out.AddHistogram({histogram.kBounds.begin(), histogram.kBounds.end()},
                   {histogram.counts.begin(), histogram.counts.end()}, histogram.sum);
}

void AddRules(const ApiContext& context, FamilyList& out) {
  RuleManagerStats s = context.rule_stats ? context.rule_stats() : RuleManagerStats();
  out.Counter("mlalert_rule_evaluations_total", "Rules evaluated, failed ones included.").Add(s.evaluations);
  out.Counter("mlalert_rule_evaluation_failures_total", "Rule evaluations that failed.");
  for (size_t i = 0; i < kRuleFailures; ++i) {
    out.Add(s.failures_by_reason[i], {{"reason", ToString(static_cast<RuleFailure>(i))}});
  }
  out.Histogram("mlalert_rule_evaluation_duration_seconds", "From the first query of a rule to its verdict.");
  AddDurations(s.evaluation_seconds, out);
  out.Summary("prometheus_rule_evaluation_duration_seconds", "The duration for a rule to execute.")
      .AddSummary(std::accumulate(s.evaluation_seconds.counts.begin(), s.evaluation_seconds.counts.end(),
                                  uint64_t{0}),
                  s.evaluation_seconds.sum);
  out.Histogram("mlalert_rule_evaluation_lag_seconds",
                "From the time a group should be evaluated to the begin of its evaluation.");
  AddDurations(s.lag_seconds, out);
  out.Counter("mlalert_rule_warnings_total", "Answers of data sources that came with a warning.")
      .Add(s.warnings);
  out.Counter("mlalert_rule_iterations_total", "Iterations of rule groups, missed ones included.")
      .Add(s.iterations);
  out.Counter("mlalert_rule_iterations_missed_total",
              "Iterations that were skipped because the one before lasted "
              "too long.")
      .Add(s.iterations_missed);
  out.Counter("mlalert_rule_clock_resets_total",
              "Times the wall clock stepped: back by more than an interval, or ahead.")
      .Add(s.clock_resets);
  out.Counter("mlalert_rule_queries_total", "Queries sent to data sources, retries included.").Add(s.queries);
  out.Counter("mlalert_rule_query_retries_total", "Queries sent again after a failure.").Add(s.query_retries);
  out.Counter("mlalert_rule_presence_queries_total", "Queries that asked whether the series of a rule exist.")
      .Add(s.presence_queries);
  out.Counter("mlalert_rule_partial_answers_total", "Answers that a data source marked as incomplete.")
      .Add(s.partial_answers);
  out.Counter("mlalert_rule_holds_total", "Alerts kept firing although their rule gave no verdict.")
      .Add(s.holds_no_data, {{"reason", "no_data"}})
      .Add(s.holds_error, {{"reason", "error"}});
  out.Counter("mlalert_rule_samples_total", "Samples in answers to rule queries.").Add(s.samples);
  out.Gauge("mlalert_rule_groups", "Rule groups loaded.").Add(s.groups);
  out.Gauge("mlalert_rules", "Alerting rules loaded.").Add(s.rules);
  out.Gauge("mlalert_rule_instances", "Alert instances of rules: pending, firing or lately resolved.")
      .Add(s.instances);
}

// Under Prometheus' names; their label is file;group.
void AddPrometheusGroups(const std::vector<RuleGroupView>& groups, FamilyList& out) {
  std::vector<std::string> names;
  for (const RuleGroupView& group : groups) {
    names.push_back(group.file + ";" + group.name);
  }
  auto each = [&](auto&& value) {
    for (size_t i = 0; i < groups.size(); ++i) {
      out.Add(value(groups[i]), {{"rule_group", names[i]}});
    }
  };
  // The same number under our own name, which is older here.
  auto both = [&](bool counter, std::string_view ours, std::string_view theirs, std::string_view help,
                  auto&& value) {
    for (std::string_view name : {ours, theirs}) {
      if (!name.empty()) {
        counter ? out.Counter(name, help) : out.Gauge(name, help);
        each(value);
      }
    }
  };
  both(true, "", "prometheus_rule_evaluations_total", "The total number of rule evaluations.",
       [](const RuleGroupView& g) { return g.evaluations; });
  both(true, "", "prometheus_rule_evaluation_failures_total", "The total number of rule evaluation failures.",
       [](const RuleGroupView& g) { return g.evaluation_failures; });
  both(false, "mlalert_rule_group_last_duration_seconds", "prometheus_rule_group_last_duration_seconds",
       "The duration of the last rule group evaluation.",
       [](const RuleGroupView& g) { return ToSeconds(g.evaluation_time); });
  both(false, "mlalert_rule_group_last_evaluation_timestamp_seconds",
       "prometheus_rule_group_last_evaluation_timestamp_seconds",
       "The timestamp of the last rule group evaluation in seconds; 0: none.", [](const RuleGroupView& g) {
         return IsSet(g.last_evaluation) ? ToSeconds(g.last_evaluation.time_since_epoch()) : 0;
       });
  both(false, "mlalert_rule_group_interval_seconds", "prometheus_rule_group_interval_seconds",
       "The interval of a rule group.", [](const RuleGroupView& g) { return ToSeconds(g.interval); });
  both(true, "", "prometheus_rule_group_iterations_total",
       "The total number of scheduled rule group evaluations, whether executed or missed.",
       [](const RuleGroupView& g) { return g.iterations; });
  both(true, "mlalert_rule_group_iterations_missed_total", "prometheus_rule_group_iterations_missed_total",
       "The total number of rule group evaluations missed due to slow rule group evaluation.",
       [](const RuleGroupView& g) { return g.iterations_missed; });
  both(false, "", "prometheus_rule_group_last_evaluation_samples",
       "The number of samples returned during the last rule group evaluation.",
       [](const RuleGroupView& g) { return g.last_samples; });
  both(false, "", "prometheus_rule_group_last_rule_duration_sum_seconds",
       "The sum of time in seconds it took to evaluate each rule in the group.",
       [](const RuleGroupView& g) { return ToSeconds(g.last_rule_duration_sum); });
  both(false, "", "prometheus_rule_group_rules", "The number of rules.",
       [](const RuleGroupView& g) { return g.rules.size() + g.recording_rules.size(); });
  uint64_t completed = 0;
  Duration total{};
  for (const RuleGroupView& group : groups) {
    completed += group.completed;
    total += group.duration_total;
  }
  out.Summary("prometheus_rule_group_duration_seconds", "The duration of rule group evaluations.")
      .AddSummary(completed, total);
}

void AddFailing(const std::vector<RuleGroupView>& groups, FamilyList& out) {
  size_t failing = 0;
  size_t held = 0;
  for (const RuleGroupView& group : groups) {
    for (const RuleView& rule : group.rules) {
      failing += rule.health == RuleHealth::kError ? 1 : 0;
      held +=
          static_cast<size_t>(std::count_if(rule.alerts.begin(), rule.alerts.end(),
                                            [](const RuleAlertView& a) { return IsSet(a.no_data_since); }));
    }
  }
  out.Gauge("mlalert_rules_failing", "Rules whose last evaluation failed.").Add(failing);
  out.Gauge("mlalert_rule_alerts_without_data", "Alerts that are held because their series are gone.")
      .Add(held);
}

// ALERTS and ALERTS_FOR_STATE as Prometheus would record them.
class AlertSeries {
 public:
  explicit AlertSeries(const std::vector<RuleGroupView>& groups) {
    for (InstanceState state : {InstanceState::kFiring, InstanceState::kPending}) {
      for (const RuleGroupView& group : groups) {
        for (const RuleView& rule : group.rules) {
          for (const RuleAlertView& alert : rule.alerts) {
            if (alert.state == state) {
              Take(alert);
            }
          }
        }
      }
    }
  }

  void Write(FamilyList& out) const {
    out.Gauge("ALERTS", "Alerts of rules; at most 1000.");
    for (const auto& [labels, alert] : shown_) {
      MetricLabels with_state(labels.begin(), labels.end());
      with_state.emplace_back("alertstate", ToString(alert->state));
      out.Add(1, with_state);
    }
    out.Gauge("ALERTS_FOR_STATE", "When the condition of an alert became true, Unix time.");
    for (const auto& [labels, alert] : shown_) {
      out.Add(std::floor(ToSeconds(alert->active_at.time_since_epoch())), {labels.begin(), labels.end()});
    }
    out.Gauge("mlalert_alert_series_left_out", "Alerts that are not among the series of ALERTS.")
        .Add(left_out_);
  }

 private:
  using Labels = std::map<std::string_view, std::string_view>;

  void Take(const RuleAlertView& alert) {
    Labels labels;
    bool printable = true;
    for (const Label label : alert.labels) {
      printable = printable && IsClassicLabelName(label.name);
      labels.emplace(label.name, label.value);
    }
    labels.erase("alertstate");
    // Two rules may have alerts of equal labels; the same series twice would spoil the whole page.
    if (!printable || shown_.size() >= kAlertSeriesMax || !shown_.emplace(std::move(labels), &alert).second) {
      ++left_out_;
    }
  }

  std::map<Labels, const RuleAlertView*> shown_;
  size_t left_out_ = 0;
};

void AddDatasources(const ApiContext& context, FamilyList& out) {
  std::vector<DatasourceView> sources;
  if (context.datasources) {
    sources = context.datasources();
  }
  auto each = [&](auto&& value) {
    for (const DatasourceView& source : sources) {
      out.Add(value(source), {{"datasource", source.name}});
    }
  };
  out.Gauge("mlalert_datasource_up", "0 while every query to the data source has failed for a while.");
  each([](const DatasourceView& source) { return source.unreachable ? 0 : 1; });
  out.Gauge("mlalert_datasource_failures_in_a_row", "Failed queries since the last answer.");
  each([](const DatasourceView& source) { return source.failures_in_a_row; });
  out.Gauge("mlalert_datasource_queries_in_flight", "Queries under way.");
  each([](const DatasourceView& source) { return source.queries_in_flight; });
  out.Gauge("mlalert_datasource_groups_waiting", "Rule groups that wait for a free place.");
  each([](const DatasourceView& source) { return source.groups_waiting; });
}

// Under the names of Prometheus' notifier.
void AddForwards(const ApiContext& context, FamilyList& out) {
  const ForwardStats stats = context.forwards ? context.forwards() : ForwardStats();
  auto each = [&](auto&& value) {
    for (const ForwardTargetStats& target : stats.targets) {
      out.Add(value(target), {{"alertmanager", target.url}});
    }
  };
  out.Counter("prometheus_notifications_sent_total", "Total number of alerts sent.");
  each([](const ForwardTargetStats& t) { return t.sent; });
  out.Counter("prometheus_notifications_errors_total", "Total number of sent alerts affected by errors.");
  each([](const ForwardTargetStats& t) { return t.errors; });
  out.Counter("prometheus_notifications_dropped_total",
              "Total number of alerts dropped due to errors when sending to Alertmanager.");
  each([](const ForwardTargetStats& t) { return t.dropped; });
  out.Gauge("prometheus_notifications_queue_length", "The number of alert notifications in the queue.");
  each([](const ForwardTargetStats& t) { return t.queued; });
  out.Summary("prometheus_notifications_latency_seconds", "Latency of calls to an Alertmanager.");
  for (const ForwardTargetStats& target : stats.targets) {
    out.AddSummary(target.batches, target.latency_total, {{"alertmanager", target.url}});
  }
  out.Gauge("prometheus_notifications_queue_capacity", "The capacity of the alert notifications queue.")
      .Add(stats.queue_capacity);
  out.Gauge("prometheus_notifications_alertmanagers_discovered",
            "The number of alertmanagers discovered and active.")
      .Add(stats.targets.size());
}

void AddHealth(const ApiContext& context, FamilyList& out) {
  if (!context.heartbeat) {
    return;
  }
  const HeartbeatStats stats = context.heartbeat();
  out.Gauge("mlalert_health", "1 while this part of mlalert does its work.")
      .Add(stats.health.evaluation.empty() ? 1 : 0, {{"part", "evaluation"}})
      .Add(stats.health.storage.empty() ? 1 : 0, {{"part", "storage"}})
      .Add(stats.health.delivery.empty() ? 1 : 0, {{"part", "delivery"}});
  out.Counter("mlalert_heartbeat_calls_total", "Calls of the heartbeat URL.").Add(stats.calls);
  out.Counter("mlalert_heartbeat_failures_total", "Calls that were not answered with 2xx.")
      .Add(stats.failed_calls);
  out.Counter("mlalert_heartbeat_withheld_total", "Calls not made because something was not well.")
      .Add(stats.withheld);
  out.Gauge("mlalert_heartbeat_last_success_timestamp_seconds", "Last call that was answered well; 0: none.")
      .Add(IsSet(stats.last_success) ? ToSeconds(stats.last_success.time_since_epoch()) : 0);
}

}  // namespace

void CollectRules(const ApiContext& context, FamilyList& out) {
  const std::vector<RuleGroupView> groups =
      context.rule_groups ? context.rule_groups() : std::vector<RuleGroupView>();
  AddRules(context, out);
  AddFailing(groups, out);
  AddPrometheusGroups(groups, out);
  AlertSeries(groups).Write(out);
  AddDatasources(context, out);
  AddForwards(context, out);
  AddHealth(context, out);
}

}  // namespace mlalert
