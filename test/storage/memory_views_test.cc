// Did anybody act? The levels of evidence, changes beside incidents, pages and interruptions, rules as
// loaded: what the views make of rows.
#include <boost/test/unit_test.hpp>
#include <chrono>

#include "storage/migrator.h"
#include "storage/record_writer.h"
#include "storage/restore.h"
#include "support/builders.h"

namespace mlalert {
namespace {

using namespace std::chrono_literals;

constexpr Timestamp kMonday = FromUnixMillis(1704067200000);  // 2024-01-01

class File {
 public:
  File() : db_(std::move(*Db::Open("", DbMode::kMemory))) { BOOST_REQUIRE(Migrate(db_)); }

  void Write(const std::vector<Record>& records) {
    auto writer = RecordWriter::Create(db_);
    BOOST_REQUIRE_MESSAGE(writer, (writer ? "" : writer.error().ToString()));
    for (const Record& record : records) {
      Status status = writer->Write(record);
      BOOST_REQUIRE_MESSAGE(status, (status ? "" : status.error().ToString()));
    }
  }
  // Rows as "a b", joined by ", ".
  std::string Rows(const std::string& sql) {
    auto stmt = db_.Prepare(sql);
    BOOST_REQUIRE_MESSAGE(stmt, (stmt ? "" : stmt.error().ToString()));
    std::string out;
    while (true) {
      auto row = stmt->Step();
      BOOST_REQUIRE_MESSAGE(row, (row ? "" : row.error().ToString()));
      if (!*row) {
        return out;
      }
      out += out.empty() ? "" : ", ";
      for (int i = 0; i < stmt->ColumnCount(); ++i) {
        out += (i == 0 ? "" : " ") + stmt->String(i);
      }
    }
  }
  std::string Level(IncidentId id) {
    return Rows("SELECT action_level, negative FROM v_action_evidence WHERE incident_id = " +
                std::to_string(id));
  }
  Db& db() { return db_; }

 private:
  Db db_;
};

Incident Resolved(IncidentId id, Timestamp opened, Duration length, const std::string& model = "fraud") {
  Incident incident;
  incident.id = id;
  incident.labels = testing::Labels({{"alertname", "Drift"}, {"model", model}, {"env", "prod"}});
  incident.key = testing::Labels({{"n", std::to_string(id)}});
  incident.opened_at = opened;
  incident.last_fired_at = opened;
  incident.resolved_at = opened + length;
  incident.state = IncidentState::kResolved;
  incident.resolve_reason = ResolveReason::kCondition;
  return incident;
}

FeedbackRecord Said(IncidentId id, const std::string& actor, const std::string& verdict) {
  FeedbackRecord out;
  out.incident_id = id;
  out.at = kMonday;
  out.actor = actor;
  out.via = "api";
  out.verdict = verdict;
  return out;
}

ChangeRecord Changed(int64_t id, Timestamp at, const std::string& kind, const std::string& model) {
  ChangeRecord out;
  out.id = id;
  out.at = at;
  out.received_at = at;
  out.kind = kind;
  out.model = model;
  return out;
}

BOOST_AUTO_TEST_SUITE(action_evidence)

BOOST_AUTO_TEST_CASE(nothing_is_a0_an_acknowledgement_a1) {
  File file;
  file.Write({IncidentRecord{Resolved(1, kMonday, 1h)}, IncidentRecord{Resolved(2, kMonday, 1h)},
              AcknowledgementRecord{.incident_id = 2, .at = kMonday + 1min, .actor = "ada"}});
  BOOST_TEST(file.Level(1) == "A0 0");
  BOOST_TEST(file.Level(2) == "A1 0");
}

BOOST_AUTO_TEST_CASE(of_one_person_the_last_word_counts) {
  File file;
  file.Write({IncidentRecord{Resolved(1, kMonday, 1h)}, Said(1, "ada", "acted")});
  BOOST_TEST(file.Level(1) == "A2 0");
  file.Write({Said(1, "ada", "false_alarm")});
  BOOST_TEST(file.Level(1) == "A0 1");
  file.Write({Said(1, "bob", "acted")});
  BOOST_TEST(file.Level(1) == "A2 1");
  // Poor details says nothing about whether it was worth it.
  File other;
  other.Write({IncidentRecord{Resolved(1, kMonday, 1h)}, Said(1, "ada", "poor_details")});
  BOOST_TEST(other.Level(1) == "A0 0");
}

BOOST_AUTO_TEST_CASE(resolution_link_and_human_raise_are_acts) {
  File file;
  FeedbackRecord fixed = Said(1, "ada", "poor_details");
  fixed.resolution = "rolled_back";
  FeedbackRecord linked = Said(2, "ada", "poor_details");
  linked.link = "https://tickets/1";
  FeedbackRecord nothing = Said(4, "ada", "acted");
  nothing.resolution = "no_action";
  std::vector<Record> records;
  for (IncidentId id = 1; id <= 5; ++id) {
    records.push_back(IncidentRecord{Resolved(id, kMonday, 1h)});
  }
  records.insert(
      records.end(),
      {fixed, linked, nothing,
       EventRecord{.at = kMonday, .incident_id = 3, .type = "severity_raised", .actor_kind = "human"},
       EventRecord{.at = kMonday, .incident_id = 5, .type = "severity_raised", .actor_kind = "system"}});
  file.Write(records);
  BOOST_TEST(file.Level(1) == "A2 0");
  BOOST_TEST(file.Level(2) == "A2 0");
  BOOST_TEST(file.Level(3) == "A2 0");
  BOOST_TEST(file.Level(4) == "A0 1");
  BOOST_TEST(file.Level(5) == "A0 0");
}

BOOST_AUTO_TEST_CASE(a_change_counts_from_the_opening_until_half_an_hour_after_the_end) {
  const struct {
    Duration at;
    const char* level;
  } cases[] = {{-1ms, "A0 0"}, {0ms, "A2 0"}, {1h + 30min, "A2 0"}, {1h + 30min + 1ms, "A0 0"}};
  for (const auto& c : cases) {
    File file;
    file.Write({IncidentRecord{Resolved(1, kMonday, 1h)}, Changed(1, kMonday + c.at, "rollback", "fraud")});
    BOOST_TEST(file.Level(1) == c.level, "at " << FormatGoDuration(c.at));
  }
}

BOOST_AUTO_TEST_CASE(changes_of_others_and_of_schedules_do_not_count) {
  File file;
  ChangeRecord nightly = Changed(2, kMonday + 1min, "retrain", "fraud");
  nightly.automatic = true;
  ChangeRecord staging = Changed(3, kMonday + 1min, "deploy", "fraud");
  staging.env = "staging";
  ChangeRecord other_pipeline = Changed(4, kMonday + 1min, "deploy", "fraud");
  other_pipeline.pipeline = "features";
  Incident with_pipeline = Resolved(2, kMonday, 1h, "churn");
  with_pipeline.labels = testing::Labels({{"alertname", "Late"}, {"pipeline", "batch"}});
  ChangeRecord entity = Changed(5, kMonday + 2min, "config", "");
  entity.entity = "batch";
  file.Write({IncidentRecord{Resolved(1, kMonday, 1h)}, IncidentRecord{with_pipeline},
              Changed(1, kMonday + 1min, "deploy", "churn"), nightly, staging, entity});
  BOOST_TEST(file.Level(1) == "A0 0");
  BOOST_TEST(file.Level(2) == "A2 0");
  BOOST_TEST(file.Rows("SELECT change_id, relation FROM v_incident_changes WHERE incident_id = 1") ==
             "2 during");
  // The incident has no pipeline: the model decides.
  file.Write({other_pipeline});
  BOOST_TEST(file.Level(1) == "A2 0");
}

BOOST_AUTO_TEST_CASE(a_change_made_for_an_incident_needs_no_name) {
  File file;
  ChangeRecord change = Changed(1, kMonday + 9h, "config", "");
  change.incident_id = 1;
  file.Write({IncidentRecord{Resolved(1, kMonday, 1h)}, change});
  BOOST_TEST(file.Level(1) == "A2 0");
}

BOOST_AUTO_TEST_CASE(a_change_before_explains_but_is_no_act) {
  File file;
  file.Write({IncidentRecord{Resolved(1, kMonday, 1h)}, Changed(1, kMonday - 20min, "deploy", "fraud"),
              Changed(2, kMonday - 7h, "deploy", "fraud")});
  BOOST_TEST(file.Level(1) == "A0 0");
  BOOST_TEST(file.Rows("SELECT change_id, relation, seconds_after_opening FROM v_incident_changes") ==
             "1 before -1200.0");
}

BOOST_AUTO_TEST_CASE(who_was_silenced_is_marked) {
  File file;
  MuteRecord mute;
  mute.id = 1;
  mute.incident_id = 1;
  mute.kind = "silenced";
  mute.started_at = kMonday;
  file.Write({IncidentRecord{Resolved(1, kMonday, 1h)}, mute});
  BOOST_TEST(file.Level(1) == "A0 1");
  BOOST_TEST(file.Rows("SELECT muted, silenced FROM v_incident_facts") == "1 1");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(pages)

NotificationRecord Sent(int64_t id, Timestamp at, const std::string& receiver, const std::string& integration,
                        Severity severity = Severity::kP1, const std::string& reason = "first notification") {
  NotificationRecord out;
  out.id = id;
  out.at = at;
  out.receiver = receiver;
  out.integration = integration;
  out.reason = reason;
  out.outcome = "sent";
  out.severity = severity;
  out.firing = 1;
  return out;
}

BOOST_AUTO_TEST_CASE(pages_within_a_minute_are_one_interruption) {
  File file;
  file.Write({Sent(1, kMonday, "oncall", "pagerduty"),
              Sent(2, kMonday + 60s, "oncall", "pushover"),          // 60 s: the same one
              Sent(3, kMonday + 120s, "oncall", "pagerduty"),        // chained
              Sent(4, kMonday + 180s + 1ms, "oncall", "pagerduty"),  // 60.001 s later: a new one
              Sent(5, kMonday + 1s, "lead", "pagerduty"),            // somebody else
              Sent(6, kMonday + 1h, "oncall", "email"), Sent(7, kMonday + 1h, "oncall", "slack"),
              Sent(8, kMonday + 1h, "oncall", "pagerduty", Severity::kP2),
              Sent(9, kMonday + 1h, "oncall", "pagerduty", Severity::kP0, "acknowledged")});
  BOOST_TEST(file.Rows("SELECT id, interruption FROM v_pages ORDER BY id") == "1 1, 2 0, 3 0, 4 1, 5 1");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(rule_versions)

RuleVersion Rule(const std::string& name, int64_t for_ms) {
  RuleVersion out;
  out.file = "rules/a.yml";
  out.group = "g";
  out.rule = name;
  out.expr = "x > 1";
  out.for_ms = for_ms;
  out.labels = "{}";
  out.annotations = "{}";
  out.digest = name + std::to_string(for_ms);
  return out;
}

BOOST_AUTO_TEST_CASE(a_rule_has_a_row_for_each_way_it_was_loaded) {
  File file;
  file.Write({RuleSetRecord{kMonday, {Rule("A", 0), Rule("B", 0)}}});
  file.Write({RuleSetRecord{kMonday + 1h, {Rule("A", 0), Rule("B", 60000)}}});
  file.Write({RuleSetRecord{kMonday + 2h, {Rule("B", 60000)}}});
  BOOST_TEST(file.Rows("SELECT rule, for_ms, valid_from - 1704067200000, valid_to - 1704067200000 FROM "
                       "rule_versions ORDER BY id") == "A 0 0 7200000, B 0 0 3600000, B 60000 3600000 ");
  BOOST_TEST(file.Rows("SELECT rule FROM v_rules") == "B");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(memory_records)

BOOST_AUTO_TEST_CASE(what_lasts_comes_back_after_a_restart) {
  File file;
  MuteRecord open;
  open.id = 7;
  open.kind = "silenced";
  open.muted_by = "a,b";
  open.fingerprint = 0xabc;
  open.incident_id = 3;
  open.started_at = kMonday;
  MuteRecord ended = open;
  ended.id = 8;
  ended.ended_at = kMonday + 1h;
  ended.end_reason = "over";
  file.Write({open, ended, Changed(4, kMonday, "deploy", "m")});
  auto state = LoadState(file.db(), kUnset);
  BOOST_REQUIRE_MESSAGE(state, (state ? "" : state.error().ToString()));
  BOOST_REQUIRE_EQUAL(state->mutes.size(), 1);
  BOOST_TEST(state->mutes[0].id == 7);
  BOOST_TEST(state->mutes[0].fingerprint == 0xabcU);
  BOOST_TEST(state->mutes[0].muted_by == "a,b");
  BOOST_TEST(state->next_mute_id == 9);
  BOOST_TEST(state->next_change_id == 5);
}

BOOST_AUTO_TEST_CASE(an_ended_review_stays_as_it_was) {
  File file;
  ReviewRecord review;
  review.week = "2024-W01";
  review.data = "{\"first\":1}";
  review.told = 4;
  review.acted = 1;
  ReviewRecord again = review;
  again.data = "{\"second\":1}";
  review.week_start = again.week_start = kMonday;
  review.week_end = review.frozen_at = again.week_end = again.frozen_at = kMonday + 168h;
  file.Write({review, again});
  BOOST_TEST(file.Rows("SELECT week, action_ratio, data FROM v_reviews") == "2024-W01 0.25 {\"first\":1}");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mlalert
