#include "storage/row_ids.h"

#include <fmt/format.h>

namespace mlalert {
namespace {

constexpr std::string_view kTables[] = {"incidents", "episode_rows", "events", "notifications"};

}  // namespace

Result<int64_t> NextRowId(Db& db, std::string_view table) {
  return db.QueryInt(fmt::format(
      "SELECT 1 + max(ifnull((SELECT max(id) FROM {0}), 0), ifnull((SELECT CAST(value AS INTEGER) "
      "FROM meta WHERE key = 'last_id_{0}'), 0))",
      table));
}

Status RememberRowIds(Db& db) {
  for (std::string_view table : kTables) {
    MLALERT_ASSIGN(int64_t next, NextRowId(db, table));
    MLALERT_TRY(db.Exec(fmt::format("INSERT OR REPLACE INTO meta (key, value) VALUES ('last_id_{}', '{}')",
                                    table, next - 1)));
  }
  return {};
}

}  // namespace mlalert
