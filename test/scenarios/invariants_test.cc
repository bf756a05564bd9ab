// Random stories with policies, acknowledgements, failures, reloads and restarts; what must always hold is
// checked after every step.
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "incidents/ladder.h"
#include "support/sim.h"

namespace mlalert::testing {
namespace {

const std::string kConfig = R"(
route:
  receiver: mail
  group_by: [model]
  group_wait: 30s
  group_interval: 1m
  repeat_interval: 3h
  routes:
  - {matchers: ['severity=~"P0|P1"'], receiver: page, group_wait: 0s}
  - {matchers: ['severity="P2"'], receiver: slack, group_wait: 10s}
receivers:
- {name: mail, webhook_configs: [{url: "http://127.0.0.1:9/mail"}]}
- {name: slack, slack_configs: [{api_url: "http://127.0.0.1:9/slack", channel: "#ml", send_resolved: true}]}
- {name: page, pagerduty_configs: [{routing_key: k, url: "http://127.0.0.1:9/pd"}]}
incidents: {identity: [alertname, model], reopen_window: 20m}
incident_policies:
- {name: page, matchers: ['severity=~"P0|P1"'], cooldown: 15m, acknowledge: {expires: 1h}}
- name: climb
  matchers: ['severity=~"P2|P3"']
  cooldown: 30m
  ladder: {steps: [{after: 15m, severity: P3}, {after: 30m, severity: P2}, {after: 60m, severity: P1}], quiet_before_first_step: true}
)";

const std::vector<std::string> kReceivers{"mail/webhook[0]", "slack/slack[0]", "page/pagerduty[0]"};

class Story {
 public:
  explicit Story(uint32_t seed) : sim_(kConfig), start_(sim_.now()), random_(seed) {
    for (int name = 0; name < 4; ++name) {
      for (const char* severity : {"P3", "P2", "P1"}) {
        labels_.push_back(Labels({{"alertname", fmt::format("A{}{}", name, severity)},
                                  {"model", fmt::format("m{}", name % 2)},
                                  {"severity", severity}}));
      }
      labels_.push_back(labels_.back().With("severity", "P0"));  // a raise of the P1 by its source
    }
  }

  void Run(int steps) {
    for (int i = 0; i < steps; ++i) {
      sim_.At(sim_.now() - start_ + seconds(Pick(4) == 0 ? Pick(3600) : Pick(300)));
      Act();
      Check();
    }
    for (const auto& name : kReceivers) {
      sim_.Answer(name, {}).Hang(name, false).ReleaseHung(name, DeliveryVerdict::kRetry);
    }
    for (const LabelSet& labels : labels_) {
      sim_.Resolve(labels);
    }
    sim_.At(sim_.now() - start_ + hours(2));
    Check();
    CheckEnd();
  }

 private:
  uint32_t Pick(uint32_t n) { return static_cast<uint32_t>(random_() % n); }

  void Act() {
    const LabelSet& labels = labels_[Pick(static_cast<uint32_t>(labels_.size()))];
    const std::string& receiver = kReceivers[Pick(3)];
    switch (Pick(13)) {
      case 0:
      case 1:
      case 2:
      case 3:
        sim_.Fire(labels);
        break;
      case 4:
      case 5:
        sim_.Resolve(labels);
        break;
      case 6:
      case 7:
        for (const Incident& incident : sim_.engine().ListIncidents()) {
          if (incident.state == IncidentState::kOpen && Pick(3) == 0) {
            sim_.Ack(incident.id, "alice",
                     Pick(2) == 0 ? std::optional<Duration>(minutes(Pick(90) + 1)) : std::nullopt);
          }
        }
        break;
      case 8:
        for (const Incident& incident : sim_.engine().ListIncidents()) {
          if (incident.state == IncidentState::kAcknowledged && Pick(2) == 0) {
            sim_.Unack(incident.id);
          }
        }
        break;
      case 9:
        sim_.Answer(receiver, {DeliveryVerdict::kRetry, DeliveryVerdict::kFailed, DeliveryVerdict::kRetry});
        break;
      case 10:
        sim_.Hang(receiver, Pick(2) == 0);
        sim_.ReleaseHung(receiver, Pick(2) == 0 ? DeliveryVerdict::kRetry : DeliveryVerdict::kFailed);
        break;
      case 11:
        sim_.Reload(kConfig);
        break;
      default:
        sim_.Restart(Pick(2) == 0 ? Duration(0) : Duration(minutes(Pick(40))));
    }
  }

  void Check() {
    BOOST_TEST((sim_.engine().NextDue() > sim_.now()));
    std::set<std::string> open;
    for (const Incident& i : sim_.engine().ListIncidents()) {
      if (i.state != IncidentState::kResolved) {
        BOOST_TEST(open.insert(i.key.ToString()).second);
      }
      auto& [episode, severity] = seen_[i.id];
      if (episode != i.reopen_count) {
        episode = i.reopen_count;
        severity = Severity::kNone;
      }
      BOOST_TEST((i.severity >= severity));
      severity = i.severity;
      bool ahead = i.policy != nullptr && i.ladder_step < i.policy->ladder.size();
      BOOST_TEST(IsSet(i.next_severity_at) == (ahead && i.state == IncidentState::kOpen));
      BOOST_TEST(IsSet(i.clock_since) == (i.state == IncidentState::kOpen));
      BOOST_TEST((i.care->ack != nullptr) == (i.state == IncidentState::kAcknowledged));
    }
    EngineStats stats = sim_.engine().Stats();
    BOOST_TEST(stats.alerts_firing == sim_.engine().ListAlerts().size());
    for (size_t invariant : {1, 4, 5}) {
      BOOST_TEST(stats.invariant_breaches[invariant - 1] == 0U);
    }
    for (; checked_ < sim_.heard().size(); ++checked_) {
      Hear(sim_.heard()[checked_]);
    }
  }

  void Hear(const Heard& heard) {
    bool about_firing = heard.reason == NotifyReason::kFirst || heard.reason == NotifyReason::kNewAlerts ||
                        heard.reason == NotifyReason::kRaised || heard.reason == NotifyReason::kRepeat;
    BOOST_CHECK_MESSAGE(!(about_firing && heard.all_taken), "acknowledged, yet told: " + heard.ToString());
    auto& known = knows_[heard.receiver + " " + heard.group_key];
    for (const std::string& alert : heard.firing) {
      known.insert(alert.substr(0, alert.find(':')));
    }
    for (const std::string& alert : heard.resolved) {
      if (alert == "MlalertInvariantBroken") {
        known.erase(alert);
        continue;  // several of one name: receivers that fail or hang are a breach
      }
      // P0 and P1 of one name share the name, so one resolve may stand for two.
      BOOST_CHECK_MESSAGE(known.erase(alert) > 0 || alert.ends_with("P1"), "told twice: " + heard.ToString());
    }
  }

  void CheckEnd() {
    for (const auto& [who, alerts] : knows_) {
      for (const std::string& alert : alerts) {
        BOOST_ERROR(who + " never heard the end of " + alert);
      }
    }
    BOOST_TEST(sim_.engine().Stats().groups == 0U);
    BOOST_TEST(sim_.engine().Stats().in_flight == 0U);
  }

  Sim sim_;
  Timestamp start_;
  std::mt19937 random_;
  std::vector<LabelSet> labels_;
  std::map<IncidentId, std::pair<int32_t, Severity>> seen_;
  std::map<std::string, std::set<std::string>> knows_;
  size_t checked_ = 0;
};

BOOST_AUTO_TEST_SUITE(invariants)

BOOST_AUTO_TEST_CASE(hold_after_every_step_of_random_stories) {
  const char* more = std::getenv("MLALERT_PROPERTY_RUNS");
  const uint32_t runs = more != nullptr ? static_cast<uint32_t>(std::stoul(more)) : 100;
  for (uint32_t seed = 1; seed <= runs; ++seed) {
    BOOST_TEST_CONTEXT("seed " << seed) {
      Story(seed).Run(60);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mlalert::testing
