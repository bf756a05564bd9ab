#include "storage/sqlite_journal.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <fmt/format.h>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <utility>

#include "base/heap.h"
#include "base/json.h"
#include "base/log.h"
#include "storage/record_kind.h"
#include "storage/record_writer.h"
#include "storage/retention.h"

namespace mlalert {
namespace {

using SteadyTime = std::chrono::steady_clock::time_point;

// Steps with a rejected record, remembered for those who still wait for them.
constexpr size_t kRejectedStepsMax = 1024;
// How long the destructor tries to write what is queued.
constexpr Duration kDestructorTimeout = std::chrono::seconds(2);
// Refused again only after the queue has fallen below this share of its limit.
constexpr uint64_t kOverflowEndsBelow = 2;

// Waits of the journal are bounded so that steady_clock arithmetic cannot overflow.
constexpr Duration kWaitMax = std::chrono::hours(24);

// So many records are a storm: most of their rows can share statements.
constexpr size_t kBatchedFrom = 64;

// Records after which memory is given back once there is nothing to write.
constexpr uint64_t kTidyAfterRecords = 200;

SteadyTime After(Duration wait) {
  return std::chrono::steady_clock::now() + std::clamp(wait, Duration::zero(), kWaitMax);
}

bool IsFaultOfRecord(const Error& error) {
  return error.code == ErrorCode::kConflict || error.code == ErrorCode::kInvalid;
}

}  // namespace

std::string_view ToString(JournalState state) {
  switch (state) {
    case JournalState::kHealthy:
      return "healthy";
    case JournalState::kDegraded:
      return "degraded";
    case JournalState::kOverflow:
      return "overflow";
  }
  return "healthy";
}

class SqliteJournal::Impl {
 public:
  Impl(Db db, RecordWriter writer, SqliteJournalOptions options)
      : db_(std::move(db)), writer_(std::move(writer)), options_(std::move(options)) {
    next_retention_ = std::chrono::steady_clock::now();
    checkpoint_at_ = options_.checkpoint_pages;
    thread_ = std::thread([this] { Run(); });
  }

  uint64_t Append(std::vector<Record> records);
  Status WaitCommitted(uint64_t seq, Duration timeout);
  Status Close(Duration timeout);
  JournalStats Stats() const;

  uint64_t CommittedSeq() const { return committed_.load(std::memory_order_acquire); }
  JournalState State() const {
    if (overflow_.load(std::memory_order_acquire)) {
      return JournalState::kOverflow;
    }
    return degraded_.load(std::memory_order_acquire) ? JournalState::kDegraded : JournalState::kHealthy;
  }
  void OnCommitted(std::function<void(uint64_t)> callback) {
    std::lock_guard lock(mutex_);
    on_committed_ = std::move(callback);
  }

 private:
  // The records of one Append.
  struct Step {
    uint64_t last_seq = 0;
    uint64_t bytes = 0;
    std::vector<Record> records;
  };
  using Batch = std::vector<Step>;

  void Run();
  Result<RecordWriter*> Writer();
  void Tidy();
  Batch NextBatch();
  bool CommitUntilDone(Batch& batch);
  Status Commit(const Batch& batch, std::vector<uint64_t>& rejected_steps);
  Status CommitBatched(const Batch& batch);
  Status WriteStep(const Step& step, std::vector<uint64_t>& rejected_steps);
  Status Reject(const Record& record, const Error& error);
  void Done(const Batch& batch, const std::vector<uint64_t>& rejected_steps, Duration took);
  void SetDegraded(const Error& error);
  void ReportState();
  void Housekeeping(bool idle);
  void Checkpoint(bool idle);
  void Retain();
  SteadyTime NextWake() const;

  // Journal thread only.
  Db db_;
  std::optional<RecordWriter> writer_;  // made when it is needed
  const SqliteJournalOptions options_;
  bool wal_dirty_ = false;
  int64_t checkpoint_at_ = 0;
  bool checkpoint_failing_ = false;  // logged once
  bool retention_active_ = false;
  SteadyTime next_retention_;
  SteadyTime next_idle_checkpoint_{};
  JournalState reported_ = JournalState::kHealthy;
  uint64_t batch_rejected_ = 0;
  bool many_ = false;  // records come in numbers

  mutable std::mutex mutex_;
  std::condition_variable work_;  // the journal thread waits here
  std::condition_variable committed_changed_;
  std::deque<Step> queue_;
  SteadyTime oldest_{};  // when what is now at the front of the queue began to wait
  uint64_t appended_ = 0;
  int waiters_ = 0;
  bool stop_ = false;
  SteadyTime stop_deadline_{};
  std::string error_;
  std::set<uint64_t> rejected_steps_;
  JournalStats stats_;  // counters; state and error are filled in by Stats()
  std::function<void(uint64_t)> on_committed_;

  std::atomic<uint64_t> committed_{0};
  std::atomic<bool> degraded_{false};
  std::atomic<bool> overflow_{false};
  std::thread thread_;
};

uint64_t SqliteJournal::Impl::Append(std::vector<Record> records) {
  uint64_t bytes = 0;
  for (const Record& record : records) {
    bytes += RecordBytes(record);
  }
  std::lock_guard lock(mutex_);
  if (records.empty()) {
    return appended_;
  }
  bool full = stats_.queued_records + records.size() > options_.queue_records_max ||
              stats_.queued_bytes + bytes > options_.queue_bytes_max;
  if (stop_ || full || overflow_.load(std::memory_order_relaxed)) {
    stats_.refused_records += records.size();
    if (full && !stop_ && stats_.queued_records > 0) {
      overflow_.store(true, std::memory_order_release);
      work_.notify_one();
    }
    return kRefusedSeq;
  }
  const bool first = queue_.empty();
  if (first) {
    oldest_ = std::chrono::steady_clock::now();
  }
  const uint64_t waiting = appended_ - CommittedSeq();
  const auto passes = [&](uint64_t limit) { return waiting < limit && waiting + records.size() >= limit; };
  // In between it would only wake to see that it still has patience.
  const bool wake = first || passes(options_.many_records) || passes(options_.batch_records);
  appended_ += records.size();
  stats_.queued_records += records.size();
  stats_.queued_bytes += bytes;
  queue_.push_back({appended_, bytes, std::move(records)});
  if (wake) {
    work_.notify_one();
  }
  return appended_;
}

Status SqliteJournal::Impl::WaitCommitted(uint64_t seq, Duration timeout) {
  if (seq == kRefusedSeq) {
    return Fail(ErrorCode::kUnavailable, "journal: the queue of records to write is full");
  }
  SteadyTime deadline = After(timeout);
  std::unique_lock lock(mutex_);
  ++waiters_;
  work_.notify_one();
  committed_changed_.wait_until(
      lock, deadline, [&] { return CommittedSeq() >= seq || degraded_.load(std::memory_order_acquire); });
  --waiters_;
  if (CommittedSeq() >= seq) {
    if (rejected_steps_.contains(seq)) {
      return Fail(ErrorCode::kInternal, "journal: the database rejected a record of this step");
    }
    return {};
  }
  if (degraded_.load(std::memory_order_acquire)) {
    return Fail(ErrorCode::kUnavailable, "journal: cannot write at present: " + error_);
  }
  return Fail(ErrorCode::kDeadline, "journal: not written in time");
}

JournalStats SqliteJournal::Impl::Stats() const {
  std::lock_guard lock(mutex_);
  JournalStats out = stats_;
  out.state = State();
  out.error = error_;
  out.appended_records = appended_;
  out.committed_records = CommittedSeq();
  return out;
}

Status SqliteJournal::Impl::Close(Duration timeout) {
  {
    std::lock_guard lock(mutex_);
    if (!stop_) {
      stop_ = true;
      stop_deadline_ = After(timeout);
    }
    work_.notify_one();
  }
  if (thread_.joinable()) {
    thread_.join();
  }
  std::lock_guard lock(mutex_);
  if (stats_.queued_records > 0) {
    return Fail(ErrorCode::kUnavailable,
                fmt::format("{} records could not be written: {}", stats_.queued_records, error_));
  }
  return {};
}

// --- the journal thread

void SqliteJournal::Impl::Run() {
  uint64_t tidied_at = 0;
  while (true) {
    Batch batch = NextBatch();
    bool idle = batch.empty();
    if (idle && CommittedSeq() - tidied_at >= kTidyAfterRecords) {
      Tidy();
      tidied_at = CommittedSeq();
    }
    if (!idle && !CommitUntilDone(batch)) {
      return;
    }
    bool stopping = false;
    {
      std::lock_guard lock(mutex_);
      stopping = stop_ && queue_.empty();
    }
    ReportState();
    if (stopping) {
      (void)db_.RunCheckpoint(Db::CheckpointMode::kTruncate);
      return;
    }
    Housekeeping(idle);
  }
}

// What a storm leaves: its rows in the page cache, statements, holes all over the heap. Nothing else would
// ever give them back.
void SqliteJournal::Impl::Tidy() {
  writer_.reset();
  db_.ReleaseMemory();
  TidyMemory();
}

Result<RecordWriter*> SqliteJournal::Impl::Writer() {
  if (!writer_) {
    MLALERT_ASSIGN(writer_, RecordWriter::Create(db_));
  }
  return &*writer_;
}

// Blocks until there is something to write, or housekeeping is due (empty batch), or the journal closes.
SqliteJournal::Impl::Batch SqliteJournal::Impl::NextBatch() {
  std::unique_lock lock(mutex_);
  SteadyTime wake = NextWake();
  work_.wait_until(lock, wake, [&] { return stop_ || !queue_.empty(); });
  if (queue_.empty()) {
    many_ = false;
    return {};
  }
  // Group commit: a little patience lets many steps share one sync, unless somebody waits for it.
  const auto waiting = [&] { return appended_ - CommittedSeq(); };
  if (!many_) {
    work_.wait_until(lock, oldest_ + options_.linger,
                     [&] { return stop_ || waiters_ > 0 || waiting() >= options_.many_records; });
    many_ = waiting() >= options_.many_records;
  }
  if (many_) {
    work_.wait_until(lock, oldest_ + options_.linger_of_many,
                     [&] { return stop_ || waiters_ > 0 || waiting() >= options_.batch_records; });
  }
  Batch batch;
  size_t records = 0;
  while (!queue_.empty() && records < options_.batch_records_max) {
    records += queue_.front().records.size();
    batch.push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
  many_ = records >= kBatchedFrom;
  return batch;
}

// False when the journal closes and its deadline passes before the batch is written.
bool SqliteJournal::Impl::CommitUntilDone(Batch& batch) {
  Duration pause = options_.retry_min;
  while (true) {
    SteadyTime start = std::chrono::steady_clock::now();
    std::vector<uint64_t> rejected_steps;
    batch_rejected_ = 0;
    Status status = Commit(batch, rejected_steps);
    if (status) {
      Done(batch, rejected_steps, std::chrono::steady_clock::now() - start);
      return true;
    }
    SetDegraded(status.error());
    ReportState();
    std::unique_lock lock(mutex_);
    SteadyTime until = After(pause);
    // An overflow that begins during the pause is reported at once; the pause goes on.
    while (work_.wait_until(lock, until, [&] { return stop_ || State() != reported_; })) {
      if (stop_) {
        if (std::chrono::steady_clock::now() >= stop_deadline_) {
          return false;
        }
        until = std::min({until, stop_deadline_, After(options_.retry_min)});
        work_.wait_until(lock, until, [] { return false; });
        break;
      }
      lock.unlock();
      ReportState();
      lock.lock();
    }
    pause = std::min(pause * 2, options_.retry_max);
  }
}

Status SqliteJournal::Impl::Commit(const Batch& batch, std::vector<uint64_t>& rejected_steps) {
  size_t records = 0;
  for (const Step& step : batch) {
    records += step.records.size();
  }
  if (records >= kBatchedFrom) {
    Status status = CommitBatched(batch);
    if (status || !IsFaultOfRecord(status.error())) {
      return status;
    }
    // One by one, to learn which.
  }
  MLALERT_TRY(Writer());
  MLALERT_ASSIGN(Txn txn, Txn::Begin(db_));
  for (const Step& step : batch) {
    MLALERT_TRY(WriteStep(step, rejected_steps));
  }
  return txn.Commit();
}

// All or nothing: the error may be that of any record.
Status SqliteJournal::Impl::CommitBatched(const Batch& batch) {
  MLALERT_ASSIGN(RecordWriter * writer, Writer());
  MLALERT_ASSIGN(Txn txn, Txn::Begin(db_));
  RecordWriter::Batch many(*writer);
  for (const Step& step : batch) {
    for (const Record& record : step.records) {
      MLALERT_TRY(writer->Write(record));
    }
  }
  MLALERT_TRY(many.End());
  return txn.Commit();
}

Status SqliteJournal::Impl::WriteStep(const Step& step, std::vector<uint64_t>& rejected_steps) {
  for (const Record& record : step.records) {
    Status status = writer_->Write(record);
    if (status) {
      continue;
    }
    if (!IsFaultOfRecord(status.error())) {
      return status;
    }
    // The fault of this record: trying again would block all that follow it for ever.
    MLALERT_TRY(Reject(record, status.error()));
    ++batch_rejected_;
    if (rejected_steps.empty() || rejected_steps.back() != step.last_seq) {
      rejected_steps.push_back(step.last_seq);
    }
  }
  return {};
}

Status SqliteJournal::Impl::Reject(const Record& record, const Error& error) {
  LogError("journal: the database rejected a record",
           {{"record", RecordKind(record)}, {"err", error.message}});
  EventRecord event;
  if (options_.clock != nullptr) {
    event.at = options_.clock->Now();
  }
  event.type = "record_rejected";
  event.actor_kind = "system";
  event.actor = "journal";
  event.reason = error.message;
  Json data = Json::MakeObject();
  data.Set("record", RecordKind(record));
  if (const auto* incident = std::get_if<IncidentRecord>(&record)) {
    event.incident_id = incident->incident.id;
  }
  event.data = data.Dump();
  return writer_->Write(event);
}

void SqliteJournal::Impl::Done(const Batch& batch, const std::vector<uint64_t>& rejected_steps,
                               Duration took) {
  wal_dirty_ = true;
  next_idle_checkpoint_ = After(options_.idle_checkpoint);
  std::function<void(uint64_t)> callback;
  uint64_t seq = batch.back().last_seq;
  {
    std::lock_guard lock(mutex_);
    for (const Step& step : batch) {
      stats_.queued_records -= step.records.size();
      stats_.queued_bytes -= step.bytes;
    }
    ++stats_.commits;
    stats_.rejected_records += batch_rejected_;
    stats_.commit_time_total += took;
    stats_.commit_time_max = std::max(stats_.commit_time_max, took);
    rejected_steps_.insert(rejected_steps.begin(), rejected_steps.end());
    while (rejected_steps_.size() > kRejectedStepsMax) {
      rejected_steps_.erase(rejected_steps_.begin());
    }
    if (!queue_.empty()) {
      oldest_ = std::chrono::steady_clock::now();
    }
    degraded_.store(false, std::memory_order_release);
    error_.clear();
    if (stats_.queued_records <= options_.queue_records_max / kOverflowEndsBelow &&
        stats_.queued_bytes <= options_.queue_bytes_max / kOverflowEndsBelow) {
      overflow_.store(false, std::memory_order_release);
    }
    committed_.store(seq, std::memory_order_release);
    callback = on_committed_;
    committed_changed_.notify_all();
  }
  if (callback) {
    callback(seq);
  }
}

void SqliteJournal::Impl::SetDegraded(const Error& error) {
  std::lock_guard lock(mutex_);
  ++stats_.failed_commits;
  error_ = error.ToString();
  degraded_.store(true, std::memory_order_release);
  committed_changed_.notify_all();
}

void SqliteJournal::Impl::ReportState() {
  JournalState state = State();
  if (state == reported_) {
    return;
  }
  std::string error;
  uint64_t queued = 0;
  uint64_t refused = 0;
  {
    std::lock_guard lock(mutex_);
    error = error_;
    queued = stats_.queued_records;
    refused = stats_.refused_records;
  }
  reported_ = state;
  Log(state == JournalState::kHealthy ? LogLevel::kInfo : LogLevel::kError, "journal: state changed",
      {{"state", ToString(state)}, {"queued", queued}, {"refused", refused}, {"err", error}});
  if (options_.on_state) {
    options_.on_state(state, error);
  }
}

// --- between batches

SteadyTime SqliteJournal::Impl::NextWake() const {
  SteadyTime wake = After(kWaitMax);
  if (wal_dirty_) {
    wake = std::min(wake, next_idle_checkpoint_);
  }
  if (options_.clock != nullptr && options_.retention > Duration::zero()) {
    wake = retention_active_ ? std::chrono::steady_clock::now() : std::min(wake, next_retention_);
  }
  return wake;
}

void SqliteJournal::Impl::Housekeeping(bool idle) {
  Retain();
  Checkpoint(idle);
}

void SqliteJournal::Impl::Checkpoint(bool idle) {
  if (!wal_dirty_) {
    return;
  }
  bool truncate = idle && !retention_active_ && std::chrono::steady_clock::now() >= next_idle_checkpoint_;
  // After an incomplete one (a long reader) only when the WAL has grown again by as much.
  if (truncate || db_.WalPages() >= checkpoint_at_) {
    // A reader in the way must not hold up the writing: no waiting, the next checkpoint gets further.
    db_.SetBusyTimeout(Duration::zero());
    auto done = db_.RunCheckpoint(truncate ? Db::CheckpointMode::kTruncate : Db::CheckpointMode::kPassive);
    db_.SetBusyTimeout(options_.busy_timeout);
    if (!done && !checkpoint_failing_) {
      LogWarn("journal: checkpoints fail, the write-ahead log grows", {{"err", done.error().ToString()}});
    }
    checkpoint_failing_ = !done;
    if (truncate) {
      wal_dirty_ = !(done && done->complete);
      next_idle_checkpoint_ = After(options_.idle_checkpoint);
    }
    checkpoint_at_ = db_.WalPages() + options_.checkpoint_pages;
  }
  int64_t bytes = db_.WalBytes();
  std::lock_guard lock(mutex_);
  stats_.wal_bytes = bytes;
}

void SqliteJournal::Impl::Retain() {
  if (options_.clock == nullptr || options_.retention <= Duration::zero() ||
      (!retention_active_ && std::chrono::steady_clock::now() < next_retention_)) {
    return;
  }
  Timestamp now = options_.clock->Now();
  auto deleted = RetentionStep(db_, RetentionCutoff(now, options_.retention), now);
  if (!deleted) {
    LogWarn("journal: retention failed, tried again later", {{"err", deleted.error().ToString()}});
  }
  retention_active_ = deleted && *deleted > 0;
  if (!retention_active_) {
    next_retention_ = After(options_.retention_interval);
    return;
  }
  wal_dirty_ = true;
  next_idle_checkpoint_ = After(options_.idle_checkpoint);
  std::lock_guard lock(mutex_);
  stats_.expired_rows += static_cast<uint64_t>(*deleted);
}

// --- the outside

Result<std::unique_ptr<SqliteJournal>> SqliteJournal::Start(Db db, SqliteJournalOptions options) {
  if (db.mode() == DbMode::kReadOnly) {
    return Fail(ErrorCode::kInternal, "the journal needs a connection that may write");
  }
  db.SetBusyTimeout(options.busy_timeout);
  // The statements keep the address of SQLite's connection, not that of `db`: it may move.
  MLALERT_ASSIGN(RecordWriter writer, RecordWriter::Create(db));
  auto impl = std::make_unique<Impl>(std::move(db), std::move(writer), std::move(options));
  return std::unique_ptr<SqliteJournal>(new SqliteJournal(std::move(impl)));
}

SqliteJournal::SqliteJournal(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

SqliteJournal::~SqliteJournal() {
  if (Status status = impl_->Close(kDestructorTimeout); !status) {
    LogError("journal: closed with records left", {{"err", status.error().message}});
  }
}

uint64_t SqliteJournal::Append(std::vector<Record> records) {
  return impl_->Append(std::move(records));
}
uint64_t SqliteJournal::CommittedSeq() const {
  return impl_->CommittedSeq();
}
Status SqliteJournal::WaitCommitted(uint64_t seq, Duration timeout) {
  return impl_->WaitCommitted(seq, timeout);
}
void SqliteJournal::OnCommitted(std::function<void(uint64_t)> callback) {
  impl_->OnCommitted(std::move(callback));
}
JournalState SqliteJournal::State() const {
  return impl_->State();
}
JournalStats SqliteJournal::Stats() const {
  return impl_->Stats();
}
Status SqliteJournal::Close(Duration timeout) {
  return impl_->Close(timeout);
}

}  // namespace mlalert
