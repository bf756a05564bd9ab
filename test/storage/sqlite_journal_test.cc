#include "storage/sqlite_journal.h"

#include <boost/test/unit_test.hpp>
#include <condition_variable>
#include <fmt/format.h>
#include <mutex>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include "storage/fault_vfs.h"
#include "storage/history.h"
#include "storage/migrator.h"
#include "storage/page_pool.h"
#include "storage/records.h"
#include "storage/restore.h"
#include "storage/temp_dir.h"

namespace mlalert {
namespace {

using testing::At;
using testing::FaultVfs;
using testing::TempDir;
using namespace std::chrono_literals;

constexpr Duration kLong = 30s;

// What the journal says about its state, in order; waits for a state without polling.
class States {
 public:
  std::function<void(JournalState, const std::string&)> Callback() {
    return [this](JournalState state, const std::string& error) {
      std::lock_guard lock(mutex_);
      states_.push_back(state);
      errors_.push_back(error);
      changed_.notify_all();
    };
  }
  bool WaitFor(JournalState state) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kLong, [&] { return !states_.empty() && states_.back() == state; });
  }
  std::vector<JournalState> states() {
    std::lock_guard lock(mutex_);
    return states_;
  }
  std::string first_error() {
    std::lock_guard lock(mutex_);
    return errors_.empty() ? "" : errors_.front();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<JournalState> states_;
  std::vector<std::string> errors_;
};

std::unique_ptr<SqliteJournal> StartJournal(const std::string& path, SqliteJournalOptions options = {}) {
  auto db = OpenAndMigrate(path);
  BOOST_REQUIRE_MESSAGE(db, (db ? "" : db.error().ToString()));
  auto journal = SqliteJournal::Start(std::move(*db), std::move(options));
  BOOST_REQUIRE(journal);
  return std::move(*journal);
}

EventRecord Event(uint64_t n) {
  EventRecord event;
  event.at = At(static_cast<int64_t>(n));
  event.type = fmt::format("e{}", n);
  return event;
}

// Fails unless the file holds exactly e1 ... eN, in that order, and is sound.
void CheckEvents(const std::string& path, uint64_t count) {
  auto db = Db::Open(path, DbMode::kReadOnly);
  BOOST_REQUIRE_MESSAGE(db, (db ? "" : db.error().ToString()));
  auto check = db->Prepare("PRAGMA integrity_check");
  BOOST_REQUIRE(check->Step().value_or(false));
  BOOST_TEST(check->String(0) == "ok");
  auto rows = db->Prepare("SELECT type FROM events ORDER BY id");
  uint64_t seen = 0;
  bool ordered = true;
  while (rows->Step().value_or(false)) {
    ++seen;
    ordered = ordered && rows->String(0) == fmt::format("e{}", seen);
  }
  BOOST_TEST(seen == count);
  BOOST_TEST(ordered);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(sqlite_journal)

BOOST_AUTO_TEST_CASE(numbers_records_and_reports_what_is_committed) {
  TempDir dir;
  auto journal = StartJournal(dir.File());
  std::mutex mutex;
  std::vector<uint64_t> reported;
  journal->OnCommitted([&](uint64_t seq) {
    std::lock_guard lock(mutex);
    reported.push_back(seq);
  });
  BOOST_TEST(journal->Append({}) == 0u);
  BOOST_TEST(journal->WaitCommitted(0, 0ns).has_value());
  BOOST_TEST(journal->Append({Event(1)}) == 1u);
  BOOST_TEST(journal->Append({Event(2), Event(3)}) == 3u);
  BOOST_TEST(journal->Append({}) == 3u);
  BOOST_TEST(journal->WaitCommitted(3, kLong).has_value());
  BOOST_TEST(journal->CommittedSeq() == 3u);
  Status never = journal->WaitCommitted(4, 1ms);
  BOOST_REQUIRE(!never);
  BOOST_TEST((never.error().code == ErrorCode::kDeadline));
  BOOST_TEST(journal->Close(kLong).has_value());
  BOOST_TEST(reported.back() == 3u);
  BOOST_TEST(journal->Append({Event(4)}) == kRefusedSeq);
  BOOST_TEST(journal->Stats().commits >= 1u);
  journal.reset();
  CheckEvents(dir.File(), 3);
}

BOOST_AUTO_TEST_CASE(closing_writes_what_is_queued_and_truncates_the_wal) {
  TempDir dir;
  auto journal = StartJournal(dir.File());
  for (uint64_t i = 1; i <= 5000; ++i) {
    journal->Append({Event(i)});
  }
  BOOST_TEST(journal->Close(kLong).has_value());
  BOOST_TEST(journal->Close(kLong).has_value());
  std::error_code ignored;
  BOOST_TEST(std::filesystem::file_size(dir.File("mlalert.db-wal"), ignored) == 0u);
  journal.reset();
  CheckEvents(dir.File(), 5000);
}

BOOST_AUTO_TEST_CASE(many_threads_append_and_wait_each_keeps_its_order) {
  TempDir dir;
  auto journal = StartJournal(dir.File());
  constexpr int kThreads = 4;
  constexpr uint64_t kEach = 300;
  std::atomic<int> failures{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (uint64_t i = 1; i <= kEach; ++i) {
        EventRecord event = Event(i);
        event.actor = std::to_string(t);
        uint64_t seq = journal->Append({event});
        if (i % 10 == 0 && !journal->WaitCommitted(seq, kLong)) {
          ++failures;
        }
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  BOOST_TEST(failures == 0);
  BOOST_TEST(journal->Close(kLong).has_value());
  auto db = Db::Open(dir.File(), DbMode::kReadOnly);
  BOOST_REQUIRE(db);
  BOOST_TEST(*db->QueryInt("SELECT count(*) FROM events") == kThreads * static_cast<int64_t>(kEach));
  BOOST_TEST(
      *db->QueryInt("SELECT count(*) FROM (SELECT at - lag(at) OVER (PARTITION BY actor ORDER BY id) AS step "
                    "FROM events) WHERE step <> 1") == 0);
}

BOOST_AUTO_TEST_CASE(broken_disk_degrades_to_memory_and_catches_up_in_order) {
  const struct {
    const char* name;
    int write;
    int sync;
    const char* error;
  } cases[] = {
      {"disk full", SQLITE_FULL, 0, "full"},
      {"write error", SQLITE_IOERR_WRITE, 0, "I/O"},
      {"sync error", 0, SQLITE_IOERR_FSYNC, "I/O"},
      {"read-only file system", SQLITE_READONLY, 0, "readonly"},
  };
  for (const auto& c : cases) {
    BOOST_TEST_CONTEXT(c.name) {
      TempDir dir;
      FaultVfs vfs;
      States states;
      SqliteJournalOptions options;
      options.retry_min = options.retry_max = 1ms;
      options.on_state = states.Callback();
      auto journal = StartJournal(dir.File(), options);
      BOOST_TEST(journal->WaitCommitted(journal->Append({Event(1)}), kLong).has_value());
      if (c.write != 0) {
        vfs.BreakWrites(c.write);
      }
      if (c.sync != 0) {
        vfs.BreakSyncs(c.sync);
      }
      uint64_t seq = journal->Append({Event(2)});
      Status waited = journal->WaitCommitted(seq, kLong);
      BOOST_REQUIRE(!waited);
      BOOST_TEST((waited.error().code == ErrorCode::kUnavailable), waited.error().ToString());
      BOOST_TEST(waited.error().message.find(c.error) != std::string::npos, waited.error().message);
      BOOST_TEST(states.WaitFor(JournalState::kDegraded));
      BOOST_TEST((journal->State() == JournalState::kDegraded));
      // Already committed rows stay committed; new ones are taken in memory.
      BOOST_TEST(journal->WaitCommitted(1, 0ns).has_value());
      for (uint64_t i = 3; i <= 3000; ++i) {
        seq = journal->Append({Event(i)});
      }
      BOOST_TEST(seq == 3000u);
      JournalStats stats = journal->Stats();
      BOOST_TEST(stats.queued_records == 2999u);
      BOOST_TEST(stats.failed_commits > 0u);
      BOOST_TEST(stats.queued_bytes > 2999 * sizeof(Record));
      vfs.Heal();
      BOOST_TEST(states.WaitFor(JournalState::kHealthy));
      BOOST_TEST(journal->WaitCommitted(seq, kLong).has_value());
      BOOST_TEST((states.states() == std::vector{JournalState::kDegraded, JournalState::kHealthy}));
      BOOST_TEST(journal->Stats().queued_records == 0u);
      BOOST_TEST(journal->Stats().queued_bytes == 0u);
      BOOST_TEST(journal->Stats().error == "");
      BOOST_TEST(journal->Close(kLong).has_value());
      journal.reset();
      CheckEvents(dir.File(), 3000);
    }
  }
}

BOOST_AUTO_TEST_CASE(disk_that_breaks_again_and_again_loses_and_repeats_nothing) {
  TempDir dir;
  FaultVfs vfs;
  SqliteJournalOptions options;
  options.retry_min = options.retry_max = 1ms;
  options.linger = 0ns;
  options.batch_records = 7;
  options.checkpoint_pages = 3;
  auto journal = StartJournal(dir.File(), options);
  std::mt19937_64 random(3);
  const int faults[] = {SQLITE_FULL, SQLITE_IOERR_WRITE, SQLITE_IOERR_FSYNC};
  for (uint64_t i = 1; i <= 4000; ++i) {
    journal->Append({Event(i)});
    if (i % 50 == 0) {
      int fault = faults[random() % 3];
      fault == SQLITE_IOERR_FSYNC ? vfs.BreakSyncs(fault) : vfs.BreakWrites(fault);
      (void)journal->WaitCommitted(i, kLong);
      vfs.Heal();
    }
  }
  BOOST_TEST(journal->Close(kLong).has_value());
  journal.reset();
  CheckEvents(dir.File(), 4000);
}

BOOST_AUTO_TEST_CASE(lock_of_another_process_degrades_and_catches_up) {
  TempDir dir;
  int ready[2];
  int release[2];
  BOOST_REQUIRE(OpenAndMigrate(dir.File()));
  BOOST_REQUIRE_EQUAL(pipe(ready), 0);
  BOOST_REQUIRE_EQUAL(pipe(release), 0);
  pid_t child = fork();
  if (child == 0) {
    close(release[1]);
    auto db = Db::Open(dir.File(), DbMode::kWriter);
    char byte = db && db->Exec("BEGIN IMMEDIATE") ? 'y' : 'n';
    (void)!write(ready[1], &byte, 1);
    (void)!read(release[0], &byte, 1);
    _exit(0);
  }
  char byte = 0;
  BOOST_REQUIRE_EQUAL(read(ready[0], &byte, 1), 1);
  BOOST_REQUIRE_EQUAL(byte, 'y');
  States states;
  SqliteJournalOptions options;
  options.retry_min = options.retry_max = 1ms;
  options.busy_timeout = 1ms;
  options.on_state = states.Callback();
  auto journal = StartJournal(dir.File(), options);
  uint64_t seq = 0;
  for (uint64_t i = 1; i <= 100; ++i) {
    seq = journal->Append({Event(i)});
  }
  Status waited = journal->WaitCommitted(seq, kLong);
  BOOST_REQUIRE(!waited);
  BOOST_TEST((waited.error().code == ErrorCode::kUnavailable));
  BOOST_TEST(states.WaitFor(JournalState::kDegraded));
  BOOST_TEST(states.first_error().find("another process holds a lock") != std::string::npos);
  close(release[1]);
  waitpid(child, nullptr, 0);
  BOOST_TEST(states.WaitFor(JournalState::kHealthy));
  BOOST_TEST(journal->WaitCommitted(seq, kLong).has_value());
  journal.reset();
  CheckEvents(dir.File(), 100);
  for (int fd : {ready[0], ready[1], release[0]}) {
    close(fd);
  }
}

BOOST_AUTO_TEST_CASE(full_queue_refuses_whole_steps_counts_them_and_recovers) {
  TempDir dir;
  FaultVfs vfs;
  States states;
  SqliteJournalOptions options;
  options.retry_min = options.retry_max = 1ms;
  options.queue_records_max = 10;
  options.on_state = states.Callback();
  auto journal = StartJournal(dir.File(), options);
  vfs.BreakWrites(SQLITE_FULL);
  for (uint64_t i = 1; i <= 9; ++i) {
    BOOST_TEST(journal->Append({Event(i)}) == i);
  }
  BOOST_TEST(journal->Append({Event(99), Event(99)}) == kRefusedSeq);
  BOOST_TEST((journal->State() == JournalState::kOverflow));
  // One would still fit: but after a hole nothing more is taken, so that what is stored is a prefix.
  BOOST_TEST(journal->Append({Event(99)}) == kRefusedSeq);
  BOOST_TEST(journal->Stats().refused_records == 3u);
  Status refused = journal->WaitCommitted(kRefusedSeq, kLong);
  BOOST_REQUIRE(!refused);
  BOOST_TEST((refused.error().code == ErrorCode::kUnavailable));
  BOOST_TEST(states.WaitFor(JournalState::kOverflow));
  vfs.Heal();
  BOOST_TEST(states.WaitFor(JournalState::kHealthy));
  BOOST_TEST(journal->WaitCommitted(journal->Append({Event(10)}), kLong).has_value());
  journal.reset();
  CheckEvents(dir.File(), 10);
}

BOOST_AUTO_TEST_CASE(queue_is_limited_in_bytes_too) {
  TempDir dir;
  FaultVfs vfs;
  SqliteJournalOptions options;
  options.retry_min = options.retry_max = 1ms;
  options.queue_bytes_max = 100'000;
  auto journal = StartJournal(dir.File(), options);
  vfs.BreakWrites(SQLITE_FULL);
  EventRecord big = Event(1);
  big.reason = std::string(60'000, 'x');
  BOOST_TEST(journal->Append({big}) == 1u);
  BOOST_TEST(journal->Append({big}) == kRefusedSeq);
  vfs.Heal();
  BOOST_TEST(journal->Close(kLong).has_value());
}

BOOST_AUTO_TEST_CASE(closing_on_a_broken_disk_says_how_much_is_lost) {
  TempDir dir;
  FaultVfs vfs;
  SqliteJournalOptions options;
  options.retry_min = options.retry_max = 1ms;
  auto journal = StartJournal(dir.File(), options);
  BOOST_TEST(journal->WaitCommitted(journal->Append({Event(1)}), kLong).has_value());
  vfs.BreakWrites(SQLITE_FULL);
  journal->Append({Event(2), Event(3)});
  Status closed = journal->Close(5ms);
  BOOST_REQUIRE(!closed);
  BOOST_TEST(closed.error().message.find("2 records could not be written") != std::string::npos);
  BOOST_TEST(closed.error().message.find("full") != std::string::npos);
  vfs.Heal();
  journal.reset();
  CheckEvents(dir.File(), 1);
}

BOOST_AUTO_TEST_CASE(record_the_database_rejects_does_not_block_the_rest) {
  TempDir dir;
  auto migrated = OpenAndMigrate(dir.File());
  BOOST_REQUIRE(migrated);
  BOOST_REQUIRE(migrated->Exec("CREATE UNIQUE INDEX one_per_key ON incidents (key)"));
  auto started = SqliteJournal::Start(std::move(*migrated));
  BOOST_REQUIRE(started);
  auto journal = std::move(*started);
  IncidentRecord first;
  first.incident.id = 1;
  first.incident.key = LabelSet::From({{"a", "b"}});
  IncidentRecord second = first;
  second.incident.id = 2;
  uint64_t good = journal->Append({first});
  uint64_t bad = journal->Append({second, EventRecord{.at = At(1), .type = "beside_it"}});
  uint64_t after = journal->Append({EventRecord{.at = At(2), .type = "after_it"}});
  BOOST_TEST(journal->WaitCommitted(after, kLong).has_value());
  BOOST_TEST(journal->WaitCommitted(good, kLong).has_value());
  Status rejected = journal->WaitCommitted(bad, kLong);
  BOOST_REQUIRE(!rejected);
  BOOST_TEST((rejected.error().code == ErrorCode::kInternal));
  BOOST_TEST(journal->Stats().rejected_records == 1u);
  BOOST_TEST((journal->State() == JournalState::kHealthy));
  journal.reset();
  auto db = Db::Open(dir.File(), DbMode::kReadOnly);
  BOOST_REQUIRE(db);
  BOOST_TEST(*db->QueryInt("SELECT count(*) FROM incidents") == 1);
  BOOST_TEST(*db->QueryInt("SELECT count(*) FROM events WHERE type IN ('beside_it', 'after_it')") == 2);
  BOOST_TEST(
      *db->QueryInt("SELECT count(*) FROM events WHERE type = 'record_rejected' AND incident_id = 2 AND "
                    "data ->> 'record' = 'incident' AND reason LIKE '%UNIQUE%'") == 1);
}

// In a storm rows of many steps share a statement: what is refused is still known by its step, and only that.
BOOST_AUTO_TEST_CASE(of_many_records_only_the_one_is_rejected_that_is_at_fault) {
  TempDir dir;
  SqliteJournalOptions options;
  options.linger = 200ms;  // all steps in one transaction
  auto journal = StartJournal(dir.File(), options);
  constexpr int64_t kSteps = 300;
  constexpr int64_t kBad = 150;
  std::vector<uint64_t> seqs;
  for (int64_t id = 1; id <= kSteps; ++id) {
    IncidentRecord record;
    Incident& incident = record.incident;
    incident.id = id;
    incident.key = incident.labels = LabelSet::From({{"id", std::to_string(id == kBad ? 1 : id)}});
    incident.opened_at = At(id);
    incident.generation = incident.opened_generation = 1;
    incident.episode_count = 1;
    seqs.push_back(journal->Append({record, Event(static_cast<uint64_t>(id))}));
  }
  BOOST_TEST(journal->WaitCommitted(seqs.back(), kLong).has_value());
  for (int64_t id = 1; id <= kSteps; ++id) {
    BOOST_TEST(journal->WaitCommitted(seqs[static_cast<size_t>(id - 1)], kLong).has_value() == (id != kBad),
               id);
  }
  BOOST_TEST(journal->Stats().rejected_records == 1u);
  BOOST_TEST((journal->State() == JournalState::kHealthy));
  journal.reset();
  auto db = Db::Open(dir.File(), DbMode::kReadOnly);
  BOOST_REQUIRE(db);
  BOOST_TEST(*db->QueryInt("SELECT count(*) FROM incidents") == kSteps - 1);
  BOOST_TEST(*db->QueryInt("SELECT count(*) FROM events WHERE type LIKE 'e%'") == kSteps);
  BOOST_TEST(*db->QueryInt(fmt::format(
                 "SELECT count(*) FROM events WHERE type = 'record_rejected' AND incident_id = {}", kBad)) ==
             1);
}

BOOST_AUTO_TEST_CASE(callback_may_append) {
  TempDir dir;
  auto journal = StartJournal(dir.File());
  std::mutex mutex;
  std::condition_variable changed;
  bool done = false;
  journal->OnCommitted([&](uint64_t seq) {
    if (seq < 5) {
      journal->Append({Event(seq + 1)});
      return;
    }
    std::lock_guard lock(mutex);
    done = true;
    changed.notify_one();
  });
  journal->Append({Event(1)});
  std::unique_lock lock(mutex);
  BOOST_TEST(changed.wait_for(lock, kLong, [&] { return done; }));
  lock.unlock();
  journal.reset();
  CheckEvents(dir.File(), 5);
}

BOOST_AUTO_TEST_CASE(wal_stays_small_while_writing_and_is_truncated_when_idle) {
  TempDir dir;
  SqliteJournalOptions options;
  options.checkpoint_pages = 50;
  options.idle_checkpoint = 1ms;
  auto journal = StartJournal(dir.File(), options);
  EventRecord big = Event(1);
  big.reason = std::string(2000, 'x');
  uint64_t seq = 0;
  int64_t largest = 0;
  for (int i = 0; i < 300; ++i) {
    seq = journal->Append({big, big});
    BOOST_REQUIRE(journal->WaitCommitted(seq, kLong));
    largest = std::max(largest, journal->Stats().wal_bytes);
  }
  // A commit may pass the limit by what it holds; most of it are the pages of the schema itself, at the
  // start.
  BOOST_TEST(largest < 220 * 4200);
  // The idle truncation is what makes the file empty; Close() would also do it.
  auto deadline = std::chrono::steady_clock::now() + kLong;
  while (std::filesystem::file_size(dir.File("mlalert.db-wal")) > 0 &&
         std::chrono::steady_clock::now() < deadline) {
    std::this_thread::yield();
  }
  BOOST_TEST(std::filesystem::file_size(dir.File("mlalert.db-wal")) == 0u);
}

BOOST_AUTO_TEST_CASE(after_a_storm_the_cache_goes_back_and_writing_goes_on) {
  TempDir dir;
  const std::string path = dir.File("a.db");
  SqliteJournalOptions options;
  options.idle_checkpoint = 10ms;
  auto journal = StartJournal(path, std::move(options));
  constexpr uint64_t kStorm = 5000;
  constexpr size_t kRest = 16;  // what an open connection needs
  for (uint64_t n = 1; n <= kStorm; ++n) {
    journal->Append({Event(n)});
  }
  BOOST_REQUIRE(journal->WaitCommitted(kStorm, kLong));
  const auto deadline = std::chrono::steady_clock::now() + kLong;
  while (PagePoolUse().used > kRest && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::yield();
  }
  BOOST_TEST(PagePoolUse().used <= kRest);
  BOOST_REQUIRE(journal->WaitCommitted(journal->Append({Event(kStorm + 1)}), kLong));
  BOOST_TEST(journal->Close(kLong).has_value());
  CheckEvents(path, kStorm + 1);
}

BOOST_AUTO_TEST_CASE(long_reader_neither_stops_writing_nor_counts_as_failure) {
  TempDir dir;
  SqliteJournalOptions options;
  options.checkpoint_pages = 5;
  options.idle_checkpoint = 1ms;
  auto journal = StartJournal(dir.File(), options);
  BOOST_TEST(journal->WaitCommitted(journal->Append({Event(1)}), kLong).has_value());
  auto reader = Db::Open(dir.File(), DbMode::kReadOnly);
  BOOST_REQUIRE(reader);
  auto txn = Txn::Begin(*reader, Txn::Kind::kRead);
  BOOST_TEST(*reader->QueryInt("SELECT count(*) FROM events") == 1);
  for (uint64_t i = 2; i <= 100; ++i) {
    BOOST_REQUIRE(journal->WaitCommitted(journal->Append({Event(i)}), kLong));
  }
  BOOST_TEST(*reader->QueryInt("SELECT count(*) FROM events") == 1);
  BOOST_TEST(txn->Commit().has_value());
  BOOST_TEST(*reader->QueryInt("SELECT count(*) FROM events") == 100);
  BOOST_TEST(journal->Stats().failed_commits == 0u);
}

class FixedClock final : public Clock {
 public:
  Timestamp Now() override { return At(1'700'000'000'000); }
};

BOOST_AUTO_TEST_CASE(applies_retention_between_batches) {
  TempDir dir;
  FixedClock clock;
  {
    auto journal = StartJournal(dir.File());
    for (int64_t i = 1; i <= 350; ++i) {
      IncidentRecord record;
      record.incident.id = i;
      record.incident.state = IncidentState::kResolved;
      record.incident.opened_at = At(1'500'000'000'000 + i);
      record.incident.resolved_at = i <= 340 ? At(1'500'000'000'000 + i) : clock.Now();
      journal->Append({record});
    }
  }
  SqliteJournalOptions options;
  options.clock = &clock;
  options.retention = 400 * 24h;
  auto journal = StartJournal(dir.File(), options);
  auto deadline = std::chrono::steady_clock::now() + kLong;
  // 340 incidents and one archived week.
  while (journal->Stats().expired_rows < 341 && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::yield();
  }
  BOOST_TEST(journal->WaitCommitted(journal->Append({Event(1)}), kLong).has_value());
  journal.reset();
  auto db = Db::Open(dir.File(), DbMode::kReadOnly);
  BOOST_TEST(*db->QueryInt("SELECT count(*) FROM incidents") == 10);
  BOOST_TEST(*db->QueryInt("SELECT sum(incidents) FROM v_weekly_review") == 350);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(crash)

// The child appends steps of one incident and one event until it is killed; it reports what is committed.
[[noreturn]] void AppendForever(const std::string& path, int report, uint64_t start) {
  auto db = OpenAndMigrate(path);
  if (!db) {
    _exit(2);
  }
  SqliteJournalOptions options;
  options.batch_records = 20;
  options.checkpoint_pages = 20;
  auto journal = SqliteJournal::Start(std::move(*db), options);
  (*journal)->OnCommitted([&](uint64_t seq) { (void)!write(report, &seq, sizeof(seq)); });
  for (uint64_t i = start;; ++i) {
    IncidentRecord incident;
    incident.incident.id = static_cast<int64_t>(i);
    incident.incident.key = LabelSet::From({{"i", std::to_string(i)}});
    uint64_t seq = (*journal)->Append({incident, Event(i)});
    if (i % 64 == 0) {
      (void)(*journal)->WaitCommitted(seq, kLong);
    }
  }
}

BOOST_AUTO_TEST_CASE(killed_process_leaves_all_that_was_committed_and_whole_steps_only) {
  TempDir dir;
  std::mt19937_64 random(11);
  uint64_t safe = 0;
  for (int round = 0; round < 12; ++round) {
    BOOST_TEST_CONTEXT("round " << round) {
      int report[2];
      BOOST_REQUIRE_EQUAL(pipe(report), 0);
      pid_t child = fork();
      if (child == 0) {
        close(report[0]);
        AppendForever(dir.File(), report[1], safe + 1);
      }
      close(report[1]);
      uint64_t reported = 0;
      uint64_t seq = 0;
      for (uint64_t i = 0, n = 1 + random() % 40; i < n && read(report[0], &seq, sizeof(seq)) == sizeof(seq);
           ++i) {
        reported = seq;
      }
      kill(child, SIGKILL);
      waitpid(child, nullptr, 0);
      while (read(report[0], &seq, sizeof(seq)) == sizeof(seq)) {
        reported = seq;
      }
      close(report[0]);
      BOOST_TEST(reported > 0u);
      auto db = OpenAndMigrate(dir.File());
      BOOST_REQUIRE_MESSAGE(db, (db ? "" : db.error().ToString()));
      auto events = static_cast<uint64_t>(*db->QueryInt("SELECT count(*) FROM events"));
      BOOST_TEST(events >= safe + reported / 2);
      BOOST_TEST(*db->QueryInt("SELECT count(*) FROM incidents") == static_cast<int64_t>(events));
      CheckEvents(dir.File(), events);
      safe = events;
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mlalert
