#include "storage/alertmanager_import.h"

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>

#include "storage/alertmanager_state.h"
#include "storage/migrator.h"
#include "storage/protobuf_reader.h"
#include "storage/restore.h"
#include "storage/temp_dir.h"

using namespace mlalert;  // NOLINT(google-build-using-namespace)

namespace {

// --- a writer of the same format ---

std::string Varint(uint64_t value) {
  std::string out;
  for (; value >= 128; value >>= 7) {
    out += static_cast<char>(static_cast<unsigned char>(0x80U | (value & 0x7FU)));
  }
  return out + static_cast<char>(static_cast<unsigned char>(value));
}
std::string Number(uint32_t field, uint64_t value) {
  return Varint(field << 3U) + Varint(value);
}
std::string Bytes(uint32_t field, const std::string& bytes) {
  return Varint((field << 3U) | 2U) + Varint(bytes.size()) + bytes;
}
std::string Time(uint32_t field, int64_t seconds, uint64_t nanos = 0) {
  return Bytes(field, Number(1, static_cast<uint64_t>(seconds)) + (nanos > 0 ? Number(2, nanos) : ""));
}
std::string Delimited(const std::string& message) {
  return Varint(message.size()) + message;
}

constexpr int64_t kStart = 1767225600;  // 2026-01-01
const Timestamp kNow = FromUnixMillis(kStart * 1000);

std::string MatcherBytes(uint64_t type, const std::string& name, const std::string& pattern) {
  return (type > 0 ? Number(1, type) : "") + Bytes(2, name) + Bytes(3, pattern);
}
std::string SilenceBody(const std::string& id, const std::string& matchers) {
  return Bytes(1, id) + matchers + Time(3, kStart, 5) + Time(4, kStart + 3600) + Time(5, kStart) +
         Bytes(8, "alice") + Bytes(9, "deploy");
}
std::string SilenceFile(const std::string& body, int64_t expires = kStart + 500000) {
  return Delimited(Bytes(1, body) + Time(2, expires));
}
std::string Plain(const std::string& id) {
  return SilenceBody(id, Bytes(2, MatcherBytes(0, "a", "b")));
}
std::string EntryBody(const std::string& key) {
  return Bytes(1, key) + Bytes(2, Bytes(1, "team") + Bytes(2, "webhook") + Number(3, 2)) +
         Time(5, kStart - 60, 7) + Bytes(6, Varint(300) + Varint(UINT64_MAX)) + Bytes(7, Varint(1));
}
std::string EntryFile(const std::string& key, int64_t expires = kStart + 600) {
  return Delimited(Bytes(1, EntryBody(key)) + Time(2, expires));
}

std::string Show(const Silence& s) {
  return s.id + " " + ToString(s.matchers) + " " + FormatRfc3339Nano(s.starts_at) + " " +
         FormatRfc3339Nano(s.ends_at) + " " + s.created_by + " " + s.comment + " " + s.annotations.ToString();
}

struct Folder {
  testing::TempDir dir;
  void Put(const std::string& name, const std::string& bytes) {
    std::ofstream(dir.File(name), std::ios::binary) << bytes;
  }
  Db Open() {
    auto db = OpenAndMigrate(dir.File());
    BOOST_REQUIRE(db);
    return std::move(*db);
  }
  AlertmanagerImport Import(Db& db, Timestamp now = kNow) {
    auto result = ImportAlertmanagerState(db, dir.path(), now);
    BOOST_REQUIRE_MESSAGE(result, (result ? "" : result.error().ToString()));
    return *result;
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(protobuf_reader)

BOOST_AUTO_TEST_CASE(reads_every_kind_of_field) {
  const std::string fixed64 = Varint((3U << 3U) | 1U) + std::string("\x01\x02\x00\x00\x00\x00\x00\x80", 8);
  const std::string fixed32 = Varint((4U << 3U) | 5U) + std::string("\x01\x00\x00\xff", 4);
  const std::string bytes = Number(1, UINT64_MAX) + Bytes(2, "x") + fixed64 + fixed32;
  ProtobufReader reader(bytes);
  ProtobufReader::Field field;
  BOOST_REQUIRE(reader.Next(field));
  BOOST_TEST(field.value == UINT64_MAX);
  BOOST_REQUIRE(reader.Next(field));
  BOOST_TEST(field.bytes == "x");
  BOOST_REQUIRE(reader.Next(field));
  BOOST_TEST(field.value == 0x8000000000000201U);
  BOOST_REQUIRE(reader.Next(field));
  BOOST_TEST(field.value == 0xFF000001U);
  BOOST_TEST(!reader.Next(field));
  BOOST_TEST(reader.ok());
}

BOOST_AUTO_TEST_CASE(damage_is_never_read_past) {
  using namespace std::string_literals;  // NOLINT(google-build-using-namespace)
  for (const std::string& bytes :
       {"\x80"s, "\x08"s, "\x12\x05\x61"s, "\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"s,
        "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"s, "\x0b"s, "\x0c"s, "\x00\x01"s, "\x09\x01\x02"s,
        "\x0d\x01"s}) {
    ProtobufReader reader(bytes);
    ProtobufReader::Field field;
    while (reader.Next(field)) {
    }
    BOOST_TEST(!reader.ok());
  }
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(alertmanager_state)

BOOST_AUTO_TEST_CASE(a_silence_with_all_its_fields) {
  const std::string matchers = Bytes(2, MatcherBytes(0, "a", "b")) + Bytes(2, MatcherBytes(1, "c", "d|e")) +
                               Bytes(2, MatcherBytes(2, "f", "g")) + Bytes(2, MatcherBytes(3, "h", "i.*"));
  const std::string annotation = Bytes(10, Bytes(1, "ticket") + Bytes(2, "OPS-1"));
  auto read = DecodeSilences(SilenceFile(SilenceBody("id1", matchers) + annotation + Number(99, 1)));
  BOOST_REQUIRE(read.entries.size() == 1U);
  BOOST_TEST(read.problem == "");
  BOOST_TEST(Show(read.entries[0].silence) ==
             R"(id1 {a="b",c=~"d|e",f!="g",h!~"i.*"} 2026-01-01T00:00:00.000000005Z )"
             R"(2026-01-01T01:00:00Z alice deploy {ticket="OPS-1"})");
  BOOST_TEST(ToUnixMillis(read.entries[0].expires_at) == (kStart + 500000) * 1000);
}

BOOST_AUTO_TEST_CASE(matcher_sets_go_before_their_legacy_copy_and_each_further_one_is_a_silence) {
  const std::string first =
      Bytes(11, Bytes(1, MatcherBytes(0, "a", "1")) + Bytes(1, MatcherBytes(0, "b", "2")));
  const std::string copy = Bytes(2, MatcherBytes(0, "a", "1"));
  auto one = DecodeSilences(SilenceFile(SilenceBody("id1", copy + first)));
  BOOST_REQUIRE(one.entries.size() == 1U);
  BOOST_TEST(ToString(one.entries[0].silence.matchers) == R"({a="1",b="2"})");
  const std::string second = Bytes(11, Bytes(1, MatcherBytes(0, "c", "3")));
  const std::string file = SilenceFile(SilenceBody("id1", copy + first + second));
  auto two = DecodeSilences(file);
  BOOST_REQUIRE(two.entries.size() == 2U);
  BOOST_TEST(two.entries[0].silence.id == "id1");
  BOOST_TEST(ToString(two.entries[1].silence.matchers) == R"({c="3"})");
  BOOST_TEST(two.entries[1].silence.id.size() == 36U);
  BOOST_TEST(two.entries[1].silence.id == DecodeSilences(file).entries[1].silence.id);
}

BOOST_AUTO_TEST_CASE(the_comments_of_old_versions) {
  const std::string body = Bytes(1, "id1") + Bytes(2, MatcherBytes(0, "a", "b")) + Time(3, kStart) +
                           Time(4, kStart + 1) + Bytes(7, Bytes(1, "bob") + Bytes(2, "first")) +
                           Bytes(7, Bytes(1, "eve") + Bytes(2, "second"));
  auto read = DecodeSilences(SilenceFile(body));
  BOOST_REQUIRE(read.entries.size() == 1U);
  BOOST_TEST(read.entries[0].silence.created_by == "bob");
  BOOST_TEST(read.entries[0].silence.comment == "first");
}

BOOST_AUTO_TEST_CASE(a_log_entry_with_packed_hashes_or_single_ones_and_its_data) {
  const std::string data = Bytes(8, Bytes(1, "threadTs") + Bytes(2, Bytes(1, "1.5"))) +
                           Bytes(8, Bytes(1, "n") + Bytes(2, Number(2, 4)));
  auto read = DecodeNflog(Delimited(Bytes(1, EntryBody("{}:{}") + data) + Time(2, kStart + 9)));
  BOOST_REQUIRE(read.entries.size() == 1U);
  const NflogEntry& e = read.entries[0];
  BOOST_TEST(e.group_key == "{}:{}");
  BOOST_TEST((e.receiver == "team" && e.integration == "webhook" && e.index == 2U && e.foreign));
  BOOST_TEST((e.firing == std::vector<uint64_t>{300, UINT64_MAX}));
  BOOST_TEST((e.resolved == std::vector<uint64_t>{1}));
  BOOST_TEST(e.data == R"({"threadTs":"1.5"})");
  BOOST_TEST((e.timestamp == kNow - std::chrono::seconds(60) + Duration(7)));
  const std::string single = Bytes(1, "k") + Bytes(2, Bytes(1, "r") + Bytes(2, "email")) + Time(5, kStart) +
                             Number(6, 9) + Number(6, 4);
  auto old = DecodeNflog(Delimited(Bytes(1, single)));
  BOOST_REQUIRE(old.entries.size() == 1U);
  BOOST_TEST((old.entries[0].firing == std::vector<uint64_t>{4, 9}));
}

BOOST_AUTO_TEST_CASE(a_damaged_entry_is_left_out_and_named) {
  const std::string cases[] = {
      SilenceBody("id", ""),
      SilenceBody("id", Bytes(2, MatcherBytes(1, "a", "("))),
      SilenceBody("id", Bytes(2, MatcherBytes(9, "a", "b"))),
      SilenceBody("", Bytes(2, MatcherBytes(0, "a", "b"))),
      SilenceBody("\xff", Bytes(2, MatcherBytes(0, "a", "b"))),
      Bytes(1, "id") + Bytes(2, MatcherBytes(0, "a", "b")),
      Plain("id") + "\x12",
  };
  for (const std::string& body : cases) {
    auto read =
        DecodeSilences(SilenceFile(Plain("before")) + SilenceFile(body) + SilenceFile(Plain("after")));
    BOOST_TEST(read.entries.size() == 2U);
    BOOST_TEST(read.unreadable == 1U);
    BOOST_TEST(read.problem.starts_with("entry 1 at byte "), read.problem);
    BOOST_TEST(!read.cut);
  }
}

BOOST_AUTO_TEST_CASE(of_a_file_cut_anywhere_everything_before_the_cut_is_kept) {
  const std::string one = EntryFile("one");
  const std::string file = one + EntryFile("two");
  for (size_t length = 0; length < file.size(); ++length) {
    auto read = DecodeNflog(std::string_view(file).substr(0, length));
    BOOST_TEST(read.entries.size() == (length >= one.size() ? 1U : 0U));
    BOOST_TEST(read.cut == (length != 0 && length != one.size()));
    BOOST_TEST(read.problem.empty() != read.cut);
  }
}

BOOST_AUTO_TEST_CASE(any_byte_may_be_wrong) {
  const std::string file = EntryFile("one") + EntryFile("two");
  const std::string silences = SilenceFile(Plain("one")) + SilenceFile(Plain("two"));
  for (size_t i = 0; i < std::max(file.size(), silences.size()); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string a = file;
      std::string b = silences;
      a[i % a.size()] = static_cast<char>(a[i % a.size()] ^ (1 << bit));
      b[i % b.size()] = static_cast<char>(b[i % b.size()] ^ (1 << bit));
      BOOST_REQUIRE(DecodeNflog(a).entries.size() <= 2U);
      BOOST_REQUIRE(DecodeSilences(b).entries.size() <= 4U);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(alertmanager_import)

BOOST_AUTO_TEST_CASE(both_files_once) {
  Folder folder;
  folder.Put("silences", SilenceFile(Plain("s1")) + SilenceFile(Plain("s2"), kStart - 1));
  folder.Put("nflog", EntryFile("k1") + EntryFile("k2", kStart));
  {
    Db db = folder.Open();
    AlertmanagerImport import = folder.Import(db);
    BOOST_TEST((import.silences.imported == 1U && import.silences.expired == 1U));
    BOOST_TEST((import.nflog.imported == 1U && import.nflog.expired == 1U));
    BOOST_TEST(import.silences.problem == "");
  }
  Db db = folder.Open();
  auto state = LoadState(db, kUnset);
  BOOST_REQUIRE(state);
  BOOST_REQUIRE((state->silences.size() == 1U && state->nflog.size() == 1U));
  BOOST_TEST(state->silences[0].id == "s1");
  BOOST_TEST(state->nflog[0].foreign);
  // The files are as they were, and are not looked at again: a silence that has been deleted stays deleted.
  BOOST_REQUIRE(db.Exec("DELETE FROM silences"));
  BOOST_TEST(folder.Import(db).done_before);
  BOOST_TEST(db.QueryInt("SELECT count(*) FROM silences").value() == 0);
  BOOST_TEST(std::filesystem::exists(folder.dir.File("silences")));
}

BOOST_AUTO_TEST_CASE(without_files_nothing_is_marked_and_later_ones_are_taken) {
  Folder folder;
  Db db = folder.Open();
  BOOST_TEST(!folder.Import(db).found());
  folder.Put("silences", SilenceFile(Plain("s1")));
  AlertmanagerImport import = folder.Import(db);
  BOOST_TEST((import.silences.imported == 1U && !import.nflog.found));
}

BOOST_AUTO_TEST_CASE(what_the_database_knows_better_stays) {
  Folder folder;
  Db db = folder.Open();
  folder.Put("silences", SilenceFile(Plain("s1")));
  folder.Put("nflog", EntryFile("k1"));
  folder.Import(db);
  BOOST_REQUIRE(
      db.Exec("DELETE FROM meta WHERE key = 'alertmanager_import'; UPDATE silences SET comment = 'ours'"));
  AlertmanagerImport again = folder.Import(db);
  BOOST_TEST((again.silences.known == 1U && again.nflog.known == 1U));
  auto state = LoadState(db, kUnset);
  BOOST_REQUIRE(state);
  BOOST_TEST(state->silences[0].comment == "ours");
}

BOOST_AUTO_TEST_CASE(of_a_damaged_file_the_readable_part_is_taken_and_the_rest_said) {
  Folder folder;
  Db db = folder.Open();
  folder.Put("silences", SilenceFile(Plain("s1")) + "\xff\xff");
  folder.Put("nflog", "this is not a notification log");
  AlertmanagerImport import = folder.Import(db);
  BOOST_TEST((import.silences.imported == 1U && import.silences.unreadable == 1U));
  BOOST_TEST(import.silences.problem.starts_with("entry 1 at byte "), import.silences.problem);
  BOOST_TEST(import.nflog.imported == 0U);
  BOOST_TEST(import.nflog.problem != "");
}

BOOST_AUTO_TEST_CASE(a_long_import_tells_how_far_it_is_and_a_stop_leaves_nothing_of_it) {
  Folder folder;
  Db db = folder.Open();
  std::string nflog;
  for (int i = 0; i < 1500; ++i) {
    nflog += EntryFile(fmt::format("k{}", i));
  }
  folder.Put("nflog", nflog);
  folder.Put("silences", SilenceFile(Plain("s1")));
  std::vector<double> parts;
  auto stopped = ImportAlertmanagerState(db, folder.dir.path(), kNow, [&](double part) {
    parts.push_back(part);
    return part < 0.5;
  });
  BOOST_REQUIRE(!stopped);
  BOOST_TEST((stopped.error().code == ErrorCode::kDeadline));
  BOOST_TEST(db.QueryInt("SELECT (SELECT count(*) FROM nflog) + (SELECT count(*) FROM silences)").value() ==
             0);
  BOOST_TEST(parts == (std::vector<double>{0, 500.0 / 1501, 1000.0 / 1501}),
             boost::test_tools::per_element());
  AlertmanagerImport again = folder.Import(db);
  BOOST_TEST((again.nflog.imported == 1500U && again.silences.imported == 1U));
}

BOOST_AUTO_TEST_CASE(what_is_not_a_file_is_said_and_tried_again_at_the_next_start) {
  Folder folder;
  Db db = folder.Open();
  std::filesystem::create_directory(folder.dir.File("silences"));
  AlertmanagerImport import = folder.Import(db);
  BOOST_TEST(import.silences.problem == "not a regular file");
  BOOST_TEST(!folder.Import(db).done_before);
}

BOOST_AUTO_TEST_SUITE_END()
