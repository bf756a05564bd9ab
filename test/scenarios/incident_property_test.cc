// Random stories about incidents with ladder and chain: sources that fire, clear and get worse, people who
// act, silences, receivers that fail, crashes. After every step the invariants of the incident hold; at the
// end everybody who was told that something fires has heard of its end. A failing seed is in the message.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <fmt/format.h>
#include <map>
#include <random>
#include <set>

#include "incidents/chain.h"
#include "incidents/ladder.h"
#include "support/sim.h"

namespace mlalert::testing {
namespace {

const std::string kConfig = R"(
route:
  receiver: board
  group_by: [model]
  group_wait: 10s
  group_interval: 1m
  repeat_interval: 2h
  routes:
  - {matchers: ['severity=~"P0|P1"'], receiver: page}
  - {matchers: [severity=P2], receiver: chat}
receivers:
- {name: board, webhook_configs: [{url: "http://127.0.0.1:9/board"}]}
- {name: chat, webhook_configs: [{url: "http://127.0.0.1:9/chat"}]}
- {name: page, webhook_configs: [{url: "http://127.0.0.1:9/page"}]}
- {name: l1, webhook_configs: [{url: "http://127.0.0.1:9/l1"}]}
- {name: l2, webhook_configs: [{url: "http://127.0.0.1:9/l2"}]}
- {name: last, webhook_configs: [{url: "http://127.0.0.1:9/last"}]}
incidents: {identity: [alertname, model], reopen_window: 30m, resolve_hold: 3h}
schedules:
- name: rota
  rotations: [{type: custom, shift: 45m, start: "2026-01-01", receivers: [l1, l2]}]
incident_policies:
- name: all
  cooldown: 10m
  ladder: {steps: [{after: 15m, severity: P3}, {after: 30m, severity: P2}, {after: 60m, severity: P1}]}
  acknowledge: {expires: 90m}
  chain:
    steps:
    - {after: 5m, receivers: [rota]}
    - {after: 20m, receivers: [l2], severities: [P0, P1, P2]}
    repeat: {times: 1, every: 30m}
    fallback: [last]
)";

class Story {
 public:
  explicit Story(uint64_t seed) : random_(seed), sim_(kConfig) {}

  // What is wrong; empty: nothing.
  std::string Run(int steps) {
    for (int i = 0; i < steps; ++i) {
      offset_ += std::chrono::seconds(Below(1200));
      sim_.At(offset_);
      if (std::string wrong = Step(); !wrong.empty()) {
        return fmt::format("step {}: {}", i, wrong);
      }
      if (std::string wrong = Check(); !wrong.empty()) {
        return fmt::format("after step {} ({}): {}", i, what_, wrong);
      }
    }
    return Finish();
  }

 private:
  uint64_t Below(uint64_t n) { return random_() % n; }

  LabelSet Alert() {
    static const char* const kSeverities[] = {"P3", "P3", "P2", "P0"};
    return Labels({{"alertname", "A"},
                   {"model", Below(2) == 0 ? "m" : "n"},
                   {"severity", kSeverities[Below(4)]},
                   {"instance", Below(2) == 0 ? "1" : "2"}});
  }

  std::string Step() {
    const auto id = static_cast<IncidentId>(1 + Below(6));
    what_ = "nothing";
    try {
      switch (Below(13)) {
        case 0:
        case 1:
        case 2: {
          const LabelSet alert = Alert();
          firing_.insert(alert.ToString());
          known_[alert.ToString()] = alert;
          what_ = "fire " + alert.ToString();
          sim_.Fire(alert);
          break;
        }
        case 3:
        case 4:
          if (!firing_.empty()) {
            auto it = firing_.begin();
            std::advance(it, static_cast<long>(Below(firing_.size())));
            what_ = "resolve " + *it;
            sim_.Resolve(known_.at(*it));
            firing_.erase(it);
          }
          break;
        case 5:
          what_ = "ack";
          sim_.Ack(id);
          break;
        case 6:
          what_ = "unack";
          sim_.Unack(id);
          break;
        case 7:
          what_ = "snooze";
          sim_.Snooze(id, std::chrono::minutes(1 + Below(90)));
          break;
        case 8:
          what_ = "raise";
          sim_.Raise(id, Severity::kP1);
          break;
        case 9:
          what_ = "lower";
          lowered_.insert(id);
          sim_.Lower(id, Severity::kP3);
          break;
        case 10:
          what_ = "resolve by hand";
          sim_.ResolveByHand(id);
          break;
        case 11:
          what_ = "silence";
          sim_.Silence(Below(2) == 0 ? "model=m" : "alertname=A", std::chrono::minutes(1 + Below(60)));
          break;
        default:
          what_ = "restart";
          sim_.Restart(std::chrono::seconds(Below(900)));
          offset_ = sim_.now() - FromUnixMillis(1767225600000);
          break;
      }
    } catch (const std::runtime_error&) {
      what_ += " (refused)";  // no such incident, or not in a state for it
    }
    return "";
  }

  std::string Check() {
    std::set<std::string> open;
    for (const Incident& incident : sim_.engine().ListIncidents()) {
      const bool waits = incident.state == IncidentState::kOpen && !IsSnoozed(incident);
      if (incident.state != IncidentState::kResolved && !open.insert(incident.key.ToString()).second) {
        return "two open incidents of " + incident.key.ToString();
      }
      if ((incident.state == IncidentState::kAcknowledged) != (incident.ack != nullptr)) {
        return "an acknowledgement without its state";
      }
      if (IsSet(incident.chain_next_at) && (!waits || IsSet(incident.muted_since))) {
        return "a chain runs though somebody has it in hand, or it is silenced";
      }
      if (waits && !IsSet(incident.muted_since) && !IsSet(incident.chain_next_at) && !IsQuiet(incident) &&
          !IsChainExhausted(incident)) {
        return "nothing is ahead of an incident that waits for somebody";
      }
      if (IsSet(incident.clock_since) != (waits && !IsSet(incident.muted_since))) {
        return "the ladder clock runs though it should stand, or the other way round";
      }
      // The same episode never becomes less severe, unless somebody said so.
      auto& [episode, severity] = severities_[incident.id];
      if (episode == incident.opened_generation && incident.severity < severity &&
          !lowered_.contains(incident.id)) {
        return "severity fell";
      }
      episode = incident.opened_generation;
      severity = incident.severity;
    }
    lowered_.clear();
    for (; heard_ < sim_.heard().size(); ++heard_) {
      const Heard& heard = sim_.heard()[heard_];
      const bool news = heard.reason == NotifyReason::kAcknowledged ||
                        heard.reason == NotifyReason::kAllResolved ||
                        heard.reason == NotifyReason::kSomeResolved;
      if (!news && heard.all_taken) {
        return "a page after everything in it was acknowledged: " + heard.ToString();
      }
    }
    return "";
  }

  // Everything clears, and there is time: nobody is left with something that fires.
  std::string Finish() {
    sim_.At(offset_ += std::chrono::hours(2));
    for (const std::string& alert : firing_) {
      sim_.Resolve(known_.at(alert));
    }
    sim_.At(offset_ += std::chrono::hours(3));
    std::map<std::string, std::set<uint64_t>> left;
    for (const Heard& heard : sim_.heard()) {
      std::set<uint64_t>& fires = left[heard.receiver + " " + heard.group_key];
      for (const NotifiedAlert& alert : heard.notification->alerts) {
        if (alert.resolved) {
          fires.erase(alert.fingerprint);
        } else {
          fires.insert(alert.fingerprint);
        }
      }
    }
    for (const auto& [who, fires] : left) {
      if (!fires.empty()) {
        return fmt::format("{} never heard of the end of {} alerts", who, fires.size());
      }
    }
    return "";
  }

  std::mt19937_64 random_;
  Sim sim_;
  Duration offset_{};
  std::string what_;
  std::set<std::string> firing_;
  std::map<std::string, LabelSet> known_;
  std::map<IncidentId, std::pair<int64_t, Severity>> severities_;
  std::set<IncidentId> lowered_;
  size_t heard_ = 0;
};

BOOST_AUTO_TEST_SUITE(incident_property)

BOOST_AUTO_TEST_CASE(random_stories_keep_the_invariants) {
  for (uint64_t seed = 1; seed <= 150; ++seed) {
    const std::string wrong = Story(seed).Run(60);
    BOOST_REQUIRE_MESSAGE(wrong.empty(), fmt::format("seed {}: {}", seed, wrong));
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mlalert::testing
