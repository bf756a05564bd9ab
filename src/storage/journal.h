// The seam between the engine and durability: records go in, in order; a sequence number says how far they
// are safe. Fed by the gate (engine, rules) with what each step changed. Implemented by SqliteJournal, and in
// tests by MemoryJournal. Thread: any; Append only queues and never touches the disk.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "model/record.h"

namespace mlalert {

// What Append returns when it refused the records: the queue is at its limit (JournalState::kOverflow).
inline constexpr uint64_t kRefusedSeq = UINT64_MAX;

enum class JournalState : uint8_t {
  kHealthy,
  // Writing fails; records wait in memory, in order, and are written when it works again.
  kDegraded,
  // Degraded for so long (or so far behind) that the queue is full: Append refuses. What was refused is
  // counted and is missing in the file, so the owner must append its whole state once the journal is healthy
  // again.
  kOverflow,
};
std::string_view ToString(JournalState state);

struct JournalStats {
  JournalState state = JournalState::kHealthy;
  std::string error;               // text of the failure while not healthy
  uint64_t appended_records = 0;   // accepted since start
  uint64_t committed_records = 0;  // written, or rejected by the database
  uint64_t queued_records = 0;     // accepted and not yet committed
  uint64_t queued_bytes = 0;       // estimate of their memory
  uint64_t commits = 0;
  uint64_t failed_commits = 0;  // each retry that fails counts
  uint64_t rejected_records =
      0;  // could never be written (constraint); an event of type record_rejected tells which
  uint64_t refused_records = 0;  // not accepted because of kOverflow
  uint64_t expired_rows = 0;     // deleted by retention
  int64_t wal_bytes = 0;
  Duration commit_time_total{};  // from the start of the transaction to its durable end
  Duration commit_time_max{};
};

class Journal {
 public:
  virtual ~Journal() = default;

  // Queues the records of one step; they are committed together or not at all. Returns the sequence number of
  // the last one (numbers start at 1 with each process), the last number given out when `records` is empty,
  // or kRefusedSeq.
  virtual uint64_t Append(std::vector<Record> records) = 0;

  // Every record up to here survives a crash of the process and of the machine.
  virtual uint64_t CommittedSeq() const = 0;

  // Blocks until `seq` is committed. kUnavailable at once while the journal is degraded and for kRefusedSeq,
  // kDeadline after `timeout`, kInternal when the database rejected a record of that step. After kUnavailable
  // and kDeadline accepted records stay queued and are written as soon as that is possible.
  virtual Status WaitCommitted(uint64_t seq, Duration timeout) = 0;

  // Called with the new CommittedSeq after each commit, on the journal's thread and without a lock of the
  // journal. Set once, before the first Append. The callback may call Append; it must not block.
  virtual void OnCommitted(std::function<void(uint64_t)> callback) = 0;

  virtual JournalState State() const = 0;
  virtual JournalStats Stats() const = 0;
};

}  // namespace mlalert
