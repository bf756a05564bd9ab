// kill -9 at every point of a story: nobody hears twice what the log says was said, nobody is forgotten, and
// the ladder reads as if nothing had happened.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "support/expect.h"
#include "support/sim.h"

namespace mlalert::testing {
namespace {

const std::string kConfig = R"(
route:
  receiver: mail
  group_by: [model]
  group_wait: 30s
  group_interval: 1m
  repeat_interval: 12h
  routes:
  - {matchers: ['severity=~"P0|P1"'], receiver: page, group_wait: 0s}
  - {matchers: ['severity="P2"'], receiver: slack, group_wait: 10s}
receivers:
- {name: mail, webhook_configs: [{url: "http://127.0.0.1:9/mail"}]}
- {name: slack, slack_configs: [{api_url: "http://127.0.0.1:9/slack", channel: "#ml", send_resolved: true}]}
- {name: page, pagerduty_configs: [{routing_key: k, url: "http://127.0.0.1:9/pd"}]}
incidents: {identity: [alertname, model], reopen_window: 30m}
incident_policies:
- name: page
  matchers: ['severity=~"P0|P1"']
  cooldown: 15m
- name: climb
  matchers: ['severity=~"P2|P3"']
  cooldown: 30m
  ladder:
    steps: [{after: 15m, severity: P3}, {after: 30m, severity: P2}, {after: 60m, severity: P1}]
    quiet_before_first_step: true
)";

const LabelSet kDrift = Labels({{"alertname", "Drift"}, {"model", "m"}, {"severity", "P3"}});
const LabelSet kOther = Labels({{"alertname", "Lag"}, {"model", "m"}, {"severity", "P3"}});
const LabelSet kDown = Labels({{"alertname", "Down"}, {"model", "m"}, {"severity", "P1"}});
const LabelSet kPlain = Labels({{"alertname", "Plain"}, {"model", "m"}});
const LabelSet kPlain2 = Labels({{"alertname", "Plain2"}, {"model", "m"}});

struct Moment {
  Duration at;
  std::function<void(Sim&)> act;  // null: only a point to die at
};
struct Story {
  const char* name;
  std::vector<Moment> moments;
  Duration end;
};

Moment Fires(Duration at, const LabelSet& labels) {
  return {at, [labels](Sim& sim) { sim.Fire(labels); }};
}
Moment Resolves(Duration at, const LabelSet& labels) {
  return {at, [labels](Sim& sim) { sim.Resolve(labels); }};
}
Moment Dies(Duration at) {
  return {at, nullptr};
}

std::vector<Story> Stories() {
  return {
      {"grouping",
       {Fires(seconds(0), kPlain), Dies(seconds(15)), Fires(seconds(20), kPlain2), Dies(seconds(31)),
        Resolves(minutes(2), kPlain), Dies(minutes(2) + seconds(10)), Dies(minutes(4)),
        Resolves(minutes(40), kPlain2)},
       minutes(120)},
      {"ladder",
       {Fires(seconds(0), kDrift), Dies(minutes(7)), Dies(minutes(15)), Dies(minutes(16)), Dies(minutes(30)),
        Dies(minutes(45)), Dies(minutes(61)), Resolves(minutes(100), kDrift),
        Dies(minutes(100) + seconds(1))},
       minutes(200)},
      {"two in one group, one moves on",
       {Fires(seconds(0), kDrift), Fires(minutes(12), kOther), Dies(minutes(28)), Dies(minutes(31)),
        Resolves(minutes(35), kDrift), Dies(minutes(35) + seconds(5)), Dies(minutes(38)),
        Resolves(minutes(90), kOther)},
       minutes(200)},
      {"acknowledge",
       {Fires(seconds(0), kDown),
        Dies(minutes(1)),
        {minutes(3), [](Sim& sim) { sim.Ack(1); }},
        Dies(minutes(4)),
        Dies(minutes(50)),
        Resolves(minutes(90), kDown)},
       minutes(200)},
      {"cooldown",
       {Fires(seconds(0), kDown), Resolves(minutes(2) - seconds(1), kDown), Dies(minutes(3)),
        Fires(minutes(5), kDown), Dies(minutes(7)), Dies(minutes(14)), Dies(minutes(16)),
        Resolves(minutes(60), kDown)},
       minutes(200)},
      {"a retry waits",
       {{seconds(0),
         [](Sim& sim) {
           sim.Answer("page/pagerduty[0]", {DeliveryVerdict::kRetry, DeliveryVerdict::kRetry});
           sim.Fire(kDown);
         }},
        Dies(milliseconds(200)),
        Dies(minutes(1)),
        Resolves(minutes(30), kDown)},
       minutes(120)},
      {"a hung receiver",
       {{seconds(0),
         [](Sim& sim) {
           sim.Hang("page/pagerduty[0]");
           sim.Fire(kDown);
           sim.Hang("page/pagerduty[0]", false);
         }},
        Dies(seconds(30)),
        {seconds(50), [](Sim& sim) { sim.ReleaseHung("page/pagerduty[0]", DeliveryVerdict::kRetry); }},
        Dies(minutes(2)),
        Resolves(minutes(30), kDown)},
       minutes(120)},
  };
}

// What each receiver was told and is owed, from what it heard alone.
void CheckHeard(const Sim& sim) {
  std::map<std::string, std::set<std::string>> knows;  // receiver and group -> alerts
  auto name_of = [](const std::string& text) { return text.substr(0, text.find(':')); };
  for (const Heard& heard : sim.heard()) {
    auto& known = knows[heard.receiver + " " + heard.group_key];
    bool news = heard.reason == NotifyReason::kRepeat || heard.reason == NotifyReason::kAcknowledged;
    for (const std::string& alert : heard.firing) {
      news = known.insert(name_of(alert)).second || news;
    }
    for (const std::string& alert : heard.resolved) {
      // Alertmanager reports the resolve of an alert without policy also where nobody was told of it.
      bool was_told = known.erase(alert) > 0;
      BOOST_CHECK_MESSAGE(was_told || alert.starts_with("Plain"), "not told before: " + heard.ToString());
      news = true;
    }
    BOOST_CHECK_MESSAGE(news, "told twice: " + heard.ToString());
  }
  for (const auto& [who, alerts] : knows) {
    for (const std::string& alert : alerts) {
      BOOST_ERROR(who + " was never told that " + alert + " is over");
    }
  }
}

std::vector<std::string> Words(const Sim& sim) {  // without times
  std::vector<std::string> out;
  for (const Heard& heard : sim.heard()) {
    out.push_back(heard.ToString());
  }
  return out;
}

// Runs the story and dies after moment `die_after` (never when negative).
void Run(Sim& sim, const Story& story, int die_after, Duration down) {
  Timestamp start = sim.now();
  for (size_t i = 0; i < story.moments.size(); ++i) {
    const Moment& moment = story.moments[i];
    sim.At(std::max(moment.at, sim.now() - start));
    if (moment.act) {
      moment.act(sim);
    }
    if (static_cast<int>(i) == die_after) {
      sim.Restart(down);
    }
  }
  sim.At(std::max(story.end, sim.now() - start));
}

BOOST_AUTO_TEST_SUITE(restart)

BOOST_AUTO_TEST_CASE(at_any_point_it_tells_everything_once) {
  for (const Story& story : Stories()) {
    Sim whole(kConfig);
    Run(whole, story, -1, {});
    BOOST_TEST_CONTEXT(story.name) {
      CheckHeard(whole);
      for (Duration down : {Duration(0), Duration(seconds(30)), Duration(minutes(20))}) {
        for (int at = 0; at < static_cast<int>(story.moments.size()); ++at) {
          BOOST_TEST_CONTEXT("down " << FormatDuration(down) << " after moment " << at) {
            Sim sim(kConfig);
            Run(sim, story, at, down);
            CheckHeard(sim);
            if (down == Duration(0)) {
              BOOST_TEST((sim.heard().size() == whole.heard().size()));
            }
            for (const Incident& incident : sim.engine().ListIncidents()) {
              BOOST_TEST((incident.state == IncidentState::kResolved));
            }
            BOOST_TEST(sim.engine().Stats().groups == 0U);
          }
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(the_ladder_reads_the_same_whenever_the_process_died) {
  for (int minute = 0; minute < 70; ++minute) {
    for (Duration down : {Duration(0), Duration(seconds(30)), Duration(minutes(20))}) {
      BOOST_TEST_CONTEXT("minute " << minute << " down " << FormatDuration(down)) {
        Sim sim(kConfig);
        sim.Fire(kDrift).At(minutes(minute)).Restart(down);
        sim.At(std::max(Duration(minutes(80)), minutes(minute) + down));
        Incident incident = sim.IncidentOf(kDrift);
        BOOST_TEST((incident.severity == Severity::kP1));
        BOOST_TEST((incident.opened_at + minutes(60) == incident.clock_since + minutes(60)));
        BOOST_TEST(!IsSet(incident.next_severity_at));
        std::vector<std::string> words = Words(sim);
        BOOST_TEST((std::count(words.begin(), words.end(),
                               "page/pagerduty[0] first notification firing=Drift:P1") == 1));
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(an_acknowledgement_that_expired_while_down_lets_the_clock_run_from_its_end) {
  Sim sim(kConfig);
  sim.Fire(kDrift).At(minutes(20)).Ack(1, "alice", minutes(10));
  sim.Restart(minutes(15));  // back at 35, expired at 30
  BOOST_TEST((sim.IncidentOf(kDrift).state == IncidentState::kOpen));
  sim.At(minutes(40) - seconds(1));
  BOOST_TEST((sim.IncidentOf(kDrift).severity == Severity::kP3));
  sim.At(minutes(40));  // 20 + 10 on the clock
  BOOST_TEST((sim.IncidentOf(kDrift).severity == Severity::kP2));
}

BOOST_AUTO_TEST_CASE(a_firing_alert_is_held_for_as_long_as_its_sender_promised) {
  Sim sim(kConfig);
  sim.Fire(kPlain, minutes(20)).At(minutes(19)).Fire(kPlain, minutes(20)).Restart();
  sim.At(minutes(38));
  BOOST_TEST(sim.engine().Stats().alerts_firing == 1U);
  sim.At(minutes(45));
  BOOST_TEST(sim.engine().Stats().alerts_firing == 0U);
}

BOOST_AUTO_TEST_CASE(a_resolve_that_was_told_is_not_told_again_by_a_group_that_lives_on) {
  Sim sim(kConfig);
  sim.Fire(kPlain).Fire(kPlain2).At(minutes(2)).Resolve(kPlain).At(minutes(3));
  sim.Fire(Labels({{"alertname", "Plain3"}, {"model", "m"}})).At(minutes(4));
  sim.TakeHeard();
  sim.Restart().At(minutes(7));
  sim.Reload(kConfig).At(minutes(8));
  ExpectHeard(sim, {});
}

BOOST_AUTO_TEST_CASE(an_incident_whose_last_rows_were_lost_is_over) {
  Sim sim(kConfig);
  sim.Fire(kDown);
  Incident zombie = sim.IncidentOf(kDown);
  Engine engine(sim.engine().shared_config(), [] { return 0.5; });
  RestoredState state;
  state.incidents = {zombie};
  state.next_incident_id = 2;
  Effects fx;
  engine.Restore(std::move(state), sim.now(), fx);
  BOOST_TEST((engine.FindIncident(1)->state == IncidentState::kResolved));
  BOOST_TEST(!fx.records.empty());
}

BOOST_AUTO_TEST_CASE(who_was_told_hears_of_the_end_however_long_it_was_silent) {
  for (const bool snoozed : {false, true}) {
    Sim sim(kConfig);
    const LabelSet alert = snoozed ? kPlain : kDown;  // without a policy, and with one
    sim.Fire(alert).At(minutes(2));
    if (snoozed) {
      sim.Snooze(sim.IncidentOf(alert).id, hours(24 * 7));
    } else {
      sim.Ack(sim.IncidentOf(alert).id);
    }
    sim.At(hours(24 * 6));
    BOOST_TEST(std::none_of(sim.journal().begin(), sim.journal().end(), [](const Record& record) {
      return std::holds_alternative<NflogDelete>(record);
    }));
    sim.Restart().At(hours(24 * 6) + minutes(10));
    sim.TakeHeard();
    sim.Resolve(alert).At(hours(24 * 6) + minutes(20));
    BOOST_TEST(sim.TakeHeard().size() == 1U);
    // Then nobody is owed anything.
    sim.At(hours(24 * 13));
    BOOST_TEST(std::any_of(sim.journal().begin(), sim.journal().end(),
                           [](const Record& record) { return std::holds_alternative<NflogDelete>(record); }));
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mlalert::testing
