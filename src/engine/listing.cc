// Listings of everything in slices: what readers take from the engine while senders go on.
#include <algorithm>
#include <utility>

#include "alerts/alert_order.h"
#include "engine/engine.h"

namespace mlalert {

size_t Engine::ListAlertSlice(size_t from, size_t limit, Timestamp now, std::vector<AlertView>& out) {
  return alerts_.VisitSlice(from, limit, [&](const AlertEntry& entry) {
    if (!entry.firing) {
      return;
    }
    AlertView& view = out.emplace_back(View(entry));
    AlertMute mute = muter_.MuteOf(entry, now);
    view.silenced_by = std::move(mute.silenced_by);
    view.inhibited_by = mute.inhibited_by;
  });
}

size_t Engine::CountAlertSlice(size_t from, size_t limit, Timestamp now, AlertCounts& out) {
  return alerts_.VisitSlice(from, limit, [&](const AlertEntry& entry) {
    if (!entry.firing) {
      return;
    }
    AlertMute mute = muter_.MuteOf(entry, now);
    ++(mute.inhibited_by || !mute.silenced_by.empty() ? out.suppressed : out.active);
  });
}

void Engine::ListGroupSlice(GroupCursor& cursor, size_t limit, Timestamp now, std::vector<GroupView>& out) {
  // Members leave a group as alerts leave the store: the last one takes the place, so going down misses none.
  constexpr size_t kFromEnd = SlotList<AlertEntry>::kEnd;
  const auto& groups = dispatcher_.groups();
  bool fresh = true;
  for (auto it = groups.lower_bound(cursor.group); it != groups.end(); ++it) {
    const Group& group = *it->second;
    if (group.id != cursor.group) {
      cursor.left = kFromEnd;
    }
    const bool begins = cursor.left == kFromEnd;
    cursor.group = group.id;
    size_t at = std::min(cursor.left, group.members.size());
    // A flush may put it in another order: it is listed in one slice.
    const bool whole = at <= Dispatcher::kOrderedMax;
    if (whole && begins && at > limit && !fresh) {
      return;
    }
    GroupView* view = begins || out.empty() ? nullptr : &out.back();
    if (view != nullptr && view->id != group.id) {
      view = nullptr;  // none of its alerts seen so far was to be listed
    }
    fresh = false;
    for (; at > 0 && (limit > 0 || whole); limit -= limit > 0 ? 1 : 0) {
      const GroupMember& member = group.members[--at];
      if (!member.alert()->firing || member.moved) {
        continue;
      }
      if (view == nullptr) {
        view = &out.emplace_back();
        view->id = group.id;
        view->labels = group.labels;
        view->receiver = dispatcher_.ReceiverOf(group);
        view->route_labels = dispatcher_.routes().node(group.route).route->labels;
        view->muted_by = group.muted_by;
      }
      AlertView& alert = view->alerts.emplace_back(View(*member.alert()));
      AlertMute mute = muter_.MuteOf(*member.alert(), now);
      alert.silenced_by = std::move(mute.silenced_by);
      alert.inhibited_by = mute.inhibited_by;
    }
    if (at > 0) {
      cursor.left = at;
      return;
    }
    ++cursor.group;
    cursor.left = kFromEnd;
    if (limit == 0) {
      return;
    }
    --limit;  // an empty group costs as well
  }
  cursor.done = true;
}

namespace {

// Views are large: sorting moves numbers, and each view once at the end.
std::vector<AlertView> Permute(std::vector<AlertView>& views, const std::vector<uint32_t>& order) {
  std::vector<AlertView> out;
  out.reserve(order.size());
  for (uint32_t i : order) {
    out.push_back(std::move(views[i]));
  }
  return out;
}

}  // namespace

void SortByFingerprint(std::vector<AlertView>& views) {
  std::vector<std::pair<uint64_t, uint32_t>> keys;
  keys.reserve(views.size());
  for (const AlertView& view : views) {
    keys.emplace_back(view.alert.fingerprint(), static_cast<uint32_t>(keys.size()));
  }
  std::sort(keys.begin(), keys.end());
  std::vector<uint32_t> order;
  order.reserve(keys.size());
  for (size_t i = 0; i < keys.size(); ++i) {
    if (i == 0 || keys[i].first != keys[i - 1].first) {
      order.push_back(keys[i].second);
    }
  }
  views = Permute(views, order);
}

void SortGroupAlerts(GroupView& group) {
  SortByFingerprint(group.alerts);
  SortAlerts(group.alerts, [](const AlertView& view) -> const LabelSet& { return view.effective; });
}

}  // namespace mlalert
