// What reviews read all at once, beside the views that say what it means: random histories, both must agree.
#include "storage/incident_facts.h"

#include <boost/test/unit_test.hpp>
#include <fmt/format.h>
#include <random>

#include "storage/each_row.h"
#include "storage/migrator.h"
#include "storage/temp_dir.h"

namespace mlalert {
namespace {

constexpr int64_t kStart = 1704067200000;
constexpr int64_t kHour = 3'600'000;
constexpr int64_t kSpanHours = 100;

class RandomHistory {
 public:
  explicit RandomHistory(uint64_t seed) : random_(seed), db_(std::move(*OpenAndMigrate(dir_.File()))) {
    Run("BEGIN");
    const int64_t incidents = Pick(60) + 5;
    int64_t id = 0;
    for (int64_t n = 0; n < incidents; ++n) {
      id += Chance(10) ? 500 + Pick(500) : 1 + Pick(3);  // gaps, as retention and other teams leave them
      AddIncident(id);
    }
    for (int64_t n = Pick(40); n > 0; --n) {
      AddChange(id);
    }
    for (int64_t n = Pick(200); n > 0; --n) {
      Run(fmt::format(
          "INSERT INTO notifications (id, at, group_key, receiver, integration, integration_index, reason, "
          "attempt, outcome, latency_ms, error, severity, firing, resolved, incidents) VALUES ({}, {}, '', "
          "'r{}', '{}', 0, '{}', 1, '{}', 0, '', {}, {}, 0, '[1,2]')",
          1'000'000 + n, kStart + Pick(kSpanHours * 60) * 20'000, Pick(3),
          One({"pagerduty", "slack", "webhook"}), One({"first notification", "acknowledged"}),
          One({"sent", "sent", "failed"}), Severity(), Pick(2)));
    }
    Run("COMMIT");
  }

  Db& db() { return db_; }
  std::string file() const { return dir_.File(); }
  Span RandomSpan() {
    const int64_t from = kStart + Pick(kSpanHours) * kHour;
    return {FromUnixMillis(from), FromUnixMillis(from + (1 + Pick(60)) * kHour)};
  }

 private:
  int64_t Pick(int64_t below) { return std::uniform_int_distribution<int64_t>(0, below - 1)(random_); }
  bool Chance(int64_t percent) { return Pick(100) < percent; }
  std::string One(std::initializer_list<const char*> of) {
    return *(of.begin() + Pick(static_cast<int64_t>(of.size())));
  }
  std::string Severity() { return One({"'P0'", "'P1'", "'P2'", "'P3'", "NULL"}); }
  std::string NameOrNull(const char* prefix) {
    return Chance(30) ? "NULL" : fmt::format("'{}{}'", prefix, Pick(3));
  }
  void Run(const std::string& sql) {
    Status status = db_.Exec(sql);
    BOOST_REQUIRE_MESSAGE(status, (status ? "" : status.error().ToString() + "\n" + sql));
  }

  void AddIncident(int64_t id) {
    const int64_t opened = kStart + Pick(kSpanHours) * kHour;
    const bool over = Chance(80);
    const std::string resolved = over ? fmt::format("{}", opened + Pick(300) * 60'000) : "NULL";
    const std::string labels = fmt::format(R"({{"alertname":"A"{}{}}})", Chance(50) ? R"(,"env":"prod")" : "",
                                           Chance(10) ? R"(,"test":"true")" : "");
    Run(fmt::format(
        "INSERT INTO incidents (id, own_key, labels, annotations, alertname, severity, model, pipeline, "
        "team, "
        "state, base_severity, opened_at, last_fired_at, resolved_at, resolve_reason, clock_elapsed_ms, "
        "ladder_step, generation, reopen_count, episode_count) VALUES ({0}, '{{\"n\":\"{0}\"}}', '{1}', "
        "'{{}}', "
        "'A', {2}, {3}, {4}, {5}, '{6}', {7}, {8}, {8}, {9}, '{10}', 0, 0, 1, {11}, 1)",
        id, labels, Severity(), NameOrNull("x"), NameOrNull("x"), NameOrNull("t"), over ? "resolved" : "open",
        Severity(), opened, resolved, over ? One({"condition", "timeout", "manual"}) : "", Pick(2)));
    for (int64_t n = Pick(3); n > 0; --n) {
      const int64_t notification = ++notifications_;
      Run(fmt::format(
          "INSERT INTO notifications (id, at, group_key, receiver, integration, integration_index, reason, "
          "attempt, outcome, latency_ms, error, severity, firing, resolved, incidents) VALUES ({}, {}, '', "
          "'r0', "
          "'pagerduty', 0, 'first notification', 1, 'sent', 0, '', 'P1', 1, 0, '[{}]')",
          notification, opened + Pick(60) * 60'000, id));
      Run(fmt::format("INSERT INTO notification_incidents VALUES ({}, {}, {})", notification, id,
                      One({"NULL", "''", "'P0'", "'P1'", "'P2'"})));
    }
    if (Chance(40)) {
      Run(fmt::format("INSERT INTO acknowledgements VALUES ({}, {}, 'a', '', '', NULL, NULL, '')", id,
                      opened + Pick(200) * 60'000));
    }
    for (int64_t n = Pick(3); n > 0; --n) {
      Run(fmt::format(
          "INSERT INTO feedback (incident_id, at, actor, via, verdict, resolution, comment, link) "
          "VALUES ({}, {}, 'u{}', 'api', '{}', '{}', '', '{}')",
          id, opened, Pick(2), One({"acted", "not_actionable", "false_alarm", "poor_details"}),
          One({"", "", "fixed", "no_action"}), One({"", "", "", "https://t/1"})));
    }
    for (int64_t n = Pick(3); n > 0; --n) {
      Run(fmt::format(
          "INSERT INTO events (at, incident_id, type, actor_kind, actor, reason, from_value, to_value, data) "
          "VALUES ({}, {}, '{}', '{}', '', '{}', '', '', {})",
          opened, id, One({"raised", "resolved", "snoozed", "commented", "runbook_step"}),
          One({"human", "system"}), One({"", "fixed"}), One({"NULL", R"('{"resolution":"mitigated"}')"})));
    }
    if (Chance(20)) {
      Run(
          fmt::format("INSERT INTO mutes (incident_id, fingerprint, kind, muted_by, receiver, started_at, "
                      "end_reason) VALUES ({}, '', '{}', '', '', {}, '')",
                      id, One({"silenced", "inhibited"}), opened));
    }
  }

  void AddChange(int64_t last_incident) {
    Run(
        fmt::format("INSERT INTO changes (at, received_at, kind, model, pipeline, entity, env, incident_id, "
                    "from_version, "
                    "to_version, actor, automatic, url, comment) VALUES ({0}, {0}, 'deploy', {1}, {2}, {3}, "
                    "{4}, {5}, '', "
                    "'', '', {6}, '', '')",
                    kStart + Pick(kSpanHours * 4) * kHour / 4, NameOrNull("x"), NameOrNull("x"),
                    NameOrNull("x"), One({"NULL", "'prod'", "'dev'"}),
                    Chance(10) ? fmt::format("{}", 1 + Pick(last_incident)) : "NULL", Pick(2)));
  }

  testing::TempDir dir_;
  std::mt19937_64 random_;
  Db db_;
  int64_t notifications_ = 0;
};

std::string Line(const IncidentFacts& f) {
  return fmt::format(
      "{} {} {} {} {} {} {} {} {} {} {} {} {} {} level={} negative={} muted={} test={} raised={}\n", f.id,
      f.alertname, f.model, f.pipeline, f.team, ToString(f.severity), ToString(f.base), f.resolved,
      ToUnixMillis(f.opened_at), IsSet(f.resolved_at) ? ToUnixMillis(f.resolved_at) : 0,
      IsSet(f.first_told_at) ? ToUnixMillis(f.first_told_at) : 0,
      IsSet(f.first_paged_at) ? ToUnixMillis(f.first_paged_at) : 0,
      IsSet(f.first_acknowledged_at) ? ToUnixMillis(f.first_acknowledged_at) : 0, f.resolve_reason,
      static_cast<int>(f.level), f.negative, f.muted, f.test, f.raised_by_human);
}

// The same by the views.
std::string ByViews(Db& db, const Span& span, const std::string& team) {
  std::string out;
  Status status = EachRow(
      db,
      "SELECT printf('%d %s %s %s %s %s %s %s %d %d %d %d %d %s level=%d negative=%s muted=%s test=%s "
      "raised=%s', "
      "f.id, ifnull(f.alertname, ''), ifnull(f.model, ''), ifnull(f.pipeline, ''), ifnull(f.team, ''), "
      "ifnull(f.severity, ''), ifnull(f.base_severity, ''), iif(f.state = 'resolved', 'true', 'false'), "
      "f.opened_at, ifnull(f.resolved_at, 0), ifnull(f.first_told_at, 0), ifnull(f.first_paged_at, 0), "
      "ifnull(f.first_acknowledged_at, 0), f.resolve_reason, "
      "CASE a.action_level WHEN 'A2' THEN 2 WHEN 'A1' THEN 1 ELSE 0 END, "
      "iif(a.negative, 'true', 'false'), iif(f.muted, 'true', 'false'), iif(f.test, 'true', 'false'), "
      "iif(EXISTS (SELECT 1 FROM events e WHERE e.incident_id = f.id AND e.actor_kind = 'human' AND e.type = "
      "'raised'), 'true', 'false')) "
      "FROM v_incident_facts f JOIN v_action_evidence a ON a.incident_id = f.id "
      "WHERE (f.opened_at >= ?1 AND f.opened_at < ?2 OR f.resolved_at >= ?1 AND f.resolved_at < ?2 OR "
      "f.id IN (SELECT incident_id FROM acknowledgements WHERE at >= ?1 AND at < ?2)) "
      "AND (?3 = '' OR f.team = ?3) ORDER BY f.id",
      [&](const Stmt& row) -> Status {
        out += row.String(0) + "\n";
        return {};
      },
      ToUnixMillis(span.from), ToUnixMillis(span.until), team);
  BOOST_REQUIRE_MESSAGE(status, (status ? "" : status.error().ToString()));
  return out;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(incident_facts)

BOOST_AUTO_TEST_CASE(are_those_of_the_views) {
  size_t compared = 0;
  for (uint64_t seed = 1; seed <= 25; ++seed) {
    RandomHistory history(seed);
    for (int spans = 0; spans < 4; ++spans) {
      const Span span = history.RandomSpan();
      for (const std::string team : {"", "t0", "t9"}) {
        auto facts = ReadIncidentFacts(history.db(), span, team);
        BOOST_REQUIRE_MESSAGE(facts, (facts ? "" : facts.error().ToString()));
        std::string ours;
        for (const IncidentFacts& one : *facts) {
          ours += Line(one);
        }
        compared += facts->size();
        const std::string theirs = ByViews(history.db(), span, team);
        BOOST_REQUIRE_MESSAGE(ours == theirs, fmt::format("seed {}, team \"{}\":\n{}\nthe views say:\n{}",
                                                          seed, team, ours, theirs));
      }
    }
  }
  BOOST_TEST(compared > 1000);
}

BOOST_AUTO_TEST_CASE(pages_are_those_of_the_view) {
  size_t compared = 0;
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    RandomHistory history(seed);
    auto source = QualitySource::Open(history.file());
    BOOST_REQUIRE(source);
    const Span span = history.RandomSpan();
    auto pages = (*source)->Pages(span);
    BOOST_REQUIRE(pages);
    std::string ours;
    for (const PageFacts& page : *pages) {
      ours += fmt::format("{} {} {} {}\n", page.id, ToUnixMillis(page.at), page.receiver,
                          page.interruption ? 1 : 0);
    }
    std::string theirs;
    BOOST_REQUIRE(EachRow(
        history.db(),
        "SELECT printf('%d %d %s %d', id, at, receiver, interruption) FROM v_pages WHERE at >= ? AND at < ? "
        "ORDER BY at, id",
        [&](const Stmt& row) -> Status {
          theirs += row.String(0) + "\n";
          return {};
        },
        ToUnixMillis(span.from), ToUnixMillis(span.until)));
    BOOST_TEST(ours == theirs);
    compared += pages->size();
  }
  BOOST_TEST(compared > 50);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mlalert
