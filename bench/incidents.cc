// What 100,000 open incidents with ladder and chain cost: memory of one beside its alert, CPU time of a
// simulated day, the longest single step (how long the gate would be held). The engine alone, on simulated
// time; receivers answer at once, records are made and dropped, as a journal takes them on another thread.
// Run by: bench/incidents.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fmt/format.h>
#include <malloc.h>
#include <memory>
#include <string>
#include <vector>

#include "config/config_loader.h"
#include "engine/engine.h"
#include "incidents/incident_machine.h"

namespace mlalert {
namespace {

constexpr int kModels = 1000;
constexpr size_t kTimersPerSlice = 200;  // as the gate's
const Timestamp kStart = FromUnixMillis(1767225600000);

const std::string kRoutes = R"(
route:
  receiver: mail
  group_by: [model]
  group_wait: 30s
  group_interval: 5m
  repeat_interval: 4h
  routes:
  - {matchers: ['severity=~"P0|P1"'], receiver: ml-oncall}
  - {matchers: ['severity="P2"'], receiver: chat}
receivers:
- {name: mail, webhook_configs: [{url: "http://127.0.0.1:9/mail"}]}
- {name: chat, webhook_configs: [{url: "http://127.0.0.1:9/chat"}]}
- {name: ml-oncall, webhook_configs: [{url: "http://127.0.0.1:9/oncall"}]}
- {name: vp-eng, webhook_configs: [{url: "http://127.0.0.1:9/vp"}]}
)";
const std::string kPolicies = R"(
incident_policies:
- name: climb
  cooldown: 30m
  ladder: {steps: [{after: 15m, severity: P3}, {after: 30m, severity: P2}, {after: 60m, severity: P1}]}
  acknowledge: {expires: 4h}
  chain:
    steps:
    - {after: 0m, receivers: [mail]}
    - {after: 30m, receivers: [chat]}
    - {after: 60m, receivers: [ml-oncall]}
    - {after: 90m, receivers: [vp-eng], severities: [P0]}
    repeat: {times: 3, every: 4h, from: 3}
)";

ConfigPtr Load(const std::string& yaml) {
  ConfigPtr config;
  const Diagnostics diagnostics = LoadConfigText(yaml, "bench.yml", config);
  if (config == nullptr) {
    std::fputs(diagnostics.ToText().c_str(), stderr);
    std::exit(2);
  }
  return config;
}

double CpuSeconds() {
  timespec at{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &at);
  return static_cast<double>(at.tv_sec) + static_cast<double>(at.tv_nsec) * 1e-9;
}

double HeapBytes() {
  return static_cast<double>(::mallinfo2().uordblks + ::mallinfo2().hblkhd);
}

// As a sender posts it.
struct Post {
  LabelSet label_set, annotation_set;
  std::vector<Label> labels, annotations;

  explicit Post(int i)
      : label_set(LabelSet::From({{"alertname", fmt::format("FeatureDrift{}", i % 20)},
                                  {"env", "production"},
                                  {"feature", fmt::format("feature_{}", i / kModels)},
                                  {"instance", fmt::format("10.0.{}.{}:9100", i / 250, i % 250)},
                                  {"job", "model-monitoring"},
                                  {"model", fmt::format("model-{}", i % kModels)},
                                  {"pipeline", fmt::format("pipeline-{}", i % 50)},
                                  {"severity", "P3"},
                                  {"team", fmt::format("team-{}", i % 20)}})),
        annotation_set(
            LabelSet::From({{"summary", fmt::format("Drift of a feature of model-{}", i % kModels)},
                            {"runbook_url", "https://runbooks.example/drift"}})) {
    for (Label label : label_set) {
      labels.push_back(label);
    }
    for (Label label : annotation_set) {
      annotations.push_back(label);
    }
  }
  DecodedAlert At(Timestamp now) const {
    DecodedAlert alert;
    alert.labels = labels;
    alert.annotations = annotations;
    alert.starts_at = now;
    alert.ends_at = kNever;
    alert.fingerprint = label_set.fingerprint();
    return alert;
  }
};

struct Run {
  explicit Run(const std::string& yaml) : engine(Load(yaml), [] { return 0.5; }) {
    Effects fx;
    engine.Restore({}, now, fx);
  }

  // Every receiver answers at once.
  void Take(Effects fx) {
    records += fx.records.size();
    while (!fx.attempts.empty()) {
      Effects next;
      for (const NotificationAttempt& attempt : fx.attempts) {
        ++attempts;
        NotificationOutcome outcome;
        outcome.notification_id = attempt.notification->id;
        outcome.attempt = attempt.number;
        outcome.verdict = DeliveryVerdict::kSent;
        engine.OnOutcome(outcome, now, next);
      }
      records += next.records.size();
      fx = std::move(next);
    }
  }

  void Until(Timestamp end) {
    while (engine.NextDue() <= end) {
      now = std::max(now, engine.NextDue());
      Effects fx;
      const auto begin = std::chrono::steady_clock::now();
      engine.RunDue(now, fx, kTimersPerSlice);
      longest = std::max(longest, std::chrono::steady_clock::now() - begin);
      Take(std::move(fx));
    }
    now = end;
  }

  // The alerts of one model come in one post, the models one after the other in the course of an hour.
  void Open(int alerts) {
    for (int model = 0; model < kModels; ++model) {
      Until(kStart + std::chrono::milliseconds(3600) * model);
      std::vector<Post> posts;
      for (int i = model; i < alerts; i += kModels) {
        posts.emplace_back(i);
      }
      std::vector<DecodedAlert> decoded;
      for (const Post& post : posts) {
        decoded.push_back(post.At(now));
      }
      Effects fx;
      engine.Ingest(decoded, now, fx);
      Take(std::move(fx));
    }
  }

  Engine engine;
  Timestamp now = kStart;
  size_t records = 0, attempts = 0;
  std::chrono::steady_clock::duration longest{};
};

// Bytes of one incident with its timer, beside the alert.
double IncidentBytes(const ConfigPtr& config, int alerts) {
  AlertStore store;
  std::vector<AlertEntry*> entries;
  entries.reserve(static_cast<size_t>(alerts));
  for (int i = 0; i < alerts; ++i) {
    entries.push_back(store.Upsert(Post(i).At(kStart), kStart).entry);
  }
  const double before = HeapBytes();
  IncidentMachine machine(config);
  for (AlertEntry* entry : entries) {
    entry->firing = true;
    IncidentMachine::Change change = machine.OnFired(*entry, kStart);
    machine.table().Arm(*change.entry, machine.NextDue(*change.entry));
  }
  return (HeapBytes() - before) / alerts;
}

void Print(const char* what, double value, const char* unit) {
  std::printf("%-58s %10.2f %s\n", what, value, unit);
}

int Main(int alerts, double cpu_max, double bytes_max, double stall_ms_max) {
  const double incident = IncidentBytes(Load(kRoutes + kPolicies), alerts);
  double plain = 0;
  {
    const double before = HeapBytes();
    Run run(kRoutes);
    run.Open(alerts);
    plain = (HeapBytes() - before) / alerts;
  }
  const double before = HeapBytes();
  Run run(kRoutes + kPolicies);
  double begin = CpuSeconds();
  run.Open(alerts);
  const double opening = CpuSeconds() - begin;
  const double opened = (HeapBytes() - before) / alerts;
  run.longest = {};
  const size_t attempts = run.attempts;
  begin = CpuSeconds();
  run.Until(run.now + std::chrono::hours(24));
  const double day = CpuSeconds() - begin;
  const double later = (HeapBytes() - before) / alerts;
  const double stall = std::chrono::duration<double, std::milli>(run.longest).count();
  const EngineStats stats = run.engine.Stats();

  std::printf("%d open incidents with ladder and chain, %zu groups, %zu messages on the day\n", alerts,
              stats.groups, run.attempts - attempts);
  Print("opening them, CPU", opening, "s");
  Print("a simulated day, CPU", day, "s");
  Print("longest step of the day", stall, "ms");
  Print("an incident beside its alert", incident, "bytes");
  Print("an alert of the engine without policies", plain, "bytes");
  Print("the same with policies, after opening", opened, "bytes");
  Print("the same a day later", later, "bytes");
  Print("beyond what it costs without policies, a day later", later - plain, "bytes");
  uint64_t broken = 0;
  for (uint64_t breaches : stats.invariant_breaches) {
    broken += breaches;
  }
  const bool ok = day <= cpu_max && incident <= bytes_max && later - plain <= bytes_max &&
                  stall <= stall_ms_max && broken == 0;
  std::printf(
      "required: a day at most %.1f s, an incident at most %.0f bytes, a step at most %.0f ms, no broken "
      "invariant (%llu): %s\n",
      cpu_max, bytes_max, stall_ms_max, static_cast<unsigned long long>(broken), ok ? "met" : "MISSED");
  return ok ? 0 : 1;
}

}  // namespace
}  // namespace mlalert

int main(int argc, char** argv) {
  const int alerts = argc > 1 ? std::atoi(argv[1]) : 100'000;
  if (alerts < 1000) {
    std::fputs("usage: incidents_bench [ALERTS]\n", stderr);
    return 2;
  }
  return mlalert::Main(alerts, 2.0, 300, 50);
}
