#include "storage/sqlite.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storage/page_pool.h"
#include "storage/wal_vfs.h"

namespace mlalert {
namespace {

// Instructions of SQLite's virtual machine between two looks at the deadline: well below a millisecond.
constexpr int kProgressInstructions = 10'000;
// Checks of a whole file spend long on few instructions.
constexpr int kWatchInstructions = 500;

ErrorCode CodeOf(int rc) {
  switch (rc & 0xff) {
    case SQLITE_CONSTRAINT:
      return ErrorCode::kConflict;
    case SQLITE_MISMATCH:
    case SQLITE_TOOBIG:
      return ErrorCode::kInvalid;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL:
      return ErrorCode::kUnavailable;
    case SQLITE_FULL:
    case SQLITE_IOERR:
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_NOMEM:
      return ErrorCode::kIo;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return ErrorCode::kCorrupt;
    case SQLITE_INTERRUPT:
      return ErrorCode::kDeadline;
    default:
      return ErrorCode::kInternal;
  }
}

std::string_view HintOf(int rc) {
  switch (rc & 0xff) {
    case SQLITE_NOTADB:
      return "the file is not an SQLite database: check the path, or move the file away";
    case SQLITE_CORRUPT:
      return "the file is damaged: restore a backup, or salvage it with the sqlite3 shell's .recover";
    case SQLITE_FULL:
      return "the disk is full";
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return "another process holds a lock on the file";
    default:
      return "";
  }
}

int PastDeadline(void* deadline) {
  return std::chrono::steady_clock::now() >= *static_cast<std::chrono::steady_clock::time_point*>(deadline)
             ? 1
             : 0;
}

int WatchSaysStop(void* go_on) {
  return (*static_cast<std::function<bool()>*>(go_on))() ? 0 : 1;
}

int AfterCommit(void* pages, sqlite3*, const char*, int count) {
  *static_cast<int64_t*>(pages) = count;
  return SQLITE_OK;
}

Error SystemError(int number, const std::string& what) {
  return Error{ErrorCode::kIo, fmt::format("{}: {}", what, std::strerror(number)), {}, {}};
}

}  // namespace

Error SqliteError(sqlite3* db, int rc, std::string_view context) {
  std::string text = db != nullptr && (sqlite3_extended_errcode(db) & 0xff) == (rc & 0xff)
                         ? sqlite3_errmsg(db)
                         : sqlite3_errstr(rc);
  int system = db != nullptr ? sqlite3_system_errno(db) : 0;
  int kind = rc & 0xff;
  if (system != 0 && (kind == SQLITE_IOERR || kind == SQLITE_CANTOPEN || kind == SQLITE_FULL)) {
    text += fmt::format(" ({})", std::strerror(system));
  }
  return Error{CodeOf(rc), fmt::format("{}: {} [sqlite {}]", context, text, rc), {}, std::string(HintOf(rc))};
}

// --- Stmt

Stmt::~Stmt() {
  sqlite3_finalize(stmt_);
}

void Stmt::Reset() {
  // The code it returns is that of the last step, which has been reported already.
  sqlite3_reset(stmt_);
}

Status Stmt::CheckCount(int count) const {
  int wanted = sqlite3_bind_parameter_count(stmt_);
  if (count != wanted) {
    return Fail(ErrorCode::kInternal,
                fmt::format("{} values for {} parameters of: {}", count, wanted, sqlite3_sql(stmt_)));
  }
  return {};
}

Status Stmt::BindFailed(int rc) const {
  return Fail(SqliteError(sqlite3_db_handle(stmt_), rc, "bind"));
}

int Stmt::BindInt(int i, int64_t value) {
  return sqlite3_bind_int64(stmt_, i, value);
}
int Stmt::BindOne(int i, std::nullptr_t) {
  return sqlite3_bind_null(stmt_, i);
}
int Stmt::BindOne(int i, double value) {
  return sqlite3_bind_double(stmt_, i, value);
}
int Stmt::BindOne(int i, std::string_view value) {
  // A null pointer would bind NULL.
  const char* data = value.data() != nullptr ? value.data() : "";
  return sqlite3_bind_text64(stmt_, i, data, value.size(), SQLITE_STATIC, SQLITE_UTF8);
}

Result<bool> Stmt::Step() {
  int rc = sqlite3_step(stmt_);
  if (rc == SQLITE_ROW) {
    return true;
  }
  if (rc == SQLITE_DONE) {
    Reset();
    return false;
  }
  Error error = SqliteError(sqlite3_db_handle(stmt_), rc, "query");
  Reset();
  return Fail(std::move(error));
}

Status Stmt::Finish() {
  while (true) {
    MLALERT_ASSIGN(bool row, Step());
    if (!row) {
      return {};
    }
  }
}

bool Stmt::IsNull(int column) const {
  return sqlite3_column_type(stmt_, column) == SQLITE_NULL;
}
int64_t Stmt::Int(int column) const {
  return sqlite3_column_int64(stmt_, column);
}
double Stmt::Double(int column) const {
  return sqlite3_column_double(stmt_, column);
}
std::string_view Stmt::Text(int column) const {
  const auto* text = sqlite3_column_text(stmt_, column);
  if (text == nullptr) {
    return {};
  }
  return {reinterpret_cast<const char*>(text), static_cast<size_t>(sqlite3_column_bytes(stmt_, column))};
}
Stmt::ValueType Stmt::Type(int column) const {
  switch (sqlite3_column_type(stmt_, column)) {
    case SQLITE_NULL:
      return ValueType::kNull;
    case SQLITE_INTEGER:
      return ValueType::kInteger;
    case SQLITE_FLOAT:
      return ValueType::kReal;
    default:
      return ValueType::kText;
  }
}

int Stmt::ColumnCount() const {
  return sqlite3_column_count(stmt_);
}
std::string Stmt::ColumnName(int column) const {
  return sqlite3_column_name(stmt_, column);
}

// --- Db

Result<Db> Db::Open(const std::string& path, DbMode mode, Duration busy_timeout) {
  int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  std::string file = mode == DbMode::kMemory ? ":memory:" : path;
  if (mode == DbMode::kReadOnly) {
    flags |= SQLITE_OPEN_READONLY;
  } else {
    flags |= SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  }
  if (mode != DbMode::kMemory && (file.empty() || file.front() == ':')) {
    // Both would open a private temporary database.
    return Fail(ErrorCode::kInvalid, fmt::format("bad database path \"{}\"", path));
  }
  static const int uncounted = [] {
    InstallPagePool();
    // Nobody asks SQLite how much memory it has; counting takes a lock for each allocation.
    return sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
  }();
  (void)uncounted;
  sqlite3* handle = nullptr;
  const char* vfs = mode == DbMode::kWriter ? WalVfsName() : nullptr;
  int rc = sqlite3_open_v2(file.c_str(), &handle, flags, vfs);
  Db db(handle, path, mode);
  std::string context = fmt::format("open database {}", file);
  if (rc != SQLITE_OK) {
    return Fail(SqliteError(handle, rc, context));
  }
  // SQLite quietly opens a file read-only when it may not write it.
  if (mode == DbMode::kWriter && sqlite3_db_readonly(handle, "main") == 1) {
    return Fail(ErrorCode::kIo, fmt::format("{}: the file is read-only", context));
  }
  if (Status status = db.Configure(busy_timeout); !status) {
    return Fail(std::move(status.error()).Context(context));
  }
  return db;
}

Status Db::Configure(Duration busy_timeout) {
  SetBusyTimeout(busy_timeout);
  for (auto [option, value] :
       {std::pair{SQLITE_DBCONFIG_DQS_DML, 0}, std::pair{SQLITE_DBCONFIG_DQS_DDL, 0},
        std::pair{SQLITE_DBCONFIG_DEFENSIVE, 1}, std::pair{SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0}}) {
    int rc = sqlite3_db_config(db_, option, value, nullptr);
    if (rc != SQLITE_OK) {
      return Fail(SqliteError(db_, rc, "configure"));
    }
  }
  MLALERT_TRY(Exec("PRAGMA temp_store = MEMORY; PRAGMA foreign_keys = ON"));
  // The first statement that reads the file: damage and locks show here.
  MLALERT_TRY(QueryInt("SELECT count(*) FROM sqlite_schema"));
  if (mode_ == DbMode::kReadOnly) {
    return Exec("PRAGMA query_only = ON");
  }
  if (mode_ == DbMode::kMemory) {
    return {};
  }
  // The journal thread checkpoints, at moments of its choice.
  // 32 MiB of pages: with SQLite's 2 MiB a burst reads back what it has just written.
  MLALERT_TRY(
      Exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0; "
           "PRAGMA cache_size = -32768"));
  wal_pages_ = std::make_unique<int64_t>(0);
  sqlite3_wal_hook(db_, AfterCommit, wal_pages_.get());
  MLALERT_ASSIGN(Stmt mode, Prepare("PRAGMA journal_mode"));
  MLALERT_TRY(mode.Step());
  if (mode.Text(0) != "wal") {
    return Fail(ErrorCode::kIo, "the file system does not support SQLite's write-ahead log (shared memory)");
  }
  return {};
}

Db::~Db() {
  // v2: closes later when a statement still lives, instead of leaking the connection.
  sqlite3_close_v2(db_);
}

Result<Stmt> Db::Prepare(std::string_view sql) {
  sqlite3_stmt* stmt = nullptr;
  int rc = sqlite3_prepare_v3(db_, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT, &stmt,
                              nullptr);
  if (rc != SQLITE_OK) {
    return Fail(SqliteError(db_, rc, "prepare"));
  }
  return Stmt(stmt);
}

Status Db::Exec(const std::string& sql) {
  int rc = sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, nullptr);
  if (rc != SQLITE_OK) {
    return Fail(SqliteError(db_, rc, "execute"));
  }
  return {};
}

Result<int64_t> Db::QueryInt(std::string_view sql) {
  MLALERT_ASSIGN(Stmt stmt, Prepare(sql));
  MLALERT_ASSIGN(bool row, stmt.Step());
  return row ? stmt.Int(0) : 0;
}

void Db::SetBusyTimeout(Duration timeout) {
  sqlite3_busy_timeout(db_, static_cast<int>(timeout / std::chrono::milliseconds(1)));
}

void Db::SetDeadline(std::optional<std::chrono::steady_clock::time_point> deadline) {
  if (!deadline) {
    sqlite3_progress_handler(db_, 0, nullptr, nullptr);
    deadline_.reset();
    return;
  }
  deadline_ = std::make_unique<std::chrono::steady_clock::time_point>(*deadline);
  sqlite3_progress_handler(db_, kProgressInstructions, PastDeadline, deadline_.get());
}

void Db::SetWatch(std::function<bool()> go_on) {
  watch_ = std::make_unique<std::function<bool()>>(std::move(go_on));
  sqlite3_progress_handler(db_, kWatchInstructions, WatchSaysStop, watch_.get());
}

void Db::ReleaseMemory() {
  sqlite3_db_release_memory(db_);
  TrimPagePool();
}

Result<Db::Checkpoint> Db::RunCheckpoint(CheckpointMode mode) {
  int pages = 0;
  int done = 0;
  int kind = mode == CheckpointMode::kPassive ? SQLITE_CHECKPOINT_PASSIVE : SQLITE_CHECKPOINT_TRUNCATE;
  int rc = sqlite3_wal_checkpoint_v2(db_, nullptr, kind, &pages, &done);
  if (rc != SQLITE_OK && (rc & 0xff) != SQLITE_BUSY) {
    return Fail(SqliteError(db_, rc, "checkpoint"));
  }
  bool complete = rc == SQLITE_OK && pages == done;
  if (complete && wal_pages_ != nullptr) {
    *wal_pages_ = 0;
  }
  return Checkpoint{complete, pages < 0 ? 0 : pages};
}

int64_t Db::WalBytes() const {
  struct stat info {};
  if (mode_ == DbMode::kMemory || stat((path_ + "-wal").c_str(), &info) != 0) {
    return 0;
  }
  return info.st_size;
}

bool Db::InTransaction() const {
  return sqlite3_get_autocommit(db_) == 0;
}

Status Db::BackupTo(const std::string& path, const std::function<bool(double)>& progress) {
  constexpr int kPagesPerStep = 2000;
  // A transaction of ours keeps what is copied as it is now; without it every commit of the daemon would
  // begin the copy anew.
  MLALERT_ASSIGN(Txn txn, Txn::Begin(*this, Txn::Kind::kRead));
  MLALERT_TRY(QueryInt("SELECT count(*) FROM sqlite_schema"));
  sqlite3* target = nullptr;
  int rc = sqlite3_open_v2(path.c_str(), &target,
                           SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
  std::unique_ptr<sqlite3, int (*)(sqlite3*)> owner(target, sqlite3_close);
  if (rc != SQLITE_OK) {
    return Fail(SqliteError(target, rc, "backup to " + path));
  }
  sqlite3_backup* backup = sqlite3_backup_init(target, "main", db_, "main");
  if (backup == nullptr) {
    return Fail(SqliteError(target, sqlite3_errcode(target), "backup to " + path));
  }
  bool stopped = false;
  while ((rc = sqlite3_backup_step(backup, kPagesPerStep)) == SQLITE_OK) {
    const int total = sqlite3_backup_pagecount(backup);
    if (progress && total > 0 &&
        !progress(1 - static_cast<double>(sqlite3_backup_remaining(backup)) / static_cast<double>(total))) {
      stopped = true;
      break;
    }
  }
  sqlite3_backup_finish(backup);
  if (stopped) {
    return Fail(ErrorCode::kDeadline, "stopped");
  }
  if (rc != SQLITE_DONE) {
    return Fail(SqliteError(target, rc, "backup to " + path));
  }
  // One file, without a log beside it.
  rc = sqlite3_exec(target, "PRAGMA journal_mode = DELETE", nullptr, nullptr, nullptr);
  return rc == SQLITE_OK ? Status{} : Fail(SqliteError(target, rc, "backup to " + path));
}

int64_t Db::Changes() const {
  return sqlite3_changes64(db_);
}

// --- Txn

Result<Txn> Txn::Begin(Db& db, Kind kind) {
  // IMMEDIATE: a deferred one may fail when it first writes, and the busy timeout would not help.
  MLALERT_TRY(db.Exec(kind == Kind::kWrite ? "BEGIN IMMEDIATE" : "BEGIN DEFERRED"));
  return Txn(&db);
}

Txn::~Txn() {
  // SQLite has rolled back by itself after some errors (disk full, out of memory).
  if (db_ != nullptr && db_->InTransaction()) {
    (void)db_->Exec("ROLLBACK");
  }
}

Status Txn::Commit() {
  MLALERT_TRY(db_->Exec("COMMIT"));
  db_ = nullptr;
  return {};
}

// --- LockFile

Result<LockFile> LockFile::Acquire(const std::string& database_path) {
  std::string path = database_path + ".lock";
  LockFile lock(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (lock.fd_ < 0) {
    return Fail(SystemError(errno, "lock file " + path));
  }
  if (flock(lock.fd_, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) {
      return Fail(SystemError(errno, "lock file " + path));
    }
    std::array<char, 32> owner{};
    ssize_t length = pread(lock.fd_, owner.data(), owner.size() - 1, 0);
    std::string pid(owner.data(), length > 0 ? static_cast<size_t>(length) : 0);
    while (!pid.empty() && pid.back() == '\n') {
      pid.pop_back();
    }
    return Fail(ErrorCode::kConflict, fmt::format("{} is in use by another mlalert (process {})",
                                                  database_path, pid.empty() ? "unknown" : pid));
  }
  std::string pid = fmt::format("{}\n", getpid());
  if (ftruncate(lock.fd_, 0) != 0 || pwrite(lock.fd_, pid.data(), pid.size(), 0) < 0) {
    // Only the message of a second process is poorer for it: a full disk must not stop the start.
    return lock;
  }
  return lock;
}

LockFile::~LockFile() {
  // The file stays: removing it would race with a process that has just opened it.
  if (fd_ >= 0) {
    close(fd_);
  }
}

}  // namespace mlalert
