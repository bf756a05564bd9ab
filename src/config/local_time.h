// Between the clock on the wall of a time zone and instants. Thread: pure functions; the zone database is the
// system's and is read once.
#pragma once

#include <cstdint>
#include <string>

#include "base/time.h"

namespace date {
class time_zone;
}

namespace mlalert {

// Null stands for UTC, which is also what an unknown name gives: the loader has refused it. "Local" is the
// zone of the machine: $TZ, else /etc/localtime.
const date::time_zone* FindTimeZone(const std::string& name);
// A name below /usr/share/zoneinfo, UTC, Local or nothing.
bool TimeZoneExists(const std::string& name);

// Seconds of the local clock since 1970-01-01T00:00:00 local.
int64_t ToLocalSeconds(Timestamp t, const date::time_zone* zone);
// The first instant at which the local clock shows at least this. A time that is skipped in spring is the
// instant of the change, one that comes twice in autumn is the first.
Timestamp FromLocalSeconds(int64_t seconds, const date::time_zone* zone);

}  // namespace mlalert
