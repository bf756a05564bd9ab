// A route leads to a schedule in which nobody is on call: nothing can be sent, so it is said in every other
// way.
#include <algorithm>
#include <fmt/format.h>

#include "engine/engine.h"
#include "incidents/business_hours.h"
#include "incidents/ladder.h"

namespace mlalert {
namespace {

constexpr std::string_view kAlert = "MlalertNobodyOnCall";
constexpr Duration kLease = std::chrono::minutes(15);

}  // namespace

// Once of each incident, and its chain goes on at once. True when there is something that nobody is told.
bool Engine::NobodyOnCall(const Group& group, const std::vector<GroupMember>& members,
                          const std::vector<Addressee>& addressees, Timestamp now, Effects& fx) {
  const std::string& name = dispatcher_.ReceiverOf(group);
  if (config_->FindReceiver(name) != nullptr) {
    return false;
  }
  const bool reached = std::any_of(addressees.begin(), addressees.end(),
                                   [](const Addressee& addressee) { return !addressee.former; });
  bool untold = false;
  for (size_t i = 0; i < members.size(); ++i) {
    IncidentEntry* entry = flushed_[i];
    if (entry == nullptr) {
      continue;
    }
    const Incident& incident = entry->incident;
    if (reached || members[i].moved || !members[i].alert()->firing || !WaitsForSomebody(*entry) ||
        IsQuiet(incident) || HeldByHours(incident, config_->calendars.get(), now) != nullptr ||
        IsInStorm(incident)) {
      NoteDecision(incident, name, {}, now, fx);
      continue;
    }
    // What is reported may lead to the same schedule.
    untold = untold || incident.labels.Get("alertname") != kAlert;
    std::string why = fmt::format("nobody is on call in {}", name);
    const int line = dispatcher_.routes().node(group.route).route->line;
    if (NoteDecision(incident, name, {why, line}, now, fx)) {
      NobodyReached(*entry, std::move(why), now, fx);
    }
  }
  return untold;
}

void Engine::ReportNobodyOnCall(const std::string& schedule, Timestamp now, Effects& fx) {
  IngestOwn(LabelSet::From({{"alertname", kAlert}, {"schedule", schedule}, {"severity", "P1"}}),
            LabelSet::From({{"summary", fmt::format("Nobody is on call in {}, and there is something to tell",
                                                    schedule)}}),
            now + kLease, now, fx);
}

}  // namespace mlalert
