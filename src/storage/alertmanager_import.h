// Moves in from Alertmanager: at the first start on a folder that holds its `silences` and `nflog`, both are
// taken into the database, in one transaction that also marks it as done. The files themselves are left as
// they are: they are the way back. Called by the daemon between the migrations and the restore. Thread: the
// caller's, before the journal starts.
#pragma once

#include <string>
#include <vector>

#include "storage/maintenance.h"
#include "storage/sqlite.h"

namespace mlalert {

struct AlertmanagerImport {
  struct File {
    std::string path;
    bool found = false;
    size_t imported = 0;
    size_t expired = 0;     // kept by the file, but no longer of use
    size_t known = 0;       // the database has a newer version
    size_t unreadable = 0;  // left out
    std::string problem;    // of the first that was left out, or of the file
  };
  // Done by an earlier start: nothing was read.
  bool done_before = false;
  File silences;
  File nflog;

  bool found() const { return silences.found || nflog.found; }
};

// The key in the table `meta` that marks a database as done.
inline constexpr const char* kAlertmanagerImportKey = "alertmanager_import";

// `folder` is --storage.path. A file that cannot be opened or is damaged is reported in the result; what can
// be read of it is imported. `progress` is asked now and then; when it stops the work, nothing was imported
// and the next start does it (kDeadline). Other errors are those of the database.
Result<AlertmanagerImport> ImportAlertmanagerState(Db& db, const std::string& folder, Timestamp now,
                                                   const WorkProgress& progress = {});

}  // namespace mlalert
