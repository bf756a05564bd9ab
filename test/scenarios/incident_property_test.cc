// Random stories about incidents with ladder and chain: sources that fire, clear and get worse, people who
// act, silences, crashes. After every step the invariants of the incident hold; no page is lost; at the end
// everybody who was told that something fires has heard of its end. In half of the stories the process dies
// between any two writes: before a step is committed, within its transaction, after it, and after a message
// has left. Rows go through the real storage then. A failing seed is in the message.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <fmt/format.h>
#include <map>
#include <random>
#include <set>

#include "incidents/chain.h"
#include "incidents/ladder.h"
#include "storage/migrator.h"
#include "storage/record_writer.h"
#include "storage/restore.h"
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

constexpr auto kStart = FromUnixMillis(1767225600000);

// The storage of production, in memory. May die within a transaction.
class SqliteStore final : public SimStore {
 public:
  explicit SqliteStore(std::function<bool()> dies)
      : db_(Open()), writer_(RecordWriter::Create(db_).value()), dies_(std::move(dies)) {}

  void Commit(const std::vector<Record>& records) override {
    Txn txn = Txn::Begin(db_).value();
    for (const Record& record : records) {
      if (Status written = writer_.Write(record); !written) {
        throw std::logic_error(written.error().ToString());
      }
      if (dies_()) {
        throw Crash{};  // rolled back
      }
    }
    if (Status committed = txn.Commit(); !committed) {
      throw std::logic_error(committed.error().ToString());
    }
  }
  RestoredState Load() override { return LoadState(db_, kUnset).value(); }

 private:
  static Db Open() {
    Db db = Db::Open("", DbMode::kMemory).value();
    if (Status migrated = Migrate(db); !migrated) {
      throw std::logic_error(migrated.error().ToString());
    }
    return db;
  }

  Db db_;
  RecordWriter writer_;
  std::function<bool()> dies_;
};

class Story {
 public:
  // `crashes`: how often the process dies, of a thousand writes.
  explicit Story(uint64_t seed, uint64_t crashes = 0)
      : random_(seed), crashes_(crashes), store_([this] { return Dies(); }), sim_(kConfig) {
    if (crashes > 0) {
      sim_.SetStore(&store_).CrashWhen([this] { return Dies(); });
    }
  }

  // What is wrong; empty: nothing.
  std::string Run(int steps) {
    for (int i = 0; i < steps; ++i) {
      offset_ += std::chrono::seconds(Below(1200));
      std::string wrong;
      Survive([&] { sim_.At(offset_); });
      Survive([&] { wrong = Step(); });
      if (!wrong.empty()) {
        return fmt::format("step {}: {}", i, wrong);
      }
      if (wrong = Check(); !wrong.empty()) {
        return fmt::format("after step {} ({}): {}", i, what_, wrong);
      }
    }
    crashes_ = 0;
    return Finish();
  }
  size_t died() const { return died_; }

  // For whoever looks for the reason.
  void Trace() {
    for (const Record& record : sim_.journal()) {
      if (const auto* event = std::get_if<EventRecord>(&record)) {
        fmt::print("+{} {} {} {} {}\n", FormatDuration(event->at - kStart), event->incident_id, event->type,
                   event->reason, event->to_value);
      } else if (const auto* entry = std::get_if<NflogEntry>(&record)) {
        fmt::print("+{} log {} {} firing {} resolved {}\n", FormatDuration(entry->timestamp - kStart),
                   entry->receiver, entry->group_key, entry->firing.size(), entry->resolved.size());
      } else if (const auto* gone = std::get_if<GroupDelete>(&record)) {
        fmt::print("group {} {} is gone\n", gone->route_id, gone->group_key);
      } else if (const auto* alert = std::get_if<AlertDelete>(&record)) {
        fmt::print("alert {} is gone\n", alert->fingerprint);
      }
    }
    for (const Heard& heard : sim_.heard()) {
      fmt::print("+{} {} {}\n", FormatDuration(heard.at - kStart), heard.ToString(), heard.group_key);
    }
  }

 private:
  uint64_t Below(uint64_t n) { return random_() % n; }
  bool Dies() { return crashes_ > 0 && Below(1000) < crashes_; }

  // Does it; when the process dies over it, starts it again, perhaps several times, and repeats what its
  // sender does not know to have arrived.
  template <class F>
  void Survive(F&& f) {
    try {
      f();
      return;
    } catch (const Crash&) {
      what_ += " and died";
    }
    for (;;) {
      ++died_;
      try {
        sim_.Restart(std::chrono::seconds(Below(120)));
        for (const auto& [text, labels] : known_) {
          if (firing_.contains(text)) {
            sim_.Fire(labels);
          } else {
            sim_.Resolve(labels);
          }
        }
        offset_ = sim_.now() - kStart;
        return;
      } catch (const Crash&) {
      }
    }
  }

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
          offset_ = sim_.now() - kStart;
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
      if ((incident.state == IncidentState::kAcknowledged) != (incident.care->ack != nullptr)) {
        return "an acknowledgement without its state";
      }
      if (IsSet(incident.chain_next_at) && (!waits || IsSet(incident.care->muted_since))) {
        return "a chain runs though somebody has it in hand, or it is silenced";
      }
      if (waits && !IsSet(incident.care->muted_since) && !IsSet(incident.chain_next_at) &&
          !IsQuiet(incident) && !IsChainExhausted(incident)) {
        return "nothing is ahead of an incident that waits for somebody";
      }
      if (IsSet(incident.clock_since) != (waits && !IsSet(incident.care->muted_since))) {
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
    return CheckPages();
  }

  // Who a step of a chain has named was told, unless something came between within the time that a restart
  // may take.
  std::string CheckPages() {
    constexpr Duration kPatience = std::chrono::minutes(50);  // it may die several times in a row
    static const std::set<std::string> kNoPageAfter{"acknowledged", "snoozed", "resolved", "muted",
                                                    "lowered",      "raised",  "reopened"};
    const std::vector<Record>& journal = sim_.journal();
    for (; paged_ < journal.size(); ++paged_) {
      const auto* event = std::get_if<EventRecord>(&journal[paged_]);
      if (event == nullptr || (event->type != "escalated" && event->type != "chain_exhausted")) {
        continue;
      }
      if (event->at + kPatience > sim_.now()) {
        return "";  // later
      }
      const bool overtaken = std::any_of(journal.begin(), journal.end(), [&](const Record& record) {
        const auto* other = std::get_if<EventRecord>(&record);
        return other != nullptr && other->incident_id == event->incident_id && other->at >= event->at &&
               other->at <= event->at + kPatience && kNoPageAfter.contains(other->type);
      });
      const bool heard = std::any_of(sim_.heard().begin(), sim_.heard().end(), [&](const Heard& one) {
        return one.at >= event->at - std::chrono::seconds(61) && one.at <= event->at + kPatience &&
               event->to_value.find(one.receiver.substr(0, one.receiver.find('/'))) != std::string::npos &&
               std::any_of(one.notification->alerts.begin(), one.notification->alerts.end(),
                           [&](const NotifiedAlert& alert) {
                             return alert.incident_id == event->incident_id && !alert.resolved;
                           });
      });
      if (!overtaken && !heard && !event->to_value.empty()) {
        return fmt::format("a page was lost: {} of incident {} to {} at +{}", event->type, event->incident_id,
                           event->to_value, FormatDuration(event->at - kStart));
      }
    }
    return "";
  }

  // What waits for somebody is known as firing to the receiver of its severity.
  std::string CheckRoutes() {
    std::map<std::string, std::set<uint64_t>> knows;
    for (const Heard& heard : sim_.heard()) {
      std::set<uint64_t>& fires = knows[heard.receiver.substr(0, heard.receiver.find('/'))];
      for (const NotifiedAlert& alert : heard.notification->alerts) {
        alert.resolved ? void(fires.erase(alert.fingerprint)) : void(fires.insert(alert.fingerprint));
      }
    }
    for (const AlertView& view : sim_.engine().ListAlerts()) {
      const Incident& incident = *sim_.engine().FindIncident(view.incident_id);
      if (incident.state == IncidentState::kOpen && !IsSnoozed(incident) &&
          !IsSet(incident.care->muted_since) &&
          !knows[view.receivers.front()].contains(view.alert.fingerprint())) {
        return fmt::format("{} never heard that {} fires as {}", view.receivers.front(),
                           view.alert.labels.ToString(), ToString(incident.severity));
      }
    }
    return "";
  }

  // There is time, then everything clears: nobody is left with something that fires.
  std::string Finish() {
    sim_.At(offset_ += std::chrono::hours(2));
    if (std::string wrong = CheckPages() + CheckRoutes(); !wrong.empty()) {
      return wrong;
    }
    for (const std::string& alert : firing_) {
      sim_.Resolve(known_.at(alert));
    }
    sim_.At(offset_ += std::chrono::hours(3));
    // What was said in the moment of death is said again if it fires still, but if it has cleared by then
    // nobody knows that somebody was told.
    std::map<std::string, std::set<uint64_t>> left;
    for (const Heard& heard : sim_.heard()) {
      std::set<uint64_t>& fires = left[heard.receiver + " " + heard.group_key];
      for (const NotifiedAlert& alert : heard.notification->alerts) {
        if (alert.resolved) {
          fires.erase(alert.fingerprint);
        } else if (heard.logged) {
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
  uint64_t crashes_ = 0;
  size_t died_ = 0;
  SqliteStore store_;
  Sim sim_;
  size_t paged_ = 0;  // records whose pages were heard
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

BOOST_AUTO_TEST_CASE(no_page_is_lost_when_the_process_dies_between_any_two_writes) {
  size_t died = 0;
  for (uint64_t seed = 1001; seed <= 1120; ++seed) {
    Story story(seed, 5 + seed % 40);
    const std::string wrong = story.Run(40);
    if (!wrong.empty() && std::getenv("MLALERT_PROPERTY_TRACE") != nullptr) {
      story.Trace();
    }
    BOOST_REQUIRE_MESSAGE(wrong.empty(), fmt::format("seed {}: {}", seed, wrong));
    died += story.died();
  }
  BOOST_TEST(died > 1000U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mlalert::testing
