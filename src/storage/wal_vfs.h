// A VFS of SQLite that writes the write-ahead log in large pieces: SQLite writes each page of a commit with
// two calls, which in a storm is a tenth of all work. Writes that follow each other are kept until the next
// one that does not, a read, or the sync that ends the commit; an error comes out there, and SQLite rolls
// back as if the write itself had failed. Only for the log, and only where every commit syncs (synchronous
// FULL): other files are passed through. Used by: Db::Open for the writer. Sits on whatever VFS is the
// default when a file is opened. Thread: that of the connection.
#pragma once

namespace mlalert {

// Name for sqlite3_open_v2; registered once. Null: it could not be, use the default.
const char* WalVfsName();

}  // namespace mlalert
