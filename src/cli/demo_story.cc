#include "cli/demo_story.h"

#include <algorithm>
#include <fmt/format.h>

namespace mlalert {
namespace {

// In the order in which a reader should see them.
const std::vector<std::string> kSteps = {"an alert fired",
                                         "severity rose P3 to P2 to P1 while nobody acted",
                                         "a page in PagerDuty's shape",
                                         "an acknowledgement stopped the climb",
                                         "a resolve",
                                         "two alerts of one model in one notification"};

// The demo's on-call acknowledges after so long, when the incident has been told but has not reached P1 ...
constexpr double kAckAfterSeconds = 9;
// ... and by now it would have reached P1 (the last rung of the demo's ladder is at 35 s) had nobody acted.
constexpr double kStoppedAfterSeconds = 37;

std::string Label(const Json& incident, std::string_view name) {
  const Json* labels = incident.Find("labels");
  return labels != nullptr ? labels->GetString(name) : "";
}

// "2 firing, 1 resolved" and the alerts by name.
struct Counted {
  std::vector<std::string> firing, resolved;
  std::string model;
  bool one_model = true;
};

Counted Count(const Json& alerts) {
  Counted out;
  for (const Json& alert : alerts.AsArray()) {
    const Json* labels = alert.Find("labels");
    if (labels == nullptr) {
      continue;
    }
    std::string model = labels->GetString("model");
    out.one_model = out.one_model && (out.model.empty() || out.model == model);
    out.model = model;
    std::string name = fmt::format("{}({})", labels->GetString("alertname"), labels->GetString("severity"));
    (alert.GetString("status") == "resolved" ? out.resolved : out.firing).push_back(name);
  }
  return out;
}

std::string Joined(const std::vector<std::string>& parts) {
  return fmt::format("{}", fmt::join(parts, ", "));
}

}  // namespace

void DemoStory::Mark(const std::string& step, double seconds) {
  seen_.emplace(step, seconds);
}

std::string DemoStory::OnNotification(const std::string& kind, const Json& body, double seconds) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (kind == "pagerduty") {
    const std::string& action = body.GetString("event_action");
    const Json* payload = body.Find("payload");
    std::string summary = payload != nullptr ? payload->GetString("summary") : "";
    if (action == "trigger") {
      Mark(kSteps[2], seconds);
    } else if (action == "resolve") {
      Mark(kSteps[4], seconds);
    }
    if (payload != nullptr && payload->Find("custom_details") != nullptr) {
      const Json* firing = payload->Find("custom_details")->Find("firing");
      if (firing != nullptr && firing->is_array()) {
        Counted counted = Count(*firing);
        if (counted.firing.size() >= 2 && counted.one_model) {
          Mark(kSteps[5], seconds);
        }
      }
    }
    return fmt::format("PAGE     PagerDuty {:<11} {:<8} {}", action,
                       payload != nullptr ? payload->GetString("severity") : "", summary);
  }
  if (kind == "slack") {
    std::string title;
    if (const Json* attachments = body.Find("attachments");
        attachments != nullptr && !attachments->AsArray().empty()) {
      title = attachments->AsArray()[0].GetString("title");
    }
    return fmt::format("SLACK    {} {}", body.GetString("channel"), title);
  }
  Counted counted;
  if (const Json* alerts = body.Find("alerts")) {
    counted = Count(*alerts);
  }
  if (counted.firing.size() >= 2 && counted.one_model) {
    Mark(kSteps[5], seconds);
  }
  if (body.GetString("status") == "resolved") {
    Mark(kSteps[4], seconds);
  }
  std::string line = fmt::format("WEBHOOK  {} for {}", body.GetString("receiver"), counted.model);
  if (!counted.firing.empty()) {
    line += ": firing " + Joined(counted.firing);
  }
  if (!counted.resolved.empty()) {
    line += ": resolved " + Joined(counted.resolved);
  }
  return fmt::format("{} [{}]", line, body.GetString("notification_reason"));
}

std::vector<std::string> DemoStory::OnIncidents(const Json& answer, double seconds) {
  std::lock_guard<std::mutex> lock(mutex_);
  std::vector<std::string> lines;
  const Json* list = answer.Find("incidents");
  if (list == nullptr) {
    return lines;
  }
  for (const Json& json : list->AsArray()) {
    const Json* id = json.Find("id");
    if (id == nullptr) {
      continue;
    }
    DemoIncident& known = incidents_[id->AsInt()];
    bool is_new = known.id == 0;
    if (is_new) {
      known.id = id->AsInt();
      known.alertname = Label(json, "alertname");
      known.model = Label(json, "model");
      known.first_seen = seconds;
      Mark(kSteps[0], seconds);
    }
    std::string who = fmt::format("INCIDENT {} {}{}{}", known.id, known.model, known.model.empty() ? "" : " ",
                                  known.alertname);
    const std::string& severity = json.GetString("severity");
    if (is_new) {
      lines.push_back(fmt::format("{} opened at {}", who, severity));
    } else if (severity != known.severity) {
      lines.push_back(fmt::format("{} severity {} -> {}, nobody acted for {:.0f}s", who, known.severity,
                                  severity, seconds - known.first_seen));
    }
    if (known.severities.empty() || known.severities.back() != severity) {
      known.severities.push_back(severity);
    }
    known.severity = severity;
    if (known.severities == std::vector<std::string>{"P3", "P2", "P1"}) {
      Mark(kSteps[1], seconds);
    }
    const std::string& state = json.GetString("state");
    if (!is_new && state != known.state) {
      lines.push_back(fmt::format("{} {}", who, state));
    }
    known.state = state;
    if (known.acked_at >= 0 && known.severities.size() == known.severities_at_ack &&
        seconds - known.first_seen >= kStoppedAfterSeconds && known.severity != "P1") {
      Mark(kSteps[3], seconds);
    }
  }
  return lines;
}

int64_t DemoStory::WantsAck(double seconds) {
  std::lock_guard<std::mutex> lock(mutex_);
  bool anybody_acked = std::any_of(incidents_.begin(), incidents_.end(),
                                   [](const auto& item) { return item.second.acked_at >= 0; });
  if (anybody_acked) {
    return 0;
  }
  for (const auto& [id, incident] : incidents_) {
    if (incident.alertname == "MLFeatureNullRateHigh" && incident.state == "open" &&
        seconds - incident.first_seen >= kAckAfterSeconds) {
      return id;
    }
  }
  return 0;
}

void DemoStory::OnAcked(int64_t id, double seconds) {
  std::lock_guard<std::mutex> lock(mutex_);
  DemoIncident& incident = incidents_[id];
  incident.acked_at = seconds;
  incident.severities_at_ack = incident.severities.size();
}

std::vector<std::pair<std::string, double>> DemoStory::Steps() {
  std::lock_guard<std::mutex> lock(mutex_);
  std::vector<std::pair<std::string, double>> out;
  for (const auto& step : kSteps) {
    auto it = seen_.find(step);
    out.emplace_back(step, it != seen_.end() ? it->second : -1);
  }
  return out;
}

bool DemoStory::Complete() {
  auto steps = Steps();
  return std::all_of(steps.begin(), steps.end(), [](const auto& step) { return step.second >= 0; });
}

}  // namespace mlalert
