#include "storage/maintenance.h"

#include <algorithm>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <map>
#include <unistd.h>

#include "storage/migrator.h"
#include "storage/retention.h"
#include "storage/sqlite.h"

namespace mlalert {
namespace {

constexpr int64_t kSliceRows = 5000;
constexpr size_t kProblemsMax = 100;
constexpr double kCopyShare = 0.67;

// The time column of the tables that have one.
const std::map<std::string, std::string, std::less<>> kTimes = {
    {"incidents", "opened_at"}, {"episodes", "started_at"}, {"events", "at"},       {"notifications", "at"},
    {"feedback", "at"},         {"changes", "at"},          {"mutes", "started_at"}};

Result<std::vector<std::string>> Problems(Db& db) {
  std::vector<std::string> out;
  for (const char* sql : {"PRAGMA integrity_check(100)", "PRAGMA foreign_key_check"}) {
    MLALERT_ASSIGN(Stmt stmt, db.Prepare(sql));
    while (out.size() < kProblemsMax) {
      MLALERT_ASSIGN(bool row, stmt.Step());
      if (!row) {
        break;
      }
      if (stmt.Text(0) != "ok") {
        out.push_back(stmt.ColumnCount() > 2 ? fmt::format("{} row {} refers to nothing in {}", stmt.Text(0),
                                                           stmt.Int(1), stmt.Text(2))
                                             : stmt.String(0));
      }
    }
  }
  return out;
}

Status SyncFile(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const bool synced = fd >= 0 && fsync(fd) == 0;
  if (fd >= 0) {
    close(fd);
  }
  return synced ? Status{} : Fail(ErrorCode::kIo, fmt::format("{} cannot be written to the disk", path));
}

}  // namespace

Status BackupHistory(const std::string& database, const std::string& file, const WorkProgress& progress) {
  std::error_code error;
  if (std::filesystem::exists(file, error)) {
    return Fail(
        Error{ErrorCode::kConflict, fmt::format("{} exists already", file), {}, "choose another name"});
  }
  const std::string partial = file + ".partial";
  std::filesystem::remove(partial, error);
  MLALERT_ASSIGN(Db db, Db::Open(database, DbMode::kReadOnly));
  MLALERT_TRY(CheckSchema(db));
  auto copy = [&]() -> Status {
    // Copying is taken for two thirds of the work; how far a check is cannot be known.
    MLALERT_TRY(db.BackupTo(partial, [&](double part) { return !progress || progress(part * kCopyShare); }));
    MLALERT_ASSIGN(Db target, Db::Open(partial, DbMode::kReadOnly));
    target.SetWatch([&] { return !progress || progress(kCopyShare); });
    MLALERT_ASSIGN(auto problems, Problems(target));
    if (!problems.empty()) {
      return Fail(ErrorCode::kCorrupt,
                  fmt::format("the copy is damaged, and so is its original: {}", problems.front()));
    }
    return SyncFile(partial);
  };
  Status status = copy();
  if (status) {
    // Never over a file that came meanwhile.
    std::filesystem::create_hard_link(partial, file, error);
    if (error) {
      status = Fail(ErrorCode::kIo, fmt::format("cannot name the backup {}: {}", file, error.message()));
    }
  }
  for (const char* suffix : {"", "-wal", "-shm", "-journal"}) {
    std::filesystem::remove(partial + suffix, error);
  }
  return status;
}

Result<std::vector<std::string>> CheckHistory(const std::string& database) {
  MLALERT_ASSIGN(Db db, Db::Open(database, DbMode::kReadOnly));
  if (Status schema = CheckSchema(db); !schema) {
    return std::vector<std::string>{schema.error().message};
  }
  return Problems(db);
}

Result<int64_t> PruneHistory(const std::string& database, Duration older_than, Timestamp now,
                             const WorkProgress& progress) {
  // The daemon is the only writer while it runs, and does this by itself.
  auto lock = LockFile::Acquire(database);
  if (!lock) {
    Error error = lock.error();
    error.hint = "a running mlalert deletes by itself: set history.retention";
    return Fail(std::move(error));
  }
  MLALERT_ASSIGN(Db db, OpenAndMigrate(database));
  const Timestamp cutoff = RetentionCutoff(now, older_than);
  if (!IsSet(cutoff)) {
    return Fail(ErrorCode::kInvalid, "the age must be more than 0");
  }
  MLALERT_ASSIGN(const int64_t total,
                 db.QueryInt(fmt::format("SELECT count(*) FROM incidents WHERE resolved_at < {}",
                                         ToUnixMillis(cutoff))));
  int64_t rows = 0;
  int64_t steps = 0;
  double part = 0;
  while (true) {
    MLALERT_ASSIGN(const int64_t step, RetentionStep(db, cutoff, now));
    if (step == 0) {
      break;
    }
    rows += step;
    ++steps;
    if (steps % 8 == 0) {
      MLALERT_ASSIGN(const int64_t left,
                     db.QueryInt(fmt::format("SELECT count(*) FROM incidents WHERE resolved_at < {}",
                                             ToUnixMillis(cutoff))));
      part = total == 0 ? 1 : 1 - static_cast<double>(left) / static_cast<double>(total);
    }
    // Between two steps, each a transaction.
    if (progress && !progress(part)) {
      return Fail(ErrorCode::kDeadline, "stopped: what was deleted so far is whole incidents");
    }
  }
  MLALERT_TRY(db.RunCheckpoint(Db::CheckpointMode::kTruncate));
  return rows;
}

class ExportReader::Impl {
 public:
  Impl(Db source, std::string name) : db(std::move(source)), table(std::move(name)) {}

  Db db;
  std::string table;
  std::string where;  // without the key
  std::string key;    // empty: no slices
  std::vector<ExportColumn> columns;
  int64_t last = 0;
  int64_t offset = 0;
  int64_t total = 0;
  bool done = false;
};

ExportReader::ExportReader(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ExportReader::~ExportReader() = default;
const std::vector<ExportColumn>& ExportReader::columns() const {
  return impl_->columns;
}
int64_t ExportReader::total() const {
  return impl_->total;
}

Result<std::unique_ptr<ExportReader>> ExportReader::Open(const std::string& database,
                                                         const std::string& table, Timestamp since,
                                                         Timestamp until) {
  MLALERT_ASSIGN(Db db, Db::Open(database, DbMode::kReadOnly));
  MLALERT_TRY(CheckSchema(db));
  auto impl = std::make_unique<Impl>(std::move(db), table);
  // The name goes into the text of statements: only names that the schema itself has.
  MLALERT_ASSIGN(Stmt known,
                 impl->db.Prepare("SELECT 1 FROM sqlite_schema WHERE type IN ('table', 'view') AND name "
                                  "= ? AND name NOT LIKE 'sqlite_%'"));
  MLALERT_TRY(known.Bind(table));
  MLALERT_ASSIGN(bool exists, known.Step());
  if (!exists) {
    return Fail(Error{ErrorCode::kInvalid,
                      fmt::format("the history has no table or view \"{}\"", table.substr(0, 64)),
                      {},
                      "docs/history.md lists them"});
  }
  known.Reset();
  MLALERT_ASSIGN(Stmt info, impl->db.Prepare(fmt::format("PRAGMA table_xinfo({})", table)));
  while (true) {
    MLALERT_ASSIGN(bool row, info.Step());
    if (!row) {
      break;
    }
    impl->columns.push_back({info.String(1), info.Text(2).empty() ? "TEXT" : info.String(2)});
    // A view's id is that of its first table.
    if (info.Text(1) == "id" && info.Text(2) == "INTEGER") {
      impl->key = "id";
    }
  }
  auto time = kTimes.find(table);
  if (time != kTimes.end()) {
    if (IsSet(since)) {
      impl->where += fmt::format(" AND {} >= {}", time->second, ToUnixMillis(since));
    }
    if (IsSet(until)) {
      impl->where += fmt::format(" AND {} < {}", time->second, ToUnixMillis(until));
    }
  }
  MLALERT_ASSIGN(impl->total,
                 impl->db.QueryInt(fmt::format("SELECT count(*) FROM {} WHERE 1{}", table, impl->where)));
  return std::unique_ptr<ExportReader>(new ExportReader(std::move(impl)));
}

Result<std::vector<std::vector<ExportCell>>> ExportReader::Next() {
  std::vector<std::vector<ExportCell>> rows;
  Impl& i = *impl_;
  if (i.done) {
    return rows;
  }
  // What has no key is read from where the last slice ended.
  const std::string sql =
      i.key.empty() ? fmt::format("SELECT * FROM {} LIMIT {} OFFSET {}", i.table, kSliceRows, i.offset)
                    : fmt::format("SELECT * FROM {} WHERE {} > {}{} ORDER BY {} LIMIT {}", i.table, i.key,
                                  i.last, i.where, i.key, kSliceRows);
  MLALERT_ASSIGN(Stmt stmt, i.db.Prepare(sql));
  const auto key = std::find_if(i.columns.begin(), i.columns.end(),
                                [&](const ExportColumn& c) { return c.name == i.key; });
  while (true) {
    MLALERT_ASSIGN(bool row, stmt.Step());
    if (!row) {
      break;
    }
    std::vector<ExportCell>& cells = rows.emplace_back();
    for (int c = 0; c < stmt.ColumnCount(); ++c) {
      switch (stmt.Type(c)) {
        case Stmt::ValueType::kNull:
          cells.emplace_back();
          break;
        case Stmt::ValueType::kInteger:
          cells.emplace_back(stmt.Int(c));
          break;
        case Stmt::ValueType::kReal:
          cells.emplace_back(stmt.Double(c));
          break;
        case Stmt::ValueType::kText:
          cells.emplace_back(stmt.String(c));
          break;
      }
    }
    if (!i.key.empty()) {
      i.last = stmt.Int(static_cast<int>(key - i.columns.begin()));
    }
  }
  i.offset += static_cast<int64_t>(rows.size());
  i.done = static_cast<int64_t>(rows.size()) < kSliceRows;
  return rows;
}

}  // namespace mlalert
