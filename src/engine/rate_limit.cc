// Limits of how many messages a receiver gets in a time.
#include <algorithm>
#include <deque>
#include <fmt/format.h>

#include "config/calm_config.h"
#include "engine/engine.h"

namespace mlalert {

// A limit delays: the group speaks when there is room again, and says then what it has to say. P0 goes
// through.
bool Engine::IsRateLimited(Group& group, const Receiver& receiver, NotifyReason reason, Timestamp now,
                           Effects& fx) {
  if (config_->calm == nullptr) {
    return false;
  }
  auto limit = config_->calm->rate_limits.find(receiver.name);
  if (limit == config_->calm->rate_limits.end()) {
    return false;
  }
  std::deque<Timestamp>& sent = sent_lately_[receiver.name];
  while (!sent.empty() && sent.front() + limit->second.per <= now) {
    sent.pop_front();
  }
  const bool urgent = reason != NotifyReason::kAllResolved && reason != NotifyReason::kSomeResolved &&
                      std::any_of(group.members.begin(), group.members.end(), [](const GroupMember& member) {
                        return member.alert()->firing && (!member.moved || member.asked) &&
                               SeverityFromLabel(member.alert()->effective.Get("severity")) == Severity::kP0;
                      });
  if (urgent || sent.size() < static_cast<size_t>(limit->second.count)) {
    sent.push_back(now);
    return false;
  }
  const Timestamp room = sent[sent.size() - static_cast<size_t>(limit->second.count)] + limit->second.per;
  if (group.look_at != room) {
    ++stats_.rate_limited;
    EventRecord event;
    event.at = now;
    event.type = "rate_limited";
    event.actor_kind = "system";
    event.actor = receiver.name;
    event.incident_id = group.members.empty() ? 0 : group.members.front().alert()->incident_id;
    event.reason = fmt::format("{} messages in {}: delayed until {}", limit->second.count,
                               FormatDuration(limit->second.per), FormatRfc3339Millis(room));
    fx.records.emplace_back(std::move(event));
  }
  LookAgain(group, room);
  group.failed = true;  // nothing of it may be forgotten
  return true;
}

}  // namespace mlalert
