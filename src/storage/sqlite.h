// SQLite behind three small types: a connection, a prepared statement, a transaction. Errors come back as
// values. Owns: every pragma and every setting that a connection needs to be safe (see Db::Open). Thread: a
// Db and its statements belong to one thread at a time (opened without SQLite's own mutexes). Only storage/
// and its tests include this; sqlite3.h itself is included by sqlite.cc and wal_vfs.cc alone.
#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"
#include "base/time.h"

struct sqlite3;
struct sqlite3_stmt;

namespace mlalert {

enum class DbMode : uint8_t {
  kWriter,    // read-write, created when missing; only one per file may exist (see LockFile)
  kReadOnly,  // never writes and never checkpoints
  kMemory,    // private, gone with the connection; the path is ignored
};

inline constexpr Duration kDefaultBusyTimeout = std::chrono::seconds(5);

// A prepared statement. Text handed to Bind must live until Reset(); Run() does both in one call.
class Stmt {
 public:
  Stmt() = default;
  Stmt(Stmt&& other) noexcept : stmt_(std::exchange(other.stmt_, nullptr)) {}
  Stmt& operator=(Stmt&& other) noexcept {
    std::swap(stmt_, other.stmt_);
    return *this;
  }
  ~Stmt();

  // Binds all parameters, runs to the end, resets. The number of arguments must be that of the parameters.
  template <class... Args>
  Status Run(const Args&... args) {
    MLALERT_TRY(Bind(args...));
    return Finish();
  }
  // Binds all parameters from 1 on, after a Reset(). NULL: nullptr or an empty optional.
  template <class... Args>
  Status Bind(const Args&... args) {
    Reset();
    MLALERT_TRY(CheckCount(static_cast<int>(sizeof...(Args))));
    int rc = 0;
    int i = 0;
    ((rc = rc != 0 ? rc : BindOne(++i, args)), ...);
    return rc == 0 ? Status{} : BindFailed(rc);
  }
  // Binds parameters from the `first`-th on, which must be there: for statements of many rows, each bound by
  // itself, after a Reset() and before Execute().
  template <class... Args>
  Status BindFrom(int first, const Args&... args) {
    int rc = 0;
    int i = first;
    ((rc = rc != 0 ? rc : BindOne(i++, args)), ...);
    return rc == 0 ? Status{} : BindFailed(rc);
  }
  // Runs to the end and resets.
  Status Execute() { return Finish(); }
  // Binds the i-th parameter (from 1), for statements built at run time.
  template <class T>
  Status BindAt(int i, const T& value) {
    int rc = BindOne(i, value);
    return rc == 0 ? Status{} : BindFailed(rc);
  }

  // True: a row is there. False: done (and reset, so that no read transaction stays open).
  Result<bool> Step();
  void Reset();

  // Columns from 0. Text is valid until the next Step() or Reset().
  bool IsNull(int column) const;
  int64_t Int(int column) const;
  double Double(int column) const;
  std::string_view Text(int column) const;
  std::string String(int column) const { return std::string(Text(column)); }
  enum class ValueType : uint8_t { kNull, kInteger, kReal, kText };
  ValueType Type(int column) const;
  int ColumnCount() const;
  std::string ColumnName(int column) const;

 private:
  friend class Db;
  explicit Stmt(sqlite3_stmt* stmt) : stmt_(stmt) {}

  Status Finish();
  Status CheckCount(int count) const;
  Status BindFailed(int rc) const;
  int BindInt(int i, int64_t value);
  int BindOne(int i, std::nullptr_t);
  int BindOne(int i, double value);
  int BindOne(int i, std::string_view value);
  int BindOne(int i, const std::string& value) { return BindOne(i, std::string_view(value)); }
  int BindOne(int i, const char* value) { return BindOne(i, std::string_view(value)); }
  template <std::integral T>
  int BindOne(int i, T value) {
    return BindInt(i, static_cast<int64_t>(value));
  }
  template <class T>
  int BindOne(int i, const std::optional<T>& value) {
    return value ? BindOne(i, *value) : BindOne(i, nullptr);
  }

  sqlite3_stmt* stmt_ = nullptr;
};

class Db {
 public:
  // kIo: cannot be opened or written; kCorrupt: not an SQLite file, or damaged; kUnavailable: locked.
  // WAL, synchronous FULL, foreign keys on, schema untrusted, no string literals in double quotes, defensive.
  static Result<Db> Open(const std::string& path, DbMode mode, Duration busy_timeout = kDefaultBusyTimeout);

  Db(Db&& other) noexcept
      : db_(std::exchange(other.db_, nullptr)),
        path_(std::move(other.path_)),
        mode_(other.mode_),
        deadline_(std::move(other.deadline_)),
        watch_(std::move(other.watch_)),
        wal_pages_(std::move(other.wal_pages_)) {}
  Db& operator=(Db&& other) noexcept {
    std::swap(db_, other.db_);
    std::swap(path_, other.path_);
    std::swap(mode_, other.mode_);
    std::swap(deadline_, other.deadline_);
    std::swap(watch_, other.watch_);
    std::swap(wal_pages_, other.wal_pages_);
    return *this;
  }
  ~Db();

  Result<Stmt> Prepare(std::string_view sql);
  // One or more statements without parameters; rows are thrown away.
  Status Exec(const std::string& sql);
  // First column of the first row; 0 when there is none or it is NULL.
  Result<int64_t> QueryInt(std::string_view sql);

  void SetBusyTimeout(Duration timeout);
  // Statements that run past `deadline` fail with kDeadline. Empty: no limit.
  void SetDeadline(std::optional<std::chrono::steady_clock::time_point> deadline);
  // Asked now and then while a statement runs; false ends it (kDeadline). In place of a deadline.
  void SetWatch(std::function<bool()> go_on);

  struct Checkpoint {
    bool complete = false;  // everything in the WAL is in the database file
    int64_t wal_pages = 0;  // pages in the WAL afterwards, 0 after a complete truncate
  };
  enum class CheckpointMode : uint8_t { kPassive, kTruncate };
  // A reader in the way is not an error: `complete` is false.
  Result<Checkpoint> RunCheckpoint(CheckpointMode mode);
  // Forgets cached pages that are not in use.
  void ReleaseMemory();
  // Size of the write-ahead log file; 0 when there is none. It shrinks by truncation only.
  int64_t WalBytes() const;
  // Pages in use in the write-ahead log after this connection's last commit; 0 after a complete checkpoint.
  int64_t WalPages() const { return wal_pages_ != nullptr ? *wal_pages_ : 0; }

  // Copies the database as it is now into a new file, while others write. `progress` hears from 0 to 1; false
  // stops it (kDeadline). What was written by then stays behind: the caller names the file.
  Status BackupTo(const std::string& path, const std::function<bool(double)>& progress);

  bool InTransaction() const;
  int64_t Changes() const;  // rows changed by the last statement
  const std::string& path() const { return path_; }
  DbMode mode() const { return mode_; }
  sqlite3* handle() const { return db_; }

 private:
  explicit Db(sqlite3* db, std::string path, DbMode mode) : db_(db), path_(std::move(path)), mode_(mode) {}
  Status Configure(Duration busy_timeout);

  sqlite3* db_ = nullptr;
  std::string path_;
  DbMode mode_ = DbMode::kMemory;
  // On the heap: SQLite keeps their addresses while the Db may move.
  std::unique_ptr<std::chrono::steady_clock::time_point> deadline_;
  std::unique_ptr<std::function<bool()>> watch_;
  std::unique_ptr<int64_t> wal_pages_;
};

// BEGIN IMMEDIATE (or DEFERRED for reading) ... COMMIT; rolled back when destroyed before Commit().
class Txn {
 public:
  enum class Kind : uint8_t { kWrite, kRead };
  static Result<Txn> Begin(Db& db, Kind kind = Kind::kWrite);
  Txn(Txn&& other) noexcept : db_(std::exchange(other.db_, nullptr)) {}
  Txn& operator=(Txn&&) = delete;
  ~Txn();
  // On error nothing of the transaction is stored.
  Status Commit();

 private:
  explicit Txn(Db* db) : db_(db) {}
  Db* db_ = nullptr;
};

// How an error of SQLite maps: kConflict = a constraint, kInvalid = a value of the wrong type or too big
// (both are the fault of the row), kUnavailable = locked, kIo = disk full, I/O, read-only, kCorrupt,
// kDeadline, kInternal.
Error SqliteError(sqlite3* db, int rc, std::string_view context);

// An advisory lock on `<database>.lock`: two writers on one file would each believe to be the only one.
class LockFile {
 public:
  // kConflict when another process holds it (its pid is in the message).
  static Result<LockFile> Acquire(const std::string& database_path);
  LockFile(LockFile&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  LockFile& operator=(LockFile&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~LockFile();

 private:
  explicit LockFile(int fd) : fd_(fd) {}
  int fd_ = -1;
};

}  // namespace mlalert
