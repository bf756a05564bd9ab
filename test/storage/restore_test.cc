#include "storage/restore.h"

#include <boost/test/unit_test.hpp>
#include <fmt/format.h>
#include <optional>

#include "storage/migrator.h"
#include "storage/record_writer.h"
#include "storage/records.h"
#include "storage/retention.h"

namespace mlalert {
namespace {

using testing::At;
using testing::Describe;

Db Memory() {
  auto db = Db::Open("", DbMode::kMemory);
  BOOST_REQUIRE(db);
  BOOST_REQUIRE(Migrate(*db));
  return std::move(*db);
}

void Write(Db& db, const std::vector<Record>& records, bool in_batch = false) {
  auto writer = RecordWriter::Create(db);
  BOOST_REQUIRE_MESSAGE(writer, (writer ? "" : writer.error().ToString()));
  auto txn = Txn::Begin(db);
  BOOST_REQUIRE(txn);
  std::optional<RecordWriter::Batch> batch;
  if (in_batch) {
    batch.emplace(*writer);
  }
  for (const Record& record : records) {
    Status status = writer->Write(record);
    BOOST_REQUIRE_MESSAGE(status, (status ? "" : status.error().ToString()));
  }
  if (batch) {
    Status status = batch->End();
    BOOST_REQUIRE_MESSAGE(status, (status ? "" : status.error().ToString()));
  }
  BOOST_REQUIRE(txn->Commit());
}

// What a storm writes: incidents that open, their events and episodes; and now and then what happens to one
// of them later.
class Storm {
 public:
  explicit Storm(testing::RandomRecords& random) : random_(random) {}

  void Next(std::vector<Record>& records) {
    const int64_t id = next_++;
    const LabelSet labels = LabelSet::From({{"alertname", "A"}, {"i", fmt::format("{}", id)}, {"team", "t"}});
    Incident incident;
    incident.id = id;
    incident.labels = labels;
    incident.key = random_.Below(3) == 0 ? LabelSet::From({{"key", fmt::format("{}", id)}}) : labels;
    incident.annotations = LabelSet::From({{"summary", "s"}});
    incident.base = incident.severity = Severity::kP2;
    incident.opened_at = incident.last_fired_at = incident.clock_since = At(id);
    incident.generation = incident.opened_generation = 1;
    incident.episode_count = 1;
    records.emplace_back(IncidentRecord{incident});
    records.emplace_back(EventRecord{.at = At(id), .incident_id = id, .type = "opened"});
    EpisodeRecord episode;
    episode.id = id;
    episode.incident_id = id;
    episode.fingerprint = labels.fingerprint();
    episode.labels = labels;
    episode.as_incident = random_.Below(2) == 0;
    episode.annotations = episode.as_incident ? incident.annotations : LabelSet::From({{"own", "x"}});
    episode.started_at = episode.received_at = episode.updated_at = At(id);
    episode.ends_at = At(id + 1000);
    episode.generator_url = "http://p/";
    episode.held = true;
    records.emplace_back(episode);
    if (random_.Below(5) == 0) {
      incident.state = IncidentState::kResolved;
      incident.resolved_at = At(id + 5);
      incident.generation = 2;
      records.emplace_back(IncidentRecord{incident});
    }
    if (random_.Below(5) == 0) {
      episode.ended_at = At(id + 5);
      records.emplace_back(episode);
    }
    if (random_.Below(5) == 0) {
      records.emplace_back(AlertDelete{episode.fingerprint, id});
    }
  }

 private:
  testing::RandomRecords& random_;
  int64_t next_ = 1000;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(load_state)

BOOST_AUTO_TEST_CASE(is_empty_for_a_new_file) {
  Db db = Memory();
  auto state = LoadState(db, kUnset);
  BOOST_REQUIRE(state);
  BOOST_TEST(Describe(*state) == "next 1 1 1");
}

BOOST_AUTO_TEST_CASE(gives_back_what_any_sequence_of_records_left) {
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    BOOST_TEST_CONTEXT("seed " << seed) {
      testing::RandomRecords random(seed);
      testing::NaiveState naive;
      std::vector<Record> records;
      Storm storm(random);
      for (uint64_t i = 0, n = random.Below(400); i < n; ++i) {
        if (seed % 2 == 0) {
          storm.Next(records);
        }
        if (seed % 4 != 0) {
          records.push_back(random.Next());
        }
      }
      for (const Record& record : records) {
        naive.Apply(record);
      }
      Db db = Memory();
      Write(db, records, seed % 3 != 0);
      for (Timestamp after : {kUnset, At(0), At(2'000'000'000'000)}) {
        auto state = LoadState(db, after);
        BOOST_REQUIRE_MESSAGE(state, (state ? "" : state.error().ToString()));
        BOOST_REQUIRE_EQUAL(Describe(*state), Describe(naive.State(after)));
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(writing_a_record_twice_is_as_writing_it_once) {
  testing::RandomRecords random(7);
  testing::NaiveState naive;
  std::vector<Record> twice;
  for (int i = 0; i < 300; ++i) {
    twice.push_back(random.Next());
    naive.Apply(twice.back());
    twice.push_back(twice.back());
  }
  Db db = Memory();
  Write(db, twice);
  auto state = LoadState(db, kUnset);
  BOOST_REQUIRE(state);
  BOOST_TEST(Describe(*state) == Describe(naive.State(kUnset)));
}

BOOST_AUTO_TEST_CASE(cuts_times_below_a_millisecond) {
  Db db = Memory();
  EpisodeRecord record{.id = 1, .held = true};
  record.started_at = At(1000) + Duration(999'999);
  record.ends_at = At(-1) + Duration(1);
  Write(db, {record});
  auto state = LoadState(db, kUnset);
  BOOST_REQUIRE(state);
  BOOST_TEST(Describe(state->alerts[0].alert.starts_at) == Describe(At(1000)));
  BOOST_TEST(Describe(state->alerts[0].alert.ends_at) == Describe(At(-1)));
}

BOOST_AUTO_TEST_CASE(incidents_of_one_policy_share_it) {
  Db db = Memory();
  Incident incident;
  incident.policy = std::make_shared<const IncidentPolicy>(IncidentPolicy{"page", {}, {}, {}, {}, false, {}});
  std::vector<Record> records;
  for (int i = 1; i <= 2; ++i) {
    incident.id = i;
    incident.key = LabelSet::From({{"i", std::to_string(i)}});
    records.push_back(IncidentRecord{incident});
  }
  Write(db, records);
  auto state = LoadState(db, kUnset);
  BOOST_REQUIRE(state);
  BOOST_TEST(state->incidents[0].policy.get() == state->incidents[1].policy.get());
}

BOOST_AUTO_TEST_CASE(names_table_and_row_of_damaged_values) {
  const struct {
    const char* sql;
    const char* where;
  } cases[] = {
      {"UPDATE episode_rows SET own_labels = '[1]'", "table episodes, row 7"},
      {"UPDATE episode_rows SET own_labels = '{\"a\":'", "table episodes, row 7"},
      {"UPDATE episode_rows SET source = 'moon'", "moon"},
      {"UPDATE incidents SET base_severity = 'P9'", "table incidents, row 5"},
      {"UPDATE incidents SET policy = '{'", "table incidents, row 5"},
      {"UPDATE nflog SET firing = '[\"xyz\"]'", "xyz"},
      {"UPDATE nflog SET firing = '[1]'", "table nflog"},
  };
  for (const auto& c : cases) {
    BOOST_TEST_CONTEXT(c.sql) {
      Db db = Memory();
      IncidentRecord incident;
      incident.incident.id = 5;
      EpisodeRecord alert{.id = 7, .labels = LabelSet::From({{"a", "b"}}), .held = true};
      Write(db, {incident, alert, NflogEntry{"g", "r", "slack", 0, At(1), {1}, {}, {}, "", At(2)}});
      BOOST_REQUIRE(LoadState(db, kUnset));
      BOOST_REQUIRE(db.Exec(c.sql));
      auto state = LoadState(db, kUnset);
      BOOST_REQUIRE(!state);
      BOOST_TEST(state.error().message.find(c.where) != std::string::npos, state.error().message);
      BOOST_TEST(!db.InTransaction());
    }
  }
}

BOOST_AUTO_TEST_CASE(never_gives_an_id_again_after_retention_has_deleted_the_highest) {
  Db db = Memory();
  IncidentRecord incident;
  incident.incident.id = 41;
  incident.incident.state = IncidentState::kResolved;
  incident.incident.opened_at = At(1);
  incident.incident.resolved_at = At(2);
  Write(db, {incident, EpisodeRecord{.id = 7, .incident_id = 41, .started_at = At(1), .ended_at = At(2)},
             NotificationRecord{.id = 9, .at = At(1), .incidents = {{41}}},
             EventRecord{.at = At(1), .incident_id = 41, .type = "opened"}});
  const Timestamp cutoff = At(int64_t{10} * 7 * 86'400'000);
  int64_t done = 1;
  while (done > 0) {
    auto step = RetentionStep(db, cutoff, cutoff);
    BOOST_REQUIRE_MESSAGE(step, (step ? "" : step.error().ToString()));
    done = *step;
  }
  for (const char* table : {"incidents", "episode_rows", "notifications", "events"}) {
    BOOST_TEST(*db.QueryInt(std::string("SELECT count(*) FROM ") + table) == 0, table);
  }
  auto state = LoadState(db, kUnset);
  BOOST_REQUIRE(state);
  BOOST_TEST(Describe(*state) == "next 42 8 10");
  Write(db, {EventRecord{.at = At(3), .type = "later"}});
  BOOST_TEST(*db.QueryInt("SELECT id FROM events") == 2);
}

BOOST_AUTO_TEST_CASE(uses_an_index_for_what_a_large_history_would_make_slow) {
  Db db = Memory();
  auto plan = db.Prepare(
      "EXPLAIN QUERY PLAN SELECT id FROM incidents WHERE state <> 'resolved' UNION ALL "
      "SELECT id FROM incidents WHERE state = 'resolved' AND resolved_at > 5");
  BOOST_REQUIRE(plan);
  std::string text;
  while (plan->Step().value_or(false)) {
    text += plan->String(3) + "\n";
  }
  // Either of the two that hold open ones only.
  BOOST_TEST((text.find("incidents_open") != std::string::npos ||
              text.find("incidents_one_open_per_key") != std::string::npos),
             text);
  BOOST_TEST(text.find("incidents_by_resolved") != std::string::npos, text);
}

BOOST_AUTO_TEST_CASE(an_alert_stays_held_by_its_newest_episode_after_its_end) {
  Db db = Memory();
  EpisodeRecord first{.id = 1, .fingerprint = 9, .started_at = At(1), .ended_at = At(2), .held = true};
  first.end_reason = ResolveReason::kCondition;
  EpisodeRecord second{.id = 2, .fingerprint = 9, .started_at = At(3), .held = true};
  Write(db, {first, AlertDelete{9, 1}, second});
  auto state = LoadState(db, kUnset);
  BOOST_REQUIRE(state);
  BOOST_REQUIRE(state->alerts.size() == 1u);
  BOOST_TEST(state->alerts[0].episode_id == 2);
  BOOST_TEST(!state->alerts[0].ended);
  BOOST_TEST(*db.QueryInt("SELECT count(*) FROM alerts WHERE episode_id = 2") == 1);
  second.ended_at = At(4);
  Write(db, {second});
  BOOST_TEST(LoadState(db, kUnset)->alerts.at(0).ended);
  BOOST_TEST(*db.QueryInt("SELECT count(*) FROM alerts WHERE episode_id IS NULL") == 1);
  Write(db, {AlertDelete{9, 2}});
  BOOST_TEST(LoadState(db, kUnset)->alerts.empty());
  BOOST_TEST(*db.QueryInt("SELECT count(*) FROM episodes") == 2);
}

BOOST_AUTO_TEST_CASE(the_labels_of_an_incident_are_those_of_the_episode_that_opened_it) {
  Db db = Memory();
  IncidentRecord incident;
  incident.incident.id = 5;
  incident.incident.labels = LabelSet::From({{"alertname", "Drift"}, {"model", "m"}});
  incident.incident.key = incident.incident.labels;
  incident.incident.annotations = LabelSet::From({{"summary", "it drifts"}});
  EpisodeRecord opens{.id = 1, .incident_id = 5, .labels = incident.incident.labels};
  opens.annotations = incident.incident.annotations;
  opens.as_incident = true;
  opens.held = true;
  EpisodeRecord joins = opens;
  joins.id = 2;
  joins.as_incident = false;
  joins.annotations = LabelSet::From({{"summary", "it drifts more"}});
  Write(db, {incident, opens, joins});
  auto state = LoadState(db, kUnset);
  BOOST_REQUIRE_MESSAGE(state, (state ? "" : state.error().ToString()));
  BOOST_TEST(Describe(state->incidents.at(0)) == Describe(incident.incident));
  BOOST_TEST((state->alerts.at(0).alert.labels == opens.labels));
  BOOST_TEST((state->alerts.at(0).alert.annotations == opens.annotations));
  BOOST_TEST((state->alerts.at(1).alert.annotations == joins.annotations));
  BOOST_TEST(*db.QueryInt("SELECT count(*) FROM episodes e JOIN incidents i ON i.id = e.incident_id WHERE "
                          "e.labels = i.labels AND i.key = i.labels") == 2);
  BOOST_TEST(*db.QueryInt("SELECT count(*) FROM alerts WHERE labels ->> 'model' = 'm'") == 2);
  BOOST_TEST(*db.QueryInt("SELECT count(*) FROM episode_rows WHERE own_labels IS NULL") == 1);
}

BOOST_AUTO_TEST_CASE(what_was_told_is_known_from_the_notifications) {
  Db db = Memory();
  IncidentRecord incident;
  incident.incident.id = 5;
  incident.incident.last_told_at = At(10);
  incident.incident.told_severity = Severity::kP1;
  NotificationRecord before{
      .id = 1, .at = At(10), .outcome = "sent", .incidents = {{5, true, Severity::kP3}}};
  NotificationRecord resolve{.id = 2, .at = At(20), .outcome = "sent", .incidents = {{5}}};
  Write(db, {incident, before, resolve});
  auto state = LoadState(db, kUnset);
  BOOST_REQUIRE(state);
  BOOST_TEST(Describe(state->incidents.at(0)) == Describe(incident.incident));
  Write(db, {NotificationRecord{.id = 3, .at = At(30), .incidents = {{5, true, Severity::kP2}}},
             NotificationRecord{.id = 4, .at = At(40), .incidents = {{5, true, Severity::kNone}}}});
  state = LoadState(db, kUnset);
  BOOST_REQUIRE(state);
  BOOST_TEST(Describe(state->incidents.at(0).last_told_at) == Describe(At(40)));
  BOOST_TEST((state->incidents.at(0).told_severity == Severity::kNone));
  BOOST_TEST(*db.QueryInt("SELECT last_told_at = '1970-01-01T00:00:00.040Z' FROM v_open_incidents") == 1);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(record_writer)

BOOST_AUTO_TEST_CASE(extracts_labels_into_columns) {
  Db db = Memory();
  EpisodeRecord alert{.id = 1, .severity = Severity::kP2, .held = true};
  alert.labels =
      LabelSet::From({{"alertname", "Drift"}, {"severity", "warning"}, {"model", "m"}, {"team", "t"}});
  Write(db, {alert});
  auto row = db.Prepare("SELECT alertname, severity, model, pipeline, team, labels ->> 'model' FROM alerts");
  BOOST_REQUIRE(row);
  BOOST_REQUIRE(row->Step().value_or(false));
  BOOST_TEST(row->String(0) == "Drift");
  BOOST_TEST(row->String(1) == "P2");
  BOOST_TEST(row->String(2) == "m");
  BOOST_TEST(row->IsNull(3));
  BOOST_TEST(row->String(4) == "t");
  BOOST_TEST(row->String(5) == "m");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mlalert
