// Ids are never used again, also those of rows that retention has deleted. SQLite's AUTOINCREMENT writes that
// down with each insert, which is a fifth of the cost of a row; here only who deletes does. Used by: restore
// and the record writer (what comes next), retention (before it deletes). Thread: that of the connection.
#pragma once

#include <cstdint>
#include <string_view>

#include "storage/sqlite.h"

namespace mlalert {

// Greater than any id that `table` ever had; 1 for a new one.
Result<int64_t> NextRowId(Db& db, std::string_view table);

// Inside the transaction that deletes rows: writes down the highest ids of the tables that have such ids.
Status RememberRowIds(Db& db);

}  // namespace mlalert
