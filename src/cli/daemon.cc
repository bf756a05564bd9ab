#include "cli/daemon.h"

#include <algorithm>
#include <atomic>
#include <charconv>
#include <chrono>
#include <cmath>
#include <csignal>
#include <filesystem>
#include <fmt/format.h>
#include <iterator>
#include <mutex>
#include <optional>
#include <random>
#include <unistd.h>
#include <utility>

#include "cli/http_clients.h"
#include "cli/link_key.h"
#include "cli/reload_timer.h"
#include "cli/review_scheduler.h"
#include "cli/rule_versions.h"
#include "cli/runbook_links.h"
#include "cli/time_text.h"
#include "cli/web_options.h"

#include "api/api.h"
#include "api/http_server.h"
#include "api/metrics.h"
#include "api/runbooks.h"
#include "api/web_guard.h"
#include "backtest/proposals.h"
#include "base/heap.h"
#include "config/config_loader.h"
#include "config/rule_loader.h"
#include "config/watched_files.h"
#include "engine/alert_forwarder.h"
#include "engine/gate.h"
#include "engine/heartbeat.h"
#include "engine/pagerduty_reconciler.h"
#include "engine/rule_runner.h"
#include "net/http_transport.h"
#include "net/retrying_sender.h"
#include "notify/deliverer.h"
#include "storage/alertmanager_import.h"
#include "storage/history.h"
#include "storage/migrator.h"
#include "storage/restore.h"
#include "storage/sqlite_journal.h"

namespace mlalert {
namespace {

// How long a stop waits for notifications under way, and then for the journal.
constexpr Duration kDrainTime = std::chrono::seconds(5);

struct Loaded {
  ConfigPtr config;
  std::vector<RuleGroup> groups;
};

void LogDiagnostics(const Diagnostics& diagnostics) {
  for (const Diagnostic& item : diagnostics.items()) {
    Log(item.level == DiagnosticLevel::kError ? LogLevel::kError : LogLevel::kWarn, item.ToString());
  }
}

Result<Loaded> LoadAll(const ServeOptions& options) {
  Loaded loaded;
  Diagnostics diagnostics =
      LoadConfigFile(options.config_file, loaded.config, {.matcher_mode = options.matcher_mode});
  LogDiagnostics(diagnostics);
  MLALERT_TRY(diagnostics.ToStatus());
  Diagnostics rules = LoadRuleFiles(loaded.config->rule_files, RuleDefaultsOf(*loaded.config), loaded.groups);
  LogDiagnostics(rules);
  MLALERT_TRY(rules.ToStatus());
  MLALERT_TRY(CheckHttpClients(*loaded.config));
  return loaded;
}

void LogImport(const AlertmanagerImport& import) {
  for (const AlertmanagerImport::File* file : {&import.silences, &import.nflog}) {
    if (file->found) {
      LogInfo("Imported a state file of Alertmanager; it is left as it is", {{"file", file->path},
                                                                             {"imported", file->imported},
                                                                             {"expired", file->expired},
                                                                             {"known", file->known}});
    }
    if (!file->problem.empty()) {
      LogError("A state file of Alertmanager could not be read completely",
               {{"file", file->path}, {"left_out", file->unreadable}, {"err", file->problem}});
    }
  }
}

// A line each two seconds. A signal to end, which waits for the main thread, ends the import too.
WorkProgress ImportProgress() {
  const auto started = std::chrono::steady_clock::now();
  return [started, said = started](double done) mutable {
    const auto now = std::chrono::steady_clock::now();
    if (now - said >= std::chrono::seconds(2) && done > 0) {
      said = now;
      const std::chrono::duration<double> left = (now - started) * ((1 - done) / done);
      LogInfo("Importing Alertmanager's state",
              {{"percent", std::lround(100 * done)},
               {"left", SpanText(std::chrono::duration_cast<Duration>(left))}});
    }
    sigset_t waiting;
    sigemptyset(&waiting);
    sigpending(&waiting);
    return sigismember(&waiting, SIGTERM) == 0 && sigismember(&waiting, SIGINT) == 0;
  };
}

std::function<double()> MakeRandom() {
  auto generator = std::make_shared<std::mt19937_64>(std::random_device{}());
  return [generator] { return std::uniform_real_distribution<double>(0, 1)(*generator); };
}

// Resolved incidents are needed as long as one can reopen or cools down.
Duration LookBack(const Config& config) {
  Duration back = config.incidents.reopen_window;
  for (const auto& policy : config.incident_policies) {
    back = std::max(back, policy.cooldown);
  }
  return back + std::chrono::hours(1);
}

// Once, so that nobody believes in what is not there.
void LogIgnoredFlags(const ServeOptions& options) {
  if (!options.ignored_flags.empty()) {
    LogWarn(
        "These flags are taken for compatibility and have no effect: there is no gossip cluster and no Go, "
        "and pages and default templates are built in",
        {{"flags", fmt::format("{}", fmt::join(options.ignored_flags, " "))}});
  }
}

}  // namespace

class Daemon::Impl {
 public:
  explicit Impl(ServeOptions options) : options_(std::move(options)), runbooks_(options_.runbook_paths) {}
  ~Impl() { Stop(); }

  Status Open();
  Status Start();
  Status Reload();
  void ReloadIfChanged();
  void WaitForEngine();
  void Stop();
  int port() const { return server_ != nullptr ? server_->port() : 0; }

 private:
  Status OpenStorage();
  Status ReloadLocked();
  void BuildPipeline();
  void LogTemplateWarnings();
  void LogListening();
  ApiContext MakeContext();
  History* OpenHistory();
  void RememberRules(const std::vector<RuleGroup>& groups);
  std::string WatchedFiles() const;
  ConfigPtr CurrentConfig();

  ServeOptions options_;
  Runbooks runbooks_;
  WebOptions web_;
  SystemClock clock_;
  Loaded loaded_;
  RestoredState restored_;
  std::string database_;
  std::string link_key_;

  std::mutex config_mutex_;
  ConfigPtr config_;
  std::mutex reload_mutex_;
  std::string files_;  // what they contained at the last load, good or bad; under reload_mutex_
  std::mutex history_mutex_;
  std::unique_ptr<History> history_;
  std::atomic<bool> started_{false};
  std::atomic<const HttpCounters*> http_counters_{nullptr};  // null until the server listens
  bool stopped_ = false;

  std::unique_ptr<WebGuard> guard_;  // null without --web.config.file

  // In the order of their start; the end goes backwards.
  std::optional<LockFile> lock_;
  std::unique_ptr<SqliteJournal> journal_;
  std::unique_ptr<HttpTransport> transport_;
  std::unique_ptr<HttpTransport> queries_;  // its thread evaluates rules: nothing else may wait for it
  std::unique_ptr<Metrics> metrics_;
  std::unique_ptr<Deliverer> deliverer_;
  std::unique_ptr<Gate> gate_;
  std::unique_ptr<AlertForwarder> forwarder_;
  std::unique_ptr<ReviewScheduler> reviews_;
  std::unique_ptr<RuleRunner> rules_;
  DeliveryJudge delivery_judge_;
  std::unique_ptr<Heartbeat> heartbeat_;
  std::unique_ptr<PagerdutyReconciler> reconciler_;
  std::unique_ptr<RetryingSender> inbound_calls_;
  std::unique_ptr<ApiContext> context_;
  std::unique_ptr<HttpServer> server_;
  std::unique_ptr<ReloadTimer> reload_timer_;  // null without --config.auto-reload-interval
};

Status Daemon::Impl::Open() {
  LogIgnoredFlags(options_);
  MLALERT_ASSIGN(web_, ReadWebOptions(options_));
  if (!options_.web_config_file.empty()) {
    MLALERT_ASSIGN(guard_, WebGuard::Open(options_.web_config_file));
  }
  // First what a person can have got wrong, then what a machine can.
  files_ = WatchedFiles();
  MLALERT_ASSIGN(loaded_, LoadAll(options_));
  config_ = loaded_.config;
  MLALERT_TRY(OpenStorage());
  MLALERT_ASSIGN(transport_, HttpTransport::Start(clock_));
  MLALERT_ASSIGN(queries_, HttpTransport::Start(clock_));
  BuildPipeline();
  return deliverer_->SetConfig(config_);
}

Status Daemon::Impl::OpenStorage() {
  std::error_code error;
  std::filesystem::create_directories(options_.storage_path, error);
  if (error) {
    return Fail(Error{ErrorCode::kIo,
                      fmt::format("cannot create {}: {}", options_.storage_path, error.message()),
                      {},
                      "--storage.path must be a folder this user may write"});
  }
  database_ = (std::filesystem::path(options_.storage_path) / "mlalert.db").string();
  // Two daemons on one file would be two writers: SQLite would survive it, the notification log would not.
  MLALERT_ASSIGN(lock_, LockFile::Acquire(database_));
  MLALERT_ASSIGN(link_key_,
                 ReadOrMakeLinkKey((std::filesystem::path(options_.storage_path) / "link.key").string()));
  MLALERT_ASSIGN(Db db, OpenAndMigrate(database_));
  MLALERT_ASSIGN(AlertmanagerImport import,
                 ImportAlertmanagerState(db, options_.storage_path, clock_.Now(), ImportProgress()));
  LogImport(import);
  MLALERT_ASSIGN(restored_, LoadState(db, clock_.Now() - LookBack(*config_)));
  db.ReleaseMemory();  // what was read will not be read again
  SqliteJournalOptions options;
  options.clock = &clock_;
  options.retention = config_->history.retention;
  MLALERT_ASSIGN(journal_, SqliteJournal::Start(std::move(db), std::move(options)));
  return {};
}

void Daemon::Impl::BuildPipeline() {
  metrics_ = std::make_unique<Metrics>();
  metrics_->SetReload(true, clock_.Now());  // the first load counts as one, as in Alertmanager
  Deliverer::Options delivery;
  delivery.external_url = web_.external_url;
  delivery.link_key = link_key_;
  delivery.incident_url_prefix = web_.external_url + "/api/mlalert/v1/incidents/";
  deliverer_ =
      std::make_unique<Deliverer>(*transport_, clock_, delivery, [this](const NotificationOutcome& outcome) {
        if (outcome.notification_id < 0) {
          reviews_->OnOutcome(outcome);
          return;
        }
        gate_->Enter([&](Engine& engine, Timestamp now, Effects& fx) { engine.OnOutcome(outcome, now, fx); });
      });
  gate_ = std::make_unique<Gate>(
      Engine(config_, MakeRandom(), options_.engine), *journal_, clock_,
      [this](NotificationAttempt attempt) { deliverer_->Deliver(std::move(attempt)); });
  reviews_ = std::make_unique<ReviewScheduler>(ReviewScheduler::Seams{
      .gate = *gate_,
      .clock = clock_,
      .config = [this] { return CurrentConfig(); },
      .deliver = [this](NotificationAttempt attempt) { deliverer_->Deliver(std::move(attempt)); },
      .database = database_,
      .propose =
          [this](QualitySource& source, const ProposalInput& input) {
            return Propose(source, input, CurrentConfig(), ReadRuleFile);
          }});
  RuleManagerOptions rules;
  rules.template_url = web_.external_url;
  rules.random = MakeRandom();
  rules_ = std::make_unique<RuleRunner>(std::move(rules), *gate_, *queries_, clock_);
  forwarder_ = std::make_unique<AlertForwarder>(*transport_);
  forwarder_->SetConfig(*config_);
  rules_->SetForward([this](std::span<const RuleAlert> alerts) { forwarder_->Send(alerts); });
  heartbeat_ = std::make_unique<Heartbeat>(*transport_, clock_, [this](Timestamp now) {
    gate_->Enter(
        [late = rules_->LateGroups()](Engine& engine, Timestamp, Effects&) { engine.ReportLateRules(late); });
    return HealthReport{rules_->Problem(), JudgeStorage(journal_->Stats()),
                        delivery_judge_.Judge(deliverer_->Stats(), now)};
  });
  heartbeat_->SetConfig(config_->heartbeat);
  reconciler_ = std::make_unique<PagerdutyReconciler>(*transport_, *gate_);
  reconciler_->SetConfig(config_);
}

Status Daemon::Impl::Start() {
  context_ = std::make_unique<ApiContext>(MakeContext());
  HttpServerOptions http = web_.http;
  http.hooks = BuildHooks(*context_);
  if (guard_ != nullptr) {
    // In front of everything, health checks included: what is open to nobody must not be open by its path.
    http.hooks.before = [this, next = http.hooks.before](HttpRequest& request, HttpResponse& response) {
      return guard_->Before(request, response) || next(request, response);
    };
    if (guard_->has_tls()) {
      http.tls = [this] { return guard_->Tls(); };
    }
  }
  http.hooks.on_exception = [](const HttpRequest& request, std::string_view what) {
    LogError("a request handler failed", {{"path", request.route}, {"err", what}});
  };

  // The state first: a request that came before it would find an empty engine.
  std::vector<RuleStateRecord> rule_states = std::move(restored_.rule_states);
  gate_->Start(std::move(restored_));
  HttpRouter router = BuildRouter(*context_);
  if (runbooks_.configured()) {
    AddRunbooks(router, runbooks_, [this] { return CurrentConfig(); });
  }
  MLALERT_ASSIGN(server_, HttpServer::Start(std::move(http), std::move(router)));
  http_counters_ = &server_->counters();
  RememberRules(loaded_.groups);
  PointAtRunbooks(loaded_.groups, runbooks_, web_.external_url);
  rules_->Start(std::move(loaded_.groups), *CurrentConfig(), std::move(rule_states));
  heartbeat_->Start();
  reconciler_->Start();
  reviews_->Start();
  LogTemplateWarnings();
  if (options_.auto_reload_interval > Duration::zero()) {
    reload_timer_ =
        std::make_unique<ReloadTimer>(options_.auto_reload_interval, [this] { ReloadIfChanged(); });
  }
  TidyMemory();
  started_ = true;
  LogListening();
  return {};
}

// In Alertmanager's words: its test harness reads the port from them.
void Daemon::Impl::LogListening() {
  const std::vector<int> ports = server_->ports();
  const bool tls = guard_ != nullptr && guard_->has_tls();
  for (size_t i = 0; i < ports.size(); ++i) {
    const std::string address = web_.AddressOf(i, ports[i]);
    LogInfo("Listening on", {{"address", address}});
    LogInfo(tls ? "TLS is enabled." : "TLS is disabled.", {{"http2", false}, {"address", address}});
  }
  if (tls && guard_->http2_wanted()) {
    LogInfo("HTTP/2 is not spoken; clients use HTTP/1.1");
  }
}

void Daemon::Impl::LogTemplateWarnings() {
  for (const Error& warning : deliverer_->TemplateWarnings()) {
    LogWarn("a text of a receiver is not a valid template: notifications that need it fail",
            {{"err", warning.ToString()}});
  }
}

ApiContext Daemon::Impl::MakeContext() {
  ApiContext context{.gate = *gate_, .clock = clock_, .metrics = *metrics_};
  context.config = [this] { return CurrentConfig(); };
  context.rule_groups = [this] { return rules_->Groups(); };
  context.rule_history = [this](uint64_t id) { return rules_->History(id); };
  context.datasources = [this] { return rules_->Datasources(); };
  context.rule_stats = [this] { return rules_->Stats(); };
  context.forwards = [this] { return forwarder_->Stats(); };
  context.heartbeat = [this] { return heartbeat_->Stats(); };
  context.lanes = [this] {
    std::vector<LaneStats> lanes = transport_->Stats();
    std::vector<LaneStats> queries = queries_->Stats();
    std::move(queries.begin(), queries.end(), std::back_inserter(lanes));
    return lanes;
  };
  context.deliveries = [this] { return deliverer_->Stats(); };
  context.http = [this] { return http_counters_.load(); };
  context.history = [this] { return OpenHistory(); };
  context.database = database_;
  context.propose = [this](QualitySource& source, const ProposalInput& input) {
    return Propose(source, input, CurrentConfig(), ReadRuleFile);
  };
  context.reload = [this] { return Reload(); };
  context.ready = [this]() -> Status {
    return started_ ? Status{} : Fail(ErrorCode::kUnavailable, "starting: the state is being restored");
  };
  context.started_at = clock_.Now();
  context.external_url = web_.external_url;
  context.route_prefix = web_.http.route_prefix;
  context.matcher_mode = options_.matcher_mode;
  context.alerts_per_name_max = options_.engine.alerts.per_alertname_max;
  context.log_silences = options_.log_silences;
  context.cluster = web_.cluster;
  context.link_key = link_key_;
  inbound_calls_ = std::make_unique<RetryingSender>(*transport_, transport_->OpenLane({.name = "inbound"}));
  context.call = [this](HttpCall call, Transport::Done done) {
    inbound_calls_->Send(std::move(call), std::move(done));
  };
  if (guard_ != nullptr) {
    context.web_guard = [this] { return guard_->Stats(); };
  }
  return context;
}

History* Daemon::Impl::OpenHistory() {
  std::lock_guard<std::mutex> lock(history_mutex_);
  if (history_ == nullptr) {
    auto opened = History::Open(database_);
    if (!opened) {
      LogWarn("the history cannot be read", {{"err", opened.error().ToString()}});
      return nullptr;
    }
    history_ = std::move(*opened);
  }
  return history_.get();
}

// Reviews ask which rules there are, and since when as they are.
void Daemon::Impl::RememberRules(const std::vector<RuleGroup>& groups) {
  gate_->Enter([&](Engine&, Timestamp now, Effects& fx) { fx.records.emplace_back(RuleSetOf(groups, now)); });
}

// Contents of the configuration's files, and which runbooks there are: links of rules depend on that.
std::string Daemon::Impl::WatchedFiles() const {
  return fmt::format("{}|{}", FilesFingerprint(options_.config_file), fmt::join(runbooks_.Names(), ","));
}

ConfigPtr Daemon::Impl::CurrentConfig() {
  std::lock_guard<std::mutex> lock(config_mutex_);
  return config_;
}

Status Daemon::Impl::Reload() {
  std::lock_guard<std::mutex> one_at_a_time(reload_mutex_);
  files_ = WatchedFiles();
  return ReloadLocked();
}

// A file that is written while we read it is refused as broken, or changes once more: the next look finds it.
void Daemon::Impl::ReloadIfChanged() {
  std::lock_guard<std::mutex> one_at_a_time(reload_mutex_);
  std::string files = WatchedFiles();
  if (files == files_) {
    return;
  }
  files_ = std::move(files);
  LogInfo("The configuration's files have changed, reloading", {{"file", options_.config_file}});
  (void)ReloadLocked();  // it logs its own failure; the old config stays
}

Status Daemon::Impl::ReloadLocked() {
  auto loaded = LoadAll(options_);
  Status status = loaded ? deliverer_->SetConfig(loaded->config) : Status(Fail(loaded.error()));
  metrics_->SetReload(status.has_value(), clock_.Now());
  if (!status) {
    LogError("Loading configuration file failed",
             {{"file", options_.config_file}, {"err", status.error().ToString()}});
    return status;
  }
  {
    std::lock_guard<std::mutex> lock(config_mutex_);
    config_ = loaded->config;
  }
  gate_->Enter(
      [&](Engine& engine, Timestamp now, Effects& fx) { engine.SetConfig(loaded->config, now, fx); });
  forwarder_->SetConfig(*loaded->config);
  heartbeat_->SetConfig(loaded->config->heartbeat);
  reconciler_->SetConfig(loaded->config);
  RememberRules(loaded->groups);
  PointAtRunbooks(loaded->groups, runbooks_, web_.external_url);
  rules_->SetRules(std::move(loaded->groups), *loaded->config);
  LogTemplateWarnings();
  TidyMemory();
  LogInfo("Completed loading of configuration file", {{"file", options_.config_file}});
  return {};
}

void Daemon::Impl::WaitForEngine() {
  gate_->Read([](const Engine&) { return true; });
}

void Daemon::Impl::Stop() {
  if (stopped_ || journal_ == nullptr) {
    return;
  }
  stopped_ = true;
  reload_timer_.reset();
  if (server_ != nullptr) {
    server_->Stop();
  }
  if (reconciler_ != nullptr) {
    reconciler_->Stop();
  }
  if (heartbeat_ != nullptr) {
    heartbeat_->Stop();
  }
  if (reviews_ != nullptr) {
    reviews_->Stop();
  }
  if (rules_ != nullptr) {
    rules_->Stop();
  }
  if (queries_ != nullptr) {
    queries_->Shutdown();
  }
  if (deliverer_ != nullptr && !deliverer_->Drain(kDrainTime)) {
    LogWarn("some notifications were not answered before the stop; they are repeated after the start");
  }
  if (forwarder_ != nullptr && !forwarder_->Drain(kDrainTime)) {
    LogWarn("some alerts were not taken by other Alertmanagers before the stop");
  }
  if (gate_ != nullptr) {
    gate_->Stop();
  }
  deliverer_.reset();
  if (transport_ != nullptr) {
    transport_->Shutdown();
  }
  if (Status closed = journal_->Close(kDrainTime); !closed) {
    LogError("the journal could not write everything", {{"err", closed.error().ToString()}});
  }
}

Daemon::Daemon(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Daemon::~Daemon() = default;

Result<std::unique_ptr<Daemon>> Daemon::Open(const ServeOptions& options) {
  auto impl = std::make_unique<Impl>(options);
  MLALERT_TRY(impl->Open());
  return std::unique_ptr<Daemon>(new Daemon(std::move(impl)));
}

Status Daemon::Start() {
  return impl_->Start();
}
Status Daemon::Reload() {
  return impl_->Reload();
}
void Daemon::WaitForEngine() {
  impl_->WaitForEngine();
}
void Daemon::Stop() {
  impl_->Stop();
}
int Daemon::port() const {
  return impl_->port();
}

}  // namespace mlalert
