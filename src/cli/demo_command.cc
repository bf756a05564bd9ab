#include "cli/demo_command.h"

#include <CLI/CLI.hpp>
#include <filesystem>
#include <fmt/format.h>
#include <memory>

#include "cli/daemon.h"
#include "cli/demo_run.h"
#include "cli/web_options.h"

#include "base/time.h"
#include "config/url_check.h"

namespace mlalert {

void AddDemoCommand(CLI::App& app, int& exit_code) {
  struct Flags {
    std::string listen = "127.0.0.1:9105";
    uint64_t seed = 1;
    DemoRunOptions run;
    std::string run_for;
  };
  auto flags = std::make_shared<Flags>();
  CLI::App* demo = app.add_subcommand(
      "demo", "Metrics of simulated ML models for Prometheus to scrape; `demo run`: the show");
  demo->add_option("--listen", flags->listen, "host:port of the exporter")->capture_default_str();
  demo->add_option("--seed", flags->seed, "Seed of the noise in the metrics")->capture_default_str();

  CLI::App* run = demo->add_subcommand(
      "run", "Start Prometheus, the exporter, mlalert and a sink for notifications, and tell what happens");
  run->add_option("--prometheus", flags->run.prometheus_url,
                  "Use this Prometheus, with real waits, instead of the demo's");
  run->add_option(
      "--config", flags->run.config,
      "Your configuration instead of the demo's; its receivers are replaced: notifications are only printed");
  run->add_option("--rules", flags->run.rules_dir, "Folder of the rule files")->capture_default_str();
  CLI::Option* run_for = run->add_option(
      "--for", flags->run_for, "End by itself after this time, e.g. 90s; exit 0 only if all was seen");
  run->callback([flags, run_for, &exit_code] {
    if (run_for->count() > 0) {
      auto duration = ParseDuration(flags->run_for);
      if (!duration || *duration <= Duration::zero()) {
        fmt::print(stderr, "demo run: --for: {}\n",
                   duration ? "must be above zero" : duration.error().ToString());
        exit_code = 2;
        return;
      }
      flags->run.run_for = *duration;
    }
    if (auto url = CheckHttpUrl(flags->run.prometheus_url); !flags->run.prometheus_url.empty() && !url) {
      fmt::print(stderr, "demo run: --prometheus: {}\n  hint: e.g. http://prometheus:9090\n",
                 url.error().message);
      exit_code = 2;
      return;
    }
    std::error_code error;
    flags->run.self = std::filesystem::read_symlink("/proc/self/exe", error).string();
    exit_code = RunDemo(flags->run);
  });
  demo->callback([flags, demo, &exit_code] {
    if (!demo->get_subcommands().empty()) {
      return;  // `run` has done it
    }
    std::string host;
    int port = 0;
    if (Status split = SplitListenAddress(flags->listen, host, port); !split) {
      fmt::print(stderr, "demo: {}\n", split.error().ToString());
      exit_code = 2;
      return;
    }
    exit_code = RunDemoExporter(host, port, flags->seed);
  });
}

}  // namespace mlalert
