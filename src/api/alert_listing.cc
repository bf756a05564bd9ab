#include "api/alert_listing.h"

#include <algorithm>

#include "dispatch/route_tree.h"

namespace mlalert {

AlertListing TakeAlerts(Gate& gate, const AlertQuery& query, Timestamp now) {
  AlertListing out;
  size_t from = SlotList<AlertEntry>::kEnd;
  std::vector<AlertView> slice;
  bool more = true;
  while (more) {
    slice.clear();
    gate.ReadInSlices([&](Engine& engine) {
      out.config = engine.shared_config();
      from = engine.ListAlertSlice(from, kListSlice, now, slice);
      more = from > 0;
      return more && slice.size() < kListSlice;  // a slice of alerts that do not fire brings nothing
    });
    // Outside the gate, and before the next entry: the others have time to get in.
    for (AlertView& view : slice) {
      if (ShowsAlert(query, view, now)) {
        out.alerts.push_back(std::move(view));
      }
    }
  }
  SortByFingerprint(out.alerts);
  const RouteTree routes(out.config);
  for (AlertView& view : out.alerts) {
    for (uint32_t route : routes.Match(view.effective)) {
      view.receivers.push_back(routes.node(route).route->receiver);
    }
  }
  return out;
}

GroupListing TakeGroups(Gate& gate, const AlertQuery& query, Timestamp now) {
  GroupListing out;
  Engine::GroupCursor cursor;
  gate.ReadInSlices([&](Engine& engine) {
    if (out.config != engine.shared_config()) {
      // The first slice, or a reload: the groups seen so far are gone.
      out.config = engine.shared_config();
      out.groups.clear();
      cursor = {};
    }
    engine.ListGroupSlice(cursor, kListSlice, now, out.groups);
    return !cursor.done;
  });
  for (GroupView& group : out.groups) {
    std::erase_if(group.alerts, [&](const AlertView& alert) { return !ShowsAlert(query, alert, now); });
    SortGroupAlerts(group);
  }
  return out;
}

}  // namespace mlalert
