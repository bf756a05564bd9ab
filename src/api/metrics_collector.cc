#include "api/metrics_collector.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "api/alert_listing.h"
#include "api/api.h"
#include "api/metric_family_builder.h"
#include "api/metrics_alertmanager.h"
#include "api/metrics_rules.h"

namespace mlalert {
namespace {

std::string_view SeverityLabel(Severity severity) {
  return severity == Severity::kNone ? "none" : ToString(severity);
}

void CountIncident(const Incident& incident, Timestamp now, EngineView& view) {
  if (incident.state == IncidentState::kResolved) {
    return;
  }
  auto severity = std::find(kMetricSeverities.begin(), kMetricSeverities.end(), incident.severity) -
                  kMetricSeverities.begin();
  ++view.incidents[incident.state == IncidentState::kOpen ? 0 : 1][static_cast<size_t>(severity)];
  const auto* response =
      std::find(kResponseStates.begin(), kResponseStates.end(), ResponseStateOf(incident, now));
  if (response != kResponseStates.end()) {
    ++view.responses[static_cast<size_t>(response - kResponseStates.begin())];
  }
  if (IsSet(incident.next_severity_at) && incident.next_severity_at < now) {
    view.escalation_lag = std::max(view.escalation_lag, now - incident.next_severity_at);
  }
}

// In slices: a scrape must not hold up senders.
EngineView ViewEngine(Gate& gate, Timestamp now) {
  EngineView view;
  gate.Read([&](Engine& engine) {
    view.stats = engine.Stats();
    view.config = engine.shared_config();
    view.silences = engine.muter().silences().Stats(now);
    for (size_t i = 0; i < view.suppressed.size(); ++i) {
      view.suppressed[i] = engine.muter().Suppressed(static_cast<MuteReason>(i));
    }
  });
  size_t from = SlotList<AlertEntry>::kEnd;
  gate.ReadInSlices([&](Engine& engine) {
    from = engine.CountAlertSlice(from, kListSlice, now, view.alerts);
    return from > 0;
  });
  from = SlotList<AlertEntry>::kEnd;
  gate.ReadInSlices([&](Engine& engine) {
    from = engine.VisitIncidentSlice(from, kListSlice,
                                     [&](const Incident& incident) { CountIncident(incident, now, view); });
    return from > 0;
  });
  return view;
}

void AddBuild(FamilyList& out) {
  out.Gauge("mlalert_build_info", "Always 1; the version is a label.").Add(1, {{"version", MLALERT_VERSION}});
}

void AddEngine(const EngineView& engine, FamilyList& out) {
  const EngineStats& s = engine.stats;
  out.Gauge("mlalert_alerts", "Alerts in memory: firing, or resolved and still owed to a receiver.")
      .Add(s.alerts_firing, {{"state", "firing"}})
      .Add(s.alerts - std::min(s.alerts, s.alerts_firing), {{"state", "resolved"}});
  out.Counter("mlalert_alerts_fired_total", "Episodes that began.").Add(s.fired);
  out.Counter("mlalert_alerts_resolved_total", "Episodes that ended.").Add(s.resolved);
  out.Counter("mlalert_alert_collisions_total",
              "Alerts refused because other labels have the same fingerprint.")
      .Add(s.collisions);
  out.Counter("mlalert_incident_severity_raised_total", "Times the severity of an incident rose.")
      .Add(s.severity_raised);
  out.Gauge("mlalert_groups", "Aggregation groups.").Add(s.groups);
  out.Counter("mlalert_group_flushes_total", "Times a group looked whether somebody must be told.")
      .Add(s.flushes);
  out.Gauge("mlalert_nflog_entries", "Entries of the notification log.").Add(s.nflog_entries);
  out.Gauge("mlalert_notifications_in_flight", "Notifications under way or waiting for another attempt.")
      .Add(s.in_flight);
  out.Gauge("mlalert_invariant_broken", "Breaches of an invariant as of the last self-audit.");
  for (size_t i = 0; i < kInvariants; ++i) {
    out.Add(s.invariants_broken[i], {{"invariant", fmt::format("I{}", i + 1)}});
  }
  out.Counter("mlalert_invariant_breaches_total", "Breaches seen by self-audits.");
  for (size_t i = 0; i < kInvariants; ++i) {
    out.Add(s.invariant_breaches[i], {{"invariant", fmt::format("I{}", i + 1)}});
  }
  out.Gauge("mlalert_last_clean_audit_timestamp_seconds", "When a self-audit last found nothing wrong.")
      .Add(IsSet(s.last_clean_audit) ? ToUnixMillis(s.last_clean_audit) / 1000 : 0);
  out.Counter("mlalert_notifications_rate_limited_total", "Notifications delayed by rate_limits.")
      .Add(s.rate_limited);
  out.Gauge("mlalert_engine_timers", "Timers of the engine.").Add(s.timers);
}

void AddIncidents(const EngineView& engine, FamilyList& out) {
  out.Gauge("mlalert_incidents", "Incidents that are not resolved, by state and effective severity.");
  for (size_t state = 0; state < kMetricIncidentStates.size(); ++state) {
    for (size_t i = 0; i < kMetricSeverities.size(); ++i) {
      out.Add(engine.incidents[state][i], {{"state", ToString(kMetricIncidentStates[state])},
                                           {"severity", SeverityLabel(kMetricSeverities[i])}});
    }
  }
  out.Gauge("mlalert_incidents_response",
            "Incidents that are not resolved and have a response target, by what has become of it.");
  for (size_t i = 0; i < kResponseStates.size(); ++i) {
    out.Add(engine.responses[i], {{"state", ToString(kResponseStates[i])}});
  }
  out.Gauge("mlalert_escalation_lag_seconds", "How long the most overdue raise of a severity has been due.")
      .Add(ToSeconds(engine.escalation_lag));
}

void AddJournal(const JournalStats& s, FamilyList& out) {
  out.Gauge("mlalert_journal_state", "1 for the state the journal is in: healthy, degraded or overflow.");
  for (JournalState state : {JournalState::kHealthy, JournalState::kDegraded, JournalState::kOverflow}) {
    out.Add(s.state == state ? 1 : 0, {{"state", ToString(state)}});
  }
  out.Gauge("mlalert_journal_degraded", "1 while the journal cannot write and state lives in memory only.")
      .Add(s.state == JournalState::kHealthy ? 0 : 1);
  out.Counter("mlalert_journal_appended_records_total", "Records accepted.").Add(s.appended_records);
  out.Counter("mlalert_journal_committed_records_total", "Records durable, or rejected by the database.")
      .Add(s.committed_records);
  out.Counter("mlalert_journal_rejected_records_total", "Records that could never be written.")
      .Add(s.rejected_records);
  out.Counter("mlalert_journal_refused_records_total", "Records not accepted because the queue was full.")
      .Add(s.refused_records);
  out.Counter("mlalert_journal_expired_rows_total", "Rows deleted by retention.").Add(s.expired_rows);
  out.Counter("mlalert_journal_failed_commits_total", "Commits that failed; each retry counts.")
      .Add(s.failed_commits);
  out.Gauge("mlalert_journal_queued_records", "Records accepted and not yet durable.").Add(s.queued_records);
  out.Gauge("mlalert_journal_queued_bytes", "Estimated memory of these.").Add(s.queued_bytes);
  out.Gauge("mlalert_journal_wal_bytes", "Size of the write-ahead log.").Add(s.wal_bytes);
  out.Summary("mlalert_journal_commit_seconds", "Time of a commit until it is durable.")
      .AddSummary(s.commits, s.commit_time_total);
  out.Gauge("mlalert_journal_commit_seconds_max", "The slowest commit since start.")
      .Add(ToSeconds(s.commit_time_max));
}

void AddDeliveries(const ApiContext& context, FamilyList& out) {
  DeliveryStats stats = context.deliveries ? context.deliveries() : DeliveryStats();
  auto each = [&](auto&& value) {
    for (IntegrationKind kind : kAllIntegrationKinds) {
      out.Add(value(stats.by_kind[static_cast<size_t>(kind)]), {{"integration", ToString(kind)}});
    }
  };
  auto each_reason = [&](auto&& counts) {
    for (IntegrationKind kind : kAllIntegrationKinds) {
      for (size_t i = 0; i < kFailureReasons; ++i) {
        out.Add(counts(stats.by_kind[static_cast<size_t>(kind)])[i],
                {{"integration", ToString(kind)}, {"reason", ToString(static_cast<FailureReason>(i))}});
      }
    }
  };
  auto failed = [](const DeliveryCounters& c) -> const auto& {
    return c.failed;
  };
  out.Counter("mlalert_notification_attempts_total", "Attempts to tell a receiver.");
  each([](const DeliveryCounters& c) { return c.attempts; });
  out.Counter("mlalert_notifications_sent_total", "Attempts that a receiver accepted.");
  each([](const DeliveryCounters& c) { return c.sent; });
  out.Counter("mlalert_notifications_failed_total", "Attempts that failed for good.");
  each_reason(failed);
  out.Counter("mlalert_notification_retries_total", "Attempts that failed and may be made again.");
  each_reason([](const DeliveryCounters& c) -> const auto& { return c.retry; });
  out.Counter("mlalert_notification_overflow_total",
              "Attempts refused because the receiver's queue was full.");
  each([](const DeliveryCounters& c) { return c.overflow; });
  out.Summary("mlalert_notification_latency_seconds", "Time of an attempt.");
  for (IntegrationKind kind : kAllIntegrationKinds) {
    const DeliveryCounters& c = stats.by_kind[static_cast<size_t>(kind)];
    out.AddSummary(c.attempts, c.latency_total, {{"integration", ToString(kind)}});
  }
  out.Gauge("mlalert_notification_queue", "Attempts that wait in the lanes of receivers.").Add(stats.queued);
}

void AddLanes(const ApiContext& context, FamilyList& out) {
  std::vector<LaneStats> lanes;
  if (context.lanes) {
    lanes = context.lanes();
  }
  // Two lanes of one name (a reload opens the new one before the old one is empty) are one series.
  std::stable_sort(lanes.begin(), lanes.end(),
                   [](const LaneStats& a, const LaneStats& b) { return a.name < b.name; });
  for (size_t i = 1; i < lanes.size();) {
    LaneStats& last = lanes[i - 1];
    if (last.name != lanes[i].name) {
      ++i;
      continue;
    }
    last.in_flight += lanes[i].in_flight;
    last.queued += lanes[i].queued;
    last.sent_total += lanes[i].sent_total;
    last.refused_total += lanes[i].refused_total;
    for (size_t kind = 0; kind < kFailureKinds; ++kind) {
      last.results_total[kind] += lanes[i].results_total[kind];
    }
    lanes.erase(lanes.begin() + static_cast<ptrdiff_t>(i));
  }
  auto each = [&](auto&& value) {
    for (const LaneStats& lane : lanes) {
      out.Add(value(lane), {{"lane", lane.name}});
    }
  };
  out.Gauge("mlalert_lane_queue", "HTTP calls that wait in the lane of a receiver or data source.");
  each([](const LaneStats& lane) { return lane.queued; });
  out.Gauge("mlalert_lane_in_flight", "HTTP calls under way.");
  each([](const LaneStats& lane) { return lane.in_flight; });
  out.Counter("mlalert_lane_calls_total", "HTTP calls handed to a lane.");
  each([](const LaneStats& lane) { return lane.sent_total; });
  out.Counter("mlalert_lane_refused_total", "HTTP calls refused because the lane was full.");
  each([](const LaneStats& lane) { return lane.refused_total; });
  out.Counter("mlalert_lane_results_total",
              "Ends of HTTP calls: an answer of any status, or why there was none.");
  for (const LaneStats& lane : lanes) {
    for (size_t kind = 0; kind < kFailureKinds; ++kind) {
      auto failure = static_cast<Failure>(kind);
      out.Add(lane.results_total[kind],
              {{"lane", lane.name}, {"result", failure == Failure::kNone ? "answer" : FailureName(failure)}});
    }
  }
}

void AddHttp(const ApiContext& context, FamilyList& out) {
  const HttpCounters* counters = context.http ? context.http() : nullptr;
  static const HttpCounters kNoCounters;
  const HttpCounters& c = counters != nullptr ? *counters : kNoCounters;
  constexpr std::array<std::string_view, 6> kClasses = {"", "1xx", "2xx", "3xx", "4xx", "5xx"};
  out.Counter("mlalert_http_requests_total", "Requests answered, by class of status.");
  for (size_t i = 2; i < kClasses.size(); ++i) {
    out.Add(c.by_class[i].load(std::memory_order_relaxed), {{"code", kClasses[i]}});
  }
  out.Counter("mlalert_http_refused_total", "Requests and connections refused by a limit of the server.");
  for (size_t i = 0; i < kHttpRefusals; ++i) {
    out.Add(c.refused[i].load(std::memory_order_relaxed),
            {{"reason", HttpRefusalName(static_cast<HttpRefusal>(i))}});
  }
  out.Counter("mlalert_http_exceptions_total", "Requests that ended in an error of ours.")
      .Add(c.exceptions.load());
  out.Counter("mlalert_http_connections_accepted_total", "Connections accepted.")
      .Add(c.connections_accepted.load());
  out.Counter("mlalert_http_connections_evicted_total", "Idle connections closed to make room.")
      .Add(c.connections_evicted.load());
  out.Gauge("mlalert_http_connections_open", "Connections open.").Add(c.connections_open.load());
  out.Counter("mlalert_http_tls_handshakes_failed_total", "TLS handshakes that failed or took too long.")
      .Add(c.tls_handshakes_failed.load());
  WebGuardStats guard = context.web_guard ? context.web_guard() : WebGuardStats();
  out.Counter("mlalert_http_logins_failed_total", "Requests answered with 401.").Add(guard.logins_failed);
  out.Counter("mlalert_http_logins_refused_total",
              "Requests answered with 503 because too many new passwords were being checked.")
      .Add(guard.logins_refused);
  out.Counter("mlalert_http_rate_limited_total", "Requests answered with 429 (rate_limit).")
      .Add(guard.rate_limited);
  out.Gauge("mlalert_web_config_good", "0 while --web.config.file or its certificates cannot be read.")
      .Add(guard.config_good ? 1 : 0);
  out.Gauge("mlalert_http_buffered_bytes", "Bytes of bodies being received.").Add(c.buffered_bytes.load());
}

}  // namespace

std::vector<prometheus::MetricFamily> CollectSources(const ApiContext& context) {
  const EngineView engine = ViewEngine(context.gate, context.clock.Now());
  FamilyList out;
  AddBuild(out);
  AddAlertmanagerMetrics(context, engine, out);
  AddEngine(engine, out);
  AddIncidents(engine, out);
  AddJournal(context.gate.journal().Stats(), out);
  CollectRules(context, out);
  AddDeliveries(context, out);
  AddLanes(context, out);
  AddHttp(context, out);
  return out.Take();
}

}  // namespace mlalert
