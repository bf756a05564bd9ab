// Which server is asked what: several data sources, several URLs of one.
#include <algorithm>
#include <boost/test/unit_test.hpp>

#include "rules/datasource.h"
#include "rules/harness.h"

namespace mlalert {
namespace {

using namespace std::chrono_literals;
using testing::At;
using testing::Broken;
using testing::Field;
using testing::Harness;
using testing::MakeConfig;
using testing::MakeGroup;
using testing::MakeRule;
using testing::Vector;

const LabelSet kModelA = LabelSet::From({{"model", "a"}});

RuleGroup Group(const std::string& name, const std::string& datasource) {
  RuleGroup group = MakeGroup(name, 1min, {MakeRule("A" + name, "m > 0")});
  group.datasource = datasource;
  return group;
}

Config TwoSources() {
  Config config = MakeConfig();
  DatasourceConfig second;
  second.name = "vm";
  second.url = "http://vm:8428";
  config.datasources.push_back(second);
  return config;
}

std::string HostOf(const QueryRequest& query) {
  return query.call.url.substr(7, query.call.url.find_first_of(":/", 7) - 7);
}

// Answers by host: those in `down` do not answer.
struct ByHost {
  explicit ByHost(Config config) : h(std::move(config)) {}

  void RunUntil(Timestamp until) {
    for (;;) {
      Answer();
      Timestamp due = h.manager->NextDue();
      if (due > until) {
        break;
      }
      h.now = std::max(h.now, due);
      h.manager->RunDue(h.now, h.fx);
    }
    h.now = std::max(h.now, until);
  }

  void Answer() {
    h.Drain();
    while (!h.open.empty()) {
      QueryRequest query = h.open.front();
      h.open.erase(h.open.begin());
      asked.push_back(HostOf(query));
      bool dead = std::find(down.begin(), down.end(), asked.back()) != down.end();
      h.manager->OnQueryResult(query.id, dead ? Broken(Failure::kConnect) : Vector({{kModelA, 1}}), h.now,
                               h.fx);
      h.Drain();
    }
  }

  size_t Asked(const std::string& host) const {
    return static_cast<size_t>(std::count(asked.begin(), asked.end(), host));
  }

  Harness h;
  std::vector<std::string> down;
  std::vector<std::string> asked;
};

Config WithFailover() {
  Config config = MakeConfig();
  config.datasources[0].url = "http://first:9090";
  config.datasources[0].failover_urls = {"http://second:9090", "http://third:9090"};
  return config;
}

BOOST_AUTO_TEST_SUITE(datasource_choice)

BOOST_AUTO_TEST_CASE(a_group_asks_the_source_that_it_names_and_the_first_one_otherwise) {
  ByHost s(TwoSources());
  s.h.SetRules({Group("a", ""), Group("b", "vm")});
  s.RunUntil(s.h.now + 1min);
  // The rule, and when it begins to fire whether its series are there.
  BOOST_TEST(s.Asked("prometheus") == 2U);
  BOOST_TEST(s.Asked("vm") == 2U);
  auto groups = s.h.manager->Snapshot(s.h.now);
  BOOST_TEST(groups.at(0).datasource == "default");
  BOOST_TEST(groups.at(1).datasource == "vm");
}

BOOST_AUTO_TEST_CASE(a_source_that_is_gone_holds_up_no_group_of_another) {
  ByHost s(TwoSources());
  s.h.SetRules({Group("a", ""), Group("b", "vm")});
  s.down = {"prometheus"};
  s.RunUntil(s.h.now + 5min);
  BOOST_TEST(s.h.State(1) == 'F');
  BOOST_TEST(s.h.manager->Datasources().at(0).unreachable);
  BOOST_TEST(!s.h.manager->Datasources().at(1).unreachable);
}

BOOST_AUTO_TEST_CASE(a_group_that_moves_to_another_source_keeps_its_alerts) {
  ByHost s(TwoSources());
  s.h.SetRules({Group("a", "")});
  s.RunUntil(s.h.now + 2min);
  BOOST_TEST(s.h.State() == 'F');
  s.h.TakeAlerts();
  s.h.SetRules({Group("a", "vm")});
  s.RunUntil(s.h.now + 2min);
  BOOST_TEST(s.h.State() == 'F');
  BOOST_TEST(s.Asked("vm") == 2U);
  for (const RuleAlert& alert : s.h.TakeAlerts()) {
    BOOST_TEST((alert.ends_at > s.h.now), "nothing was resolved by the move");
  }
}

BOOST_AUTO_TEST_CASE(the_next_url_is_asked_within_the_slot_and_stays) {
  ByHost s(WithFailover());
  s.h.SetRules({Group("a", "")});
  s.down = {"first"};
  s.RunUntil(s.h.now + 1min + 10s);
  BOOST_TEST(s.asked.at(0) == "first");
  BOOST_TEST(s.asked.at(1) == "second");
  BOOST_TEST(Field(s.h.queries.at(0).call, "time") == Field(s.h.queries.at(1).call, "time"));
  BOOST_TEST(s.h.State() == 'F');
  s.RunUntil(s.h.now + 3min);
  BOOST_TEST(s.Asked("first") == 1U);
  BOOST_TEST(s.Asked("second") == s.asked.size() - 1);
  BOOST_TEST(!s.h.manager->Datasources().at(0).unreachable);
}

BOOST_AUTO_TEST_CASE(the_first_url_is_tried_again_after_five_minutes) {
  ByHost s(WithFailover());
  s.h.SetRules({Group("a", "")});
  s.down = {"first"};
  s.RunUntil(s.h.now + 90s);
  s.down.clear();
  s.RunUntil(s.h.now + 4min);
  BOOST_TEST(s.Asked("first") == 1U);
  s.RunUntil(s.h.now + 4min);
  BOOST_TEST(s.asked.back() == "first");
}

BOOST_AUTO_TEST_CASE(only_when_none_answers_the_source_is_unreachable) {
  ByHost s(WithFailover());
  s.h.SetRules({Group("a", "")});
  s.RunUntil(s.h.now + 2min);
  s.down = {"first", "second"};
  s.RunUntil(s.h.now + 5min);
  BOOST_TEST(!s.h.manager->Datasources().at(0).unreachable);
  s.down.push_back("third");
  s.RunUntil(s.h.now + 5min);
  BOOST_TEST(s.h.manager->Datasources().at(0).unreachable);
  BOOST_TEST(s.h.State() == 'F', "what fired is held");
  s.down = {"first", "third"};
  s.RunUntil(s.h.now + 5min);
  BOOST_TEST(!s.h.manager->Datasources().at(0).unreachable);
}

BOOST_AUTO_TEST_CASE(params_and_method_are_those_of_the_source) {
  Config config = MakeConfig();
  config.datasources[0].params = {{"nocache", "1"}, {"extra_label", "team=a b"}};
  config.datasources[0].use_get = true;
  Harness h(config);
  h.SetRules({Group("a", "")});
  h.RunFor(1min);
  const HttpCall& call = h.queries.at(0).call;
  BOOST_TEST(call.method == "GET");
  BOOST_TEST(Field(call, "nocache") == "1");
  BOOST_TEST(Field(call, "extra_label") == "team=a b");
  BOOST_TEST(Field(call, "query") == "m > 0");
  config.datasources[0].use_get = false;
  h.config = config;
  h.SetRules({Group("a", "")});
  h.RunFor(1min);
  BOOST_TEST(h.queries.back().call.method == "POST");
  BOOST_TEST(Field(h.queries.back().call, "nocache") == "1");
}

BOOST_AUTO_TEST_CASE(a_source_has_its_own_number_of_places) {
  Config config = TwoSources();
  config.evaluation.concurrency = 3;
  config.datasources[1].concurrency = 1;
  Harness h(config);
  std::vector<RuleGroup> groups;
  for (int i = 0; i < 5; ++i) {
    groups.push_back(Group("a" + std::to_string(i), ""));
    groups.push_back(Group("b" + std::to_string(i), "vm"));
  }
  h.SetRules(std::move(groups));
  h.now += 2min;
  h.manager->RunDue(h.now, h.fx);
  h.Drain();
  size_t vm = static_cast<size_t>(std::count_if(h.open.begin(), h.open.end(),
                                                [](const QueryRequest& q) { return q.datasource == "vm"; }));
  BOOST_TEST(vm == 1U);
  BOOST_TEST(h.open.size() - vm == 3U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mlalert
