// Brings a database file to the schema this binary knows: migrations/NNNN_name.sql, compiled in, in order of
// their numbers, each in one transaction together with PRAGMA user_version. A released migration is never
// edited. Thread: the caller's, before any other connection is open.
#pragma once

#include <string>
#include <vector>

#include "storage/sqlite.h"

namespace mlalert {

struct Migration {
  int number;        // from 1, without gaps
  std::string name;  // file name
  std::string sql;
};

// All of migrations/, sorted by number. Generated at build time; a copy, because a start needs it once.
std::vector<Migration> EmbeddedMigrations();

// Applies what is missing; nothing when the file is up to date. Errors: kConflict when the file is newer than
// this binary, kCorrupt when it is not an mlalert database, kInternal when a migration fails (the file stays
// as it was before that migration).
Status Migrate(Db& db, const std::vector<Migration>& migrations = EmbeddedMigrations());

// For readers: fails unless the file is at exactly the schema this binary knows.
Status CheckSchema(Db& db, const std::vector<Migration>& migrations = EmbeddedMigrations());

// Open(kWriter) and Migrate: what the daemon does at start.
Result<Db> OpenAndMigrate(const std::string& path, Duration busy_timeout = kDefaultBusyTimeout);

}  // namespace mlalert
