// The memory of SQLite's page caches.
#include "storage/page_pool.h"

#include <boost/test/unit_test.hpp>
#include <fmt/format.h>

#include "storage/sqlite.h"

namespace mlalert {
namespace {

std::string Filler(int row) {
  return std::string(500, static_cast<char>('a' + row % 26));
}

BOOST_AUTO_TEST_SUITE(page_pool)

BOOST_AUTO_TEST_CASE(pages_of_several_connections_come_and_go_and_keep_their_rows) {
  const size_t before = PagePoolUse().used;
  {
    auto one = Db::Open("", DbMode::kMemory);
    auto other = Db::Open("", DbMode::kMemory);
    BOOST_REQUIRE((one && other));
    for (Db* db : {&*one, &*other}) {
      BOOST_REQUIRE(db->Exec("CREATE TABLE t (id INTEGER PRIMARY KEY, text TEXT) STRICT"));
    }
    for (int i = 0; i < 2000; ++i) {
      Db& db = i % 2 == 0 ? *one : *other;
      BOOST_REQUIRE(db.Exec(fmt::format("INSERT INTO t VALUES ({}, '{}')", i, Filler(i))));
    }
    BOOST_TEST(PagePoolUse().used > before + 200);
    BOOST_TEST(PagePoolUse().bytes >= 4096U + 272U);
    // Half of them leave holes between the others, whose memory is given back.
    other->ReleaseMemory();
    BOOST_REQUIRE(other->Exec("DROP TABLE t; VACUUM"));
    other = Db::Open("", DbMode::kMemory);
    other->ReleaseMemory();
    for (int i = 0; i < 2000; i += 2) {
      auto row = one->Prepare(fmt::format("SELECT text FROM t WHERE id = {}", i));
      BOOST_REQUIRE(row->Step().value_or(false));
      BOOST_REQUIRE(row->Text(0) == Filler(i));
    }
  }
  TrimPagePool();
  BOOST_TEST(PagePoolUse().used == before);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mlalert
