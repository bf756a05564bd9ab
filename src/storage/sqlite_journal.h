// The journal on SQLite: one thread is the only writer and the only one that checkpoints. It takes what is
// queued, writes it in one transaction (group commit), and between batches does the housekeeping:
// checkpoints, retention. A failing disk or a locked file never loses records: they wait in memory
// (JournalState::kDegraded) and the thread tries again with growing pauses. Owns: the writing connection, the
// queue, the thread.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "storage/journal.h"
#include "storage/sqlite.h"

namespace mlalert {

struct SqliteJournalOptions {
  // A transaction starts when the oldest record has waited for `linger`, or when somebody waits. While many
  // come (the last transaction had some, or so many wait already) it has patience for longer, until there are
  // batch_records: the more at once, the fewer pages per record. It takes what waits then, up to
  // batch_records_max.
  size_t many_records = 1000;
  size_t batch_records = 16'000;
  size_t batch_records_max = 32'000;
  Duration linger = std::chrono::milliseconds(5);
  Duration linger_of_many = std::chrono::milliseconds(20);

  // Limits of the queue; reached only while the disk fails for long. A step that passes one is refused whole.
  uint64_t queue_records_max = 2'000'000;
  uint64_t queue_bytes_max = uint64_t{1} << 30;

  // Pause between tries while writing fails; doubles from min to max.
  Duration retry_min = std::chrono::milliseconds(50);
  Duration retry_max = std::chrono::seconds(5);
  // How long a foreign lock may last before it counts as a failure.
  Duration busy_timeout = std::chrono::seconds(1);

  // Passive checkpoint when the WAL has so many pages (4 KiB each); truncated after so long without records.
  // In a storm the same pages of indexes are in every commit: fewer checkpoints write them fewer times.
  int64_t checkpoint_pages = 16'000;
  Duration idle_checkpoint = std::chrono::seconds(1);

  // Age at which resolved incidents and what hangs on them are deleted; zero keeps all. Needs `clock`.
  Duration retention{};
  Duration retention_interval = std::chrono::hours(1);
  Clock* clock = nullptr;

  // Called on the journal's thread when the state changes, with the error text ("" when healthy). Changes are
  // also logged by the journal itself.
  std::function<void(JournalState, const std::string&)> on_state;
};

class SqliteJournal final : public Journal {
 public:
  // `db`: opened as kWriter and migrated (OpenAndMigrate); nobody else may write with it from now on.
  static Result<std::unique_ptr<SqliteJournal>> Start(Db db, SqliteJournalOptions options = {});
  // Close() with a short timeout.
  ~SqliteJournal() override;

  uint64_t Append(std::vector<Record> records) override;
  uint64_t CommittedSeq() const override;
  Status WaitCommitted(uint64_t seq, Duration timeout) override;
  void OnCommitted(std::function<void(uint64_t)> callback) override;
  JournalState State() const override;
  JournalStats Stats() const override;

  // Writes what is queued, truncates the WAL, ends the thread. kUnavailable with the number of records that
  // could not be written within `timeout`: they are lost. Append refuses from now on.
  Status Close(Duration timeout);

 private:
  class Impl;
  explicit SqliteJournal(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace mlalert
