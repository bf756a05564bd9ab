#include "cli/serve_flags.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "config/yaml_reader.h"

namespace mlalert {
namespace {

struct DurationFlag {
  std::string_view name;
  std::string_view fallback;
  std::string_view help;
};

// Those of the cluster are read, so that a mistake is told, and have no effect.
constexpr std::array kDurations = {
    DurationFlag{
        "--config.auto-reload-interval", "0",
        "How often to look whether the configuration's files have changed, and to reload then; 0: never"},
    DurationFlag{"--data.retention", "120h", "How long expired silences and the notification log are kept"},
    DurationFlag{"--data.maintenance-interval", "15m", "How often what has expired is dropped"},
    DurationFlag{"--alerts.gc-interval", "30m", "How often resolved alerts are dropped from memory"},
    DurationFlag{"--dispatch.maintenance-interval", "30s", "Ignored: empty groups end at once"},
    DurationFlag{"--dispatch.start-delay", "0s", "No group notifies earlier than this after the start"},
    DurationFlag{"--web.timeout", "0", "A request that takes longer is answered with 503; 0: no limit"},
    DurationFlag{"--cluster.peer-timeout", "15s", "No effect: there is no cluster"},
    DurationFlag{"--cluster.peers-resolve-timeout", "15s", "No effect"},
    DurationFlag{"--cluster.gossip-interval", "200ms", "No effect"},
    DurationFlag{"--cluster.pushpull-interval", "1m", "No effect"},
    DurationFlag{"--cluster.tcp-timeout", "10s", "No effect"},
    DurationFlag{"--cluster.probe-timeout", "500ms", "No effect"},
    DurationFlag{"--cluster.probe-interval", "1s", "No effect"},
    DurationFlag{"--cluster.settle-timeout", "1m", "No effect"},
    DurationFlag{"--cluster.reconnect-interval", "10s", "No effect"},
    DurationFlag{"--cluster.reconnect-timeout", "6h", "No effect"},
};

constexpr std::array<std::string_view, 7> kFeatures{
    "alert-names-in-metrics", "receiver-name-in-metrics", "group-key-in-metrics", "classic-mode",
    "utf8-strict-mode",       "auto-gomemlimit",          "event-recorder"};

void AddText(CLI::App& serve, const char* name, std::string& value, const char* help) {
  serve.add_option(name, value, help)->option_text(value.empty() ? "TEXT" : "TEXT [" + value + "]");
}

void AddIgnored(CLI::App& serve, const std::string& name, const std::shared_ptr<ServeFlags>& flags,
                const char* help) {
  serve.add_option_function<std::string>(
      name, [flags, name](const std::string&) { flags->ignored.push_back(name); }, help);
}

void AddIgnoredSwitch(CLI::App& serve, const std::string& name, const std::shared_ptr<ServeFlags>& flags,
                      const char* help) {
  serve.add_flag_function(
      name + ",--no-" + name.substr(2), [flags, name](int64_t) { flags->ignored.push_back(name); }, help);
}

void AddStorage(CLI::App& serve, ServeFlags& flags) {
  ServeOptions& options = flags.options;
  AddText(serve, "--config.file", options.config_file, "Configuration file: a superset of alertmanager.yml");
  AddText(serve, "--storage.path", options.storage_path, "Folder of the SQLite file; a local disk, not NFS");
  serve
      .add_option("--runbooks.path", options.runbook_paths,
                  "Folder of runbooks (NAME.md, NAME.MODEL.md), served at /runbooks/NAME; may be repeated")
      ->allow_extra_args(false)
      ->option_text("FOLDER");
  serve
      .add_option("--silences.max-silences", flags.max_silences,
                  "Most silences kept, expired ones included; 0: no limit")
      ->option_text("N [0]");
  serve
      .add_option("--silences.max-silence-size-bytes,--silences.max-per-silence-bytes",
                  flags.max_silence_bytes, "Largest silence; 0: no limit")
      ->option_text("N [0]");
  serve
      .add_option("--alerts.per-alertname-limit", flags.per_alertname_limit,
                  "Most alerts of one alertname; more are dropped; 0: no limit")
      ->option_text("N [0]");
  serve.add_flag("--log.silences,!--no-log.silences", options.log_silences, "Log each change of a silence");
}

void AddWeb(CLI::App& serve, const std::shared_ptr<ServeFlags>& flags) {
  ServeOptions& options = flags->options;
  serve
      .add_option("--web.listen-address", options.listen_addresses,
                  "host:port to listen on, :port for all addresses; may be repeated")
      ->allow_extra_args(false)
      ->option_text("ADDRESS [127.0.0.1:9093]");
  serve.add_flag("--web.systemd-socket,!--no-web.systemd-socket", options.systemd_socket,
                 "Take the listening sockets from systemd, not from --web.listen-address");
  AddText(serve, "--web.config.file", options.web_config_file, "File with TLS and authentication");
  AddText(serve, "--web.external-url", options.external_url,
          "URL under which people reach this server; used in links (default: from the listen address)");
  AddText(serve, "--web.route-prefix", options.route_prefix,
          "Prefix of all paths (default: the path of --web.external-url)");
  serve
      .add_option("--web.get-concurrency", options.get_concurrency,
                  "GET requests worked on at once, more get 503; 0: the larger of 8 and the number of cores")
      ->option_text("N [0]");
  serve.add_option("--web.workers", options.http_workers, "Threads that answer HTTP requests")
      ->option_text("N [8]")
      ->check(CLI::Range(1, 256));
  AddIgnored(serve, "--web.ui-path", flags, "Ignored (Debian's Alertmanager has it): the pages are built in");
  AddIgnored(serve, "--template.default", flags,
             "Ignored (Debian's Alertmanager has it): the default templates are built in");
}

void AddCluster(CLI::App& serve, const std::shared_ptr<ServeFlags>& flags) {
  ClusterOptions& cluster = flags->options.cluster;
  AddText(serve, "--cluster.listen-address", cluster.listen_address,
          "Shown as this node's address; empty: the status says that there is no cluster");
  AddText(serve, "--cluster.advertise-address", cluster.advertise_address, "Shown as this node's address");
  AddText(serve, "--cluster.peer-name", cluster.peer_name, "Shown as this node's name (default: random)");
  serve
      .add_option_function<std::vector<std::string>>(
          "--cluster.peer",
          [flags](const std::vector<std::string>&) { flags->ignored.push_back("--cluster.peer"); },
          "No effect: there is no cluster")
      ->allow_extra_args(false);
  AddIgnored(serve, "--cluster.tls-config", flags, "No effect");
  AddIgnored(serve, "--cluster.label", flags, "No effect");
  AddIgnoredSwitch(serve, "--cluster.allow-insecure-public-advertise-address-discovery", flags, "No effect");
  AddIgnored(serve, "--auto-gomemlimit.ratio", flags, "No effect: this is not Go");
}

// The words of upstream for a value that is not in the list.
CLI::Validator OneOf(std::vector<std::string> words, std::string what) {
  return CLI::Validator(
      [words = std::move(words), what = std::move(what)](const std::string& text) {
        return std::find(words.begin(), words.end(), text) != words.end()
                   ? std::string()
                   : fmt::format("unrecognized log {} \"{}\"", what, text);
      },
      "");
}

void ReadFeatures(const ServeFlags& flags, ServeOptions& out, std::vector<std::string>& problems) {
  bool classic = false;
  bool strict = false;
  for (const std::string& list : flags.features) {
    std::string_view rest = list;
    while (!rest.empty()) {
      const size_t comma = std::min(rest.find(','), rest.size());
      const std::string_view word = rest.substr(0, comma);
      rest.remove_prefix(std::min(comma + 1, rest.size()));
      classic |= word == "classic-mode";
      strict |= word == "utf8-strict-mode";
      if (std::find(kFeatures.begin(), kFeatures.end(), word) == kFeatures.end()) {
        problems.push_back(fmt::format("unknown option '{}' for --enable-feature", word));
      } else if (word != "classic-mode" && word != "utf8-strict-mode") {
        out.ignored_flags.push_back(fmt::format("--enable-feature={}", word));
      }
    }
  }
  if (classic && strict) {
    problems.push_back("cannot have both classic and UTF-8 modes enabled");
  }
  out.matcher_mode = classic  ? MatcherMode::kClassic
                     : strict ? MatcherMode::kUtf8Strict
                              : MatcherMode::kFallback;
}

}  // namespace

void AddServeFlags(CLI::App& serve, const std::shared_ptr<ServeFlags>& flags) {
  AddStorage(serve, *flags);
  AddWeb(serve, flags);
  for (const DurationFlag& flag : kDurations) {
    std::string name(flag.name);
    serve
        .add_option_function<std::string>(
            name, [flags, name](const std::string& text) { flags->durations[name] = text; },
            std::string(flag.help))
        ->option_text(fmt::format("DURATION [{}]", flag.fallback));
  }
  serve.add_option("--log.level", flags->level, "debug, info, warn or error")
      ->option_text("LEVEL [info]")
      ->check(OneOf({"debug", "info", "warn", "error"}, "level"));
  serve.add_option("--log.format", flags->format, "logfmt or json")
      ->option_text("FORMAT [logfmt]")
      ->check(OneOf({"logfmt", "json"}, "format"));
  serve
      .add_option("--enable-feature", flags->features,
                  "Comma-separated: classic-mode, utf8-strict-mode; Alertmanager's other words are ignored")
      ->allow_extra_args(false)
      ->option_text("LIST");
  AddCluster(serve, flags);
}

Result<ServeOptions> FinishServeFlags(const ServeFlags& flags) {
  ServeOptions out = flags.options;
  out.log_level = ParseLogLevel(flags.level).value_or(LogLevel::kInfo);
  out.log_format = flags.format == "json" ? LogFormat::kJson : LogFormat::kLogfmt;
  out.ignored_flags = flags.ignored;
  if (out.listen_addresses.empty()) {
    out.listen_addresses = {std::string(kDefaultListenAddress)};
  }
  std::map<std::string_view, Duration> durations;
  for (const DurationFlag& flag : kDurations) {
    auto given = flags.durations.find(std::string(flag.name));
    auto parsed =
        ParseGoDuration(given != flags.durations.end() ? std::string_view(given->second) : flag.fallback);
    if (!parsed) {
      return Fail(ErrorCode::kInvalid, parsed.error().message);
    }
    durations[flag.name] = *parsed;
    const bool cluster =
        flag.name.starts_with("--cluster.") || flag.name == "--dispatch.maintenance-interval";
    if (cluster && given != flags.durations.end()) {
      out.ignored_flags.emplace_back(flag.name);
    }
  }
  out.web_timeout = durations["--web.timeout"];
  out.auto_reload_interval = durations["--config.auto-reload-interval"];
  out.engine.data_retention = durations["--data.retention"];
  out.engine.data_maintenance_interval = durations["--data.maintenance-interval"];
  out.engine.alert_gc_interval = durations["--alerts.gc-interval"];
  out.engine.start_delay = durations["--dispatch.start-delay"];
  out.engine.alerts.per_alertname_max = flags.per_alertname_limit;
  out.engine.silences.count_max = flags.max_silences;
  out.engine.silences.bytes_max = flags.max_silence_bytes;
  out.engine.silences.retention = out.engine.data_retention;
  std::vector<std::string> problems;
  ReadFeatures(flags, out, problems);
  if (!problems.empty()) {
    return Fail(ErrorCode::kInvalid, problems.front());
  }
  out.engine.silences.classic_names = out.matcher_mode == MatcherMode::kClassic;
  std::sort(out.ignored_flags.begin(), out.ignored_flags.end());
  out.ignored_flags.erase(std::unique(out.ignored_flags.begin(), out.ignored_flags.end()),
                          out.ignored_flags.end());
  return out;
}

}  // namespace mlalert
