#include "api/alert_listing.h"

#include <algorithm>
#include <iterator>
#include <thread>
#include <utility>

#include "dispatch/route_tree.h"

namespace mlalert {

void Breather::operator()(size_t done) {
  if (done >= next_) {
    next_ = done + kListSlice;
    std::this_thread::yield();
  }
}

AlertListing TakeAlerts(Gate& gate, const AlertQuery& query, Timestamp now) {
  AlertListing out;
  size_t from = SlotList<AlertEntry>::kEnd;
  std::vector<AlertView> slice;
  slice.reserve(kListSlice);
  gate.ReadInSlices(
      [&](Engine& engine) {
        out.config = engine.shared_config();
        from = engine.ListAlertSlice(from, kListSlice, now, slice);
        return from > 0;
      },
      [&] {
        for (AlertView& view : slice) {
          if (ShowsAlert(query, view, now)) {
            out.alerts.push_back(std::move(view));
          }
        }
        slice.clear();
      });
  SortByFingerprint(out.alerts);
  const RouteTree routes(out.config);
  Breather breathe;
  size_t done = 0;
  for (AlertView& view : out.alerts) {
    breathe(++done);
    for (uint32_t route : routes.Match(view.effective)) {
      view.receivers.push_back(routes.node(route).route->receiver);
    }
  }
  return out;
}

GroupListing TakeGroups(Gate& gate, const AlertQuery& query, Timestamp now) {
  GroupListing out;
  Engine::GroupCursor cursor;
  // Growing a list of everything moves it: not under the gate.
  std::vector<GroupView> slice;
  bool begins_anew = false;
  gate.ReadInSlices(
      [&](Engine& engine) {
        // The first slice, or a reload: the groups seen so far are gone.
        begins_anew = out.config != engine.shared_config();
        if (begins_anew) {
          out.config = engine.shared_config();
          cursor = {};
        }
        engine.ListGroupSlice(cursor, kListSlice, now, slice);
        return !cursor.done;
      },
      [&] {
        if (begins_anew) {
          out.groups.clear();
        }
        for (GroupView& group : slice) {
          std::erase_if(group.alerts, [&](const AlertView& alert) { return !ShowsAlert(query, alert, now); });
          if (!out.groups.empty() && out.groups.back().id == group.id) {
            std::vector<AlertView>& alerts = out.groups.back().alerts;
            std::move(group.alerts.begin(), group.alerts.end(), std::back_inserter(alerts));
          } else {
            out.groups.push_back(std::move(group));
          }
        }
        slice.clear();
      });
  Breather breathe;
  size_t done = 0;
  for (GroupView& group : out.groups) {
    SortGroupAlerts(group);
    breathe(done += group.alerts.size());
  }
  return out;
}

}  // namespace mlalert
