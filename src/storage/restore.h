// Reads back what the engine and the rule evaluator must know after a restart. What went in by records comes
// out equal, times to the millisecond. Thread: the caller's, before the journal starts.
#pragma once

#include <cstdint>
#include <vector>

#include "storage/restored_state.h"
#include "storage/sqlite.h"

namespace mlalert {

// `resolved_after`: resolved incidents as far back as reopening and cooldown look. kUnset: every incident.
// kCorrupt names table and key of a row that cannot be read.
Result<RestoredState> LoadState(Db& db, Timestamp resolved_after);

}  // namespace mlalert
