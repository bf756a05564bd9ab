// What keeps people calm: business hours, flapping, storms, rate limits, silences that come back or end with
// the alert. Stories on simulated time.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <fmt/format.h>

#include "support/expect.h"
#include "support/sim.h"

namespace mlalert::testing {
namespace {

const Timestamp kMonday = FromUnixMillis(1767571200000);  // 2026-01-05T00:00:00Z

std::string Config(const std::string& policy, const std::string& more = "") {
  return R"(
route: {receiver: chat, group_by: [model], group_wait: 0s, group_interval: 1m, repeat_interval: 24h}
receivers: [{name: chat, webhook_configs: [{url: "http://127.0.0.1:9/chat"}]}]
incidents: {identity: [alertname, model], reopen_window: 30m}
calendars:
- name: office
  time_intervals: [{weekdays: ["monday:friday"], times: [{start_time: "09:00", end_time: "18:00"}]}]
incident_policies:
- {name: p, cooldown: 0s, )" +
         policy + "}\n" + more;
}

const LabelSet kDrift = Labels({{"alertname", "Drift"}, {"model", "m"}, {"severity", "P3"}});
const LabelSet kLag = Labels({{"alertname", "Lag"}, {"model", "m"}, {"severity", "P3"}});

BOOST_AUTO_TEST_SUITE(business_hours)

BOOST_AUTO_TEST_CASE(defer_tells_at_nine_what_still_fires) {
  Sim sim(Config("business_hours: {calendar: office}"), kMonday);
  sim.At(hours(2)).Fire(kDrift).Fire(kLag);
  sim.At(hours(4)).Resolve(kLag);
  sim.At(hours(12));
  ExpectHeard(sim, {"+9h chat/webhook[0] first notification firing=Drift:P3"});
}

BOOST_AUTO_TEST_CASE(digest_tells_also_what_cleared) {
  Sim sim(Config("business_hours: {calendar: office, outside: digest}"), kMonday);
  sim.At(hours(2)).Fire(kDrift).Fire(kLag);
  sim.At(hours(4)).Resolve(kLag);
  sim.At(hours(12));
  ExpectHeard(sim, {"+9h chat/webhook[0] digest firing=Drift:P3 resolved=Lag"});
}

BOOST_AUTO_TEST_CASE(digest_survives_a_restart) {
  Sim sim(Config("business_hours: {calendar: office, outside: digest}"), kMonday);
  sim.At(hours(2)).Fire(kDrift).Fire(kLag);
  sim.At(hours(4)).Resolve(kLag);
  sim.At(hours(5)).Restart(minutes(10));
  sim.At(hours(12));
  ExpectHeard(sim, {"+9h chat/webhook[0] digest firing=Drift:P3 resolved=Lag"});
  sim.Restart();
  sim.At(hours(13));
  ExpectHeard(sim, {});
}

BOOST_AUTO_TEST_CASE(digest_is_told_also_when_the_process_was_down_at_nine) {
  Sim sim(Config("business_hours: {calendar: office, outside: digest}"), kMonday);
  sim.At(hours(2)).Fire(kLag);
  sim.At(hours(4)).Resolve(kLag);
  sim.At(hours(8)).Restart(hours(2));
  sim.At(hours(12));
  ExpectHeard(sim, {"+10h chat/webhook[0] digest resolved=Lag"});
}

BOOST_AUTO_TEST_CASE(digest_of_a_quiet_morning_has_only_what_cleared) {
  Sim sim(Config("business_hours: {calendar: office, outside: digest}"), kMonday);
  sim.At(hours(2)).Fire(kLag);
  sim.At(hours(4)).Resolve(kLag);
  sim.At(hours(12));
  ExpectHeard(sim, {"+9h chat/webhook[0] digest resolved=Lag"});
}

BOOST_AUTO_TEST_CASE(drop_is_silent_unless_it_gets_worse) {
  Sim sim(Config("business_hours: {calendar: office, outside: drop}"), kMonday);
  sim.At(hours(2)).Fire(kDrift);
  sim.At(hours(12));
  ExpectHeard(sim, {});
  sim.Raise(1, Severity::kP2);
  ExpectHeard(sim, {"+12h chat/webhook[0] first notification firing=Drift:P2"});
}

BOOST_AUTO_TEST_CASE(drop_tells_at_nine_what_its_source_made_worse_at_night) {
  Sim sim(Config("business_hours: {calendar: office, outside: drop}"), kMonday);
  sim.At(hours(2)).Fire(kDrift);
  sim.At(hours(4)).Fire(kDrift.With("severity", "P2"));
  sim.At(hours(12));
  ExpectHeard(sim, {"+9h chat/webhook[0] first notification firing=Drift:P2,Drift:P2"});
}

BOOST_AUTO_TEST_CASE(what_is_urgent_does_not_wait) {
  Sim sim(Config("business_hours: {calendar: office}"), kMonday);
  sim.At(hours(2)).Fire(kDrift.With("severity", "P1"));
  ExpectHeard(sim, {"+2h chat/webhook[0] first notification firing=Drift:P1"});
}

BOOST_AUTO_TEST_CASE(what_waits_survives_a_restart) {
  Sim sim(Config("business_hours: {calendar: office}"), kMonday);
  sim.At(hours(2)).Fire(kDrift);
  sim.At(hours(3)).Restart(minutes(1));
  sim.At(hours(9) + minutes(2));
  BOOST_TEST(sim.heard().size() == 1U);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(flapping)

// Fires and resolves in turn at these times; does it flap then?
bool Flaps(Sim& sim, const std::vector<Duration>& edges) {
  for (size_t i = 0; i < edges.size(); ++i) {
    sim.At(edges[i]);
    i % 2 == 0 ? sim.Fire(kDrift) : sim.Resolve(kDrift);
  }
  return IsSet(sim.IncidentOf(kDrift).care->flapping_since);
}

std::vector<Duration> EachMinute(int count) {
  std::vector<Duration> out;
  for (int i = 0; i < count; ++i) {
    out.emplace_back(minutes(i));
  }
  return out;
}

BOOST_AUTO_TEST_CASE(begins_with_the_change_that_reaches_the_limit_in_the_window) {
  const std::string six = "flapping: {transitions: 6, window: 30m}";
  std::vector<Duration> edges = EachMinute(5);
  Sim below(Config(six), kMonday);
  BOOST_TEST(!Flaps(below, edges));
  edges.emplace_back(minutes(30));  // the first one is just in the window
  Sim within(Config(six), kMonday);
  BOOST_TEST(Flaps(within, edges));
  edges.back() = minutes(30) + seconds(1);
  Sim outside(Config(six), kMonday);
  BOOST_TEST(!Flaps(outside, edges));
  Sim usual_below(Config("flapping: {}"), kMonday);
  BOOST_TEST(!Flaps(usual_below, EachMinute(9)));
  Sim usual(Config("flapping: {}"), kMonday);
  BOOST_TEST(Flaps(usual, EachMinute(10)));
}

BOOST_AUTO_TEST_CASE(ends_when_fewer_than_half_are_left_in_the_window_also_over_a_restart) {
  for (const bool restart : {false, true}) {
    Sim sim(Config("flapping: {transitions: 6, window: 30m}"), kMonday);
    BOOST_TEST(Flaps(sim, EachMinute(6)));
    if (restart) {
      sim.At(minutes(10)).Restart(minutes(1));
    }
    // The third from the end was at 3 min.
    sim.At(minutes(33) - seconds(1));
    BOOST_TEST(IsSet(sim.engine().FindIncident(1)->care->flapping_since));
    sim.At(minutes(33));
    BOOST_TEST(!IsSet(sim.engine().FindIncident(1)->care->flapping_since));
  }
}

BOOST_AUTO_TEST_CASE(that_ends_resolved_is_told_as_resolved) {
  Sim sim(Config("flapping: {transitions: 6, window: 30m}"), kMonday);
  BOOST_TEST(Flaps(sim, EachMinute(6)));
  sim.At(minutes(6));
  sim.TakeHeard();
  sim.At(hours(2));
  const std::vector<std::string> heard = sim.TakeHeard();
  BOOST_TEST_REQUIRE(heard.size() == 1U);
  BOOST_TEST(heard.front().starts_with("+33m"), heard.front());
  BOOST_TEST(heard.front().find("resolved=Drift") != std::string::npos, heard.front());
  // To the statistics it is an end, and people read what else has ended.
  BOOST_TEST((sim.heard().back().reason == NotifyReason::kAllResolved));
  BOOST_TEST(sim.heard().back().notification->ReasonText() == "flapping ended");
  sim.At(hours(3)).Fire(kDrift).At(hours(4)).Resolve(kDrift).At(hours(5));
  BOOST_TEST((sim.heard().back().reason == NotifyReason::kAllResolved));
  BOOST_TEST(sim.heard().back().notification->ReasonText() == "all alerts resolved");
}

BOOST_AUTO_TEST_CASE(is_told_once_and_once_when_it_is_over) {
  Sim sim(Config("flapping: {transitions: 6, window: 30m}"), kMonday);
  for (int i = 0; i < 8; ++i) {
    sim.At(minutes(4 * i)).Fire(kDrift);
    sim.At(minutes(4 * i + 2)).Resolve(kDrift);
  }
  sim.At(minutes(34)).Fire(kDrift);
  sim.At(hours(3));
  std::vector<std::string> heard = sim.TakeHeard();
  auto count = [&](std::string_view reason) {
    return std::count_if(heard.begin(), heard.end(),
                         [&](const std::string& line) { return line.find(reason) != std::string::npos; });
  };
  BOOST_TEST(count(" flapping firing") == 1);
  BOOST_TEST(count("flapping ended") == 1);
  BOOST_TEST(heard.size() < 9U);
  BOOST_TEST(heard.back().find("flapping ended firing=Drift:P3") != std::string::npos, heard.back());
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(suppression)

// What is told when a silence ends, by how it was before and how it is then.
BOOST_AUTO_TEST_CASE(truth_table_of_what_is_owed_at_its_end) {
  struct Row {
    const char* what;
    bool told, fires_before, fires_after, raised;
    const char* heard;  // at the end of the silence; empty: nothing
  };
  const Row rows[] = {
      {"well and well", false, false, false, false, ""},
      {"well, then broken", false, false, true, false, "first notification firing=Drift:P3"},
      {"told, then well", true, true, false, false, "all alerts resolved"},
      {"told and still broken", true, true, true, false, ""},
      {"told, then worse", true, true, true, true, "severity raised firing=Drift:P1"},
      {"not told, then well", false, true, false, false, ""},
  };
  for (const Row& row : rows) {
    BOOST_TEST_CONTEXT(row.what) {
      Sim sim(Config("ladder: {steps: [{after: 200h, severity: P3}]}"), kMonday);
      if (row.told) {
        sim.At(seconds(0)).Fire(kDrift).At(minutes(2));
      }
      sim.At(minutes(3)).Silence("alertname=Drift", hours(1));
      if (row.fires_before && !row.told) {
        sim.Fire(kDrift);
      }
      sim.At(minutes(30));
      if (row.fires_after && !row.fires_before) {
        sim.Fire(kDrift);
      } else if (row.fires_before && !row.fires_after) {
        sim.Resolve(kDrift);
      }
      if (row.raised) {
        sim.Raise(1, Severity::kP1);
      }
      sim.TakeHeard();
      sim.At(hours(1));
      ExpectHeard(sim, {});
      sim.At(hours(5));
      const std::vector<std::string> heard = sim.TakeHeard();
      BOOST_TEST(heard.size() == (*row.heard != '\0' ? 1U : 0U));
      BOOST_TEST((heard.empty() || heard.front().find(row.heard) != std::string::npos),
                 (heard.empty() ? std::string() : heard.front()));
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(storm)

BOOST_AUTO_TEST_CASE(one_alert_stands_for_all_and_the_first_p0_of_a_model_breaks_through) {
  Sim sim(R"(
route: {receiver: chat, group_by: [alertname, model], group_wait: 30s, group_interval: 1m, repeat_interval: 24h}
receivers: [{name: chat, webhook_configs: [{url: "http://127.0.0.1:9/chat"}]}]
incidents: {identity: [alertname, model]}
incident_policies: [{name: p}]
storm: {incidents: 5, within: 5m, quiet: 10m}
)",
          kMonday);
  for (int i = 0; i < 20; ++i) {
    sim.Fire(Labels({{"alertname", "Down"}, {"model", fmt::format("m{}", i)}, {"severity", "P2"}}));
  }
  sim.Fire(Labels({{"alertname", "Dead"}, {"model", "m1"}, {"severity", "P0"}}));
  sim.Fire(Labels({{"alertname", "Dead2"}, {"model", "m1"}, {"severity", "P0"}}));
  sim.At(minutes(5));
  const Heard& storm = sim.heard().front();
  BOOST_TEST(storm.notification->alerts.front().alert.annotations.Get("summary") ==
             "Alert storm: 12 new incidents and more to come");
  BOOST_TEST(storm.notification->alerts.front()
                 .alert.annotations.Get("description")
                 .starts_with("12 Down; 12 models. "));
  ExpectHeard(sim, {"+30s chat/webhook[0] first notification firing=AlertStorm:P1",
                    "+30s chat/webhook[0] first notification firing=Dead:P0"});
  for (int i = 0; i < 20; ++i) {
    sim.Resolve(Labels({{"alertname", "Down"}, {"model", fmt::format("m{}", i)}, {"severity", "P2"}}));
  }
  sim.At(minutes(15));
  std::vector<std::string> heard = sim.TakeHeard();
  std::sort(heard.begin(), heard.end());
  ExpectLines(heard, {"+10m30s chat/webhook[0] all alerts resolved resolved=AlertStorm",
                      "+10m30s chat/webhook[0] first notification firing=Dead2:P0"});
}

BOOST_AUTO_TEST_CASE(the_next_one_is_told_within_the_cooldown_too) {
  Sim sim(R"(
route: {receiver: chat, group_by: [alertname, model], group_wait: 0s, group_interval: 1m, repeat_interval: 24h}
receivers: [{name: chat, webhook_configs: [{url: "http://127.0.0.1:9/chat"}]}]
incidents: {identity: [alertname, model]}
incident_policies: [{name: p, cooldown: 1h}]
storm: {incidents: 2, within: 1m, quiet: 2m}
)",
          kMonday);
  auto burst = [&](const char* name) {
    for (int i = 0; i < 4; ++i) {
      sim.Fire(Labels({{"alertname", name}, {"model", fmt::format("m{}", i)}, {"severity", "P3"}}));
    }
  };
  // The first three of a burst are told before anybody knows that it is one.
  auto storms = [&] {
    const std::vector<std::string> heard = sim.TakeHeard();
    return std::count_if(heard.begin(), heard.end(), [](const std::string& line) {
      return line.find("firing=AlertStorm") != std::string::npos;
    });
  };
  burst("A");
  sim.At(minutes(10));
  BOOST_TEST(storms() == 1);
  burst("B");
  sim.At(minutes(20));
  BOOST_TEST(storms() == 1);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(rate_limit)

BOOST_AUTO_TEST_CASE(delays_and_merges_and_drops_nothing) {
  Sim sim(Config("ladder: {steps: [{after: 200h, severity: P3}]}",
                 "rate_limits: [{receiver: chat, count: 2, per: 30m}]\n"),
          kMonday);
  auto alert = [](int i) {
    return Labels({{"alertname", fmt::format("A{}", i)}, {"model", "m"}, {"severity", "P3"}});
  };
  for (int i = 0; i < 5; ++i) {
    sim.At(minutes(2 * i)).Fire(alert(i));
  }
  sim.At(minutes(20));
  sim.Resolve(alert(4));
  sim.At(hours(2));
  ExpectHeard(sim, {"+0s chat/webhook[0] first notification firing=A0:P3",
                    "+3m chat/webhook[0] new alerts added firing=A0:P3,A1:P3",
                    "+30m chat/webhook[0] new alerts added firing=A0:P3,A1:P3,A2:P3,A3:P3"});
}

// The limit itself is forgotten; what it delayed is not.
BOOST_AUTO_TEST_CASE(what_is_delayed_survives_a_restart) {
  Sim sim(Config("ladder: {steps: [{after: 200h, severity: P3}]}",
                 "rate_limits: [{receiver: chat, count: 1, per: 1h}]\n"),
          kMonday);
  sim.Fire(kDrift);
  sim.At(minutes(5)).Fire(kLag);
  sim.At(minutes(10));
  ExpectHeard(sim, {"+0s chat/webhook[0] first notification firing=Drift:P3"});
  sim.Restart(minutes(1));
  sim.At(minutes(12));
  ExpectHeard(sim, {"+11m chat/webhook[0] new alerts added firing=Drift:P3,Lag:P3"});
}

BOOST_AUTO_TEST_CASE(p0_passes) {
  Sim sim(Config("ladder: {steps: [{after: 200h, severity: P3}]}",
                 "rate_limits: [{receiver: chat, count: 1, per: 1h}]\n"),
          kMonday);
  sim.Fire(kDrift);
  sim.At(minutes(5)).Fire(kLag.With("severity", "P0"));
  sim.At(minutes(7));
  BOOST_TEST(sim.heard().size() == 2U);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(silences)

BOOST_AUTO_TEST_CASE(a_recurring_one_holds_in_its_hours) {
  Sim sim(Config("ladder: {steps: [{after: 200h, severity: P3}]}", R"(
time_intervals: [{name: night, time_intervals: [{times: [{start_time: "01:00", end_time: "05:00"}]}]}]
recurring_silences: [{name: retrain, matchers: [alertname=Drift], time_intervals: [night]}]
)"),
          kMonday);
  sim.At(hours(2)).Fire(kDrift).Fire(kLag);
  sim.At(hours(4));
  ExpectHeard(sim, {"+2h1m chat/webhook[0] first notification firing=Lag:P3"});
  BOOST_TEST(IsSet(sim.IncidentOf(kDrift).care->muted_since));
  sim.At(hours(6));
  ExpectHeard(sim, {"+5h chat/webhook[0] new alerts added firing=Drift:P3,Lag:P3"});
}

// The self-audit, 15 seconds after each minute, has no part in it.
BOOST_AUTO_TEST_CASE(a_recurring_one_begins_and_ends_at_its_very_edges) {
  Sim sim(Config("ladder: {steps: [{after: 200m, severity: P2}]}", R"(
time_intervals: [{name: night, time_intervals: [{times: [{start_time: "01:00", end_time: "05:00"}]}]}]
recurring_silences: [{name: retrain, matchers: [alertname=Drift], time_intervals: [night]}]
)"),
          kMonday);
  sim.At(minutes(30)).Fire(kDrift).At(hours(5));
  ExpectLines(sim.Events(sim.IncidentOf(kDrift).id),
              {"opened", "muted silenced by recurring:retrain",
               "unmuted it is neither silenced nor inhibited altogether any more"});
  std::vector<Duration> at;
  for (const Record& record : sim.journal()) {
    const auto* event = std::get_if<EventRecord>(&record);
    if (event != nullptr && (event->type == "muted" || event->type == "unmuted")) {
      at.push_back(event->at - kMonday);
    }
  }
  BOOST_TEST((at == std::vector<Duration>{hours(1), hours(5)}));
  // 30 minutes of age at 01:00, the other 170 from 05:00 on.
  sim.At(hours(7) + minutes(50) - seconds(1));
  BOOST_TEST((sim.IncidentOf(kDrift).severity == Severity::kP3));
  sim.At(hours(7) + minutes(50));
  BOOST_TEST((sim.IncidentOf(kDrift).severity == Severity::kP2));
}

BOOST_AUTO_TEST_CASE(a_recurring_one_holds_again_when_the_clock_is_set_back) {
  Sim sim(Config("ladder: {steps: [{after: 200h, severity: P3}]}", R"(
time_intervals: [{name: night, time_intervals: [{times: [{start_time: "01:00", end_time: "05:00"}]}]}]
recurring_silences: [{name: retrain, matchers: [alertname=Drift], time_intervals: [night]}]
)"),
          kMonday);
  sim.At(hours(6)).Fire(kDrift).SetClock(kMonday + hours(4));
  sim.Fire(kLag);
  BOOST_TEST(IsSet(sim.IncidentOf(kDrift).care->muted_since));
}

BOOST_AUTO_TEST_CASE(one_that_ends_with_the_alert_ends_with_it) {
  Sim sim(Config("ladder: {steps: [{after: 200h, severity: P3}]}"), kMonday);
  sim.Fire(kDrift);
  SilenceRequest request;
  request.matchers.push_back({"alertname", MatchOp::kEqual, "Drift"});
  request.starts_at = sim.now();
  request.ends_at = sim.now() + hours(24);
  request.created_by = "alice";
  request.annotations = Labels({{"until_resolved", "true"}});
  Effects fx;
  BOOST_REQUIRE(sim.engine().SetSilence(request, sim.now(), fx));
  sim.At(hours(1)).Resolve(kDrift);
  sim.At(hours(2)).Fire(kDrift);
  sim.At(hours(2) + minutes(5));
  BOOST_TEST(!IsSet(sim.IncidentOf(kDrift).care->muted_since));
  BOOST_TEST((sim.engine().muter().silences().All().at(0).ends_at == kMonday + hours(1)));
}

BOOST_AUTO_TEST_CASE(the_end_of_what_was_told_is_owed_when_a_silence_ends) {
  Sim sim(Config("ladder: {steps: [{after: 200h, severity: P3}]}"), kMonday);
  sim.Fire(kDrift);
  sim.At(minutes(5)).Silence("alertname=Drift", hours(1));
  sim.At(minutes(20)).Resolve(kDrift);
  sim.At(minutes(60));
  ExpectHeard(sim, {"+0s chat/webhook[0] first notification firing=Drift:P3"});
  sim.At(minutes(70));
  ExpectHeard(sim, {"+1h5m chat/webhook[0] all alerts resolved resolved=Drift"});
}

BOOST_AUTO_TEST_CASE(what_was_not_told_and_clears_in_a_silence_is_nobodys_business) {
  Sim sim(Config("ladder: {steps: [{after: 200h, severity: P3}]}"), kMonday);
  sim.Silence("alertname=Drift", hours(1));
  sim.At(minutes(5)).Fire(kDrift);
  sim.At(minutes(20)).Resolve(kDrift);
  sim.At(hours(3));
  ExpectHeard(sim, {});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mlalert::testing
