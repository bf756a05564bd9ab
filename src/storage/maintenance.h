// What is done with a history file by hand: a copy while the daemon runs, a check, an export, retention now.
// Long ones tell how far they are and can be stopped; what they write appears under its name only when it is
// whole. Used by: cli/history_tools. Thread: one.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace mlalert {

// From 0 to 1; false stops the work (kDeadline).
using WorkProgress = std::function<bool(double)>;

// Copies and checks. kConflict: there is such a file.
Status BackupHistory(const std::string& database, const std::string& file, const WorkProgress& progress);

// What SQLite and the schema say; empty: all is well. At most 100 lines.
Result<std::vector<std::string>> CheckHistory(const std::string& database);

// Deletes what is older, as the daemon does by itself. kConflict: a daemon runs on the file. The number of
// rows.
Result<int64_t> PruneHistory(const std::string& database, Duration older_than, Timestamp now,
                             const WorkProgress& progress);

struct ExportColumn {
  std::string name;
  std::string type;  // INTEGER | REAL | TEXT
};
using ExportCell = std::variant<std::monostate, int64_t, double, std::string>;

// Rows of a table or view of the history, in slices: a long read would keep the write-ahead log from being
// emptied.
class ExportReader {
 public:
  // kInvalid: not a table or view of the history. `since`: of tables with a time; kUnset: all.
  static Result<std::unique_ptr<ExportReader>> Open(const std::string& database, const std::string& table,
                                                    Timestamp since, Timestamp until);
  ~ExportReader();
  const std::vector<ExportColumn>& columns() const;
  int64_t total() const;  // rows, roughly
  // Up to a few thousand rows; empty: that was all.
  Result<std::vector<std::vector<ExportCell>>> Next();

 private:
  class Impl;
  explicit ExportReader(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace mlalert
