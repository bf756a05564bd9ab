#include "api/metrics_alertmanager.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <set>

#include "api/version.h"

namespace mlalert {
namespace {

#if defined(__x86_64__)
constexpr std::string_view kArch = "amd64";
#elif defined(__aarch64__)
constexpr std::string_view kArch = "arm64";
#else
constexpr std::string_view kArch = "other";
#endif

uint64_t Sum(const std::array<uint64_t, kFailureReasons>& counts) {
  uint64_t sum = 0;
  for (uint64_t count : counts) {
    sum += count;
  }
  return sum;
}

void CollectReceivers(const Route& route, std::set<std::string_view>& out) {
  out.insert(route.receiver);
  for (const Route& child : route.routes) {
    CollectReceivers(child, out);
  }
}

// With the bounds that Prometheus' client library has when none are given.
void AddEmptyHistogram(FamilyList& out, const MetricLabels& labels = {}) {
  const std::vector<double> bounds = {.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10};
  out.AddHistogram(bounds, std::vector<uint64_t>(bounds.size() + 1), {}, labels);
}

void AddConfig(const ApiContext& context, const EngineView& engine, FamilyList& out) {
  out.Gauge("alertmanager_build_info",
            "Always 1; the version is that of the Alertmanager whose API is spoken.")
      .Add(1, {{"branch", ""},
               {"goarch", kArch},
               {"goos", "linux"},
               {"goversion", ""},
               {"revision", ""},
               {"tags", ""},
               {"version", kAlertmanagerVersion}});
  const ConfigPtr config = context.config ? context.config() : engine.config;
  std::set<std::string_view> receivers;
  size_t integrations = 0;
  if (config != nullptr) {
    CollectReceivers(config->route, receivers);
    for (std::string_view name : receivers) {
      if (const Receiver* receiver = config->FindReceiver(std::string(name))) {
        integrations += IntegrationsOf(*receiver).size();
      }
    }
  }
  out.Gauge("alertmanager_config_hash", "Hash of the currently loaded configuration file.")
      .Add(config != nullptr ? config->alertmanager_hash : 0);
  out.Gauge("alertmanager_integrations", "Number of configured integrations.").Add(integrations);
  out.Gauge("alertmanager_receivers", "Number of configured receivers.").Add(receivers.size());
  out.Gauge("alertmanager_inhibition_rules", "Number of configured inhibition rules.")
      .Add(config != nullptr ? config->inhibit_rules.size() : 0);
}

void AddAlerts(const ApiContext& context, const EngineView& engine, FamilyList& out) {
  out.Gauge("alertmanager_alerts", "How many alerts by state.")
      .Add(engine.alerts.active, {{"state", "active"}})
      .Add(engine.alerts.suppressed, {{"state", "suppressed"}})
      .Add(0, {{"state", "unprocessed"}});
  out.Counter("alertmanager_alerts_limited_total",
              "Alerts refused because of the limit per alertname (--alerts.per-alertname-limit).")
      .Add(engine.stats.limited);
  out.Gauge("alertmanager_alerts_per_alert_limit", "The limit of alerts per alertname; 0: none.")
      .Add(context.alerts_per_name_max);
  out.Gauge("alertmanager_dispatcher_aggregation_groups", "Number of active aggregation groups.")
      .Add(engine.stats.groups);
  for (std::string_view name : {"alertmanager_dispatcher_aggregation_group_limit_reached_total",
                                "alertmanager_dispatcher_aggregation_group_creation_retries_total",
                                "alertmanager_dispatcher_aggregation_group_creation_given_up_total"}) {
    out.Counter(name, "Always 0: groups have no limit and their creation does not fail.").Add(0);
  }
  out.Summary("alertmanager_dispatcher_alert_processing_duration_seconds",
              "Always 0: an alert is in its groups before its post is answered.")
      .AddSummary(0, {});
  out.Counter("alertmanager_notifications_suppressed_total",
              "The total number of notifications suppressed for being silenced, inhibited, outside of active "
              "time intervals or within muted time intervals.");
  for (MuteReason reason : {MuteReason::kActiveTimeInterval, MuteReason::kInhibition,
                            MuteReason::kMuteTimeInterval, MuteReason::kSilence}) {
    out.Add(engine.suppressed[static_cast<size_t>(reason)], {{"reason", ToString(reason)}});
  }
}

void AddNotifications(const ApiContext& context, FamilyList& out) {
  const DeliveryStats stats = context.deliveries ? context.deliveries() : DeliveryStats();
  auto each = [&](auto&& value) {
    for (IntegrationKind kind : kAllIntegrationKinds) {
      out.Add(value(stats.by_kind[static_cast<size_t>(kind)]), {{"integration", ToString(kind)}});
    }
  };
  out.Counter("alertmanager_notifications_total", "The total number of attempted notifications.");
  each([](const DeliveryCounters& c) { return c.sent + Sum(c.failed); });
  out.Counter("alertmanager_notifications_failed_total", "The total number of failed notifications.");
  for (IntegrationKind kind : kAllIntegrationKinds) {
    for (size_t i = 0; i < kFailureReasons; ++i) {
      out.Add(stats.by_kind[static_cast<size_t>(kind)].failed[i],
              {{"integration", ToString(kind)}, {"reason", ToString(static_cast<FailureReason>(i))}});
    }
  }
  out.Counter("alertmanager_notification_requests_total",
              "The total number of attempted notification requests.");
  each([](const DeliveryCounters& c) { return c.attempts; });
  out.Counter("alertmanager_notification_requests_failed_total",
              "The total number of failed notification requests.");
  each([](const DeliveryCounters& c) { return Sum(c.failed) + Sum(c.retry); });
  out.Histogram("alertmanager_notification_latency_seconds", "The latency of notifications in seconds.");
  std::vector<double> bounds;
  bounds.reserve(std::size(kLatencyBounds));
  for (Duration bound : kLatencyBounds) {
    bounds.push_back(ToSeconds(bound));
  }
  for (IntegrationKind kind : kAllIntegrationKinds) {
    const DeliveryCounters& c = stats.by_kind[static_cast<size_t>(kind)];
    out.AddHistogram(bounds, {c.latencies.begin(), c.latencies.end()}, c.latency_total,
                     {{"integration", ToString(kind)}});
  }
}

void AddState(const EngineView& engine, FamilyList& out) {
  const SilenceStats& s = engine.silences;
  out.Gauge("alertmanager_silences", "How many silences by state.")
      .Add(s.active, {{"state", "active"}})
      .Add(s.expired, {{"state", "expired"}})
      .Add(s.pending, {{"state", "pending"}});
  out.Gauge("alertmanager_silences_state_size", "The number of silences kept.")
      .Add(s.active + s.expired + s.pending);
  // They live in the database: there is no snapshot to fail, no other way to ask for them.
  for (std::string_view name :
       {"alertmanager_silences_gc_errors_total", "alertmanager_silences_maintenance_errors_total",
        "alertmanager_silences_query_errors_total", "alertmanager_silences_gossip_messages_propagated_total",
        "alertmanager_nflog_maintenance_errors_total", "alertmanager_nflog_query_errors_total",
        "alertmanager_nflog_gossip_messages_propagated_total", "alertmanager_silences_maintenance_total",
        "alertmanager_silences_queries_total", "alertmanager_silences_query_silences_scanned_total",
        "alertmanager_silences_query_silences_skipped_total", "alertmanager_nflog_maintenance_total",
        "alertmanager_nflog_queries_total"}) {
    out.Counter(name, "Always 0 here.").Add(0);
  }
  out.Counter("alertmanager_silences_matcher_compile_errors_total", "Always 0 here.")
      .Add(0, {{"stage", "index"}})
      .Add(0, {{"stage", "load_snapshot"}});
  for (std::string_view name :
       {"alertmanager_silences_matcher_index_size", "alertmanager_silences_version_index_size"}) {
    out.Gauge(name, "The number of silences kept.").Add(s.active + s.expired + s.pending);
  }
  for (std::string_view name :
       {"alertmanager_silences_snapshot_size_bytes", "alertmanager_nflog_snapshot_size_bytes"}) {
    out.Gauge(name, "Always 0 here.").Add(0);
  }
  for (std::string_view name :
       {"alertmanager_silences_gc_duration_seconds", "alertmanager_silences_snapshot_duration_seconds",
        "alertmanager_nflog_gc_duration_seconds", "alertmanager_nflog_snapshot_duration_seconds"}) {
    out.Summary(name, "Always 0 here.").AddSummary(0, {});
  }
  for (std::string_view name :
       {"alertmanager_silences_query_duration_seconds", "alertmanager_nflog_query_duration_seconds"}) {
    out.Histogram(name, "Always 0 here.");
    AddEmptyHistogram(out);
  }
}

// As a lone Alertmanager: one member, nothing sent, nothing lost.
void AddCluster(const ClusterView& cluster, FamilyList& out) {
  out.Gauge("alertmanager_cluster_enabled", "Whether the status shows a cluster (of this node alone).")
      .Add(cluster.enabled ? 1 : 0);
  if (!cluster.enabled) {
    return;
  }
  out.Gauge("alertmanager_cluster_members", "Number of members of the cluster: this one.").Add(1);
  out.Gauge("alertmanager_cluster_peer_info", "Always 1; the peer is a label.")
      .Add(1, {{"peer", cluster.name}});
  for (std::string_view name : {"alertmanager_cluster_failed_peers", "alertmanager_cluster_health_score",
                                "alertmanager_peer_position", "alertmanager_cluster_messages_queued"}) {
    out.Gauge(name, "Always 0: there is no gossip.").Add(0);
  }
  for (std::string_view name :
       {"alertmanager_cluster_messages_pruned_total", "alertmanager_cluster_peers_joined_total",
        "alertmanager_cluster_peers_left_total", "alertmanager_cluster_peers_update_total",
        "alertmanager_cluster_reconnections_total", "alertmanager_cluster_reconnections_failed_total",
        "alertmanager_cluster_refresh_join_total", "alertmanager_cluster_refresh_join_failed_total",
        "alertmanager_cluster_peer_name_conflicts_total"}) {
    // A peer counts itself when it joins.
    out.Counter(name, "There is no gossip.").Add(name == "alertmanager_cluster_peers_joined_total" ? 1 : 0);
  }
  for (std::string_view name :
       {"alertmanager_cluster_messages_received_total", "alertmanager_cluster_messages_received_size_total",
        "alertmanager_cluster_messages_sent_total", "alertmanager_cluster_messages_sent_size_total"}) {
    out.Counter(name, "Always 0: there is no gossip.")
        .Add(0, {{"msg_type", "full_state"}})
        .Add(0, {{"msg_type", "update"}});
  }
  out.Counter("alertmanager_cluster_alive_messages_total", "This node has heard of itself once.")
      .Add(1, {{"peer", cluster.name}});
  for (std::string_view name : {"alertmanager_oversized_gossip_message_sent_total",
                                "alertmanager_oversized_gossip_message_failure_total",
                                "alertmanager_oversized_gossip_message_dropped_total"}) {
    out.Counter(name, "Always 0: there is no gossip.").Add(0, {{"key", "nfl"}}).Add(0, {{"key", "sil"}});
  }
  out.Histogram("alertmanager_oversize_gossip_message_duration_seconds", "Always 0: there is no gossip.");
  AddEmptyHistogram(out, {{"key", "nfl"}});
  AddEmptyHistogram(out, {{"key", "sil"}});
}

void AddHttp(const ApiContext& context, FamilyList& out) {
  const HttpCounters* c = context.http ? context.http() : nullptr;
  out.Gauge("alertmanager_http_requests_in_flight", "Current number of HTTP requests being processed.")
      .Add(c != nullptr ? c->gets_in_flight.load() : 0, {{"method", "get"}});
  out.Counter("alertmanager_http_concurrency_limit_exceeded_total",
              "Total number of times an HTTP request failed because the concurrency limit was reached.")
      .Add(c != nullptr ? c->gets_refused.load() : 0, {{"method", "get"}});
}

}  // namespace

void AddAlertmanagerMetrics(const ApiContext& context, const EngineView& engine, FamilyList& out) {
  AddConfig(context, engine, out);
  AddAlerts(context, engine, out);
  AddNotifications(context, out);
  AddState(engine, out);
  AddCluster(context.cluster, out);
  AddHttp(context, out);
}

}  // namespace mlalert
