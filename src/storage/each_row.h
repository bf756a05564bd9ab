// Runs a statement and hands every row to `read`. Thread: that of the connection.
#pragma once

#include <string_view>

#include "storage/sqlite.h"

namespace mlalert {

template <class Read, class... Args>
Status EachRow(Stmt& stmt, Read read, const Args&... args) {
  MLALERT_TRY(stmt.Bind(args...));
  while (true) {
    MLALERT_ASSIGN(bool row, stmt.Step());
    if (!row) {
      return {};
    }
    MLALERT_TRY(read(stmt));
  }
}

template <class Read, class... Args>
Status EachRow(Db& db, std::string_view sql, Read read, const Args&... args) {
  MLALERT_ASSIGN(Stmt stmt, db.Prepare(sql));
  return EachRow(stmt, read, args...);
}

}  // namespace mlalert
