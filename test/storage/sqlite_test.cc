#include "storage/sqlite.h"

#include <boost/test/unit_test.hpp>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "storage/migrator.h"
#include "storage/record_writer.h"
#include "storage/temp_dir.h"

namespace mlalert {
namespace {

using testing::TempDir;

void Put(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

std::string PragmaText(Db& db, const std::string& name) {
  auto stmt = db.Prepare("PRAGMA " + name);
  BOOST_REQUIRE(stmt);
  BOOST_REQUIRE(stmt->Step().value_or(false));
  return stmt->String(0);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(db_open)

BOOST_AUTO_TEST_CASE(sets_what_a_writer_needs) {
  TempDir dir;
  auto db = Db::Open(dir.File(), DbMode::kWriter);
  BOOST_REQUIRE(db);
  BOOST_TEST(PragmaText(*db, "journal_mode") == "wal");
  BOOST_TEST(PragmaText(*db, "synchronous") == "2");
  BOOST_TEST(PragmaText(*db, "foreign_keys") == "1");
  BOOST_TEST(PragmaText(*db, "trusted_schema") == "0");
  BOOST_TEST(PragmaText(*db, "busy_timeout") == "5000");
  BOOST_TEST(PragmaText(*db, "wal_autocheckpoint") == "0");
  // A typo in double quotes is an error, not a string.
  BOOST_TEST(!db->Prepare("SELECT \"typo\"").has_value());
  BOOST_TEST(!db->Exec("PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = 'x'").has_value());
}

// Pages of a commit are kept and written together: readers of the file, and the next opening, see all of it.
BOOST_AUTO_TEST_CASE(what_is_committed_is_in_the_file_whatever_order_pages_were_written_in) {
  TempDir dir;
  auto writer = OpenAndMigrate(dir.File());
  BOOST_REQUIRE(writer);
  auto reader = Db::Open(dir.File(), DbMode::kReadOnly);
  BOOST_REQUIRE(reader);
  // A cache so small that pages are written, read back and written again within the transaction.
  BOOST_REQUIRE(writer->Exec("PRAGMA cache_size = 10"));
  const std::string text(2000, 'x');
  for (int round = 1; round <= 5; ++round) {
    auto txn = Txn::Begin(*writer);
    BOOST_REQUIRE(txn);
    auto insert = writer->Prepare("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)");
    for (int i = 0; i < 400; ++i) {
      BOOST_REQUIRE(
          insert->Run(fmt::format("{}/{}", (i * 37) % 400, round % 2), text + std::to_string(round)));
    }
    if (round == 4) {
      continue;  // rolled back
    }
    BOOST_REQUIRE(txn->Commit());
    const std::string last = fmt::format("SELECT count(*) FROM meta WHERE value LIKE '%x{}'", round);
    BOOST_TEST(*reader->QueryInt(last) == 400);
    if (round == 3) {
      BOOST_REQUIRE(writer->RunCheckpoint(Db::CheckpointMode::kPassive));
    }
  }
  BOOST_TEST(*reader->QueryInt("SELECT count(*) FROM meta WHERE value LIKE '%x4'") == 0);
  BOOST_TEST(PragmaText(*reader, "integrity_check") == "ok");
  // As after a crash: the log as it lies there.
  const std::string copy = dir.File("copy.db");
  for (const std::string suffix : {"", "-wal"}) {
    std::filesystem::copy_file(dir.File() + suffix, copy + suffix);
  }
  auto recovered = Db::Open(copy, DbMode::kWriter);
  BOOST_REQUIRE(recovered);
  BOOST_TEST(PragmaText(*recovered, "integrity_check") == "ok");
  BOOST_TEST(*recovered->QueryInt("SELECT count(*) FROM meta WHERE value LIKE '%x5'") == 400);
}

BOOST_AUTO_TEST_CASE(reader_cannot_write) {
  TempDir dir;
  auto writer = OpenAndMigrate(dir.File());
  BOOST_REQUIRE(writer);
  auto reader = Db::Open(dir.File(), DbMode::kReadOnly);
  BOOST_REQUIRE(reader);
  Status status = reader->Exec("INSERT INTO meta VALUES ('a', 'b')");
  BOOST_REQUIRE(!status);
  BOOST_TEST((status.error().code == ErrorCode::kIo));
}

BOOST_AUTO_TEST_CASE(says_why_it_cannot_open) {
  TempDir dir;
  Put(dir.File("text.db"), "this is not a database, it is a text file of some length\n");
  const struct {
    std::string path;
    DbMode mode;
    ErrorCode code;
    const char* text;
  } cases[] = {
      {dir.File("no/such/dir.db"), DbMode::kWriter, ErrorCode::kIo, "No such file or directory"},
      {dir.File("missing.db"), DbMode::kReadOnly, ErrorCode::kIo, "unable to open"},
      {dir.path(), DbMode::kWriter, ErrorCode::kIo, "unable to open"},
      {"", DbMode::kWriter, ErrorCode::kInvalid, "bad database path"},
      {":memory:", DbMode::kWriter, ErrorCode::kInvalid, "bad database path"},
      {dir.File("text.db"), DbMode::kWriter, ErrorCode::kCorrupt, "not a database"},
      {dir.File("text.db"), DbMode::kReadOnly, ErrorCode::kCorrupt, "not a database"},
  };
  for (const auto& c : cases) {
    BOOST_TEST_CONTEXT(c.path) {
      auto db = Db::Open(c.path, c.mode);
      BOOST_REQUIRE(!db);
      BOOST_TEST((db.error().code == c.code), db.error().ToString());
      BOOST_TEST(db.error().ToString().find(c.text) != std::string::npos, db.error().ToString());
    }
  }
}

BOOST_AUTO_TEST_CASE(refuses_to_write_to_a_read_only_file) {
  TempDir dir;
  BOOST_REQUIRE(OpenAndMigrate(dir.File()));
  BOOST_REQUIRE_EQUAL(chmod(dir.File().c_str(), 0444), 0);
  BOOST_REQUIRE_EQUAL(chmod(dir.path().c_str(), 0755), 0);
  pid_t child = fork();
  if (child == 0) {
    // Permissions do not bind root.
    if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0)) {
      _exit(3);
    }
    auto db = Db::Open(dir.File(), DbMode::kWriter);
    bool refused = !db && db.error().code == ErrorCode::kIo;
    _exit(refused ? 0 : 1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  BOOST_TEST(WEXITSTATUS(status) == 0);
}

BOOST_AUTO_TEST_CASE(reports_damage_inside_the_file) {
  TempDir dir;
  {
    auto db = OpenAndMigrate(dir.File());
    BOOST_REQUIRE(db);
    BOOST_REQUIRE(db->RunCheckpoint(Db::CheckpointMode::kTruncate));
  }
  int fd = open(dir.File().c_str(), O_WRONLY);
  std::string rubbish(4096, '\x5a');
  BOOST_REQUIRE_EQUAL(pwrite(fd, rubbish.data(), rubbish.size() - 100, 100), 3996);
  close(fd);
  auto db = OpenAndMigrate(dir.File());
  BOOST_REQUIRE(!db);
  BOOST_TEST((db.error().code == ErrorCode::kCorrupt), db.error().ToString());
  BOOST_TEST(db.error().hint.find("restore a backup") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(full_file_fails_the_transaction_and_keeps_the_rest) {
  TempDir dir;
  auto db = OpenAndMigrate(dir.File());
  BOOST_REQUIRE(db);
  auto pages = db->QueryInt("PRAGMA page_count");
  BOOST_REQUIRE(db->Exec("PRAGMA max_page_count = " + std::to_string(*pages + 2)));
  BOOST_REQUIRE(db->Exec("INSERT INTO meta VALUES ('small', 'x')"));
  {
    auto txn = Txn::Begin(*db);
    BOOST_REQUIRE(txn);
    auto insert = db->Prepare("INSERT INTO meta VALUES ('big', ?)");
    BOOST_REQUIRE(insert);
    Status status = insert->Run(std::string(100'000, 'x'));
    BOOST_REQUIRE(!status);
    BOOST_TEST((status.error().code == ErrorCode::kIo));
    BOOST_TEST(status.error().hint == "the disk is full");
  }
  BOOST_TEST(!db->InTransaction());
  BOOST_TEST(*db->QueryInt("SELECT count(*) FROM meta") == 1);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(stmt)

BOOST_AUTO_TEST_CASE(binds_every_kind_of_value) {
  auto db = Db::Open("", DbMode::kMemory);
  BOOST_REQUIRE(db);
  auto stmt = db->Prepare("SELECT ?, ?, ?, ?, typeof(?), ?");
  BOOST_REQUIRE(stmt);
  std::optional<int64_t> none;
  BOOST_REQUIRE(stmt->Bind(int64_t{-5}, 2.5, std::string_view("a\0b", 3), none, std::string_view(), true));
  BOOST_REQUIRE(stmt->Step().value_or(false));
  BOOST_TEST(stmt->Int(0) == -5);
  BOOST_TEST(stmt->Double(1) == 2.5);
  BOOST_TEST(stmt->Text(2).size() == 3);
  BOOST_TEST(stmt->IsNull(3));
  BOOST_TEST(stmt->String(4) == "text");
  BOOST_TEST(stmt->Int(5) == 1);
}

BOOST_AUTO_TEST_CASE(refuses_a_wrong_number_of_values) {
  auto db = Db::Open("", DbMode::kMemory);
  auto stmt = db->Prepare("SELECT ?, ?");
  BOOST_REQUIRE(stmt);
  BOOST_TEST(!stmt->Bind(1).has_value());
  BOOST_TEST(!stmt->Bind(1, 2, 3).has_value());
}

BOOST_AUTO_TEST_CASE(stops_at_the_deadline) {
  auto db = Db::Open("", DbMode::kMemory);
  BOOST_REQUIRE(db);
  const char* endless =
      "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c";
  db->SetDeadline(std::chrono::steady_clock::now() + std::chrono::milliseconds(5));
  auto count = db->QueryInt(endless);
  BOOST_REQUIRE(!count);
  BOOST_TEST((count.error().code == ErrorCode::kDeadline));
  db->SetDeadline(std::nullopt);
  BOOST_TEST(db->QueryInt("SELECT 1").value_or(0) == 1);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(lock_file)

BOOST_AUTO_TEST_CASE(keeps_a_second_owner_out_until_the_first_is_gone) {
  TempDir dir;
  {
    auto first = LockFile::Acquire(dir.File());
    BOOST_REQUIRE(first);
    auto second = LockFile::Acquire(dir.File());
    BOOST_REQUIRE(!second);
    BOOST_TEST((second.error().code == ErrorCode::kConflict));
    BOOST_TEST(second.error().message.find(std::to_string(getpid())) != std::string::npos);
  }
  BOOST_TEST(LockFile::Acquire(dir.File()).has_value());
  BOOST_TEST(!LockFile::Acquire(dir.File("no/such/dir")).has_value());
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(migrate)

BOOST_AUTO_TEST_CASE(brings_a_new_file_to_the_newest_schema_and_is_idempotent) {
  TempDir dir;
  for (int i = 0; i < 2; ++i) {
    auto db = OpenAndMigrate(dir.File());
    BOOST_REQUIRE_MESSAGE(db, (db ? "" : db.error().ToString()));
    BOOST_TEST(*db->QueryInt("PRAGMA user_version") == EmbeddedMigrations().back().number);
    BOOST_TEST(PragmaText(*db, "integrity_check") == "ok");
    BOOST_TEST(CheckSchema(*db).has_value());
  }
}

BOOST_AUTO_TEST_CASE(every_table_and_column_is_explained) {
  // The schema is documentation: the comments are kept in the file.
  auto db = Db::Open("", DbMode::kMemory);
  BOOST_REQUIRE(Migrate(*db));
  auto objects = db->Prepare(
      "SELECT name, sql FROM sqlite_schema WHERE type IN ('table', 'view') AND "
      "name NOT LIKE 'sqlite_%'");
  int seen = 0;
  while (objects->Step().value_or(false)) {
    ++seen;
    std::string sql = objects->String(1);
    BOOST_TEST(sql.find("\n  -- ") != std::string::npos, objects->String(0));
    if (sql.rfind("CREATE TABLE", 0) == 0) {
      BOOST_TEST(sql.find("STRICT") != std::string::npos, objects->String(0));
    }
  }
  BOOST_TEST(seen >= 38);
}

BOOST_AUTO_TEST_CASE(refuses_a_newer_file) {
  auto db = Db::Open("", DbMode::kMemory);
  BOOST_REQUIRE(Migrate(*db));
  BOOST_REQUIRE(db->Exec("PRAGMA user_version = 7000"));
  Status status = Migrate(*db);
  BOOST_REQUIRE(!status);
  BOOST_TEST((status.error().code == ErrorCode::kConflict));
  BOOST_TEST(status.error().message == "database is at schema 7000, this binary knows up to " +
                                           std::to_string(EmbeddedMigrations().back().number) +
                                           ": upgrade mlalert or restore a backup");
  BOOST_TEST(!CheckSchema(*db).has_value());
}

BOOST_AUTO_TEST_CASE(refuses_the_database_of_another_program) {
  for (const char* sql :
       {"CREATE TABLE theirs (x)", "PRAGMA application_id = 5", "PRAGMA user_version = 1"}) {
    auto db = Db::Open("", DbMode::kMemory);
    BOOST_REQUIRE(db->Exec(sql));
    Status status = Migrate(*db);
    BOOST_REQUIRE(!status);
    BOOST_TEST(status.error().message.find("not one of mlalert") != std::string::npos);
  }
}

BOOST_AUTO_TEST_CASE(failing_migration_leaves_the_file_as_it_was) {
  auto db = Db::Open("", DbMode::kMemory);
  const std::string mark = "PRAGMA application_id = 1835819372;";
  std::vector<Migration> all = {{1, "0001_a.sql", mark + "CREATE TABLE a (x)"},
                                {2, "0002_b.sql", "CREATE TABLE b (x); INSERT INTO nowhere VALUES (1)"}};
  Status status = Migrate(*db, all);
  BOOST_REQUIRE(!status);
  BOOST_TEST(status.error().message.find("0002_b.sql") != std::string::npos);
  BOOST_TEST(*db->QueryInt("PRAGMA user_version") == 1);
  BOOST_TEST(*db->QueryInt("SELECT count(*) FROM sqlite_schema") == 1);
  all[1].sql = "CREATE TABLE b (x)";
  BOOST_TEST(!CheckSchema(*db, all).has_value());
  BOOST_TEST(Migrate(*db, all).has_value());
  BOOST_TEST(*db->QueryInt("PRAGMA user_version") == 2);
}

BOOST_AUTO_TEST_CASE(
    the_database_refuses_a_second_open_incident_of_a_key_also_of_one_from_before_there_were_hashes) {
  TempDir dir;
  const LabelSet key = LabelSet::From({{"alertname", "Drift"}, {"model", "m1"}});
  auto row = [&](int64_t id, std::string_view state) {
    IncidentRecord record;
    record.incident.id = id;
    record.incident.key = record.incident.labels = key;
    record.incident.state = state == "open" ? IncidentState::kOpen : IncidentState::kResolved;
    return record;
  };
  {
    auto db = Db::Open(dir.File(), DbMode::kWriter);
    BOOST_REQUIRE(db);
    std::vector<Migration> old = EmbeddedMigrations();
    std::erase_if(old, [](const Migration& migration) { return migration.number > 6; });
    BOOST_REQUIRE(Migrate(*db, old));
    BOOST_REQUIRE(
        db->Exec("INSERT INTO incidents (id, labels, annotations, state, resolve_reason, clock_elapsed_ms, "
                 "ladder_step, "
                 "generation, reopen_count, episode_count) VALUES (1, "
                 "'{\"alertname\":\"Drift\",\"model\":\"m1\"}', '{}', "
                 "'open', '', 0, 0, 1, 0, 1)"));
  }
  auto db = OpenAndMigrate(dir.File());
  BOOST_REQUIRE_MESSAGE(db, (db ? "" : db.error().ToString()));
  auto writer = RecordWriter::Create(*db);
  BOOST_REQUIRE(writer);
  Status second = writer->Write(row(2, "open"));
  BOOST_REQUIRE(!second);
  BOOST_TEST((second.error().code == ErrorCode::kConflict));
  BOOST_TEST(writer->Write(row(3, "resolved")).has_value());
  BOOST_TEST(writer->Write(row(1, "resolved")).has_value());
  BOOST_TEST(writer->Write(row(2, "open")).has_value());
  BOOST_TEST(!writer->Write(row(4, "open")).has_value());
  BOOST_TEST(*db->QueryInt("SELECT count(*) FROM incidents WHERE state = 'open'") == 1);
}

BOOST_AUTO_TEST_CASE(refuses_migrations_with_gaps_or_that_commit_themselves) {
  auto db = Db::Open("", DbMode::kMemory);
  BOOST_TEST(!Migrate(*db, {{2, "0002_b.sql", "SELECT 1"}}).has_value());
  BOOST_TEST(!Migrate(*db, {{1, "0001_a.sql", "CREATE TABLE a (x); COMMIT"}}).has_value());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mlalert
