// Forgets: deletes resolved incidents and all that hangs on them once they are older than the retention,
// after the weeks they belong to have been rolled up into the archive tables, which are kept for ever. Called
// by the journal thread between batches, a small transaction at a time. Thread: the writer's.
#pragma once

#include <cstdint>

#include "storage/sqlite.h"

namespace mlalert {

struct RetentionLimits {
  // Rows of the leading table deleted in one transaction (an incident takes its events and so on with it).
  int64_t rows_per_step = 100;
};

// Times before this are forgotten: `now` - `retention`, cut to the Monday 00:00 UTC before it, so that only
// whole ISO weeks are archived. kUnset when `retention` is zero or negative.
Timestamp RetentionCutoff(Timestamp now, Duration retention);

// One step; returns the number of rows deleted or archived, 0 when there is nothing left to do.
// `now` decides which entries of the notification log have expired.
Result<int64_t> RetentionStep(Db& db, Timestamp cutoff, Timestamp now, const RetentionLimits& limits = {});

}  // namespace mlalert
