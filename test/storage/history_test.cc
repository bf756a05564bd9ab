#include "storage/history.h"

#include <boost/test/unit_test.hpp>

#include "storage/migrator.h"
#include "storage/record_writer.h"
#include "storage/records.h"
#include "storage/retention.h"
#include "storage/temp_dir.h"

namespace mlalert {
namespace {

using testing::At;
using testing::Describe;
using testing::DescribeAll;
using testing::TempDir;
using namespace std::chrono_literals;

// A file, its writing connection and a reader beside it.
struct File {
  TempDir dir;
  Db db = Open();
  std::unique_ptr<History> history = OpenHistory();

  Db Open() {
    auto opened = OpenAndMigrate(dir.File());
    BOOST_REQUIRE(opened);
    return std::move(*opened);
  }
  std::unique_ptr<History> OpenHistory() {
    auto opened = History::Open(dir.File());
    BOOST_REQUIRE(opened);
    return std::move(*opened);
  }
  void Write(const std::vector<Record>& records) {
    auto writer = RecordWriter::Create(db);
    BOOST_REQUIRE(writer);
    auto txn = Txn::Begin(db);
    BOOST_REQUIRE(txn);
    for (const Record& record : records) {
      Status status = writer->Write(record);
      BOOST_REQUIRE_MESSAGE(status, (status ? "" : status.error().ToString()));
    }
    BOOST_REQUIRE(txn->Commit());
  }
  std::string Cell(const std::string& sql) {
    auto stmt = db.Prepare(sql);
    BOOST_REQUIRE_MESSAGE(stmt, (stmt ? "" : stmt.error().ToString()));
    return stmt->Step().value_or(false) ? stmt->String(0) : "(no row)";
  }
};

Incident MakeIncident(IncidentId id, Timestamp opened, const std::string& alertname,
                      const std::string& model) {
  Incident incident;
  incident.id = id;
  incident.key = LabelSet::From({{"id", std::to_string(id)}});
  incident.labels =
      LabelSet::From({{"alertname", alertname}, {"model", model}, {"pipeline", "p"}, {"team", "t"}});
  incident.severity = Severity::kP2;
  incident.opened_at = opened;
  return incident;
}

std::string Ids(const Result<std::vector<Incident>>& incidents) {
  std::string out;
  BOOST_REQUIRE_MESSAGE(incidents, (incidents ? "" : incidents.error().ToString()));
  for (const Incident& incident : *incidents) {
    out += std::to_string(incident.id) + " ";
  }
  return out;
}

// 2024-01-01 was a Monday: the first day of 2024-W01.
const Timestamp kMonday = *ParseRfc3339("2024-01-01T00:00:00Z");

}  // namespace

BOOST_AUTO_TEST_SUITE(history)

BOOST_AUTO_TEST_CASE(lists_incidents_by_filter_newest_first) {
  File file;
  std::vector<Record> records;
  for (int i = 1; i <= 6; ++i) {
    Incident incident = MakeIncident(i, At(1000 * i), i % 2 == 0 ? "Drift" : "Lag", i <= 3 ? "m1" : "m2");
    incident.state = i == 1   ? IncidentState::kResolved
                     : i == 2 ? IncidentState::kAcknowledged
                              : IncidentState::kOpen;
    incident.severity = i == 6 ? Severity::kNone : i == 5 ? Severity::kP0 : Severity::kP2;
    records.push_back(IncidentRecord{incident});
  }
  file.Write(records);
  const struct {
    const char* name;
    IncidentFilter filter;
    const char* ids;
  } cases[] = {
      {"all", {}, "6 5 4 3 2 1 "},
      {"limit", {.limit = 2}, "6 5 "},
      {"no rows", {.limit = 0}, ""},
      {"next page", {.before_id = 5, .limit = 2}, "4 3 "},
      {"page after a row that is gone", {.before_id = 77}, ""},
      {"state", {.states = {IncidentState::kResolved, IncidentState::kAcknowledged}}, "2 1 "},
      {"severity", {.severities = {Severity::kP0}}, "5 "},
      {"no severity", {.severities = {Severity::kNone}}, "6 "},
      {"alertname", {.alertname = "Drift"}, "6 4 2 "},
      {"alertname and page", {.alertname = "Drift", .before_id = 4}, "2 "},
      {"model", {.model = "m1"}, "3 2 1 "},
      {"pipeline and team", {.pipeline = "p", .team = "other"}, ""},
      {"time", {.since = At(2000), .until = At(4000)}, "3 2 "},
      {"hostile text", {.alertname = "' OR 1=1 --"}, ""},
      {"label, open and over", {.model = "m1", .limit = 2}, "3 2 "},
      {"label, over only", {.states = {IncidentState::kResolved}, .model = "m1"}, "1 "},
      {"label, and page into what is over", {.model = "m1", .before_id = 2}, "1 "},
      {"over only", {.states = {IncidentState::kResolved}}, "1 "},
      {"over only, none left", {.states = {IncidentState::kResolved}, .before_id = 1}, ""},
      {"several severities", {.severities = {Severity::kP2, Severity::kP0}, .limit = 4}, "5 4 3 2 "},
      {"severity and label",
       {.states = {IncidentState::kResolved}, .severities = {Severity::kP2}, .alertname = "Lag"},
       "1 "},
  };
  for (const auto& c : cases) {
    BOOST_TEST_CONTEXT(c.name) {
      BOOST_TEST(Ids(file.history->ListIncidents(c.filter)) == c.ids);
    }
  }
}

BOOST_AUTO_TEST_CASE(pages_meet_every_row_once_when_times_are_equal) {
  File file;
  std::vector<Record> records;
  for (int i = 1; i <= 25; ++i) {
    records.push_back(IncidentRecord{MakeIncident(i, At(i / 10), "A", "m")});
  }
  file.Write(records);
  IncidentFilter filter;
  filter.limit = 4;
  std::vector<IncidentId> seen;
  while (true) {
    auto page = file.history->ListIncidents(filter);
    BOOST_REQUIRE(page);
    if (page->empty()) {
      break;
    }
    for (const Incident& incident : *page) {
      seen.push_back(incident.id);
    }
    filter.before_id = seen.back();
  }
  BOOST_TEST(seen.size() == 25u);
  BOOST_TEST(std::is_sorted(seen.rbegin(), seen.rend()));
}

BOOST_AUTO_TEST_CASE(never_returns_more_than_the_named_limit) {
  File file;
  std::vector<Record> records;
  for (int i = 0; i < 1100; ++i) {
    records.push_back(EventRecord{.at = At(i), .type = "x"});
  }
  file.Write(records);
  auto events = file.history->ListEvents({.limit = 1'000'000});
  BOOST_REQUIRE(events);
  BOOST_TEST(events->size() == kHistoryRowsMax);
}

BOOST_AUTO_TEST_CASE(shows_an_incident_with_all_that_hangs_on_it) {
  File file;
  Incident incident = MakeIncident(3, At(1000), "Drift", "m");
  EpisodeRecord episode{.id = 5, .incident_id = 3, .fingerprint = 9, .started_at = At(1000)};
  EventRecord opened{.at = At(1000), .incident_id = 3, .type = "opened", .actor_kind = "system"};
  EventRecord acked{
      .at = At(2000), .incident_id = 3, .type = "acknowledged", .actor_kind = "human", .actor = "ada"};
  NotificationRecord told{
      .id = 8, .at = At(1500), .receiver = "ops", .outcome = "sent", .incidents = {{3}, {4}}};
  AcknowledgementRecord ack{.incident_id = 3, .at = At(2000), .actor = "ada", .via = "cli"};
  file.Write({acked, IncidentRecord{incident}, episode, opened, told, ack,
              EventRecord{.at = At(1), .incident_id = 4, .type = "other"}});
  auto detail = file.history->GetIncident(3);
  BOOST_REQUIRE_MESSAGE(detail, (detail ? "" : detail.error().ToString()));
  BOOST_TEST(Describe(detail->incident) == Describe(incident));
  BOOST_TEST(DescribeAll(detail->episodes) == DescribeAll(std::vector{episode}));
  BOOST_TEST(DescribeAll(detail->notifications) == DescribeAll(std::vector{told}));
  BOOST_TEST(DescribeAll(detail->acknowledgements) == DescribeAll(std::vector{ack}));
  BOOST_REQUIRE_EQUAL(detail->events.size(), 2u);
  BOOST_TEST(Describe(detail->events[0].event) == Describe(opened));
  BOOST_TEST(Describe(detail->events[1].event) == Describe(acked));
  auto missing = file.history->GetIncident(99);
  BOOST_REQUIRE(!missing);
  BOOST_TEST((missing.error().code == ErrorCode::kNotFound));
  // The failed question leaves no transaction behind that would hold the WAL.
  BOOST_TEST(file.db.RunCheckpoint(Db::CheckpointMode::kTruncate)->complete);
}

BOOST_AUTO_TEST_CASE(filters_events_and_notifications) {
  File file;
  file.Write({EventRecord{.at = At(1), .incident_id = 1, .fingerprint = 7, .type = "opened", .actor = "x"},
              EventRecord{.at = At(2), .incident_id = 2, .type = "fired"},
              EventRecord{.at = At(3), .type = "resolved"},
              NotificationRecord{.id = 1,
                                 .at = At(1),
                                 .receiver = "a",
                                 .integration = "slack",
                                 .outcome = "sent",
                                 .incidents = {{1}}},
              NotificationRecord{.id = 2,
                                 .at = At(2),
                                 .receiver = "b",
                                 .integration = "email",
                                 .outcome = "failed",
                                 .incidents = {{1}, {2}}}});
  auto events = [&](EventFilter filter) {
    auto rows = file.history->ListEvents(filter);
    BOOST_REQUIRE_MESSAGE(rows, (rows ? "" : rows.error().ToString()));
    std::string out;
    for (const auto& row : *rows) {
      out += row.event.type + " ";
    }
    return out;
  };
  BOOST_TEST(events({}) == "resolved fired opened ");
  BOOST_TEST(events({.incident_id = 2}) == "fired ");
  BOOST_TEST(events({.fingerprint = 7}) == "opened ");
  BOOST_TEST(events({.types = {"opened", "resolved"}}) == "resolved opened ");
  BOOST_TEST(events({.actor = "x"}) == "opened ");
  BOOST_TEST(events({.since = At(2), .until = At(3)}) == "fired ");
  BOOST_TEST(events({.before_id = 3, .limit = 1}) == "fired ");
  auto notifications = [&](NotificationFilter filter) {
    auto rows = file.history->ListNotifications(filter);
    BOOST_REQUIRE_MESSAGE(rows, (rows ? "" : rows.error().ToString()));
    std::string out;
    for (const auto& row : *rows) {
      out += std::to_string(row.id) + " ";
    }
    return out;
  };
  BOOST_TEST(notifications({}) == "2 1 ");
  BOOST_TEST(notifications({.incident_id = 1}) == "2 1 ");
  BOOST_TEST(notifications({.incident_id = 2}) == "2 ");
  BOOST_TEST(notifications({.receiver = "a"}) == "1 ");
  BOOST_TEST(notifications({.integration = "email"}) == "2 ");
  BOOST_TEST(notifications({.outcome = "sent"}) == "1 ");
  BOOST_TEST(notifications({.since = At(2)}) == "2 ");
  BOOST_TEST(notifications({.before_id = 2}) == "1 ");
}

BOOST_AUTO_TEST_CASE(finds_rows_about_some_incidents_from_these_or_by_time) {
  File file;
  Incident over = MakeIncident(1, At(1000), "Drift", "m1");
  over.state = IncidentState::kResolved;
  over.resolved_at = At(5000);
  Incident open = MakeIncident(2, At(2000), "Drift", "m2");
  open.severity = Severity::kP0;
  std::vector<Record> records = {IncidentRecord{over}, IncidentRecord{open},
                                 IncidentRecord{MakeIncident(3, At(3000), "Lag", "m1")}};
  for (int64_t id = 1; id <= 3; ++id) {
    for (int64_t n = 0; n < 3; ++n) {
      records.push_back(EventRecord{.at = At(id * 1000 + n * 10), .incident_id = id, .type = "e"});
    }
  }
  auto notification = [&](int64_t id, std::vector<MentionedIncident> incidents) {
    records.push_back(NotificationRecord{
        .id = id, .at = At(id * 1000), .outcome = "sent", .firing = 1, .incidents = std::move(incidents)});
  };
  notification(1, {{1, true}});
  notification(2, {{2, true}, {3, true}});
  notification(3, {{3, true}});
  file.Write(records);
  const struct {
    const char* name;
    AboutIncident about;
    const char* events;
    const char* notifications;
  } cases[] = {
      {"all", {}, "9 8 7 6 5 4 3 2 1 ", "3 2 1 "},
      {"rule, over and open", {.alertname = "Drift"}, "6 5 4 3 2 1 ", "2 1 "},
      {"model", {.model = "m1"}, "9 8 7 3 2 1 ", "3 2 1 "},
      {"both", {.alertname = "Lag", .model = "m1"}, "9 8 7 ", "3 2 "},
      {"severity", {.severities = {Severity::kP0}}, "6 5 4 ", "2 "},
      {"nobody", {.alertname = "' OR 1=1 --"}, "", ""},
  };
  for (size_t few : {size_t{0}, size_t{1000}}) {
    auto history = History::Open(file.dir.File(), {.few_incidents = few});
    BOOST_REQUIRE(history);
    for (const auto& c : cases) {
      BOOST_TEST_CONTEXT(c.name << ", few " << few) {
        EventFilter filter;
        filter.about = c.about;
        filter.limit = 2;  // several pages
        std::string events;
        while (true) {
          auto page = (*history)->ListEvents(filter);
          BOOST_REQUIRE_MESSAGE(page, (page ? "" : page.error().ToString()));
          for (const HistoryEvent& row : *page) {
            events += std::to_string(row.id) + " ";
            filter.before_id = row.id;
          }
          if (page->empty()) {
            break;
          }
        }
        BOOST_TEST(events == c.events);
        auto told = (*history)->ListNotifications({.about = c.about});
        BOOST_REQUIRE_MESSAGE(told, (told ? "" : told.error().ToString()));
        std::string notifications;
        for (const NotificationRecord& row : *told) {
          notifications += std::to_string(row.id) + " ";
        }
        BOOST_TEST(notifications == c.notifications);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(opens_only_files_of_this_schema) {
  TempDir dir;
  BOOST_TEST(!History::Open(dir.File()).has_value());
  auto db = OpenAndMigrate(dir.File());
  BOOST_REQUIRE(db);
  BOOST_REQUIRE(db->Exec("PRAGMA user_version = 99"));
  auto history = History::Open(dir.File());
  BOOST_REQUIRE(!history);
  BOOST_TEST(history.error().message.find("schema 99") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(reads_views_and_nothing_else_by_name) {
  File file;
  for (const char* view : {"v_incidents", "v_open_incidents", "v_episodes", "v_events", "v_notifications",
                           "v_alert_quality", "v_weekly_review"}) {
    BOOST_TEST(file.history->ReadView(view).has_value(), view);
  }
  for (const char* view : {"incidents", "nothing", "v_incidents; DROP TABLE incidents", ""}) {
    auto table = file.history->ReadView(view);
    BOOST_REQUIRE(!table);
    BOOST_TEST((table.error().code == ErrorCode::kInvalid));
  }
}

BOOST_AUTO_TEST_CASE(gives_up_at_its_deadline) {
  File file;
  std::vector<Record> records;
  for (int i = 0; i < 20'000; ++i) {
    records.push_back(EventRecord{.at = At(i), .type = "x"});
  }
  file.Write(records);
  auto history = History::Open(file.dir.File(), {.query_timeout = 0ns});
  BOOST_REQUIRE(history);
  auto events = (*history)->ListEvents({.actor = "nobody"});
  BOOST_REQUIRE(!events);
  BOOST_TEST((events.error().code == ErrorCode::kDeadline));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(views)

BOOST_AUTO_TEST_CASE(weekly_review_and_alert_quality_count_what_happened) {
  File file;
  // Week 1: 1 paged, acknowledged after 60 s; 2 notified at P3, nobody cared; 3 nobody was told.
  Incident one = MakeIncident(1, kMonday, "Drift", "m");
  one.severity = Severity::kP0;
  one.state = IncidentState::kResolved;
  one.resolved_at = kMonday + 600s;
  Incident two = MakeIncident(2, kMonday + 1h, "Drift", "m");
  two.severity = Severity::kP3;
  two.state = IncidentState::kResolved;
  two.resolved_at = two.opened_at + 1200s;
  Incident three = MakeIncident(3, kMonday + 167h, "Lag", "m");
  // Week 2, the first moment of Monday.
  Incident four = MakeIncident(4, kMonday + 168h, "Lag", "m");
  std::vector<Record> records;
  for (const Incident& incident : {one, two, three, four}) {
    records.push_back(IncidentRecord{incident});
    records.push_back(EpisodeRecord{.id = incident.id,
                                    .incident_id = incident.id,
                                    .labels = incident.labels,
                                    .started_at = incident.opened_at});
  }
  records.push_back(
      EpisodeRecord{.id = 5, .incident_id = 1, .labels = one.labels, .started_at = kMonday + 300s});
  records.push_back(NotificationRecord{.id = 1,
                                       .at = kMonday + 30s,
                                       .attempt = 1,
                                       .outcome = "retrying",
                                       .severity = Severity::kP0,
                                       .firing = 1,
                                       .incidents = {{1}}});
  records.push_back(NotificationRecord{.id = 2,
                                       .at = kMonday + 31s,
                                       .attempt = 2,
                                       .outcome = "sent",
                                       .severity = Severity::kP0,
                                       .firing = 1,
                                       .incidents = {{1, true, Severity::kP0}}});
  records.push_back(NotificationRecord{.id = 3,
                                       .at = kMonday + 2h,
                                       .outcome = "sent",
                                       .severity = Severity::kP3,
                                       .firing = 1,
                                       .incidents = {{2, true, Severity::kP3}}});
  records.push_back(NotificationRecord{
      .id = 4, .at = kMonday + 3h, .outcome = "sent", .resolved = 1, .incidents = {{1}, {3}}});
  records.push_back(NotificationRecord{.id = 5,
                                       .at = kMonday + 4h,
                                       .outcome = "failed",
                                       .severity = Severity::kP0,
                                       .firing = 1,
                                       .incidents = {{3}}});
  records.push_back(AcknowledgementRecord{.incident_id = 1, .at = kMonday + 60s, .actor = "ada"});
  records.push_back(AcknowledgementRecord{.incident_id = 1, .at = kMonday + 90s, .actor = "bob"});
  records.push_back(
      EventRecord{.at = kMonday + 5h, .incident_id = 2, .type = "raised", .actor_kind = "human"});
  file.Write(records);

  BOOST_TEST(
      file.Cell(
          "SELECT week_start || ' fired=' || fired || ' notified=' || notified || ' paged=' || paged || "
          "' ack=' || acknowledged || ' acted=' || acted || ' auto=' || auto_resolved || ' ratio=' || "
          "acknowledged_ratio FROM v_alert_quality WHERE week = '2024-W01' AND alertname = 'Drift'") ==
      "2024-01-01 fired=3 notified=2 paged=1 ack=1 acted=1 auto=1 ratio=0.5");
  BOOST_TEST(
      file.Cell(
          "SELECT fired || ' ' || incidents || ' ' || notified || ' ' || ifnull(acknowledged_ratio, '-') "
          "FROM v_alert_quality WHERE week = '2024-W01' AND alertname = 'Lag'") == "1 1 0 -");
  BOOST_TEST(
      file.Cell(
          "SELECT fired || ' ' || incidents || ' p0=' || p0 || ' p2=' || p2 || ' p3=' || p3 || ' sent=' || "
          "notifications || ' pages=' || pages || ' failed=' || failed_notifications || ' ack=' || "
          "acknowledged || ' auto=' || auto_resolved || ' mtta=' || mtta_seconds || ' mttr=' || "
          "mttr_seconds FROM v_weekly_review WHERE week = '2024-W01'") ==
      "4 3 p0=1 p2=1 p3=1 sent=3 pages=1 failed=1 ack=1 auto=1 mtta=60.0 mttr=900.0");
  BOOST_TEST(
      file.Cell("SELECT incidents || ' ' || week_start FROM v_weekly_review WHERE week = '2024-W02'") ==
      "1 2024-01-08");
  BOOST_TEST(
      file.Cell(
          "SELECT first_acknowledged_at || ' ' || first_acknowledged_by FROM v_incidents WHERE id = 1") ==
      "2024-01-01T00:01:00.000Z ada");
  BOOST_TEST(file.Cell("SELECT group_concat(id) FROM v_open_incidents") == "3,4");
  BOOST_TEST(file.Cell("SELECT incidents || ' ' || page FROM v_notifications WHERE id = 4") == "[1,3] 0");
}

BOOST_AUTO_TEST_CASE(weeks_are_iso_weeks_at_the_turn_of_the_year) {
  File file;
  const struct {
    const char* time;
    const char* week;
  } cases[] = {{"2020-12-31T23:59:59.999Z", "2020-W53"}, {"2021-01-03T23:59:59.999Z", "2020-W53"},
               {"2021-01-04T00:00:00.000Z", "2021-W01"}, {"2024-12-30T00:00:00.000Z", "2025-W01"},
               {"2027-01-01T12:00:00.001Z", "2026-W53"}, {"1970-01-01T00:00:00.000Z", "1970-W01"}};
  int id = 0;
  for (const auto& c : cases) {
    BOOST_TEST_CONTEXT(c.time) {
      file.Write({IncidentRecord{MakeIncident(++id, *ParseRfc3339(c.time), "A", "m")}});
      std::string where = " FROM v_incidents WHERE id = " + std::to_string(id);
      BOOST_TEST(file.Cell("SELECT week" + where) == c.week);
      BOOST_TEST(file.Cell("SELECT opened_at" + where) == c.time);
    }
  }
}

BOOST_AUTO_TEST_CASE(show_unset_and_extreme_times_without_failing) {
  File file;
  Incident incident = MakeIncident(1, kUnset, "A", "m");
  incident.resolved_at = kNever;
  file.Write({IncidentRecord{incident}, EventRecord{.at = At(0), .type = "x"}});
  // The year 1, which a Timestamp cannot hold: only a foreign hand writes it.
  BOOST_REQUIRE(file.db.Exec("UPDATE events SET at = -62135596800000"));
  auto events = file.history->ListEvents({});
  BOOST_REQUIRE(events);
  BOOST_TEST(Describe(events->at(0).event.at) == Describe(At(-9'223'372'036'854)));
  for (const char* view :
       {"v_incidents", "v_open_incidents", "v_events", "v_weekly_review", "v_alert_quality"}) {
    BOOST_TEST(file.history->ReadView(view).has_value(), view);
  }
  BOOST_TEST(file.Cell("SELECT resolved_at FROM v_incidents") == "2262-04-11T23:47:16.854Z");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(retention)

BOOST_AUTO_TEST_CASE(cutoff_is_the_monday_before) {
  BOOST_TEST(Describe(RetentionCutoff(kMonday + 3 * 24h, 24h)) == Describe(kMonday));
  BOOST_TEST(Describe(RetentionCutoff(kMonday + 24h, 24h)) == Describe(kMonday));
  BOOST_TEST(Describe(RetentionCutoff(kMonday + 24h - 1ms, 24h)) == Describe(kMonday - 7 * 24h));
  BOOST_TEST(Describe(RetentionCutoff(kMonday, Duration::zero())) == "-");
  BOOST_TEST(Describe(RetentionCutoff(At(-5), 1ms)) == Describe(At(-3 * 86'400'000)));
}

BOOST_AUTO_TEST_CASE(deletes_old_resolved_incidents_with_all_that_hangs_on_them_and_keeps_the_weeks) {
  File file;
  std::vector<Record> records;
  int64_t id = 0;
  for (int week = 0; week < 6; ++week) {
    for (int i = 0; i < 30; ++i) {
      ++id;
      Timestamp at = kMonday + (week * 168 + i) * 1h;
      Incident incident = MakeIncident(id, at, i % 2 == 0 ? "Drift" : "Lag", "m");
      // One that stays open for ever.
      incident.state = id == 5 ? IncidentState::kOpen : IncidentState::kResolved;
      incident.resolved_at = id == 5 ? kUnset : at + 10min;
      records.push_back(IncidentRecord{incident});
      records.push_back(EpisodeRecord{.id = id,
                                      .incident_id = id,
                                      .labels = incident.labels,
                                      .started_at = at,
                                      .ended_at = incident.resolved_at});
      records.push_back(EventRecord{.at = at, .incident_id = id, .type = "opened"});
      records.push_back(EventRecord{.at = at, .type = "loose"});
      records.push_back(NotificationRecord{.id = id,
                                           .at = at + 30s,
                                           .outcome = "sent",
                                           .severity = Severity::kP1,
                                           .firing = 1,
                                           .incidents = {{id}}});
      records.push_back(AcknowledgementRecord{.incident_id = id, .at = at + 1min});
    }
  }
  records.push_back(NflogEntry{"g", "r", "slack", 0, kMonday, {}, {}, {}, "", kMonday + 1h});
  records.push_back(NflogEntry{"h", "r", "slack", 0, kMonday, {}, {}, {}, "", kMonday + 100 * 168h});
  file.Write(records);
  auto Reviews = [&] { return file.history->ReadView("v_weekly_review")->rows; };
  auto Sorted = [](std::vector<std::vector<std::string>> rows) {
    std::sort(rows.begin(), rows.end());
    return rows;
  };
  auto weeks_before = Sorted(Reviews());
  auto quality_before = Sorted(file.history->ReadView("v_alert_quality")->rows);

  Timestamp now = kMonday + 6 * 168h;
  Timestamp cutoff = RetentionCutoff(now, 2 * 168h + 1h);
  BOOST_TEST(Describe(cutoff) == Describe(kMonday + 3 * 168h));
  int steps = 0;
  while (true) {
    auto deleted = RetentionStep(file.db, cutoff, now, {.rows_per_step = 25});
    BOOST_REQUIRE_MESSAGE(deleted, (deleted ? "" : deleted.error().ToString()));
    // An incident has one event, episode, acknowledgement and link.
    BOOST_TEST(*deleted <= 25 * 5);
    if (*deleted == 0) {
      break;
    }
    ++steps;
  }
  BOOST_TEST(steps > 5);
  BOOST_TEST(file.Cell("SELECT count(*) FROM incidents") == "91");
  for (const char* table : {"episodes", "acknowledgements", "notifications", "notification_incidents"}) {
    BOOST_TEST(file.Cell(std::string("SELECT count(*) FROM ") + table) == "91", table);
  }
  BOOST_TEST(file.Cell("SELECT count(*) FROM events WHERE type = 'opened'") == "91");
  BOOST_TEST(file.Cell("SELECT count(*) FROM events WHERE type = 'loose'") == "90");
  BOOST_TEST(file.Cell("SELECT count(*) FROM nflog") == "2");  // the engine says what nobody is owed any more
  BOOST_TEST(file.Cell("SELECT group_concat(week) FROM archived_weeks") == "2024-W01,2024-W02,2024-W03");
  BOOST_TEST((Sorted(Reviews()) == weeks_before));
  BOOST_TEST((Sorted(file.history->ReadView("v_alert_quality")->rows) == quality_before));
  // A week later the next one goes; the first three are not archived again.
  while (RetentionStep(file.db, cutoff + 168h, now).value_or(0) > 0) {
  }
  BOOST_TEST(file.Cell("SELECT count(*) FROM incidents") == "61");
  BOOST_TEST((Sorted(Reviews()) == weeks_before));
}

BOOST_AUTO_TEST_CASE(does_nothing_without_a_retention) {
  File file;
  Incident incident = MakeIncident(1, kMonday, "A", "m");
  incident.state = IncidentState::kResolved;
  incident.resolved_at = kMonday;
  file.Write({IncidentRecord{incident}});
  BOOST_TEST(RetentionStep(file.db, kUnset, kMonday + 9000h).value_or(-1) == 0);
  BOOST_TEST(file.Cell("SELECT count(*) FROM incidents") == "1");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mlalert
