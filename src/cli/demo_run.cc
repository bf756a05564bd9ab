#include "cli/demo_run.h"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fmt/color.h>
#include <fmt/format.h>
#include <fstream>
#include <future>
#include <iostream>
#include <mutex>
#include <thread>

#include "cli/child_process.h"
#include "cli/demo_config.h"
#include "cli/demo_faults.h"
#include "cli/demo_sink.h"
#include "cli/demo_story.h"

#include "config/config_loader.h"
#include "config/file_io.h"
#include "config/rule_loader.h"
#include "config/yaml_document.h"
#include "net/http_transport.h"

namespace mlalert {
namespace {

namespace fs = std::filesystem;

constexpr double kSpeed = 60;
constexpr Duration kPollInterval = std::chrono::milliseconds(500);
constexpr Duration kStartPatience = std::chrono::seconds(30);

// Set by the signal handler; read by the loop.
volatile std::sig_atomic_t interrupted = 0;

void OnInterrupt(int) {
  interrupted = 1;
}

void CatchInterrupts() {
  struct sigaction action = {};
  action.sa_handler = OnInterrupt;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

// Removes its folder at the end.
class TempDir {
 public:
  TempDir() = default;
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  Status Make() {
    std::error_code error;
    fs::path parent = fs::temp_directory_path(error);
    std::string pattern = (parent / "mlalert-demo-XXXXXX").string();
    if (!error && mkdtemp(pattern.data()) == nullptr) {
      error = std::error_code(errno, std::generic_category());
    }
    if (error) {
      return Fail(Error{ErrorCode::kIo,
                        "no temporary folder: " + error.message(),
                        {},
                        "TMPDIR must name a folder this user may write"});
    }
    path_ = std::move(pattern);
    return {};
  }
  ~TempDir() {
    std::error_code ignored;
    if (!path_.empty()) {
      fs::remove_all(path_, ignored);
    }
  }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

// One call at a time, waited for.
class Caller {
 public:
  Status Start() {
    MLALERT_ASSIGN(transport_, HttpTransport::Start(clock_));
    lane_ = transport_->OpenLane({.name = "demo"});
    return {};
  }
  HttpResult Call(std::string method, std::string url, std::string body = "") {
    auto answer = std::make_shared<std::promise<HttpResult>>();
    HttpCall call;
    call.method = std::move(method);
    call.url = std::move(url);
    call.headers = {{"Content-Type", "application/json"}};
    call.body = std::move(body);
    call.timeout = std::chrono::seconds(5);
    call.response_bytes_max = size_t{16} << 20;
    transport_->Send(lane_, std::move(call),
                     [answer](HttpResult result) { answer->set_value(std::move(result)); });
    return answer->get_future().get();
  }

 private:
  SystemClock clock_;
  std::unique_ptr<HttpTransport> transport_;
  LaneId lane_{};
};

class Demo {
 public:
  explicit Demo(DemoRunOptions options) : options_(std::move(options)), started_(clock_.Now()) {}

  int Run();

 private:
  Status StartAll();
  Status StartPrometheus();
  Status AskPrometheus();
  Status WriteRules(std::string& glob);
  Result<std::string> ConfigText();
  Status WaitReady(const std::string& url, ChildProcess& child, const std::string& name,
                   const std::string& log);
  void Poll();
  void Acknowledge();
  int Finish();
  double Seconds() { return ToSeconds(clock_.Now() - started_); }
  void Say(const std::string& line);
  static Status Write(const std::string& path, const std::string& text);

  DemoRunOptions options_;
  SystemClock clock_;
  Timestamp started_;
  TempDir dir_;
  std::mutex print_mutex_;
  DemoStory story_;
  Caller caller_;
  std::unique_ptr<DemoSink> sink_;
  ChildProcess exporter_, prometheus_, mlalert_;
  std::string prometheus_url_, mlalert_url_;
  bool warned_ = false;
};

void Demo::Say(const std::string& line) {
  std::lock_guard<std::mutex> lock(print_mutex_);
  fmt::print("{:6.1f}s  {}\n", Seconds(), line);
  std::fflush(stdout);
}

Status Demo::Write(const std::string& path, const std::string& text) {
  std::ofstream file(path);
  file << text;
  file.flush();
  return file.good() ? Status{} : Fail(ErrorCode::kIo, "cannot write " + path);
}

Status Demo::WaitReady(const std::string& url, ChildProcess& child, const std::string& name,
                       const std::string& log) {
  Timestamp until = clock_.Now() + kStartPatience;
  while (clock_.Now() < until && interrupted == 0) {
    if (!child.Running()) {
      break;
    }
    if (caller_.Call("GET", url).status == 200) {
      return {};
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  std::ifstream in(log);
  std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  return Fail(ErrorCode::kUnavailable,
              fmt::format("{} did not become ready; its output ends with:\n{}", name,
                          text.size() > 3000 ? text.substr(text.size() - 3000) : text));
}

Status Demo::StartPrometheus() {
  MLALERT_ASSIGN(int exporter_port, FreePort());
  MLALERT_ASSIGN(int port, FreePort());
  MLALERT_ASSIGN(exporter_, ChildProcess::Start({options_.self, "demo", "--listen",
                                                 fmt::format("127.0.0.1:{}", exporter_port)},
                                                dir_ / "exporter.log"));
  MLALERT_TRY(
      Write(dir_ / "prometheus.yml", DemoPrometheusConfig(fmt::format("127.0.0.1:{}", exporter_port))));
  MLALERT_ASSIGN(prometheus_, ChildProcess::Start({"prometheus", "--config.file=" + (dir_ / "prometheus.yml"),
                                                   "--storage.tsdb.path=" + (dir_ / "tsdb"),
                                                   fmt::format("--web.listen-address=127.0.0.1:{}", port)},
                                                  dir_ / "prometheus.log"));
  prometheus_url_ = fmt::format("http://127.0.0.1:{}", port);
  MLALERT_TRY(WaitReady(prometheus_url_ + "/-/ready", prometheus_, "prometheus", dir_ / "prometheus.log"));
  Say(fmt::format("Prometheus is ready at {}, scraping {} simulated models", prometheus_url_, 3));
  return {};
}

Status Demo::WriteRules(std::string& glob) {
  glob = fs::absolute(options_.rules_dir).string() + "/*.yml";
  if (!options_.prometheus_url.empty()) {
    return {};  // real rules for a real Prometheus
  }
  std::vector<RuleGroup> groups;
  Diagnostics diagnostics = LoadRuleFiles({{glob, ""}}, {}, groups);
  MLALERT_TRY(diagnostics.ToStatus());
  if (groups.empty()) {
    return Fail(Error{ErrorCode::kNotFound,
                      "no rules in " + glob,
                      {},
                      "--rules DIR names the folder of the shipped rules"});
  }
  MLALERT_ASSIGN(std::string scaled, ScaleRules(groups, kSpeed));
  fs::create_directories(dir_ / "rules");
  glob = dir_ / "rules/*.yml";
  return Write(dir_ / "rules/ml-core.yml", scaled);
}

// Better said at once than after a minute of silence.
Status Demo::AskPrometheus() {
  while (prometheus_url_.ends_with('/')) {
    prometheus_url_.pop_back();
  }
  HttpResult result = caller_.Call("GET", prometheus_url_ + "/api/v1/query?query=1");
  if (result.status == 200) {
    Say(fmt::format("Prometheus at {} answers", prometheus_url_));
    return {};
  }
  return Fail(
      Error{ErrorCode::kUnavailable,
            fmt::format("--prometheus {}: {}", prometheus_url_,
                        result.status != 0 ? fmt::format("a query is answered with status {}", result.status)
                                           : result.error),
            {},
            "the URL is that of the HTTP API without /api/v1, e.g. http://prometheus:9090"});
}

// The demo's own configuration, or the user's with its receivers and data sources replaced.
Result<std::string> Demo::ConfigText() {
  DemoConfigOptions demo;
  demo.prometheus_url = prometheus_url_;
  MLALERT_TRY(WriteRules(demo.rule_glob));
  demo.sink_url = fmt::format("http://127.0.0.1:{}", sink_->port());
  demo.scaled = options_.prometheus_url.empty();
  if (options_.config.empty()) {
    return DemoMlalertConfig(demo);
  }
  MLALERT_ASSIGN(std::string text, ReadSmallFile(options_.config, kYamlBytesMax));
  ConfigPtr loaded;
  Diagnostics diagnostics = LoadConfigText(text, fs::absolute(options_.config).string(), loaded);
  MLALERT_TRY(diagnostics.ToStatus());
  Say(fmt::format("{}: its {} receivers are replaced by this terminal, nobody else is told", options_.config,
                  loaded->receivers.size()));
  return ConfigForSink(text, *loaded, demo);
}

Status Demo::StartAll() {
  MLALERT_TRY(dir_.Make());
  MLALERT_TRY(caller_.Start());
  MLALERT_ASSIGN(sink_, DemoSink::Start([this](const std::string& kind, const Json& body) {
                   Say(story_.OnNotification(kind, body, Seconds()));
                 }));
  prometheus_url_ = options_.prometheus_url;
  if (prometheus_url_.empty()) {
    MLALERT_TRY(StartPrometheus());
  } else {
    MLALERT_TRY(AskPrometheus());
  }
  std::string config = dir_ / "mlalert.yml";
  MLALERT_ASSIGN(std::string text, ConfigText());
  MLALERT_TRY(Write(config, text));
  MLALERT_ASSIGN(int port, FreePort());
  mlalert_url_ = fmt::format("http://127.0.0.1:{}", port);
  MLALERT_ASSIGN(mlalert_, ChildProcess::Start({options_.self, "serve", "--config.file=" + config,
                                                "--storage.path=" + (dir_ / "data"),
                                                fmt::format("--web.listen-address=127.0.0.1:{}", port)},
                                               dir_ / "mlalert.log"));
  MLALERT_TRY(WaitReady(mlalert_url_ + "/-/ready", mlalert_, "mlalert serve", dir_ / "mlalert.log"));
  Say(fmt::format("mlalert is ready at {}; exact notification bodies: curl http://127.0.0.1:{}/bodies",
                  mlalert_url_, sink_->port()));
  return {};
}

void Demo::Poll() {
  HttpResult result = caller_.Call("GET", mlalert_url_ + "/api/mlalert/v1/incidents?state=all&limit=1000");
  auto json = result.status == 200 ? ParseJson(result.body)
                                   : Result<Json>(Fail(ErrorCode::kUnavailable, result.error));
  if (!json) {
    if (!warned_) {
      Say("the incidents API does not answer: " + json.error().ToString());
      warned_ = true;
    }
    return;
  }
  for (const std::string& line : story_.OnIncidents(*json, Seconds())) {
    Say(line);
  }
}

void Demo::Acknowledge() {
  if (!options_.prometheus_url.empty()) {
    return;  // on a real Prometheus people acknowledge
  }
  int64_t id = story_.WantsAck(Seconds());
  if (id == 0) {
    return;
  }
  HttpResult result =
      caller_.Call("POST", fmt::format("{}/api/mlalert/v1/incidents/{}/ack", mlalert_url_, id),
                   R"json({"actor":"alice (demo)","comment":"known: upstream schema change"})json");
  if (result.status == 200) {
    story_.OnAcked(id, Seconds());
    Say(fmt::format("ALICE    acknowledges incident {}: known: upstream schema change", id));
  } else {
    Say(fmt::format("acknowledging incident {} failed: {} {}{}", id, result.status, result.error,
                    result.body));
  }
}

int Demo::Run() {
  CatchInterrupts();
  if (Status started = StartAll(); !started) {
    fmt::print(stderr, "demo: {}\n", started.error().ToString());
    return 1;
  }
  Timestamp end = options_.run_for > Duration::zero() ? started_ + options_.run_for : kNever;
  while (interrupted == 0 && clock_.Now() < end) {
    Poll();
    Acknowledge();
    if (!mlalert_.Running()) {
      fmt::print(stderr, "demo: mlalert serve has ended; see its log below\n");
      std::ifstream log(dir_ / "mlalert.log");
      std::cerr << log.rdbuf();
      return 1;
    }
    std::this_thread::sleep_for(kPollInterval);
  }
  return Finish();
}

int Demo::Finish() {
  fmt::print("\n");
  for (const auto& [step, at] : story_.Steps()) {
    fmt::print("{}  {:<50} {}\n", at >= 0 ? "seen   " : "MISSING", step,
               at >= 0 ? fmt::format("{:6.1f}s", at) : "");
  }
  // Ends what was started, newest first; the children are also killed if we are.
  mlalert_.Stop();
  prometheus_.Stop();
  exporter_.Stop();
  return story_.Complete() || options_.run_for == Duration::zero() ? 0 : 1;
}

}  // namespace

int RunDemo(const DemoRunOptions& options) {
  return Demo(options).Run();
}

int RunDemoExporter(const std::string& host, int port, uint64_t seed) {
  CatchInterrupts();
  SystemClock clock;
  Timestamp started = clock.Now();
  DemoPlatform platform(seed);
  std::mutex mutex;
  HttpRouter router;
  router.Get("/metrics", [&](HttpRequest&, HttpResponse& response) {
    std::lock_guard<std::mutex> lock(mutex);
    Timestamp now = clock.Now();
    response.content_type = "text/plain; version=0.0.4; charset=utf-8";
    response.body = platform.Scrape(ToSeconds(now - started), ToSeconds(now.time_since_epoch()));
  });
  HttpServerOptions options;
  options.host = host;
  options.port = port;
  options.workers = 2;
  auto server = HttpServer::Start(std::move(options), std::move(router));
  if (!server) {
    fmt::print(stderr, "demo: {}\n", server.error().ToString());
    return 1;
  }
  fmt::print("simulated models at http://{}:{}/metrics\n", host, (*server)->port());
  std::fflush(stdout);
  while (interrupted == 0) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  (*server)->Stop();
  return 0;
}

}  // namespace mlalert
