#include "notify/dedup.h"

#include <algorithm>

namespace mlalert {
namespace {

bool Contains(const std::vector<uint64_t>& sorted, uint64_t value) {
  return std::binary_search(sorted.begin(), sorted.end(), value);
}

bool IsSubset(const std::vector<uint64_t>& inner, const std::vector<uint64_t>& outer) {
  return std::includes(outer.begin(), outer.end(), inner.begin(), inner.end());
}

// An alert of the flush, and whether this receiver knows it as firing.
struct Told {
  uint64_t fingerprint = 0;
  const FlushAlert* alert = nullptr;
  bool before = false;
  friend bool operator<(const Told& a, const Told& b) { return a.fingerprint < b.fingerprint; }
};

// May `alert`, which this receiver does not know as firing, be announced to it?
bool MaySpeak(const FlushAlert& alert, const std::vector<IncidentId>& told_incidents) {
  if (alert.held) {
    return false;
  }
  if (!alert.cooling) {
    return true;
  }
  // Another alert of the same incident was told and still fires, or the incident was told just before it
  // reopened.
  bool covered = std::binary_search(told_incidents.begin(), told_incidents.end(), alert.incident_id);
  return !covered && !alert.told_before_episode;
}

}  // namespace

bool IsWoken(const DedupInput& input, const FlushAlert& alert) {
  return input.entry != nullptr && IsSet(alert.woken_at) && alert.woken_at > input.entry->timestamp &&
         alert.waits && !alert.settled &&
         (!alert.held || Contains(input.entry->acknowledged, alert.fingerprint));
}

DedupDecision Decide(const DedupInput& input) {
  static const NflogEntry kNoEntry;
  const NflogEntry& entry = input.entry != nullptr ? *input.entry : kNoEntry;
  DedupDecision out;

  // By fingerprint, so that what the log says is met in order, and so that the answer is in order.
  std::vector<Told> alerts;
  alerts.reserve(input.alerts.size());
  for (const FlushAlert& alert : input.alerts) {
    alerts.push_back({alert.fingerprint, &alert});
  }
  std::sort(alerts.begin(), alerts.end());
  auto logged = entry.firing.begin();
  bool any_cools = false;
  for (Told& told : alerts) {
    logged = std::find_if(logged, entry.firing.end(), [&](uint64_t f) { return f >= told.fingerprint; });
    told.before = logged != entry.firing.end() && *logged == told.fingerprint;
    any_cools = any_cools || (!told.before && told.alert->cooling);
  }
  std::vector<IncidentId> told_incidents;
  if (any_cools) {
    for (const Told& told : alerts) {
      if (told.before && !told.alert->resolved && told.alert->incident_id != 0) {
        told_incidents.push_back(told.alert->incident_id);
      }
    }
    std::sort(told_incidents.begin(), told_incidents.end());
  }
  bool somebody_speaks = false;
  bool somebody_paged = false;
  bool somebody_rose = false;
  bool newly_acknowledged = false;
  bool woken = false;
  bool settled = false;
  bool cleared_unheard = false;
  bool began_to_flap = false;
  out.firing.reserve(alerts.size());
  for (const Told& one : alerts) {
    const FlushAlert& alert = *one.alert;
    const bool told = one.before;
    if (alert.resolved) {
      out.after_flapping = out.after_flapping || (told && alert.settled);
      if (told || Contains(entry.resolved, alert.fingerprint) || !alert.owes_only_told || alert.digest) {
        out.resolved.push_back(alert.fingerprint);
        cleared_unheard =
            cleared_unheard || (alert.digest && !told && !Contains(entry.resolved, alert.fingerprint));
      }
      continue;
    }
    if (IsSet(alert.flapping_since) && !alert.held) {
      out.firing.push_back(alert.fingerprint);
      began_to_flap = began_to_flap || input.entry == nullptr || entry.timestamp < alert.flapping_since;
      somebody_paged = somebody_paged || alert.paged;
      somebody_rose = somebody_rose || (told && alert.raised);
      continue;
    }
    if (!told && !MaySpeak(alert, told_incidents)) {
      continue;
    }
    out.firing.push_back(alert.fingerprint);
    somebody_speaks = somebody_speaks || !alert.held;
    somebody_paged = somebody_paged || (alert.paged && !alert.held);
    woken = woken || (told && IsWoken(input, alert));
    settled = settled || (told && !alert.held && alert.settled && alert.woken_at > entry.timestamp);
    somebody_rose = somebody_rose || (told && alert.raised && !alert.held);
    if (told && alert.acknowledged) {
      out.acknowledged.push_back(alert.fingerprint);
      // Taken back and taken again, perhaps by somebody else, is news as well.
      newly_acknowledged = newly_acknowledged || !Contains(entry.acknowledged, alert.fingerprint) ||
                           alert.acknowledged_at > entry.timestamp;
    }
  }

  if (began_to_flap) {
    out.reason = NotifyReason::kFlapping;
  } else if (input.page && somebody_paged) {
    out.reason = NotifyReason::kEscalated;
  } else if (cleared_unheard) {
    out.reason = NotifyReason::kDigest;
  } else if (input.entry == nullptr) {
    out.reason = out.firing.empty() ? NotifyReason::kNone : NotifyReason::kFirst;
  } else if (!IsSubset(out.firing, entry.firing)) {
    out.reason = entry.firing.empty() ? NotifyReason::kFirst : NotifyReason::kNewAlerts;
  } else if (somebody_rose) {
    out.reason = NotifyReason::kRaised;
  } else if (out.firing.empty()) {
    // Even when nothing is sent (send_resolved: false) the log must learn it.
    out.reason = entry.firing.empty() ? NotifyReason::kNone : NotifyReason::kAllResolved;
  } else if (input.send_resolved && !IsSubset(out.resolved, entry.resolved)) {
    out.reason = NotifyReason::kSomeResolved;
  } else if (newly_acknowledged) {
    out.reason = NotifyReason::kAcknowledged;
  } else if (woken) {
    out.reason = NotifyReason::kUnacknowledged;
  } else if (settled) {
    out.reason = NotifyReason::kSettled;
  } else if (somebody_speaks && entry.timestamp < input.now - input.repeat_interval) {
    out.reason = NotifyReason::kRepeat;
  }
  return out;
}

}  // namespace mlalert
