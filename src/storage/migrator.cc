#include "storage/migrator.h"

#include <fmt/format.h>

#include "base/log.h"
#include "storage/codec.h"

namespace mlalert {
namespace {

// PRAGMA application_id of migrations/0001_init.sql: "mlal" in ASCII.
constexpr int64_t kApplicationId = 0x6d6c616c;

int Newest(const std::vector<Migration>& migrations) {
  return migrations.empty() ? 0 : migrations.back().number;
}

// The version of the file; refuses files that are not ours or are newer than we are.
Result<int64_t> VersionOf(Db& db, const std::vector<Migration>& migrations) {
  MLALERT_ASSIGN(int64_t version, db.QueryInt("PRAGMA user_version"));
  MLALERT_ASSIGN(int64_t application, db.QueryInt("PRAGMA application_id"));
  MLALERT_ASSIGN(int64_t objects, db.QueryInt("SELECT count(*) FROM sqlite_schema"));
  bool ours = application == kApplicationId || (objects == 0 && version == 0 && application == 0);
  if (!ours) {
    return Fail(Error{ErrorCode::kCorrupt,
                      fmt::format("{} is an SQLite database, but not one of mlalert", db.path()),
                      {},
                      "choose another path for the database"});
  }
  if (version > Newest(migrations)) {
    return Fail(Error{ErrorCode::kConflict,
                      fmt::format("database is at schema {}, this binary knows up to {}: upgrade mlalert or "
                                  "restore a backup",
                                  version, Newest(migrations)),
                      {},
                      {}});
  }
  return version;
}

Status Apply(Db& db, const Migration& migration) {
  MLALERT_ASSIGN(Txn txn, Txn::Begin(db));
  // Another process may have migrated between our look and our lock.
  MLALERT_ASSIGN(int64_t version, db.QueryInt("PRAGMA user_version"));
  if (version >= migration.number) {
    return {};
  }
  MLALERT_TRY(db.Exec(migration.sql));
  if (!db.InTransaction()) {
    return Fail(ErrorCode::kInternal, "the migration ended its transaction");
  }
  MLALERT_TRY(db.Exec(fmt::format("PRAGMA user_version = {}", migration.number)));
  return txn.Commit();
}

// Open incidents from before there was a hash of the key, which SQL cannot compute.
Status FillKeyHashes(Db& db) {
  MLALERT_ASSIGN(Stmt select, db.Prepare("SELECT id, key FROM incidents WHERE state <> 'resolved' AND "
                                         "key_hash IS NULL"));
  std::vector<std::pair<int64_t, uint64_t>> hashes;
  while (true) {
    MLALERT_ASSIGN(const bool row, select.Step());
    if (!row) {
      break;
    }
    MLALERT_ASSIGN(const LabelSet key, LabelsAt(select, 1));
    hashes.emplace_back(select.Int(0), key.fingerprint());
  }
  if (hashes.empty()) {
    return {};
  }
  MLALERT_ASSIGN(Txn txn, Txn::Begin(db));
  MLALERT_ASSIGN(Stmt update, db.Prepare("UPDATE incidents SET key_hash = ? WHERE id = ?"));
  for (const auto& [id, hash] : hashes) {
    MLALERT_TRY(update.Run(static_cast<int64_t>(hash), id));
  }
  return txn.Commit();
}

}  // namespace

Status Migrate(Db& db, const std::vector<Migration>& migrations) {
  MLALERT_ASSIGN(int64_t version, VersionOf(db, migrations));
  int previous = 0;
  if (version > 0 && version < Newest(migrations)) {
    // On millions of rows this takes a minute, before anything else is heard of the start.
    LogInfo("Upgrading the database", {{"file", db.path()}, {"from", version}, {"to", Newest(migrations)}});
  }
  for (const Migration& migration : migrations) {
    if (migration.number != ++previous) {
      return Fail(ErrorCode::kInternal, fmt::format("migration {} is out of order", migration.name));
    }
    if (migration.number <= version) {
      continue;
    }
    if (Status status = Apply(db, migration); !status) {
      Error error = std::move(status.error()).Context(fmt::format("migration {}", migration.name));
      return Fail(std::move(error));
    }
  }
  return {};
}

Status CheckSchema(Db& db, const std::vector<Migration>& migrations) {
  MLALERT_ASSIGN(int64_t version, VersionOf(db, migrations));
  if (version != Newest(migrations)) {
    return Fail(
        Error{ErrorCode::kConflict,
              fmt::format("database is at schema {}, this binary needs {}", version, Newest(migrations)),
              {},
              "start `mlalert serve` once: it upgrades the file"});
  }
  return {};
}

Result<Db> OpenAndMigrate(const std::string& path, Duration busy_timeout) {
  // Whose file is it? Asked before the writer's pragmas would change a file of somebody else.
  if (auto reader = Db::Open(path, DbMode::kReadOnly, busy_timeout)) {
    auto version = VersionOf(*reader, EmbeddedMigrations());
    if (!version &&
        (version.error().code == ErrorCode::kCorrupt || version.error().code == ErrorCode::kConflict)) {
      return Fail(std::move(version.error()));
    }
  }
  MLALERT_ASSIGN(Db db, Db::Open(path, DbMode::kWriter, busy_timeout));
  MLALERT_TRY(Migrate(db));
  MLALERT_TRY(FillKeyHashes(db));
  return db;
}

}  // namespace mlalert
