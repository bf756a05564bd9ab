#include "engine/alert_forwarder.h"

#include <algorithm>
#include <fmt/format.h>
#include <optional>
#include <utility>

#include "base/json.h"
#include "base/log.h"
#include "net/url.h"

namespace mlalert {
namespace {

constexpr std::string_view kAlertsPath = "/api/v2/alerts";

std::string AlertsPath(const std::string& prefix) {
  std::string out = prefix.starts_with('/') ? prefix : "/" + prefix;
  while (out.ends_with('/')) {
    out.pop_back();
  }
  return out.append(kAlertsPath);
}

std::string UrlOf(const LabelMap& labels) {
  const auto get = [&](const char* name) {
    const auto at = labels.find(name);
    return at == labels.end() ? std::string() : at->second;
  };
  return fmt::format("{}://{}{}", get("__scheme__"), get("__address__"), get("__alerts_path__"));
}

LabelMap TargetLabels(const AlertmanagerConfig& config, const AlertmanagerConfig::Target& target) {
  LabelMap out(target.labels.begin(), target.labels.end());
  out["__address__"] = target.address;
  out["__scheme__"] = config.scheme;
  out["__alerts_path__"] = AlertsPath(config.path_prefix);
  return out;
}

void AppendLabels(std::string& out, std::string_view name, const auto& labels) {
  AppendJsonString(out, name);
  out += ":{";
  bool first = true;
  for (const auto& [key, value] : labels) {
    out += std::exchange(first, false) ? "" : ",";
    AppendJsonString(out, key);
    out += ':';
    AppendJsonString(out, value);
  }
  out += '}';
}

LabelMap ToMap(const LabelSet& labels) {
  LabelMap out;
  for (const Label label : labels) {
    out.emplace(label.name, label.value);
  }
  return out;
}

}  // namespace

std::string ForwardedAlertJson(const LabelMap& labels, const RuleAlert& alert) {
  std::string out = "{";
  if (!alert.annotations.empty()) {
    AppendLabels(out, "annotations", ToMap(alert.annotations));
    out += ',';
  }
  out += fmt::format(R"("endsAt":"{}","startsAt":"{}","generatorURL":)", FormatRfc3339Millis(alert.ends_at),
                     FormatRfc3339Millis(alert.starts_at));
  AppendJsonString(out, alert.generator_url);
  out += ',';
  AppendLabels(out, "labels", labels);
  return out + "}";
}

void AlertForwarder::SetConfig(const Config& config) {
  std::lock_guard<std::mutex> lock(mutex_);
  config_ = config.alerting;
  external_labels_ = config.evaluation.external_labels;
  dropped_targets_.clear();
  std::map<std::string, std::unique_ptr<Target>> before = std::move(targets_);
  targets_.clear();
  for (size_t i = 0; i < config_.alertmanagers.size(); ++i) {
    const AlertmanagerConfig& one = config_.alertmanagers[i];
    for (const AlertmanagerConfig::Target& target : one.targets) {
      const LabelMap labels = TargetLabels(one, target);
      const auto relabeled = Relabel(labels, one.relabel_configs);
      if (!relabeled) {
        dropped_targets_.push_back(UrlOf(labels));
        continue;
      }
      const std::string url = UrlOf(*relabeled);
      if (const auto parsed = ParseUrl(url); !parsed) {
        LogError("An Alertmanager cannot be called",
                 {{"url", MaskUserinfo(url)}, {"err", parsed.error().message}});
        continue;
      }
      std::unique_ptr<Target>& place = targets_[url];
      if (place != nullptr) {
        continue;  // the same one twice
      }
      if (const auto known = before.find(url); known != before.end()) {
        place = std::move(known->second);
        before.erase(known);
      } else {
        place = std::make_unique<Target>();
        place->stats.url = url;
        place->lane = transport_.OpenLane(
            {.name = "alertmanager/" + MaskUserinfo(url), .calls_in_flight_max = 1, .queue_max = 1});
      }
      place->source = i;
    }
  }
  for (auto& [url, target] : before) {
    transport_.CloseLane(target->lane);
  }
  idle_.notify_all();
}

void AlertForwarder::Send(std::span<const RuleAlert> alerts) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (targets_.empty() || alerts.empty()) {
    return;
  }
  std::vector<std::vector<std::shared_ptr<const std::string>>> texts(config_.alertmanagers.size());
  for (const RuleAlert& alert : alerts) {
    LabelMap labels = ToMap(alert.labels);
    for (const auto& [name, value] : external_labels_) {
      labels.emplace(name, value);
    }
    const auto relabeled = Relabel(std::move(labels), config_.alert_relabel_configs);
    if (!relabeled) {
      continue;
    }
    std::shared_ptr<const std::string> unchanged;  // for all that relabel nothing
    for (size_t i = 0; i < texts.size(); ++i) {
      const auto& steps = config_.alertmanagers[i].alert_relabel_configs;
      const auto own = steps.empty() ? relabeled : Relabel(*relabeled, steps);
      if (!own || own->empty()) {
        continue;
      }
      if (steps.empty() && unchanged != nullptr) {
        texts[i].push_back(unchanged);
        continue;
      }
      texts[i].push_back(std::make_shared<const std::string>(ForwardedAlertJson(*own, alert)));
      unchanged = steps.empty() ? texts[i].back() : unchanged;
    }
  }
  for (auto& [url, target] : targets_) {
    Enqueue(*target, texts[target->source]);
    SendNext(*target);
  }
}

void AlertForwarder::Enqueue(Target& target, const std::vector<std::shared_ptr<const std::string>>& alerts) {
  target.queue.insert(target.queue.end(), alerts.begin(), alerts.end());
  if (target.queue.size() > kForwardQueueMax) {
    // The newest tell more: what is dropped is repeated while it fires.
    const size_t excess = target.queue.size() - kForwardQueueMax;
    target.queue.erase(target.queue.begin(), target.queue.begin() + static_cast<ptrdiff_t>(excess));
    target.stats.dropped += excess;
  }
}

void AlertForwarder::SendNext(Target& target) {
  if (target.in_flight > 0 || target.queue.empty()) {
    return;
  }
  const AlertmanagerConfig& config = config_.alertmanagers[target.source];
  HttpCall call;
  call.method = "POST";
  call.url = target.stats.url;
  call.headers = {{"Content-Type", "application/json"}};
  call.timeout = config.timeout;
  call.options = config.http_config;
  target.in_flight = std::min(target.queue.size(), kForwardBatchMax);
  call.body = "[";
  for (size_t i = 0; i < target.in_flight; ++i) {
    call.body += i > 0 ? "," : "";
    call.body += *target.queue.front();
    target.queue.pop_front();
  }
  call.body += ']';
  transport_.Send(target.lane, std::move(call),
                  [this, url = target.stats.url, count = target.in_flight](const HttpResult& result) {
                    OnResult(url, count, result);
                  });
}

void AlertForwarder::OnResult(const std::string& url, size_t count, const HttpResult& result) {
  std::lock_guard<std::mutex> lock(mutex_);
  const auto at = targets_.find(url);
  if (at == targets_.end()) {
    return;
  }
  Target& target = *at->second;
  target.in_flight = 0;
  const bool accepted = result.status / 100 == 2;
  ForwardTargetStats& stats = target.stats;
  stats.sent += count;
  ++stats.batches;
  stats.latency_total += result.latency;
  if (accepted) {
    stats.last_error.clear();
  } else {
    stats.errors += count;
    stats.dropped += count;
    stats.last_error =
        result.status != 0 ? fmt::format("bad response status {}", result.status) : result.error;
  }
  // Once at each turn, not once a batch.
  if (accepted == target.failing) {
    target.failing = !accepted;
    if (accepted) {
      LogInfo("An Alertmanager takes alerts again", {{"url", MaskUserinfo(url)}});
    } else {
      LogWarn("An Alertmanager does not take alerts; what it missed is repeated while it fires",
              {{"url", MaskUserinfo(url)}, {"err", stats.last_error}});
    }
  }
  SendNext(target);
  idle_.notify_all();
}

bool AlertForwarder::Drain(Duration timeout) {
  std::unique_lock<std::mutex> lock(mutex_);
  return idle_.wait_for(lock, timeout, [this] {
    return std::all_of(targets_.begin(), targets_.end(), [](const auto& entry) {
      return entry.second->queue.empty() && entry.second->in_flight == 0;
    });
  });
}

ForwardStats AlertForwarder::Stats() const {
  std::lock_guard<std::mutex> lock(mutex_);
  ForwardStats out;
  out.queue_capacity = kForwardQueueMax;
  out.dropped_urls = dropped_targets_;
  for (const auto& [url, target] : targets_) {
    out.targets.push_back(target->stats);
    out.targets.back().queued = target->queue.size();
  }
  return out;
}

}  // namespace mlalert
