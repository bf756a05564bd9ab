// The daemon: everything that runs, in the order in which it is started and stopped. daemon.cc reads as its
// table of contents: load, open, restore, serve, reload, drain. Owns: every thread of the process but main.
// Thread: main; Reload also from HTTP workers.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/log.h"
#include "base/result.h"
#include "engine/engine_options.h"

namespace mlalert {

struct ServeOptions {
  std::string config_file = "alertmanager.yml";
  std::string storage_path = "data/";
  std::string listen_address = "127.0.0.1:9093";
  std::string external_url;  // empty: http://<listen address>
  std::string route_prefix;
  LogLevel log_level = LogLevel::kInfo;
  LogFormat log_format = LogFormat::kLogfmt;
  int http_workers = 8;
  EngineOptions engine;
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
  // Refuses new work, lets notifications under way finish for a few seconds, writes what is queued, closes.
  void Stop();

  int port() const;

 private:
  class Impl;
  explicit Daemon(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// host:port, [v6]:port or :port (all addresses).
Status SplitListenAddress(const std::string& address, std::string& host, int& port);

}  // namespace mlalert
