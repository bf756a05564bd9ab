// Alertmanager's rules of creating, changing, ending and forgetting silences, with its words; and who is
// silenced.
#include "mute/silences.h"

#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

#include "support/builders.h"

namespace mlalert::testing {
namespace {

const Timestamp kNow = FromUnixMillis(1767225600000);

SilenceRequest Request(const std::string& value = "Drift", Timestamp from = kNow,
                       Timestamp to = kNow + hours(1)) {
  SilenceRequest request;
  request.matchers = {{"alertname", MatchOp::kEqual, value}};
  request.starts_at = from;
  request.ends_at = to;
  request.created_by = "me";
  request.comment = "why";
  return request;
}

class Store {
 public:
  explicit Store(SilenceLimits limits = {}) : silences(limits) {}

  Result<Silences::Change> Set(const SilenceRequest& request, Timestamp now = kNow) {
    return silences.Set(request, now, [this] { return "id" + std::to_string(++ids_); });
  }
  std::string MustSet(const SilenceRequest& request, Timestamp now = kNow) {
    auto change = Set(request, now);
    BOOST_REQUIRE_MESSAGE(change, change.error().message);
    return change->id;
  }
  std::string ErrorOf(const SilenceRequest& request, Timestamp now = kNow) {
    auto change = Set(request, now);
    return change ? "" : change.error().message;
  }
  bool Silenced(const LabelSet& labels, Timestamp now) {
    return silences.IsSilenced(labels.fingerprint(), labels, now);
  }
  std::vector<std::string> By(const LabelSet& labels, Timestamp now) {
    return silences.SilencedBy(labels.fingerprint(), labels, now);
  }

  Silences silences;

 private:
  int ids_ = 0;
};

using Ids = std::vector<std::string>;
const LabelSet kDrift = Labels({{"alertname", "Drift"}, {"model", "churn"}});
const LabelSet kLag = Labels({{"alertname", "Lag"}, {"model", "churn"}});

BOOST_AUTO_TEST_SUITE(silences_set)

BOOST_AUTO_TEST_CASE(a_new_one_gets_an_id_and_a_start_no_earlier_than_now) {
  Store store;
  SilenceRequest request = Request("Drift", kNow - hours(1));
  request.annotations = Labels({{"ticket", "7"}});
  auto change = store.Set(request);
  BOOST_REQUIRE(change);
  BOOST_TEST(change->created);
  BOOST_REQUIRE(change->changed.size() == 1U);
  const Silence& silence = change->changed[0];
  BOOST_TEST(silence.id == change->id);
  BOOST_TEST((silence.starts_at == kNow));
  BOOST_TEST((silence.ends_at == kNow + hours(1)));
  BOOST_TEST((silence.updated_at == kNow));
  BOOST_TEST(silence.created_by == "me");
  BOOST_TEST(silence.comment == "why");
  BOOST_TEST((silence.annotations == Labels({{"ticket", "7"}})));
  BOOST_TEST(store.silences.Find(change->id)->comment == "why");
}

BOOST_AUTO_TEST_CASE(a_taken_id_is_not_given_twice) {
  Silences silences;
  int calls = 0;
  auto make_id = [&] { return ++calls < 3 ? "a" : "b"; };
  BOOST_TEST(silences.Set(Request(), kNow, make_id)->id == "a");
  BOOST_TEST(silences.Set(Request(), kNow, make_id)->id == "b");
  BOOST_TEST(silences.size() == 2U);
}

BOOST_AUTO_TEST_CASE(errors_in_alertmanagers_words_and_order) {
  Store store;
  const std::string empty_match =
      "invalid silence: matcher set 0: at least one matcher must not match the empty string";
  const struct {
    std::vector<MatcherText> matchers;
    Duration from, to;
    const char* id;
    std::string want;
  } kTable[] = {
      {{}, hours(1), hours(1), "", "Failed to create silence: start time must be before end time"},
      {{}, hours(2), hours(1), "nope", "Failed to create silence: start time must be before end time"},
      {{}, hours(-2), hours(-1), "nope", "Failed to create silence: end time can't be in the past"},
      {{}, hours(0), hours(1), "nope", "invalid silence: matcher set 0 is empty"},
      {{{"", MatchOp::kEqual, "x"}},
       hours(0),
       hours(1),
       "",
       R"(invalid silence: invalid label matcher 0 in set 0: invalid label name "")"},
      {{{"a", MatchOp::kRegex, "("}},
       hours(0),
       hours(1),
       "nope",
       "invalid silence: invalid label matcher 0 in set 0: invalid regular expression \"(\": error parsing "
       "regexp: "
       "missing closing ): `(`"},
      {{{"a", MatchOp::kNotRegex, "["}},
       hours(0),
       hours(1),
       "",
       "invalid silence: invalid label matcher 0 in set 0: invalid regular expression \"[\": error parsing "
       "regexp: "
       "missing closing ]: `[)$`"},
      {{{"a", MatchOp::kEqual, ""}}, hours(0), hours(1), "nope", empty_match},
      {{{"a", MatchOp::kRegex, ".*"}}, hours(0), hours(1), "", empty_match},
      {{{"a", MatchOp::kRegex, "x|"}}, hours(0), hours(1), "", empty_match},
      {{{"a", MatchOp::kRegex, "^$|x"}, {"b", MatchOp::kEqual, ""}}, hours(0), hours(1), "", empty_match},
      {{{"a", MatchOp::kEqual, "x"}}, hours(0), hours(1), "nope", "silence not found"},
      // These pass.
      {{{"a", MatchOp::kNotEqual, "x"}}, hours(0), hours(1), "", ""},
      {{{"a", MatchOp::kNotRegex, ".+"}}, hours(0), hours(1), "", ""},
      {{{"a", MatchOp::kRegex, ".+"}}, hours(0), hours(1), "", ""},
      {{{"a", MatchOp::kEqual, ""}, {"b", MatchOp::kEqual, "x"}}, hours(0), hours(1), "", ""},
      {{{"a b.c", MatchOp::kEqual, "x"}}, hours(0), hours(1), "", ""},
      {{{"a", MatchOp::kEqual, "x"}}, hours(-1), hours(0), "", ""},  // ends this instant
  };
  for (const auto& row : kTable) {
    BOOST_TEST_CONTEXT(row.want) {
      SilenceRequest request = Request("", kNow + row.from, kNow + row.to);
      request.matchers = row.matchers;
      request.id = row.id;
      if (row.want.find("missing closing ]") == std::string::npos) {
        BOOST_TEST(store.ErrorOf(request) == row.want);
      } else {
        BOOST_TEST(
            store.ErrorOf(request).starts_with("invalid silence: invalid label matcher 0 in set 0: invalid "
                                               "regular expression \"[\": error parsing regexp: missing"));
      }
    }
  }
  SilenceRequest unknown = Request();
  unknown.id = "nope";
  BOOST_TEST((store.Set(unknown).error().code == ErrorCode::kNotFound));
  for (const MatcherText& bad :
       {MatcherText{"\xff", MatchOp::kEqual, "x"}, MatcherText{"a", MatchOp::kEqual, "\xff"}}) {
    SilenceRequest request = Request();
    request.matchers = {bad};
    BOOST_TEST(store.ErrorOf(request).starts_with(
        "invalid silence: invalid label matcher 0 in set 0: invalid label "));
  }
}

BOOST_AUTO_TEST_CASE(an_active_one_is_changed_in_place_when_matchers_and_start_stay) {
  Store store;
  const std::string id = store.MustSet(Request());
  SilenceRequest change = Request("Drift", kNow + milliseconds(999), kNow + hours(5));
  change.id = id;
  change.comment = "longer";
  change.created_by = "you";
  auto result = store.Set(change, kNow + minutes(10));
  BOOST_REQUIRE(result);
  BOOST_TEST(result->id == id);
  BOOST_TEST(!result->created);
  BOOST_TEST(store.silences.size() == 1U);
  const Silence& now = *store.silences.Find(id);
  BOOST_TEST((now.ends_at == kNow + hours(5)));
  BOOST_TEST((now.starts_at == kNow + milliseconds(999)));
  BOOST_TEST((now.updated_at == kNow + minutes(10)));
  BOOST_TEST(now.comment == "longer");
  BOOST_TEST(now.created_by == "you");
}

BOOST_AUTO_TEST_CASE(annotations_that_are_left_out_of_a_change_are_cleared) {
  Store store;
  SilenceRequest request = Request();
  request.annotations = Labels({{"a", "b"}});
  request.id = store.MustSet(request);
  request.annotations = {};
  BOOST_TEST(store.MustSet(request) == request.id);
  BOOST_TEST(store.silences.Find(request.id)->annotations.empty());
}

BOOST_AUTO_TEST_CASE(an_active_one_with_other_matchers_or_start_is_replaced) {
  auto replaced = [](auto&& edit) {
    Store store;
    SilenceRequest request = Request();
    request.matchers = {{"a", MatchOp::kEqual, "1"}, {"b", MatchOp::kEqual, "2"}};
    const std::string id = store.MustSet(request);
    request.id = id;
    edit(request);
    auto change = store.Set(request, kNow + minutes(1));
    BOOST_REQUIRE(change);
    if (change->id == id) {
      return false;
    }
    BOOST_TEST(change->created);
    BOOST_REQUIRE(change->changed.size() == 2U);
    BOOST_TEST(change->changed[0].id == id);
    BOOST_TEST((change->changed[0].ends_at == kNow + minutes(1)));
    BOOST_TEST((change->changed[0].starts_at == kNow));
    BOOST_TEST((StateAt(*store.silences.Find(id), kNow + minutes(1)) == SilenceState::kExpired));
    BOOST_TEST((change->changed[1].starts_at >= kNow + minutes(1)));
    return true;
  };
  BOOST_TEST(!replaced([](SilenceRequest&) {}));
  BOOST_TEST(replaced([](SilenceRequest& r) { std::swap(r.matchers[0], r.matchers[1]); }));
  BOOST_TEST(replaced([](SilenceRequest& r) { r.matchers[0].value = "x"; }));
  BOOST_TEST(replaced([](SilenceRequest& r) { r.matchers[0].op = MatchOp::kRegex; }));
  BOOST_TEST(replaced([](SilenceRequest& r) { r.matchers.pop_back(); }));
  BOOST_TEST(replaced([](SilenceRequest& r) { r.starts_at += seconds(1); }));
  BOOST_TEST(replaced([](SilenceRequest& r) { r.starts_at -= milliseconds(1); }));
}

BOOST_AUTO_TEST_CASE(a_pending_one_moves_in_place_but_not_into_the_past) {
  Store store;
  SilenceRequest request = Request("Drift", kNow + hours(1), kNow + hours(2));
  const std::string id = store.MustSet(request);
  request.id = id;
  request.starts_at = kNow + hours(5);
  request.ends_at = kNow + hours(6);
  BOOST_TEST(store.MustSet(request) == id);
  request.starts_at = kNow - minutes(1);
  auto change = store.Set(request);
  BOOST_REQUIRE(change);
  BOOST_TEST(change->id != id);
  BOOST_TEST((change->changed[0].starts_at == kNow));  // never began
  BOOST_TEST((change->changed[0].ends_at == kNow));
  BOOST_TEST((change->changed[1].starts_at == kNow));
}

BOOST_AUTO_TEST_CASE(an_expired_one_is_recreated_under_a_new_id_and_stays_as_it_was) {
  Store store;
  SilenceRequest request = Request();
  const std::string id = store.MustSet(request);
  request.id = id;
  request.ends_at = kNow + hours(9);
  auto change = store.Set(request, kNow + hours(2));
  BOOST_REQUIRE(change);
  BOOST_TEST(change->id != id);
  BOOST_TEST(change->changed.size() == 1U);
  BOOST_TEST((store.silences.Find(id)->ends_at == kNow + hours(1)));
}

BOOST_AUTO_TEST_CASE(the_number_is_limited_on_creation_only_and_counts_expired_ones) {
  Store store({.count_max = 1});
  SilenceRequest request = Request();
  const std::string id = store.MustSet(request);
  BOOST_TEST(store.ErrorOf(request) == "exceeded maximum number of silences: 1 (limit: 1)");
  request.id = id;
  BOOST_TEST(store.MustSet(request) == id);
  BOOST_TEST(store.silences.Expire(id, kNow + minutes(1)).has_value());
  request.id.clear();
  BOOST_TEST(store.ErrorOf(request, kNow + minutes(2)) ==
             "exceeded maximum number of silences: 1 (limit: 1)");
  BOOST_TEST((store.Set(request).error().code == ErrorCode::kLimit));
  // A replacement that does not fit leaves the old one as it is.
  Store full({.count_max = 1});
  request.id = full.MustSet(Request());
  request.matchers[0].value = "other";
  BOOST_TEST(!full.ErrorOf(request).empty());
  BOOST_TEST((full.silences.Find(request.id)->ends_at == kNow + hours(1)));
}

BOOST_AUTO_TEST_CASE(classic_mode_takes_classic_names_only) {
  Store store({.classic_names = true});
  SilenceRequest request = Request();
  store.MustSet(request);
  request.matchers[0].name = "a.b";
  BOOST_TEST(store.ErrorOf(request) ==
             "invalid silence: invalid label matcher 0 in set 0: invalid label name \"a.b\"");
}

BOOST_AUTO_TEST_CASE(the_size_is_limited_on_creation_and_change) {
  Store store({.bytes_max = 200});
  SilenceRequest request = Request();
  request.id = store.MustSet(request);
  request.comment = std::string(200, 'x');
  const std::string error = store.ErrorOf(request);
  BOOST_TEST(error.starts_with("silence exceeded maximum size: "));
  BOOST_TEST(error.ends_with(" bytes (limit: 200 bytes)"));
  BOOST_TEST(store.silences.Find(request.id)->comment == "why");
  request.id.clear();
  BOOST_TEST((store.Set(request).error().code == ErrorCode::kLimit));
  BOOST_TEST(store.silences.size() == 1U);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(silences_end)

BOOST_AUTO_TEST_CASE(active_pending_and_expired_ones_end_each_in_their_way) {
  Store store;
  const std::string active = store.MustSet(Request());
  const std::string pending = store.MustSet(Request("Drift", kNow + hours(1), kNow + hours(2)));
  const Timestamp later = kNow + minutes(5);
  auto first = store.silences.Expire(active, later);
  BOOST_REQUIRE((first && *first));
  BOOST_TEST(((*first)->starts_at == kNow));
  BOOST_TEST(((*first)->ends_at == later));
  BOOST_TEST(((*first)->updated_at == later));
  auto second = store.silences.Expire(pending, later);
  BOOST_REQUIRE((second && *second));
  BOOST_TEST(((*second)->starts_at == later));
  BOOST_TEST(((*second)->ends_at == later));
  auto again = store.silences.Expire(active, later);
  BOOST_REQUIRE(again);
  BOOST_TEST(!*again);
  BOOST_TEST((store.silences.Expire("nope", later).error().code == ErrorCode::kNotFound));
}

BOOST_AUTO_TEST_CASE(states_change_at_their_instants) {
  Silence silence;
  silence.starts_at = kNow;
  silence.ends_at = kNow + hours(1);
  BOOST_TEST(ToString(StateAt(silence, kNow - Duration(1))) == "pending");
  BOOST_TEST(ToString(StateAt(silence, kNow)) == "active");
  BOOST_TEST(ToString(StateAt(silence, kNow + hours(1) - Duration(1))) == "active");
  BOOST_TEST(ToString(StateAt(silence, kNow + hours(1))) == "expired");
}

BOOST_AUTO_TEST_CASE(the_retention_is_that_of_the_flag) {
  Store store({.retention = hours(1)});
  const std::string id = store.MustSet(Request());
  BOOST_REQUIRE(store.silences.Expire(id, kNow));
  BOOST_TEST(store.silences.Collect(kNow + minutes(59)).empty());
  BOOST_TEST(store.silences.Collect(kNow + minutes(60)).size() == 1U);
}

BOOST_AUTO_TEST_CASE(expired_ones_are_kept_for_five_days) {
  Store store;
  const std::string id = store.MustSet(Request());
  store.MustSet(Request("Lag", kNow, kNever));
  BOOST_TEST(store.silences.Collect(kNow + hours(120)).empty());
  BOOST_TEST(store.silences.Collect(kNow + hours(121)) == Ids{id}, boost::test_tools::per_element());
  BOOST_TEST(store.silences.Find(id) == nullptr);
  BOOST_TEST(store.silences.size() == 1U);
  BOOST_TEST(store.silences.Collect(kNow + hours(24 * 10000)).empty());
}

BOOST_AUTO_TEST_CASE(stats_count_by_state) {
  Store store;
  store.MustSet(Request());
  store.MustSet(Request("Drift", kNow + hours(2), kNow + hours(3)));
  store.MustSet(Request("Drift", kNow, kNow + minutes(1)));
  SilenceStats stats = store.silences.Stats(kNow + minutes(2));
  BOOST_TEST(stats.active == 1U);
  BOOST_TEST(stats.pending == 1U);
  BOOST_TEST(stats.expired == 1U);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(silenced)

BOOST_AUTO_TEST_CASE(all_matchers_must_match_and_only_while_active) {
  Store store;
  SilenceRequest request = Request("Drift", kNow + minutes(1), kNow + hours(1));
  request.matchers.push_back({"model", MatchOp::kRegex, "chu.*"});
  store.MustSet(request);
  BOOST_TEST(!store.Silenced(kDrift, kNow));
  BOOST_TEST(store.Silenced(kDrift, kNow + minutes(1)));
  BOOST_TEST(!store.Silenced(kLag, kNow + minutes(1)));
  BOOST_TEST(!store.Silenced(Labels({{"alertname", "Drift"}, {"model", "fraud"}}), kNow + minutes(1)));
  BOOST_TEST(!store.Silenced(kDrift, kNow + hours(1)));
}

BOOST_AUTO_TEST_CASE(all_active_ones_that_match_are_listed_sorted) {
  Store store;
  store.MustSet(Request());
  store.MustSet(Request("Lag"));
  store.MustSet(Request("Drift", kNow + minutes(30)));
  SilenceRequest by_model = Request();
  by_model.matchers = {{"model", MatchOp::kNotEqual, "x"}};
  store.MustSet(by_model);
  BOOST_TEST(store.By(kDrift, kNow) == (Ids{"id1", "id4"}), boost::test_tools::per_element());
  BOOST_TEST(store.By(kDrift, kNow + minutes(30)) == (Ids{"id1", "id3", "id4"}),
             boost::test_tools::per_element());
  BOOST_TEST(store.By(kLag, kNow) == (Ids{"id2", "id4"}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_remembered_verdict_follows_every_change) {
  Store store;
  const std::string first = store.MustSet(Request());
  BOOST_TEST(store.Silenced(kDrift, kNow));
  BOOST_TEST(!store.Silenced(kLag, kNow));
  const std::string second = store.MustSet(Request("Lag"));
  BOOST_TEST(store.Silenced(kLag, kNow));
  BOOST_TEST(store.silences.Expire(first, kNow).has_value());
  BOOST_TEST(!store.Silenced(kDrift, kNow));
  SilenceRequest longer = Request("Lag", kNow, kNow + hours(50));
  longer.id = second;
  store.MustSet(longer);
  BOOST_TEST(store.Silenced(kLag, kNow + hours(49)));
  store.silences.Collect(kNow + hours(200));
  BOOST_TEST(!store.Silenced(kLag, kNow + hours(200)));
  BOOST_TEST(store.silences.size() == 0U);
}

BOOST_AUTO_TEST_CASE(other_labels_of_the_same_alert_are_judged_anew) {
  Store store;
  SilenceRequest low = Request();
  low.matchers = {{"severity", MatchOp::kEqual, "P3"}};
  store.MustSet(low);
  const LabelSet labels = kDrift.With("severity", "P3");
  BOOST_TEST(store.silences.IsSilenced(labels.fingerprint(), labels, kNow));
  BOOST_TEST(!store.silences.IsSilenced(labels.fingerprint(), labels.With("severity", "P1"), kNow));
  BOOST_TEST(store.silences.IsSilenced(labels.fingerprint(), labels, kNow));
}

BOOST_AUTO_TEST_CASE(a_clock_set_back_finds_silences_active_again) {
  Store store;
  store.MustSet(Request());
  BOOST_TEST(!store.Silenced(kDrift, kNow + hours(2)));
  BOOST_TEST(store.Silenced(kDrift, kNow + minutes(1)));
}

BOOST_AUTO_TEST_CASE(restored_ones_are_as_they_were) {
  Store store;
  const std::string id = store.MustSet(Request());
  Silences restored;
  for (Silence& silence : store.silences.All()) {
    restored.Restore(silence);
    restored.Restore(silence);  // once is enough
  }
  BOOST_TEST(restored.size() == 1U);
  BOOST_TEST(restored.IsSilenced(kDrift.fingerprint(), kDrift, kNow));
  SilenceRequest longer = Request("Drift", kNow, kNow + hours(3));
  longer.id = id;
  BOOST_TEST(restored.Set(longer, kNow, [] { return "new"; })->id == id);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mlalert::testing
