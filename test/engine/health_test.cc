#include "engine/health.h"

#include <boost/test/unit_test.hpp>
#include <future>

#include "engine/heartbeat.h"
#include "notify/fake_transport.h"

namespace mlalert {
namespace {

using namespace std::chrono_literals;

Timestamp At(Duration since) {
  return FromUnixMillis(1767225600000) + since;
}

struct Deliveries : DeliveryStats {
  DeliveryCounters& of(IntegrationKind kind) { return by_kind[static_cast<size_t>(kind)]; }
};

BOOST_AUTO_TEST_SUITE(health)

BOOST_AUTO_TEST_CASE(delivery_is_unwell_when_nothing_but_failures_happened_for_a_minute) {
  Deliveries stats;
  DeliveryJudge judge;
  BOOST_TEST(judge.Judge(stats, At(0s)).empty());
  stats.of(IntegrationKind::kSlack).retry[0] = 1;
  BOOST_TEST(judge.Judge(stats, At(1s)).empty());
  BOOST_TEST(judge.Judge(stats, At(60s)).empty());
  BOOST_TEST(judge.Judge(stats, At(61s)) ==
             "no slack notification has succeeded since 2026-01-01T00:00:01.000Z");
  // Another kind that works changes nothing; the same kind does.
  stats.of(IntegrationKind::kWebhook).sent = 1;
  BOOST_TEST(!judge.Judge(stats, At(62s)).empty());
  stats.of(IntegrationKind::kSlack).sent = 1;
  BOOST_TEST(judge.Judge(stats, At(63s)).empty());
}

BOOST_AUTO_TEST_CASE(an_old_failure_is_forgotten) {
  Deliveries stats;
  DeliveryJudge judge;
  stats.of(IntegrationKind::kEmail).failed[1] = 1;
  BOOST_TEST(judge.Judge(stats, At(0s)).empty());
  BOOST_TEST(!judge.Judge(stats, At(59min)).empty());
  BOOST_TEST(judge.Judge(stats, At(60min)).empty());
}

BOOST_AUTO_TEST_CASE(a_journal_that_cannot_write_is_unwell) {
  JournalStats stats;
  BOOST_TEST(JudgeStorage(stats).empty());
  stats.state = JournalState::kDegraded;
  BOOST_TEST(JudgeStorage(stats) == "the journal is degraded: what happens is kept in memory only");
}

BOOST_AUTO_TEST_CASE(all_parts_are_named) {
  BOOST_TEST(HealthReport{}.ok());
  BOOST_TEST((HealthReport{"late", "", "stuck"}.Text() == "evaluation: late; delivery: stuck"));
}

BOOST_AUTO_TEST_CASE(the_url_is_called_while_all_is_well_and_not_otherwise) {
  testing::FakeTransport transport;
  SystemClock clock;
  std::atomic<bool> well{true};
  std::promise<void> asked_enough;
  int asked = 0;
  Heartbeat heartbeat(transport, clock, [&](Timestamp) {
    if (!well && ++asked == 4) {  // three times its answer has been acted on
      asked_enough.set_value();
    }
    return HealthReport{well ? "" : "late", "", ""};
  });
  HeartbeatConfig config;
  config.url = Secret("http://hc/uuid");
  config.interval = 10ms;
  heartbeat.SetConfig(config);
  heartbeat.Start();
  for (int i = 0; i < 3; ++i) {
    auto call = transport.Take("heartbeat");
    BOOST_TEST(call.call.url == "http://hc/uuid");
    HttpResult result;
    result.status = i == 1 ? 500 : 200;
    call.done(result);
  }
  well = false;
  asked_enough.get_future().wait();
  heartbeat.Stop();
  const HeartbeatStats stats = heartbeat.Stats();
  BOOST_TEST(stats.withheld >= 3U);
  BOOST_TEST(stats.failed_calls == 1U);
  BOOST_TEST(IsSet(stats.last_success));
  BOOST_TEST(!stats.health.ok());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mlalert
