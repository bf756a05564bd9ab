// Whom a step of the chain could not reach: the routes may tell what a step asks for, and a step that reached
// one of those it names has reached somebody.
#include <algorithm>
#include <fmt/format.h>

#include "engine/engine.h"
#include "incidents/chain.h"

namespace mlalert {
namespace {

// How long the receivers of a step are tried alone; then those who come after them are told as well.
Duration PatienceOf(Severity severity) {
  switch (severity) {
    case Severity::kP0:
      return std::chrono::minutes(1);
    case Severity::kP1:
      return std::chrono::minutes(2);
    case Severity::kP2:
      return std::chrono::minutes(30);
    case Severity::kP3:
    case Severity::kNone:
      break;
  }
  return std::chrono::hours(6);
}

bool IsNews(NotifyReason reason) {
  return reason == NotifyReason::kFirst || reason == NotifyReason::kNewAlerts ||
         reason == NotifyReason::kRaised;
}

}  // namespace

// The receivers of the step that was taken last; empty when there is none.
std::vector<std::string> Engine::AskedByChain(const Incident& incident, Timestamp now) const {
  std::vector<std::string> out;
  if (const std::optional<TakenStep> last = LastChainStep(incident)) {
    for (const std::string& name : incident.policy->chain->steps[last->step].receivers) {
      for (std::string& receiver : ReceiversNow(*config_, name, now)) {
        out.push_back(std::move(receiver));
      }
    }
  }
  return out;
}

// Whose step of the chain a message was that did not arrive: the next one does not wait for its time.
std::vector<IncidentId> Engine::UnreachedByPage(const Group* group, const Notification& n) {
  std::vector<IncidentId> out;
  if (group == nullptr || n.reason != NotifyReason::kEscalated ||
      n.flushed_at > group->page_at + kFlushDeadlineMin) {
    return out;
  }
  for (const GroupMember& member : group->members) {
    const IncidentEntry* entry =
        member.telling ? incidents_.table().Find(member.alert()->incident_id) : nullptr;
    if (entry != nullptr && WaitsForSomebody(*entry)) {
      out.push_back(entry->incident.id);
    }
  }
  return out;
}

// The incidents whose step names this receiver and trusts the routes to tell him, which could not be done. Of
// the attempts that follow at each tick of the group the chain need not hear.
std::vector<IncidentId> Engine::UnreachedByRoutes(const Group* group, const Notification& n,
                                                  Timestamp now) const {
  std::vector<IncidentId> out;
  if (group == nullptr || group->orphan != nullptr || !IsNews(n.reason)) {
    return out;
  }
  for (const NotifiedAlert& alert : n.alerts) {
    const IncidentEntry* entry = incidents_.table().Find(alert.incident_id);
    if (alert.resolved || alert.quiet_repeat || entry == nullptr || !WaitsForSomebody(*entry)) {
      continue;
    }
    const std::optional<TakenStep> last = LastChainStep(entry->incident);
    if (!last || n.flushed_at - last->at >= n.deadline - n.flushed_at) {
      continue;
    }
    const std::vector<std::string> asked = AskedByChain(entry->incident, now);
    if (std::find(asked.begin(), asked.end(), n.receiver->name) != asked.end() &&
        std::find(out.begin(), out.end(), alert.incident_id) == out.end()) {
      out.push_back(alert.incident_id);
    }
  }
  return out;
}

// Did the step reach somebody else, or may it still?
bool Engine::ReachedOthers(const IncidentEntry& entry, const Notification& failed, Timestamp now) {
  const std::optional<TakenStep> last = LastChainStep(entry.incident);
  if (!last) {
    return false;
  }
  const std::vector<std::string> asked = AskedByChain(entry.incident, now);
  auto is_asked = [&](const std::string& name) {
    return std::find(asked.begin(), asked.end(), name) != asked.end();
  };
  const bool under_way = std::any_of(in_flight_.begin(), in_flight_.end(), [&](const auto& flight) {
    const Notification& n = *flight.second.notification;
    return n.id != failed.id && !flight.second.others_asked && is_asked(n.receiver->name) &&
           std::any_of(n.alerts.begin(), n.alerts.end(), [&](const NotifiedAlert& alert) {
             return alert.incident_id == entry.incident.id && !alert.resolved;
           });
  });
  if (under_way) {
    return true;
  }
  auto told = [&](const Group& group, const AlertEntry& alert, const std::string& name) {
    const std::string prefix = fmt::format("{}\x1f{}\x1f", group.key, name);
    for (auto it = nflog_.lower_bound(prefix); it != nflog_.end() && it->first.starts_with(prefix); ++it) {
      const std::vector<uint64_t>& firing = it->second.firing;
      if (it->second.timestamp + kJustTold >= last->at &&
          std::binary_search(firing.begin(), firing.end(), alert.alert.fingerprint())) {
        return true;
      }
    }
    return false;
  };
  return std::any_of(entry.firing.begin(), entry.firing.end(), [&](const AlertEntry* alert) {
    return std::any_of(alert->groups.begin(), alert->groups.end(), [&](const GroupSlot& slot) {
      const Group* group = dispatcher_.Find(slot.group);
      return group != nullptr && std::any_of(asked.begin(), asked.end(), [&](const std::string& name) {
               return told(*group, *alert, name);
             });
    });
  });
}

// The incidents whose step of the chain this message was to tell.
std::vector<IncidentId> Engine::Unreached(const Notification& n, Timestamp now) {
  const Group* group = dispatcher_.Find(n.group_id);
  std::vector<IncidentId> out = UnreachedByRoutes(group, n, now);
  const std::vector<IncidentId> asked = UnreachedByPage(group, n);
  out.insert(out.end(), asked.begin(), asked.end());
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

void Engine::GoOnWithChain(const std::vector<IncidentId>& unreached, const Notification& failed,
                           const std::string& why, Timestamp now, Effects& fx) {
  for (const IncidentId id : unreached) {
    if (IncidentEntry* entry = incidents_.table().Find(id);
        entry != nullptr && !ReachedOthers(*entry, failed, now)) {
      NobodyReached(*entry, fmt::format("{} {}", failed.receiver->name, why), now, fx);
    }
  }
}

// Where the attempts may last longer than somebody should wait for them. A call has other numbers instead.
void Engine::ArmPatience(const Notification& n, Timestamp now) {
  const Timestamp end = After(n.flushed_at, PatienceOf(n.MaxSeverity()));
  if (n.call_id != 0 || end >= n.deadline) {
    return;
  }
  const bool chained = std::any_of(n.alerts.begin(), n.alerts.end(), [&](const NotifiedAlert& alert) {
    const IncidentEntry* entry = alert.resolved ? nullptr : incidents_.table().Find(alert.incident_id);
    return entry != nullptr && entry->incident.policy != nullptr && entry->incident.policy->chain != nullptr;
  });
  if (chained) {
    timers_.Add(std::max(end, now), {TimerKind::kPatience, static_cast<uint64_t>(n.id)});
  }
}

void Engine::OnPatience(InFlight& flight, Timestamp now, Effects& fx) {
  const NotificationPtr notification = flight.notification;
  if (flight.others_asked || !StillWanted(*notification)) {
    return;
  }
  flight.others_asked = true;
  GoOnWithChain(Unreached(*notification, now), *notification,
                fmt::format("was not reached within {} and is tried again",
                            FormatDuration(PatienceOf(notification->MaxSeverity()))),
                now, fx);
}

}  // namespace mlalert
