#include "backtest/replay.h"

#include <algorithm>
#include <array>
#include <deque>
#include <fmt/format.h>

#include "engine/engine.h"
#include "rules/rule_manager.h"

namespace mlalert {
namespace {

// How often progress is told: per so much simulated time.
constexpr Duration kProgressEvery = std::chrono::hours(1);
// As of v_pages.
constexpr std::array<std::string_view, 7> kInterrupting = {"pagerduty",  "opsgenie", "victorops", "pushover",
                                                           "incidentio", "sns",      "webhook"};
constexpr Duration kSamePage = std::chrono::seconds(60);

// The engine with a world that takes everything at once.
class Machine {
 public:
  Machine(const ConfigPtr& config, Replay& out)
      : engine_(
            config, [] { return 0.5; }, Options()),
        out_(out) {}

  void Start(std::vector<Silence> silences, Timestamp now) {
    now_ = now;
    RestoredState state;
    state.silences = std::move(silences);
    Effects fx;
    engine_.Restore(std::move(state), now, fx);
    Drain(std::move(fx));
  }
  Timestamp NextDue() const { return engine_.NextDue(); }
  void RunDue(Timestamp now) {
    now_ = now;
    Effects fx;
    engine_.RunDue(now, fx);
    Drain(std::move(fx));
  }
  void Ingest(std::span<const DecodedAlert> alerts, Timestamp now) {
    now_ = now;
    Effects fx;
    engine_.Ingest(alerts, now, fx);
    Drain(std::move(fx));
  }
  void Acknowledge(const LabelSet& labels, const std::string& actor, Timestamp now) {
    now_ = now;
    IncidentId id = 0;
    for (const AlertView& view : engine_.ListAlerts()) {
      if (view.alert.labels == labels) {
        id = view.incident_id;
      }
    }
    if (id == 0) {
      return;  // in this world it does not fire
    }
    IncidentAction action;
    action.incident_id = id;
    action.actor.name = actor;
    Effects fx;
    if (engine_.Act(action, now, fx)) {
      out_.first_acknowledged.try_emplace(id, now);
    }
    Drain(std::move(fx));
  }

 private:
  static EngineOptions Options() {
    EngineOptions options;
    return options;
  }

  void Drain(Effects fx) {
    std::deque<NotificationAttempt> attempts;
    while (true) {
      for (Record& record : fx.records) {
        Take(record);
      }
      std::move(fx.attempts.begin(), fx.attempts.end(), std::back_inserter(attempts));
      if (attempts.empty()) {
        return;
      }
      NotificationOutcome outcome;
      outcome.notification_id = attempts.front().notification->id;
      outcome.attempt = attempts.front().number;
      outcome.verdict = DeliveryVerdict::kSent;
      attempts.pop_front();
      fx = {};
      engine_.OnOutcome(outcome, now_, fx);
    }
  }

  void Take(Record& record) {
    if (auto* incident = std::get_if<IncidentRecord>(&record)) {
      out_.incidents[incident->incident.id] = std::move(incident->incident);
    } else if (auto* episode = std::get_if<EpisodeRecord>(&record)) {
      out_.episodes[episode->id] = std::move(*episode);
    } else if (auto* sent = std::get_if<NotificationRecord>(&record)) {
      out_.notifications.push_back(std::move(*sent));
    }
  }

  Engine engine_;
  Replay& out_;
  Timestamp now_ = kUnset;
};

// Alerts of the evaluator, and the answers to what it asks, until it asks nothing more.
class Rules {
 public:
  Rules(RangeData& data, Machine& machine, Replay& out)
      : manager_({.external_url = "", .random = [] { return 0.5; }}),
        data_(data),
        machine_(machine),
        out_(out) {}

  Status Start(std::vector<RuleGroup> groups, const Config& config, Timestamp now) {
    RuleEffects fx;
    manager_.SetRules(std::move(groups), config, now, fx);
    manager_.Restore({}, now, fx);
    return Drain(std::move(fx), now);
  }
  Timestamp NextDue() const { return manager_.NextDue(); }
  Status RunDue(Timestamp now) {
    RuleEffects fx;
    manager_.RunDue(now, fx);
    return Drain(std::move(fx), now);
  }

 private:
  Status Drain(RuleEffects fx, Timestamp now) {
    std::deque<QueryRequest> queries;
    while (true) {
      if (!fx.alerts.empty()) {
        std::vector<Label> labels;
        machine_.Ingest(ToDecoded(fx.alerts, labels), now);
      }
      std::move(fx.queries.begin(), fx.queries.end(), std::back_inserter(queries));
      if (queries.empty()) {
        return {};
      }
      MLALERT_ASSIGN(HttpResult answer, data_.Answer(queries.front().call));
      ++out_.evaluations;
      const QueryId id = queries.front().id;
      queries.pop_front();
      fx = {};
      manager_.OnQueryResult(id, std::move(answer), now, fx);
    }
  }

  RuleManager manager_;
  RangeData& data_;
  Machine& machine_;
  Replay& out_;
};

bool IsPage(const NotificationRecord& n) {  // as of v_pages
  return n.outcome == "sent" && n.firing > 0 &&
         (n.severity == Severity::kP0 || n.severity == Severity::kP1) &&
         std::find(kInterrupting.begin(), kInterrupting.end(), n.integration) != kInterrupting.end() &&
         n.reason != "acknowledged" && n.reason != "some alerts resolved" &&
         n.reason != "all alerts resolved";
}

}  // namespace

Result<Replay> ReplayRules(ReplayInput input) {
  Replay out;
  out.span = input.span;
  std::map<std::string, Duration, std::less<>> intervals;
  for (const RuleGroup& group : input.groups) {
    for (const AlertingRule& rule : group.rules) {
      auto [it, fresh] = intervals.try_emplace(rule.expr, group.interval);
      it->second = std::min(it->second, group.interval);
    }
  }
  RangeData data(std::move(input.fetch), std::move(intervals), input.span.until);
  Machine machine(input.config, out);
  machine.Start(std::move(input.silences), input.span.from);
  Rules rules(data, machine, out);
  MLALERT_TRY(rules.Start(std::move(input.groups), *input.config, input.span.from));
  Timestamp told = input.span.from;
  const double length = ToSeconds(input.span.until - input.span.from);
  while (true) {
    // What is evaluated at an instant is known to the groups of that instant.
    const Timestamp due = std::min(rules.NextDue(), machine.NextDue());
    if (due >= input.span.until) {
      break;
    }
    const Timestamp now = std::max(due, input.span.from);
    if (rules.NextDue() <= now) {
      MLALERT_TRY(rules.RunDue(now));
    } else {
      machine.RunDue(now);
    }
    if (input.progress && now - told >= kProgressEvery) {
      told = now;
      if (!input.progress(ToSeconds(now - input.span.from) / length)) {
        return Fail(ErrorCode::kDeadline, "stopped");
      }
    }
  }
  out.calls = data.calls();
  out.warnings = data.warnings();
  return out;
}

Result<Replay> ReplayEpisodes(const ConfigPtr& config, const std::vector<StoredEpisode>& episodes,
                              const std::vector<StoredAcknowledgement>& acknowledgements, const Span& span) {
  struct Step {
    Timestamp at;
    int order;  // ends before starts of the same instant, acknowledgements last
    size_t index;
  };
  std::vector<Step> steps;
  for (size_t i = 0; i < episodes.size(); ++i) {
    steps.push_back({episodes[i].started_at, 1, i});
    if (IsSet(episodes[i].ended_at)) {
      steps.push_back({episodes[i].ended_at, 0, i});
    }
  }
  for (size_t i = 0; i < acknowledgements.size(); ++i) {
    steps.push_back({acknowledgements[i].at, 2, i});
  }
  std::stable_sort(steps.begin(), steps.end(), [](const Step& a, const Step& b) {
    return a.at != b.at ? a.at < b.at : a.order < b.order;
  });
  Replay out;
  out.span = span;
  Machine machine(config, out);
  machine.Start({}, span.from);
  auto run_until = [&](Timestamp until) {
    while (machine.NextDue() <= until) {
      machine.RunDue(std::max(machine.NextDue(), span.from));
    }
  };
  for (const Step& step : steps) {
    if (step.at >= span.until) {
      break;
    }
    const Timestamp now = std::max(step.at, span.from);
    run_until(now - Duration(1));
    if (step.order == 2) {
      run_until(now);
      machine.Acknowledge(acknowledgements[step.index].labels, acknowledgements[step.index].actor, now);
      continue;
    }
    const StoredEpisode& episode = episodes[step.index];
    RuleAlert alert;
    alert.labels = episode.labels;
    alert.annotations = episode.annotations;
    alert.starts_at = episode.started_at;
    alert.ends_at = step.order == 0 ? now : kNever;
    std::vector<Label> labels;
    machine.Ingest(ToDecoded({&alert, 1}, labels), now);
  }
  run_until(span.until - Duration(1));
  return out;
}

std::vector<IncidentFacts> FactsOf(const Replay& replay) {
  std::map<IncidentId, std::pair<Timestamp, Timestamp>> told;  // first told, first paged
  for (const NotificationRecord& n : replay.notifications) {
    for (const MentionedIncident& mentioned : n.incidents) {
      if (!mentioned.told) {
        continue;
      }
      const IncidentId id = mentioned.id;
      auto [it, fresh] = told.try_emplace(id, n.at, kUnset);
      if (!IsSet(it->second.second) &&
          (mentioned.told_severity == Severity::kP0 || mentioned.told_severity == Severity::kP1)) {
        it->second.second = n.at;
      }
    }
  }
  std::vector<IncidentFacts> out;
  for (const auto& [id, incident] : replay.incidents) {
    IncidentFacts f;
    f.id = id;
    f.alertname = incident.labels.Get("alertname");
    f.model = incident.labels.Get("model");
    f.pipeline = incident.labels.Get("pipeline");
    f.team = incident.labels.Get("team");
    f.severity = incident.severity;
    f.base = incident.base;
    f.resolved = incident.state == IncidentState::kResolved;
    f.opened_at = incident.opened_at;
    f.resolved_at = incident.resolved_at;
    f.resolve_reason = ToString(incident.resolve_reason);
    f.episodes = incident.episode_count;
    f.reopened = incident.reopen_count;
    if (auto it = told.find(id); it != told.end()) {
      f.first_told_at = it->second.first;
      f.first_paged_at = it->second.second;
    }
    if (auto it = replay.first_acknowledged.find(id); it != replay.first_acknowledged.end()) {
      f.first_acknowledged_at = it->second;
      f.level = ActionLevel::kAcknowledged;
    }
    out.push_back(std::move(f));
  }
  return out;
}

std::vector<IncidentId> IncidentsOf(const NotificationRecord& notification) {
  std::vector<IncidentId> out;
  for (const MentionedIncident& mentioned : notification.incidents) {
    out.push_back(mentioned.id);
  }
  return out;
}

std::vector<PageFacts> PagesOf(const Replay& replay) {
  std::vector<PageFacts> out;
  std::map<std::string, Timestamp> last;
  for (const NotificationRecord& n : replay.notifications) {
    if (!IsPage(n)) {
      continue;
    }
    auto [it, fresh] = last.try_emplace(n.receiver, n.at);
    const bool interruption = fresh || n.at - it->second > kSamePage;
    it->second = n.at;
    out.push_back({n.id, n.at, n.receiver, interruption, IncidentsOf(n)});
  }
  return out;
}

}  // namespace mlalert
