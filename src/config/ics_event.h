// One VEVENT of an iCalendar file: from its properties to the local days that it covers. Fed by: ics.cc,
// which cuts the file into properties. Errors carry the line in the file. Thread: pure functions.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/calendars.h"

namespace mlalert {

// NAME;PARAMETER=VALUE:value
struct IcsProperty {
  std::string name;                                            // in upper case
  std::map<std::string, std::string, std::less<>> parameters;  // names in upper case, quotes cut off
  std::string value;
  int line = 0;
};

struct IcsEvent {
  int line = 0;  // of its BEGIN:VEVENT
  std::vector<IcsProperty> properties;

  // Null: it has none.
  const IcsProperty* Find(std::string_view name) const;
  std::string Get(std::string_view name) const;
  // `event "Christmas"`: its SUMMARY, else its UID.
  std::string Title() const;
};

// Adds the local days of `time_zone` that the event's occurrences cover, but those at `replaced`: values of
// RECURRENCE-ID, for which other events of the file stand. False: it occurs and covers no day whole.
Result<bool> AddIcsDays(const IcsEvent& event, const std::string& time_zone,
                        const std::vector<IcsProperty>& replaced, std::set<LocalDay>& out);

}  // namespace mlalert
