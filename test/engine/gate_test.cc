#include "engine/gate.h"

#include <atomic>
#include <boost/test/unit_test.hpp>

#include "config/config_loader.h"
#include "support/builders.h"
#include "support/memory_journal.h"

namespace mlalert::testing {
namespace {

class FakeClock final : public Clock {
 public:
  Timestamp Now() override { return FromUnixMillis(millis_.load()); }
  void Set(Timestamp t) { millis_ = ToUnixMillis(t); }

 private:
  std::atomic<int64_t> millis_{1767225600000};
};

ConfigPtr LoadConfig() {
  ConfigPtr config;
  LoadConfigText(R"(
route: {receiver: web, group_wait: 0s}
receivers: [{name: web, webhook_configs: [{url: "http://127.0.0.1:9/"}]}]
)",
                 "gate.yml", config);
  return config;
}

struct Shell {
  explicit Shell(bool commit_at_once)
      : journal(commit_at_once),
        gate(Engine(LoadConfig(), [] { return 0.5; }), journal, clock,
             [this](NotificationAttempt attempt) { sent.push_back(std::move(attempt)); }) {}

  // Fires and flushes in one step.
  uint64_t Fire(std::string_view name, bool resolve = false) {
    return gate.Enter([&](Engine& engine, Timestamp now, Effects& fx) {
      AlertInput input(Labels({{"alertname", name}}), now, resolve ? now : kNever);
      DecodedAlert alert = input.Get();
      engine.Ingest({&alert, 1}, now, fx);
      engine.RunDue(now, fx);
    });
  }

  FakeClock clock;
  MemoryJournal journal;
  std::vector<NotificationAttempt> sent;
  Gate gate;
};

BOOST_AUTO_TEST_SUITE(gate)

BOOST_AUTO_TEST_CASE(a_notification_leaves_only_after_its_records_are_committed) {
  Shell shell(false);
  uint64_t seq = shell.Fire("A");
  BOOST_TEST(seq > 0U);
  BOOST_TEST(shell.sent.empty());
  BOOST_TEST(!shell.gate.WaitCommitted(seq, Duration(0)).has_value());
  shell.journal.Commit();
  BOOST_TEST(shell.sent.size() == 1U);
  BOOST_TEST(shell.gate.WaitCommitted(seq, Duration(0)).has_value());
}

BOOST_AUTO_TEST_CASE(while_the_journal_cannot_write_a_page_beats_a_row) {
  Shell shell(false);
  shell.journal.SetState(JournalState::kDegraded);
  shell.Fire("A");
  BOOST_TEST(shell.sent.size() == 1U);
}

BOOST_AUTO_TEST_CASE(records_stand_in_the_order_of_the_steps) {
  Shell shell(true);
  shell.Fire("A");
  shell.Fire("B");
  std::vector<std::string> names;
  for (const EpisodeRecord& record : shell.journal.Of<EpisodeRecord>()) {
    names.emplace_back(record.labels.Get("alertname"));
  }
  BOOST_TEST((names == std::vector<std::string>{"A", "B"}));
}

BOOST_AUTO_TEST_CASE(after_an_overflow_the_whole_state_is_written_and_what_is_gone_is_removed) {
  Shell shell(true);
  shell.Fire("Gone");
  shell.journal.SetState(JournalState::kOverflow);
  BOOST_TEST(shell.Fire("New") == kRefusedSeq);
  BOOST_TEST(shell.sent.size() == 1U);  // the group was busy with the first
  for (bool sweep : {false, true}) {
    shell.gate.Enter([&](Engine& engine, Timestamp now, Effects& fx) {
      if (!sweep) {
        engine.OnOutcome({shell.sent[0].notification->id, 1, DeliveryVerdict::kSent, 200, {}, "", {}, {}},
                         now, fx);
        fx.records.emplace_back(AlertDelete{7, 7});
      }
      engine.RunDue(now, fx);
    });
  }
  shell.journal.Clear();
  shell.journal.SetState(JournalState::kHealthy);
  shell.gate.Start({});
  while (shell.gate.Read([&](Engine&) { return shell.journal.records().empty(); })) {
    std::this_thread::yield();
  }
  shell.gate.Stop();
  BOOST_TEST(shell.journal.Of<AlertDelete>().size() == 1U);
  BOOST_TEST(shell.journal.Of<EpisodeRecord>().size() == 2U);
}

BOOST_AUTO_TEST_CASE(nothing_is_sent_after_stop) {
  Shell shell(false);
  shell.Fire("A");
  shell.gate.Stop();
  shell.journal.Commit();
  BOOST_TEST(shell.sent.empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mlalert::testing
