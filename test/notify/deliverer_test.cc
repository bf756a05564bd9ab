#include "notify/deliverer.h"

#include <atomic>

#include "notify/fake_transport.h"
#include "notify/fixture.h"

namespace mlalert::testing {
namespace {

constexpr const char* kTwoReceivers =
    "route: {receiver: a}\n"
    "receivers:\n"
    "- name: a\n  webhook_configs: [{url: 'http://a.example/', timeout: 500ms}]\n"
    "- name: b\n  webhook_configs: [{url: 'http://b.example/'}]\n"
    "  slack_configs: [{api_url: 'http://slack.example/T0/secret-slack-token', channel: '#x'}]\n";

class FakeClock final : public Clock {
 public:
  Timestamp Now() override { return Timestamp(Duration(now_.load())); }
  void Set(Timestamp t) { now_ = t.time_since_epoch().count(); }

 private:
  std::atomic<int64_t> now_{At("2026-01-02T03:05:00Z").time_since_epoch().count()};
};

NotificationAttempt Attempt(const ConfigPtr& config, size_t receiver, int64_t id,
                            IntegrationKind kind = IntegrationKind::kWebhook) {
  auto n = std::make_shared<Notification>(MakeNotification(config, kind, {GoldenAlert(false)}));
  n->receiver = &config->receivers.at(receiver);
  n->id = id;
  return {std::move(n), 1};
}

struct Bench {
  FakeTransport transport;
  FakeClock clock;
  Outcomes outcomes;
  FakeFiles files;
  ConfigPtr config = LoadConfig(kTwoReceivers);
  std::unique_ptr<Deliverer> deliverer;

  explicit Bench(size_t calls_max = kLaneCallsMax, size_t queue_max = kLaneQueueMax) {
    Deliverer::Options options;
    options.external_url = "http://am.example.org";
    options.files = files.Access();
    options.lane_calls_max = calls_max;
    options.lane_queue_max = queue_max;
    deliverer = std::make_unique<Deliverer>(
        transport, clock, std::move(options),
        [this](NotificationOutcome outcome) { outcomes.Add(std::move(outcome)); });
    BOOST_REQUIRE(deliverer->SetConfig(config).has_value());
  }
  ~Bench() {
    transport.StopAnswering();
    deliverer.reset();
  }
};

const DeliveryCounters& CountersOf(const DeliveryStats& stats, IntegrationKind kind) {
  return stats.by_kind[static_cast<size_t>(kind)];
}
uint64_t Count(const std::array<uint64_t, kFailureReasons>& by_reason, FailureReason reason) {
  return by_reason[static_cast<size_t>(reason)];
}

}  // namespace

BOOST_AUTO_TEST_SUITE(deliverer)

BOOST_AUTO_TEST_CASE(sends_and_reports) {
  Bench bench;
  bench.deliverer->Deliver(Attempt(bench.config, 0, 1));
  FakeTransport::Pending call = bench.transport.Take("a/webhook[0]");
  BOOST_REQUIRE(call.done);
  BOOST_TEST(call.call.url == "http://a.example/");
  BOOST_TEST(call.call.headers.back().second == "mlalert/" MLALERT_VERSION);
  HttpResult result = Answer(200);
  result.latency = std::chrono::milliseconds(5);
  call.done(result);
  auto got = bench.outcomes.Wait(1);
  BOOST_REQUIRE(got.size() == 1u);
  BOOST_TEST(got[0].notification_id == 1);
  BOOST_TEST(got[0].attempt == 1u);
  BOOST_TEST(Name(got[0].verdict) == "sent");
  BOOST_TEST((got[0].latency == std::chrono::milliseconds(5)));
  BOOST_TEST(bench.deliverer->Drain(kPatience));
  DeliveryStats stats = bench.deliverer->Stats();
  BOOST_TEST(CountersOf(stats, IntegrationKind::kWebhook).attempts == 1u);
  BOOST_TEST(CountersOf(stats, IntegrationKind::kWebhook).sent == 1u);
  BOOST_TEST(CountersOf(stats, IntegrationKind::kSlack).attempts == 0u);
  BOOST_TEST(stats.lanes == 3u);
  BOOST_TEST(stats.in_flight == 0u);
}

BOOST_AUTO_TEST_CASE(a_receiver_that_hangs_delays_no_other) {
  Bench bench(2, 100);
  for (int64_t id = 1; id <= 50; ++id) {
    bench.deliverer->Deliver(Attempt(bench.config, 0, id));  // nobody answers
  }
  for (int64_t id = 101; id <= 150; ++id) {
    bench.deliverer->Deliver(Attempt(bench.config, 1, id));
  }
  bench.transport.AnswerAll(Answer(200), "a/webhook[0]");
  auto got = bench.outcomes.Wait(50);
  BOOST_TEST(got.size() == 50u);
  for (const NotificationOutcome& outcome : got) {
    BOOST_TEST(outcome.notification_id > 100);
  }
  DeliveryStats stats = bench.deliverer->Stats();
  BOOST_TEST(stats.queued == 48u);
  BOOST_TEST(stats.in_flight == 2u);
}

BOOST_AUTO_TEST_CASE(a_p0_passes_what_waits_and_keeps_its_order_among_its_like) {
  Bench bench(1);
  auto deliver = [&](int64_t id, Severity severity) {
    NotifiedAlert alert = GoldenAlert(false);
    alert.severity = severity;
    auto n =
        std::make_shared<Notification>(MakeNotification(bench.config, IntegrationKind::kWebhook, {alert}));
    n->receiver = &bench.config->receivers.at(0);
    n->id = id;
    bench.deliverer->Deliver({std::move(n), 1});
  };
  deliver(1, Severity::kP3);
  FakeTransport::Pending hung = bench.transport.Take("a/webhook[0]");
  deliver(2, Severity::kP1);
  deliver(3, Severity::kP3);
  deliver(4, Severity::kP0);
  deliver(5, Severity::kP0);
  deliver(6, Severity::kNone);
  hung.done(Answer(200));
  for (int i = 0; i < 5; ++i) {
    bench.transport.Take("a/webhook[0]").done(Answer(200));
  }
  std::vector<int64_t> order;
  for (const NotificationOutcome& outcome : bench.outcomes.Wait(6)) {
    order.push_back(outcome.notification_id);
  }
  BOOST_TEST(order == (std::vector<int64_t>{1, 4, 5, 2, 3, 6}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_full_queue_answers_with_retry) {
  Bench bench(1, 2);
  bench.deliverer->Deliver(Attempt(bench.config, 0, 1));
  BOOST_REQUIRE(bench.transport.Take("a/webhook[0]").done);  // under way for ever
  for (int64_t id = 2; id <= 5; ++id) {
    bench.deliverer->Deliver(Attempt(bench.config, 0, id));
  }
  auto got = bench.outcomes.Wait(2);
  BOOST_REQUIRE(got.size() == 2u);
  for (size_t i = 0; i < 2; ++i) {
    BOOST_TEST(Name(got[i].verdict) == "retry");
    BOOST_TEST(got[i].error == "delivery queue is full");
  }
  DeliveryStats stats = bench.deliverer->Stats();
  BOOST_TEST(CountersOf(stats, IntegrationKind::kWebhook).overflow == 2u);
  BOOST_TEST(Count(CountersOf(stats, IntegrationKind::kWebhook).retry, FailureReason::kOther) == 2u);
}

BOOST_AUTO_TEST_CASE(timeout_is_the_nearer_of_integration_and_deadline) {
  Bench bench;
  bench.deliverer->Deliver(Attempt(bench.config, 0, 1));
  FakeTransport::Pending call = bench.transport.Take("a/webhook[0]");
  BOOST_TEST((call.call.timeout == std::chrono::milliseconds(500)));
  call.done(Broken(Failure::kTimeout, "timed out"));
  auto got = bench.outcomes.Wait(1);
  BOOST_TEST(got.at(0).error == "timed out: configured webhook timeout reached (500ms)");
  BOOST_TEST(Name(got[0].verdict) == "retry");

  bench.deliverer->Deliver(Attempt(bench.config, 1, 2));
  call = bench.transport.Take("b/webhook[0]");
  BOOST_TEST((call.call.timeout == std::chrono::minutes(5)));
  call.done(Broken(Failure::kTimeout, "timed out"));
  BOOST_TEST(bench.outcomes.Wait(2).at(1).error == "timed out");

  bench.clock.Set(At("2026-01-02T03:09:59.9Z"));
  bench.deliverer->Deliver(Attempt(bench.config, 0, 3));
  call = bench.transport.Take("a/webhook[0]");
  BOOST_TEST((call.call.timeout == std::chrono::milliseconds(100)));
  call.done(Answer(200));
  BOOST_TEST(bench.deliverer->Drain(kPatience));
  BOOST_TEST(Count(CountersOf(bench.deliverer->Stats(), IntegrationKind::kWebhook).retry,
                   FailureReason::kContextDeadlineExceeded) == 2u);
}

BOOST_AUTO_TEST_CASE(an_attempt_past_its_deadline_is_not_made) {
  Bench bench;
  bench.clock.Set(At("2026-01-02T03:10:00Z"));
  bench.deliverer->Deliver(Attempt(bench.config, 0, 1));
  auto got = bench.outcomes.Wait(1);
  BOOST_TEST(got.at(0).error == "the deadline passed before the attempt began");
  BOOST_TEST(Name(got[0].verdict) == "retry");
  BOOST_TEST(bench.transport.sent() == 0u);
}

BOOST_AUTO_TEST_CASE(failures_are_counted_by_reason) {
  Bench bench;
  struct Case {
    HttpResult answer;
    FailureReason reason;
    bool retry;
  };
  const std::vector<Case> cases{{Answer(401), FailureReason::kAuthError, false},
                                {Answer(404), FailureReason::kClientError, false},
                                {Answer(429), FailureReason::kRateLimited, false},
                                {Answer(500), FailureReason::kServerError, true},
                                {Answer(301), FailureReason::kOther, false},
                                {Broken(Failure::kCancelled, "x"), FailureReason::kContextCanceled, false},
                                {Broken(Failure::kConnect, "x"), FailureReason::kOther, true}};
  for (size_t i = 0; i < cases.size(); ++i) {
    bench.deliverer->Deliver(Attempt(bench.config, 1, static_cast<int64_t>(i)));
    bench.transport.Take("b/webhook[0]").done(cases[i].answer);
    bench.outcomes.Wait(i + 1);
  }
  BOOST_TEST(bench.deliverer->Drain(kPatience));
  DeliveryCounters counters = CountersOf(bench.deliverer->Stats(), IntegrationKind::kWebhook);
  for (const Case& c : cases) {
    BOOST_TEST_CONTEXT(ToString(c.reason)) {
      BOOST_TEST(Count(c.retry ? counters.retry : counters.failed, c.reason) == 1u);
    }
  }
}

BOOST_AUTO_TEST_CASE(slack_refusal_counts_as_client_error_and_hides_the_url) {
  Bench bench;
  bench.deliverer->Deliver(Attempt(bench.config, 1, 1, IntegrationKind::kSlack));
  bench.transport.Take("b/slack[0]").done(Answer(200, "bad http://slack.example/T0/secret-slack-token"));
  auto got = bench.outcomes.Wait(1);
  BOOST_TEST(got.at(0).error == "channel \"#x\": received an error response from Slack: bad <secret>");
  BOOST_TEST(bench.deliverer->Drain(kPatience));
  BOOST_TEST(Count(CountersOf(bench.deliverer->Stats(), IntegrationKind::kSlack).failed,
                   FailureReason::kClientError) == 1u);
}

BOOST_AUTO_TEST_CASE(an_unreadable_key_file_is_retried_a_broken_template_is_not) {
  Bench bench;
  ConfigPtr config = LoadConfig(
      "route: {receiver: a}\nreceivers:\n- name: a\n  webhook_configs: [{url_file: /none}, {url: 'http://{{ "
      ".No }}'}]\n");
  BOOST_REQUIRE(bench.deliverer->SetConfig(config).has_value());
  bench.deliverer->Deliver(Attempt(config, 0, 1));
  BOOST_TEST(Name(bench.outcomes.Wait(1).at(0).verdict) == "retry");
  NotificationAttempt second = Attempt(config, 0, 2);
  auto n = std::make_shared<Notification>(*second.notification);
  n->integration.index = 1;
  bench.deliverer->Deliver({n, 3});
  NotificationOutcome out = bench.outcomes.Wait(2).at(1);
  BOOST_TEST(Name(out.verdict) == "failed");
  BOOST_TEST(out.attempt == 3u);
}

BOOST_AUTO_TEST_CASE(a_bad_config_keeps_the_old_one) {
  Bench bench;
  bench.files.texts["/bad.tmpl"] = "{{ nope }}";
  ConfigPtr bad = LoadConfig(std::string(kTwoReceivers) + "templates: [/bad.tmpl]\n");
  Status status = bench.deliverer->SetConfig(bad);
  BOOST_REQUIRE(!status.has_value());
  BOOST_TEST(status.error().message.find("/bad.tmpl") != std::string::npos);
  bench.transport.AnswerAll(Answer(200));
  bench.deliverer->Deliver(Attempt(bench.config, 0, 1));
  BOOST_TEST(Name(bench.outcomes.Wait(1).at(0).verdict) == "sent");
}

BOOST_AUTO_TEST_CASE(attempts_of_an_older_config_keep_its_templates_and_lane) {
  Bench bench;
  bench.files.texts["/t.tmpl"] = "{{ define \"slack.default.title\" }}old{{ end }}";
  ConfigPtr old_config = LoadConfig(std::string(kTwoReceivers) + "templates: [/t.tmpl]\n");
  BOOST_REQUIRE(bench.deliverer->SetConfig(old_config).has_value());
  bench.files.texts["/t.tmpl"] = "{{ define \"slack.default.title\" }}new{{ end }}";
  bench.deliverer->Deliver(Attempt(old_config, 1, 1, IntegrationKind::kSlack));
  FakeTransport::Pending under_way = bench.transport.Take("b/slack[0]");
  BOOST_REQUIRE(under_way.done);
  ConfigPtr next = LoadConfig(
      "route: {receiver: a}\nreceivers:\n- name: a\n  webhook_configs: [{url: 'http://a.example/'}]\n"
      "templates: [/t.tmpl]\n");
  BOOST_REQUIRE(bench.deliverer->SetConfig(next).has_value());
  BOOST_TEST(bench.transport.closed() == (std::vector<std::string>{"b/webhook[0]"}),
             boost::test_tools::per_element());  // slack is still under way
  under_way.done(Answer(500));
  BOOST_TEST(Name(bench.outcomes.Wait(1).at(0).verdict) == "retry");
  BOOST_TEST(bench.transport.closed().size() == 2u);

  bench.deliverer->Deliver(Attempt(old_config, 1, 1, IntegrationKind::kSlack));
  FakeTransport::Pending again = bench.transport.Take("b/slack[0]");
  BOOST_REQUIRE(again.done);
  BOOST_TEST(again.call.body.find("\"title\":\"old\"") != std::string::npos);
  again.done(Answer(200, "ok"));
  BOOST_TEST(Name(bench.outcomes.Wait(2).at(1).verdict) == "sent");
}

BOOST_AUTO_TEST_CASE(a_config_never_set_is_loaded_on_the_way) {
  Bench bench;
  ConfigPtr other =
      LoadConfig("route: {receiver: z}\nreceivers:\n- name: z\n  webhook_configs: [{url: 'http://z/'}]\n");
  bench.transport.AnswerAll(Answer(200));
  bench.deliverer->Deliver(Attempt(other, 0, 1));
  BOOST_TEST(Name(bench.outcomes.Wait(1).at(0).verdict) == "sent");
}

BOOST_AUTO_TEST_CASE(template_warnings_are_of_the_current_config) {
  Bench bench;
  BOOST_TEST(bench.deliverer->TemplateWarnings().empty());
  ConfigPtr config = LoadConfig(
      "route: {receiver: a}\nreceivers:\n- name: a\n  slack_configs: [{api_url: 'http://x/', title: '{{ no "
      "}}'}]\n");
  BOOST_REQUIRE(bench.deliverer->SetConfig(config).has_value());
  BOOST_TEST(bench.deliverer->TemplateWarnings().size() == 1u);
}

BOOST_AUTO_TEST_CASE(the_end_answers_what_is_left_and_ignores_late_answers) {
  Bench bench(1, 10);
  bench.deliverer->Deliver(Attempt(bench.config, 0, 1));
  FakeTransport::Pending under_way = bench.transport.Take("a/webhook[0]");
  BOOST_REQUIRE(under_way.done);
  bench.deliverer->Deliver(Attempt(bench.config, 0, 2));
  bench.deliverer->Deliver(Attempt(bench.config, 0, 3));
  bench.deliverer.reset();
  auto got = bench.outcomes.Wait(3);
  BOOST_REQUIRE(got.size() == 3u);
  for (const NotificationOutcome& outcome : got) {
    BOOST_TEST(Name(outcome.verdict) == "retry");
    BOOST_TEST(outcome.error == "shutting down");
  }
  under_way.done(Answer(200));
  BOOST_TEST(bench.outcomes.count() == 3u);
  BOOST_TEST(bench.outcomes.EachOnce());
  BOOST_TEST(bench.transport.closed().size() == 3u);
}

BOOST_AUTO_TEST_CASE(drain_takes_nothing_new_and_waits_for_the_rest) {
  Bench bench;
  bench.deliverer->Deliver(Attempt(bench.config, 0, 1));
  FakeTransport::Pending under_way = bench.transport.Take("a/webhook[0]");
  BOOST_TEST(!bench.deliverer->Drain(Duration::zero()));
  bench.deliverer->Deliver(Attempt(bench.config, 0, 2));
  BOOST_TEST(bench.outcomes.Wait(1).at(0).error == "shutting down");
  under_way.done(Answer(200));
  BOOST_TEST(bench.deliverer->Drain(kPatience));
  BOOST_TEST(Name(bench.outcomes.Wait(2).at(1).verdict) == "sent");
}

BOOST_AUTO_TEST_CASE(done_may_deliver_again) {
  FakeTransport transport;
  FakeClock clock;
  Outcomes outcomes;
  ConfigPtr config = LoadConfig(kTwoReceivers);
  Deliverer* self = nullptr;
  std::atomic<uint32_t> next{2};
  Deliverer deliverer(transport, clock, {}, [&](NotificationOutcome outcome) {
    bool again = outcome.verdict == DeliveryVerdict::kRetry && outcome.error != "shutting down";
    outcomes.Add(std::move(outcome));
    if (again && next < 10) {
      NotificationAttempt attempt = Attempt(config, 0, 1);
      attempt.number = next++;
      self->Deliver(std::move(attempt));
    }
  });
  self = &deliverer;
  BOOST_REQUIRE(deliverer.SetConfig(config).has_value());
  transport.AnswerAll(Answer(503));
  deliverer.Deliver(Attempt(config, 0, 1));
  BOOST_TEST(outcomes.Wait(9).size() == 9u);
  BOOST_TEST(outcomes.EachOnce());
  transport.StopAnswering();
}

BOOST_AUTO_TEST_CASE(every_attempt_has_one_outcome_under_load_and_reloads) {
  Bench bench(3, 64);
  bench.transport.AnswerAll(Answer(200, "ok"));
  constexpr int kSenders = 4;
  constexpr int kEach = 500;
  ConfigPtr configs[] = {bench.config, LoadConfig(kTwoReceivers), LoadConfig(kTwoReceivers)};
  std::vector<NotificationAttempt> attempts;
  for (int i = 0; i < kSenders * kEach; ++i) {
    attempts.push_back(Attempt(configs[i % 3], static_cast<size_t>(i % 2), i,
                               i % 4 == 1 ? IntegrationKind::kSlack : IntegrationKind::kWebhook));
  }
  std::vector<std::thread> threads;
  for (int t = 0; t < kSenders; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kEach; ++i) {
        bench.deliverer->Deliver(attempts[static_cast<size_t>(t * kEach + i)]);
        bench.deliverer->Stats();
      }
    });
  }
  for (int i = 0; i < 30; ++i) {
    BOOST_TEST(bench.deliverer->SetConfig(configs[i % 3]).has_value());
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  BOOST_TEST(bench.outcomes.Wait(kSenders * kEach).size() == static_cast<size_t>(kSenders * kEach));
  BOOST_TEST(bench.outcomes.EachOnce());
  BOOST_TEST(bench.deliverer->Drain(kPatience));
  DeliveryStats stats = bench.deliverer->Stats();
  BOOST_TEST(stats.queued == 0u);
  BOOST_TEST(stats.in_flight == 0u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mlalert::testing
