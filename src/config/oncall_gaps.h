// Times at which nobody is on call though a route or a chain counts on it. Fed by: cli/ (check), which knows
// what time it is. Thread: pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "config/config.h"
#include "config/diagnostics.h"
#include "config/schedules.h"

namespace mlalert {

// The first time from `from` on, and before `until`, at which none of the schedules has anybody on call;
// kNever when there is none.
Timestamp FirstGap(const std::vector<const Schedule*>& schedules, Timestamp from, Timestamp until);

// Warns about gaps in the next four weeks of the schedules that routes use, or steps of chains that have no
// fallback and no other receiver. `text` is that of the config, for places.
void WarnAboutGaps(const Config& config, std::string_view text, const std::string& file, Timestamp now,
                   Diagnostics& out);

}  // namespace mlalert
