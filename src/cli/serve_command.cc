#include "cli/serve_command.h"

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <fmt/format.h>
#include <malloc.h>
#include <memory>

#include "cli/daemon.h"

namespace mlalert {
namespace {

// glibc raises both limits with the first large block that is freed, and would then keep for good what a
// burst of alerts needed once: 100,000 new alerts left 100 MiB behind. Naming the limits keeps them where
// they start.
void ReturnFreedMemory() {
#ifdef __GLIBC__
  constexpr int kBytes = 128 * 1024;
  mallopt(M_MMAP_THRESHOLD, kBytes);
  mallopt(M_TRIM_THRESHOLD, kBytes);
#endif
}

// Signals are taken by one thread with sigwait, so that no handler ever runs.
sigset_t BlockSignals() {
  sigset_t set;
  sigemptyset(&set);
  for (int signal : {SIGINT, SIGTERM, SIGHUP}) {
    sigaddset(&set, signal);
  }
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  return set;
}

int Serve(const ServeOptions& options) {
  ReturnFreedMemory();
  SetupLog(options.log_level, options.log_format);
  sigset_t signals = BlockSignals();
  LogInfo("Starting mlalert", {{"version", MLALERT_VERSION}});
  auto daemon = Daemon::Open(options);
  if (!daemon) {
    LogError("cannot start", {{"err", daemon.error().ToString()}});
    return ExitCode(daemon.error().code);
  }
  if (Status started = (*daemon)->Start(); !started) {
    LogError("cannot start", {{"err", started.error().ToString()}});
    return ExitCode(started.error().code);
  }
  for (;;) {
    int signal = 0;
    sigwait(&signals, &signal);
    if (signal == SIGHUP) {
      (void)(*daemon)->Reload();  // it logs its own failure; the old config stays
      continue;
    }
    LogInfo("Received a signal, stopping", {{"signal", signal == SIGINT ? "SIGINT" : "SIGTERM"}});
    (*daemon)->Stop();
    return 0;
  }
}

}  // namespace

void AddServeCommand(CLI::App& app, int& exit_code) {
  struct Flags {
    ServeOptions options;
    std::string level = "info";
    std::string format = "logfmt";
  };
  auto flags = std::make_shared<Flags>();
  CLI::App* serve = app.add_subcommand("serve", "Run the daemon: evaluate, receive, notify, remember");
  serve
      ->add_option("--config.file", flags->options.config_file,
                   "Configuration file: a superset of alertmanager.yml")
      ->capture_default_str();
  serve
      ->add_option("--storage.path", flags->options.storage_path,
                   "Folder of the SQLite file; a local disk, not NFS")
      ->capture_default_str();
  serve->add_option("--web.listen-address", flags->options.listen_address, "host:port to listen on")
      ->capture_default_str();
  serve->add_option(
      "--web.external-url", flags->options.external_url,
      "URL under which people reach this server; used in links (default: from the listen address)");
  serve->add_option("--web.route-prefix", flags->options.route_prefix, "Prefix of all paths, e.g. /mlalert");
  serve->add_option("--web.workers", flags->options.http_workers, "Threads that answer HTTP requests")
      ->capture_default_str()
      ->check(CLI::Range(1, 256));
  serve->add_option("--log.level", flags->level, "debug, info, warn or error")
      ->capture_default_str()
      ->check(CLI::IsMember({"debug", "info", "warn", "error"}));
  serve->add_option("--log.format", flags->format, "logfmt or json")
      ->capture_default_str()
      ->check(CLI::IsMember({"logfmt", "json"}));
  serve->callback([flags, &exit_code] {
    flags->options.log_level = ParseLogLevel(flags->level).value_or(LogLevel::kInfo);
    flags->options.log_format = flags->format == "json" ? LogFormat::kJson : LogFormat::kLogfmt;
    exit_code = Serve(flags->options);
  });
}

}  // namespace mlalert
