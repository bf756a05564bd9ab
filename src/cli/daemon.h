// The daemon: everything that runs, in the order in which it is started and stopped. daemon.cc reads as its
// table of contents: load, open, restore, serve, reload, drain. Owns: every thread of the process but main.
// Thread: main; Reload also from HTTP workers.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "base/result.h"
#include "base/time.h"
#include "engine/engine_options.h"
#include "model/matcher_parse.h"

namespace mlalert {

inline constexpr std::string_view kDefaultListenAddress = "127.0.0.1:9093";

// There is no cluster; this is what the status shows of the one node.
struct ClusterOptions {
  std::string listen_address = "0.0.0.0:9094";  // empty: no cluster is shown
  std::string advertise_address;
  std::string peer_name;
};

struct ServeOptions {
  std::string config_file = "alertmanager.yml";
  Duration auto_reload_interval{};  // zero: only when asked
  std::string storage_path = "data/";
  std::vector<std::string> runbook_paths;  // folders; the first one that has a runbook wins
  std::vector<std::string> listen_addresses{std::string(kDefaultListenAddress)};
  bool systemd_socket = false;  // then listen_addresses count for nothing
  std::string web_config_file;
  std::string external_url;  // empty: http://<listen address>
  std::string route_prefix;  // empty: the path of external_url
  int get_concurrency = 0;   // 0: the larger of 8 and the number of cores
  Duration web_timeout{};
  LogLevel log_level = LogLevel::kInfo;
  LogFormat log_format = LogFormat::kLogfmt;
  bool log_silences = false;
  int http_workers = 8;
  EngineOptions engine;
  MatcherMode matcher_mode = MatcherMode::kFallback;
  ClusterOptions cluster;
  std::vector<std::string> ignored_flags;  // given, and without effect here
};

class Daemon {
 public:
  // Loads, opens and restores; nothing evaluates, notifies or listens yet. Errors: kInvalid for config and
  // rule files (already printed with their places), else what could not be opened.
  static Result<std::unique_ptr<Daemon>> Open(const ServeOptions& options);
  ~Daemon();

  // Starts to listen, evaluate and notify.
  Status Start();
  // Reads config and rule files again. On any error everything stays as it was.
  Status Reload();
  // Returns when the engine answers: what hangs here hangs for everybody.
  void WaitForEngine();
  // Refuses new work, lets notifications under way finish for a few seconds, writes what is queued, closes.
  void Stop();

  // Of the first address.
  int port() const;

 private:
  class Impl;
  explicit Daemon(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace mlalert
