#include "cli/daemon.h"

#include <algorithm>
#include <atomic>
#include <charconv>
#include <filesystem>
#include <fmt/format.h>
#include <iterator>
#include <mutex>
#include <optional>
#include <random>
#include <unistd.h>
#include <utility>

#include "api/api.h"
#include "api/http_server.h"
#include "api/metrics.h"
#include "config/config_loader.h"
#include "config/rule_loader.h"
#include "engine/gate.h"
#include "engine/rule_runner.h"
#include "net/http_transport.h"
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

Result<Loaded> LoadAll(const std::string& config_file) {
  Loaded loaded;
  Diagnostics diagnostics = LoadConfigFile(config_file, loaded.config);
  LogDiagnostics(diagnostics);
  MLALERT_TRY(diagnostics.ToStatus());
  RuleDefaults defaults{loaded.config->evaluation.interval, loaded.config->evaluation.query_offset};
  Diagnostics rules = LoadRuleFiles(loaded.config->rule_files, defaults, loaded.groups);
  LogDiagnostics(rules);
  MLALERT_TRY(rules.ToStatus());
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

}  // namespace

Status SplitListenAddress(const std::string& address, std::string& host, int& port) {
  size_t colon = address.rfind(':');
  std::string_view digits = colon == std::string::npos ? "" : std::string_view(address).substr(colon + 1);
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (digits.empty() || error != std::errc() || end != digits.data() + digits.size() || port < 0 ||
      port > 65535) {
    return Fail(Error{ErrorCode::kInvalid,
                      fmt::format("listen address \"{}\" has no port", address),
                      {},
                      "use host:port, e.g. 127.0.0.1:9093 or :9093 for all addresses"});
  }
  host = address.substr(0, colon);
  if (host.size() >= 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  }
  return {};
}

class Daemon::Impl {
 public:
  explicit Impl(ServeOptions options) : options_(std::move(options)) {}
  ~Impl() { Stop(); }

  Status Open();
  Status Start();
  Status Reload();
  void Stop();
  int port() const { return server_ != nullptr ? server_->port() : 0; }

 private:
  Status OpenStorage();
  void BuildPipeline();
  void LogTemplateWarnings();
  ApiContext MakeContext();
  History* OpenHistory();
  ConfigPtr CurrentConfig();

  ServeOptions options_;
  std::string external_url_;
  SystemClock clock_;
  Loaded loaded_;
  RestoredState restored_;
  std::string database_;

  std::mutex config_mutex_;
  ConfigPtr config_;
  std::mutex reload_mutex_;
  std::mutex history_mutex_;
  std::unique_ptr<History> history_;
  std::atomic<bool> started_{false};
  std::atomic<const HttpCounters*> http_counters_{nullptr};  // null until the server listens
  bool stopped_ = false;

  // In the order of their start; the end goes backwards.
  std::optional<LockFile> lock_;
  std::unique_ptr<SqliteJournal> journal_;
  std::unique_ptr<HttpTransport> transport_;
  std::unique_ptr<HttpTransport> queries_;  // its thread evaluates rules: nothing else may wait for it
  std::unique_ptr<Metrics> metrics_;
  std::unique_ptr<Deliverer> deliverer_;
  std::unique_ptr<Gate> gate_;
  std::unique_ptr<RuleRunner> rules_;
  std::unique_ptr<ApiContext> context_;
  std::unique_ptr<HttpServer> server_;
};

Status Daemon::Impl::Open() {
  std::string host;
  int port = 0;
  MLALERT_TRY(SplitListenAddress(options_.listen_address, host, port));
  external_url_ = options_.external_url;
  if (external_url_.empty()) {
    char name[256] = "localhost";
    gethostname(name, sizeof(name) - 1);
    external_url_ = fmt::format("http://{}:{}", host.empty() ? name : host, port);
  }
  while (!external_url_.empty() && external_url_.back() == '/') {
    external_url_.pop_back();
  }
  // First what a person can have got wrong, then what a machine can.
  MLALERT_ASSIGN(loaded_, LoadAll(options_.config_file));
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
  MLALERT_ASSIGN(Db db, OpenAndMigrate(database_));
  MLALERT_ASSIGN(AlertmanagerImport import, ImportAlertmanagerState(db, options_.storage_path, clock_.Now()));
  LogImport(import);
  MLALERT_ASSIGN(restored_, LoadState(db, clock_.Now() - LookBack(*config_)));
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
  delivery.external_url = external_url_;
  delivery.incident_url_prefix = external_url_ + "/api/mlalert/v1/incidents/";
  deliverer_ =
      std::make_unique<Deliverer>(*transport_, clock_, delivery, [this](const NotificationOutcome& outcome) {
        gate_->Enter([&](Engine& engine, Timestamp now, Effects& fx) { engine.OnOutcome(outcome, now, fx); });
      });
  gate_ = std::make_unique<Gate>(
      Engine(config_, MakeRandom(), options_.engine), *journal_, clock_,
      [this](NotificationAttempt attempt) { deliverer_->Deliver(std::move(attempt)); });
  RuleManagerOptions rules;
  rules.random = MakeRandom();
  rules_ = std::make_unique<RuleRunner>(std::move(rules), *gate_, *queries_, clock_);
}

Status Daemon::Impl::Start() {
  context_ = std::make_unique<ApiContext>(MakeContext());
  HttpServerOptions http;
  MLALERT_TRY(SplitListenAddress(options_.listen_address, http.host, http.port));
  http.workers = options_.http_workers;
  http.route_prefix = options_.route_prefix;
  http.hooks = BuildHooks(*context_);
  http.hooks.on_exception = [](const HttpRequest& request, std::string_view what) {
    LogError("a request handler failed", {{"path", request.route}, {"err", what}});
  };
  std::string host = http.host;

  // The state first: a request that came before it would find an empty engine.
  std::vector<RuleStateRecord> rule_states = std::move(restored_.rule_states);
  gate_->Start(std::move(restored_));
  MLALERT_ASSIGN(server_, HttpServer::Start(std::move(http), BuildRouter(*context_)));
  http_counters_ = &server_->counters();
  rules_->Start(std::move(loaded_.groups), *CurrentConfig(), std::move(rule_states));
  LogTemplateWarnings();
  started_ = true;
  LogInfo("Listening on", {{"address", fmt::format("{}:{}", host, server_->port())}});
  LogInfo("TLS is disabled.", {{"http2", false}, {"address", fmt::format("{}:{}", host, server_->port())}});
  return {};
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
  context.datasources = [this] { return rules_->Datasources(); };
  context.rule_stats = [this] { return rules_->Stats(); };
  context.lanes = [this] {
    std::vector<LaneStats> lanes = transport_->Stats();
    std::vector<LaneStats> queries = queries_->Stats();
    std::move(queries.begin(), queries.end(), std::back_inserter(lanes));
    return lanes;
  };
  context.deliveries = [this] { return deliverer_->Stats(); };
  context.http = [this] { return http_counters_.load(); };
  context.history = [this] { return OpenHistory(); };
  context.reload = [this] { return Reload(); };
  context.ready = [this]() -> Status {
    return started_ ? Status{} : Fail(ErrorCode::kUnavailable, "starting: the state is being restored");
  };
  context.started_at = clock_.Now();
  context.external_url = external_url_;
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

ConfigPtr Daemon::Impl::CurrentConfig() {
  std::lock_guard<std::mutex> lock(config_mutex_);
  return config_;
}

Status Daemon::Impl::Reload() {
  std::lock_guard<std::mutex> one_at_a_time(reload_mutex_);
  auto loaded = LoadAll(options_.config_file);
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
  rules_->SetRules(std::move(loaded->groups), *loaded->config);
  LogTemplateWarnings();
  LogInfo("Completed loading of configuration file", {{"file", options_.config_file}});
  return {};
}

void Daemon::Impl::Stop() {
  if (stopped_ || journal_ == nullptr) {
    return;
  }
  stopped_ = true;
  if (server_ != nullptr) {
    server_->Stop();
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
void Daemon::Stop() {
  impl_->Stop();
}
int Daemon::port() const {
  return impl_->port();
}

}  // namespace mlalert
