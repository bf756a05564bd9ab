// Listings in slices show what a listing at once shows, however the slices fall and whatever comes and goes
// between them.
#include <boost/test/unit_test.hpp>
#include <set>
#include <string>

#include "support/sim.h"

namespace mlalert::testing {
namespace {

constexpr const char* kConfig = R"(
route:
  receiver: all
  group_by: [model]
  group_wait: 1h
  routes:
  - {matchers: [severity="P1"], receiver: page, group_by: ['...'], continue: true}
  - {matchers: [alertname=~".*"], receiver: all}
receivers: [{name: all}, {name: page}]
inhibit_rules: [{source_matchers: [alertname=A0], target_matchers: [alertname=A1]}]
)";

LabelSet Labels(int i) {
  return LabelSet::From({{"alertname", "A" + std::to_string(i)},
                         {"model", "m" + std::to_string(i % 3)},
                         {"severity", i % 4 == 0 ? "P1" : "P3"}});
}

std::string Text(const AlertView& view) {
  std::string out = view.alert.labels.ToString();
  for (const std::string& id : view.silenced_by) {
    out += " silenced by " + id;
  }
  return out + (view.inhibited_by ? " inhibited" : "");
}

std::vector<std::string> InSlices(Sim& sim, size_t limit) {
  std::vector<AlertView> views;
  size_t from = SlotList<AlertEntry>::kEnd;
  do {
    from = sim.engine().ListAlertSlice(from, limit, sim.now(), views);
  } while (from > 0);
  SortByFingerprint(views);
  std::vector<std::string> out;
  for (const AlertView& view : views) {
    out.push_back(Text(view));
  }
  return out;
}

std::vector<std::string> AtOnce(Sim& sim) {
  std::vector<AlertView> views = sim.engine().ListAlerts(sim.now());
  SortByFingerprint(views);
  std::vector<std::string> out;
  for (const AlertView& view : views) {
    out.push_back(Text(view));
  }
  return out;
}

std::set<std::string> GroupsInSlices(Sim& sim, size_t limit) {
  std::vector<GroupView> groups;
  for (Engine::GroupCursor cursor; !cursor.done;) {
    sim.engine().ListGroupSlice(cursor, limit, sim.now(), groups);
  }
  std::set<std::string> out;
  for (GroupView& group : groups) {
    SortGroupAlerts(group);
    std::string text = group.receiver + group.labels.ToString();
    for (const AlertView& view : group.alerts) {
      text += "\n" + Text(view);
    }
    BOOST_TEST(out.insert(text).second);
  }
  return out;
}

std::set<std::string> GroupsAtOnce(Sim& sim) {
  std::set<std::string> out;
  for (const GroupView& group : sim.engine().ListGroups(sim.now())) {
    std::string text = group.receiver + group.labels.ToString();
    for (const AlertView& view : group.alerts) {
      text += "\n" + Text(view);
    }
    out.insert(text);
  }
  return out;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(listing)

BOOST_AUTO_TEST_CASE(slices_of_any_size_show_everything) {
  Sim sim(kConfig);
  BOOST_TEST(InSlices(sim, 1).empty());
  BOOST_TEST(GroupsInSlices(sim, 1).empty());
  sim.At(std::chrono::seconds(1));
  for (int i = 0; i < 25; ++i) {
    sim.Fire(Labels(i));
  }
  sim.Silence("model=m1", std::chrono::hours(1));
  sim.Resolve(Labels(7));
  const std::vector<std::string> all = AtOnce(sim);
  const std::set<std::string> groups = GroupsAtOnce(sim);
  BOOST_TEST(all.size() == 24U);
  BOOST_TEST(groups.size() > 3U);
  for (size_t limit : {1, 2, 3, 7, 24, 25, 26, 1000}) {
    BOOST_TEST_CONTEXT("limit " << limit) {
      BOOST_TEST(InSlices(sim, limit) == all, boost::test_tools::per_element());
      BOOST_TEST((GroupsInSlices(sim, limit) == groups));
    }
  }
}

BOOST_AUTO_TEST_CASE(an_alert_that_stays_is_seen_once_whatever_leaves_between_slices) {
  SlotList<AlertEntry> list;
  std::vector<std::unique_ptr<AlertEntry>> entries;
  for (int i = 0; i < 100; ++i) {
    list.Add(*entries.emplace_back(std::make_unique<AlertEntry>()));
  }
  std::set<AlertEntry*> seen;
  size_t from = SlotList<AlertEntry>::kEnd;
  std::set<AlertEntry*> gone;
  for (int step = 0; from > 0; ++step) {
    from = list.Visit(from, 7, [&](AlertEntry& entry) { seen.insert(&entry); });
    // Somebody leaves, somebody comes.
    AlertEntry* leaves = entries[static_cast<size_t>(step * 37 % 100)].get();
    if (gone.insert(leaves).second) {
      list.Remove(*leaves);
    }
    if (step % 3 == 0) {
      list.Add(*entries.emplace_back(std::make_unique<AlertEntry>()));
    }
  }
  for (size_t i = 0; i < 100; ++i) {
    if (!gone.contains(entries[i].get())) {
      BOOST_TEST(seen.contains(entries[i].get()));
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mlalert::testing
