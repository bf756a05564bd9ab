#include <boost/test/unit_test.hpp>

#include "base/hash.h"
#include "config/config_loader.h"
#include "dispatch/dispatcher.h"

namespace mlalert {
namespace {

ConfigPtr Load(const char* text) {
  ConfigPtr config;
  Diagnostics diagnostics = LoadConfigText(text, "t.yml", config);
  BOOST_TEST_REQUIRE((config != nullptr), diagnostics.ToText());
  return config;
}

constexpr const char* kTree = R"(
route:
  receiver: r
  group_by: [alertname, cluster]
  group_wait: 0s
  routes:
  - {matchers: ['alertname="E400"'], group_by: [alertname]}
  - matchers: ['team="b"']
    routes: [{matchers: ['sev="x"']}, {matchers: ['sev="x"']}]
  - {matchers: ['sev="P2"'], receiver: s}
receivers: [{name: r}, {name: s}]
)";

LabelSet Set(std::initializer_list<std::pair<std::string_view, std::string_view>> labels) {
  return LabelSet::From(labels);
}

BOOST_AUTO_TEST_SUITE(route_tree)

BOOST_AUTO_TEST_CASE(keys_and_ids_are_alertmanagers) {
  RouteTree tree(Load(kTree));
  BOOST_TEST(tree.node(0).key == "{}");
  BOOST_TEST(tree.node(0).id == "{}");
  uint32_t leaf = tree.Match(Set({{"alertname", "E400"}})).at(0);
  BOOST_TEST(tree.node(leaf).key == "{}/{alertname=\"E400\"}");
  leaf = tree.Match(Set({{"team", "b"}, {"sev", "x"}})).at(0);
  BOOST_TEST(tree.node(leaf).key == "{}/{team=\"b\"}/{sev=\"x\"}");
  BOOST_TEST(tree.node(leaf).id == "{}/{team=\"b\"}/1/{sev=\"x\"}/0");
  BOOST_TEST((tree.FindById(tree.node(leaf).id) == leaf));
  BOOST_TEST(!tree.FindById("{}/{gone=\"1\"}/0").has_value());
  BOOST_TEST((tree.Match(Set({{"team", "a"}})) == std::vector<uint32_t>{0}));
}

BOOST_AUTO_TEST_CASE(the_group_key_hashes_to_alertmanagers_dedup_key) {
  Dispatcher dispatcher(Load(kTree));
  AlertEntry alert;
  alert.effective = Set({{"alertname", "HighCPU"}, {"cluster", "eu"}, {"job", "node"}});
  std::vector<Record> records;
  dispatcher.Assign(alert, FromUnixMillis(1767225600000), false, records);
  const Group& group = *dispatcher.groups().begin()->second;
  BOOST_TEST(group.key == "{}:{alertname=\"HighCPU\", cluster=\"eu\"}");
  BOOST_TEST(Sha256Hex(group.key) == "42ad5306caf6ed4f9f05333f2cdee9d665da6dad095d1cd79571b5b2274f39e2");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(dispatcher)

BOOST_AUTO_TEST_CASE(there_and_back_again_is_one_membership_that_has_not_moved) {
  Dispatcher dispatcher(Load(kTree));
  const Timestamp now = FromUnixMillis(1767225600000);
  std::vector<Record> records;
  AlertEntry alert;
  for (const char* severity : {"P3", "P2", "P3"}) {
    alert.effective = Set({{"alertname", "A"}, {"sev", severity}});
    dispatcher.Assign(alert, now, false, records);
  }
  BOOST_TEST(alert.groups.size() == 2U);
  BOOST_TEST(!dispatcher.Find(alert.groups[0].group)->members[alert.groups[0].member].moved);
  BOOST_TEST(bool(dispatcher.Find(alert.groups[1].group)->members[alert.groups[1].member].moved));
}

BOOST_AUTO_TEST_CASE(members_and_their_alerts_agree_while_alerts_leave_in_any_order) {
  Dispatcher dispatcher(Load(kTree));
  const Timestamp now = FromUnixMillis(1767225600000);
  std::vector<Record> records;
  std::vector<AlertEntry> alerts(50);
  for (AlertEntry& alert : alerts) {
    alert.firing = true;
    alert.effective = Set({{"alertname", "A"}});
    dispatcher.Assign(alert, now, false, records);
  }
  size_t left = alerts.size();
  for (size_t step = 0; left > 0; ++step) {
    AlertEntry& alert = alerts[step * 7 % alerts.size()];
    alert.firing = false;
    Group* group = dispatcher.PopDue(now + std::chrono::minutes(5) * static_cast<int>(step), 0);
    BOOST_TEST_REQUIRE((group != nullptr));
    group->resolved_snapshot.emplace_back(&alert, alert.alert.updated_at);
    group = dispatcher.FinishFlush(*group, true, now, records);
    --left;
    BOOST_TEST((group == nullptr) == (left == 0));
    BOOST_TEST(alert.groups.empty());
    for (size_t i = 0; group != nullptr && i < group->members.size(); ++i) {
      BOOST_TEST(group->members[i].alert()->groups[0].member == i);
    }
  }
  BOOST_TEST(dispatcher.group_count() == 0U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mlalert
