#include "cli/serve_command.h"

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <fmt/format.h>
#include <memory>
#include <optional>

#include "cli/daemon.h"
#include "cli/reload_timer.h"
#include "cli/serve_flags.h"
#include "cli/service_notify.h"
#include "cli/version_command.h"

#include "base/heap.h"

namespace mlalert {
namespace {

// As Alertmanager's, whose scripts may look at it.
constexpr int kUsageExit = 1;

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
  SetUpHeap();
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
  NotifyServiceManager("READY=1\nSTATUS=Serving");
  // A deadlock is worse than a crash: systemd restarts what no longer answers.
  std::optional<ReloadTimer> watchdog;
  if (const Duration interval = WatchdogInterval(); interval > Duration::zero()) {
    watchdog.emplace(interval, [&daemon] {
      (*daemon)->WaitForEngine();
      NotifyServiceManager("WATCHDOG=1");
    });
  }
  for (;;) {
    int signal = 0;
    sigwait(&signals, &signal);
    if (signal == SIGHUP) {
      NotifyServiceManager("RELOADING=1");
      const bool reloaded = (*daemon)->Reload().has_value();  // it logs its own failure; the old config stays
      NotifyServiceManager(reloaded ? "READY=1\nSTATUS=Serving"
                                    : "READY=1\nSTATUS=The last reload was refused, the configuration before "
                                      "it is in force: see the log");
      continue;
    }
    NotifyServiceManager("STOPPING=1");
    watchdog.reset();
    LogInfo("Received a signal, stopping", {{"signal", signal == SIGINT ? "SIGINT" : "SIGTERM"}});
    (*daemon)->Stop();
    return 0;
  }
}

}  // namespace

void AddServeCommand(CLI::App& app, int& exit_code, std::function<int()>& run) {
  auto flags = std::make_shared<ServeFlags>();
  flags->options.listen_addresses.clear();
  CLI::App* serve = app.add_subcommand("serve", "Run the daemon: evaluate, receive, notify, remember");
  serve->set_version_flag("--version", VersionText(), "Print the version and exit");
  AddServeFlags(*serve, flags);
  serve->callback([flags, &exit_code, &run] {
    auto options = FinishServeFlags(*flags);
    if (!options) {
      fmt::print(stderr, "mlalert: error: {}, try --help\n", options.error().message);
      exit_code = kUsageExit;
      return;
    }
    run = [options = std::move(*options)] { return Serve(options); };
  });
}

}  // namespace mlalert
