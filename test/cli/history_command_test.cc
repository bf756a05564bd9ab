#include "cli/history_command.h"

#include <boost/test/unit_test.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include "cli/cli_case.h"

#include "base/json.h"
#include "storage/migrator.h"
#include "storage/record_writer.h"

namespace mlalert {
namespace {

using testing::Has;
using testing::TempFolder;
using testing::TestConsole;
using namespace std::chrono_literals;

const Timestamp kNow = *ParseRfc3339("2026-11-23T12:00:00Z");

Incident MakeIncident(IncidentId id, Timestamp opened, const std::string& alertname, const std::string& model,
                      Severity severity) {
  Incident out;
  out.id = id;
  out.labels = LabelSet::From({{"alertname", alertname}, {"model", model}});
  out.key = LabelSet::From({{"id", std::to_string(id)}});
  out.base = severity;
  out.severity = severity;
  out.opened_at = opened;
  out.last_fired_at = opened;
  out.episode_count = 1;
  return out;
}

EventRecord MakeEvent(IncidentId id, Timestamp at, const std::string& type, const std::string& reason = "") {
  EventRecord out;
  out.at = at;
  out.incident_id = id;
  out.type = type;
  out.actor_kind = "system";
  out.reason = reason;
  return out;
}

NotificationRecord MakeNotification(int64_t id, Timestamp at, Severity severity,
                                    const std::vector<IncidentId>& incidents) {
  NotificationRecord out;
  out.id = id;
  out.at = at;
  out.receiver = "oncall";
  out.integration = "slack";
  out.reason = "first_notification";
  out.attempt = 1;
  out.outcome = "sent";
  out.http_status = 200;
  out.latency_ms = 12;
  out.severity = severity;
  out.firing = 1;
  for (IncidentId incident : incidents) {
    out.incidents.push_back({incident});
  }
  return out;
}

// A storage directory whose writer stays open, as beside a running daemon.
class Storage {
 public:
  Storage() : db_(Open()) {}
  void Write(const std::vector<Record>& records) {
    auto writer = RecordWriter::Create(db_);
    BOOST_REQUIRE(writer);
    auto txn = Txn::Begin(db_);
    BOOST_REQUIRE(txn);
    for (const Record& record : records) {
      BOOST_REQUIRE(writer->Write(record));
    }
    BOOST_REQUIRE(txn->Commit());
  }
  std::string path() const { return dir_.path(); }

 private:
  Db Open() {
    auto db = OpenAndMigrate(dir_.Path(kDatabaseName));
    BOOST_REQUIRE(db);
    return std::move(*db);
  }
  TempFolder dir_;
  Db db_;
};

struct Told {
  int exit_code = 0;
  std::string out;
  std::string err;
  Json json;
};
Told Ask(const HistoryCommandOptions& options, HistoryTopic topic = HistoryTopic::kIncidents) {
  TestConsole test;
  Told out;
  out.exit_code = RunHistory(options, topic, kNow, test.console);
  out.out = test.out.str();
  out.err = test.err.str();
  if (options.selection.json && out.exit_code == 0) {
    auto json = ParseJson(out.out);
    BOOST_REQUIRE(json.has_value());
    out.json = std::move(*json);
  }
  return out;
}
std::vector<int64_t> Ids(const Told& told, const char* list, const char* key = "id") {
  std::vector<int64_t> out;
  for (const Json& row : told.json.Find(list)->AsArray()) {
    out.push_back(row.Find(key)->AsInt());
  }
  return out;
}
HistoryCommandOptions Options(const Storage& storage, bool json = false) {
  HistoryCommandOptions out;
  out.storage_path = storage.path();
  out.selection.json = json;
  return out;
}
using Numbers = std::vector<int64_t>;

struct WeekOfThree : Storage {
  WeekOfThree() {
    Incident old = MakeIncident(1, kNow - 240h, "Old", "m1", Severity::kP2);
    Incident resolved = MakeIncident(2, kNow - 30h, "Drift", "m1", Severity::kP1);
    resolved.base = Severity::kP3;
    resolved.ladder = Severity::kP1;
    resolved.state = IncidentState::kResolved;
    resolved.resolved_at = kNow - 27h;
    resolved.resolve_reason = ResolveReason::kTimeout;
    Incident acked = MakeIncident(3, kNow - 2h, "Down", "m2", Severity::kP0);
    acked.state = IncidentState::kAcknowledged;
    acked.care.Set(&IncidentCare::ack, std::make_shared<const Acknowledgement>(
                                           Acknowledgement{kNow - 1h, "alice", "on it", kNow + 1h}));
    Write({IncidentRecord{old}, IncidentRecord{resolved}, IncidentRecord{acked},
           MakeEvent(1, kNow - 240h, "opened"), MakeEvent(2, kNow - 30h, "opened"),
           MakeEvent(2, kNow - 29h, "raised", "nobody acted"), MakeEvent(3, kNow - 2h, "opened"),
           MakeEvent(0, kNow - 1h, "datasource_unreachable"),
           MakeNotification(1, kNow - 29h, Severity::kP1, {2}),
           MakeNotification(2, kNow - 2h, Severity::kP0, {2, 3})});
  }
};

BOOST_AUTO_TEST_SUITE(history)

BOOST_FIXTURE_TEST_CASE(shows_the_incidents_of_the_last_seven_days_newest_first, WeekOfThree) {
  Told got = Ask(Options(*this));
  BOOST_TEST(got.exit_code == 0);
  BOOST_TEST(got.err == "");
  BOOST_TEST(
      got.out ==
      "ID  SEVERITY  STATE         ALERT  MODEL/PIPELINE  OPENED                LASTED  NOTE\n"
      " 3  P0        acknowledged  Down   m2              2026-11-23T10:00:00Z  2h      by alice until "
      "2026-11-23T13:00:00Z\n"
      " 2  P1        resolved      Drift  m1              2026-11-22T06:00:00Z  3h      its sender went "
      "silent\n");
}

BOOST_FIXTURE_TEST_CASE(since_and_until_choose_by_opening_time, WeekOfThree) {
  HistoryCommandOptions options = Options(*this, true);
  options.since = "30d";
  BOOST_TEST(Ids(Ask(options), "incidents") == (Numbers{3, 2, 1}), boost::test_tools::per_element());
  options.until = "24h";
  BOOST_TEST(Ids(Ask(options), "incidents") == (Numbers{2, 1}), boost::test_tools::per_element());
  options.since = "2026-11-22";
  options.until = "2026-11-23T00:00:00Z";
  BOOST_TEST(Ids(Ask(options), "incidents") == (Numbers{2}), boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(filters_by_model_alertname_and_severity, WeekOfThree) {
  HistoryCommandOptions options = Options(*this, true);
  options.selection.model = "m1";
  BOOST_TEST(Ids(Ask(options), "incidents") == (Numbers{2}), boost::test_tools::per_element());
  options.selection.model.clear();
  options.selection.alertname = "Down";
  BOOST_TEST(Ids(Ask(options), "incidents") == (Numbers{3}), boost::test_tools::per_element());
  options.selection.alertname.clear();
  options.selection.severities = {"p1", "P3"};
  BOOST_TEST(Ids(Ask(options), "incidents") == (Numbers{2}), boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(says_when_there_is_nothing, WeekOfThree) {
  HistoryCommandOptions options = Options(*this);
  options.selection.model = "none";
  options.until = "1h";
  Told got = Ask(options);
  BOOST_TEST(got.exit_code == 0);
  BOOST_TEST(got.out == "");
  BOOST_TEST(got.err == "no incidents since 2026-11-16T12:00:00Z until 2026-11-23T11:00:00Z\n");
  options.selection.json = true;
  BOOST_TEST(Ask(options).json.Dump() == R"({"incidents":[],"more":false})");
}

BOOST_FIXTURE_TEST_CASE(says_when_the_limit_left_some_out, WeekOfThree) {
  HistoryCommandOptions options = Options(*this);
  options.selection.limit = 1;
  Told got = Ask(options);
  BOOST_TEST(Has(got.out, " 3  P0"));
  BOOST_TEST(!Has(got.out, " 2  P1"));
  BOOST_TEST(got.err == "note: the newest 1 are shown, there are more (--limit)\n");
  options.selection.limit = 2;
  BOOST_TEST(Ask(options).err == "");
}

BOOST_FIXTURE_TEST_CASE(events_name_their_incident, WeekOfThree) {
  Told got = Ask(Options(*this), HistoryTopic::kEvents);
  BOOST_TEST(got.exit_code == 0);
  BOOST_TEST(
      got.out ==
      "TIME                  INCIDENT  ALERT  MODEL/PIPELINE  EVENT                   WHO     DETAIL\n"
      "2026-11-23T11:00:00Z         -  -      -               datasource_unreachable  system  -\n"
      "2026-11-23T10:00:00Z         3  Down   m2              opened                  system  -\n"
      "2026-11-22T07:00:00Z         2  Drift  m1              raised                  system  nobody acted\n"
      "2026-11-22T06:00:00Z         2  Drift  m1              opened                  system  -\n");
}

BOOST_FIXTURE_TEST_CASE(events_are_chosen_by_what_their_incidents_are, WeekOfThree) {
  HistoryCommandOptions options = Options(*this, true);
  options.since = "30d";
  options.selection.model = "m1";
  BOOST_TEST(Ids(Ask(options, HistoryTopic::kEvents), "events", "incident_id") == (Numbers{2, 2, 1}),
             boost::test_tools::per_element());
  options.selection.limit = 2;
  Told got = Ask(options, HistoryTopic::kEvents);
  BOOST_TEST(Ids(got, "events", "incident_id") == (Numbers{2, 2}), boost::test_tools::per_element());
  BOOST_TEST(got.json.Find("more")->AsBool());
  options.selection.model.clear();
  options.selection.severities = {"P0"};
  BOOST_TEST(Ids(Ask(options, HistoryTopic::kEvents), "events", "incident_id") == (Numbers{3}),
             boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(notifications_about_several_incidents_are_shown_once, WeekOfThree) {
  HistoryCommandOptions options = Options(*this, true);
  BOOST_TEST(Ids(Ask(options, HistoryTopic::kNotifications), "notifications") == (Numbers{2, 1}),
             boost::test_tools::per_element());
  options.selection.model = "m1";
  BOOST_TEST(Ids(Ask(options, HistoryTopic::kNotifications), "notifications") == (Numbers{2, 1}),
             boost::test_tools::per_element());
  options.selection.severities = {"P0"};
  BOOST_TEST(Ids(Ask(options, HistoryTopic::kNotifications), "notifications") == (Numbers{2}),
             boost::test_tools::per_element());
  Told table = Ask(Options(*this), HistoryTopic::kNotifications);
  BOOST_TEST(Has(table.out, "oncall/slack"));
  BOOST_TEST(Has(table.out, "2,3"));
  BOOST_TEST(Has(table.out, "12ms"));
  BOOST_TEST(Has(table.out, "sent 200"));
}

BOOST_FIXTURE_TEST_CASE(more_rows_than_a_page_holds_are_read_page_by_page, Storage) {
  std::vector<Record> records;
  constexpr int64_t kCount = 2500;
  for (int64_t i = 1; i <= kCount; ++i) {
    records.emplace_back(
        IncidentRecord{MakeIncident(i, kNow - 1h - i * 1s, i % 2 == 0 ? "Even" : "Odd", "m", Severity::kP3)});
    records.emplace_back(MakeEvent(i, kNow - 1h - i * 1s, "opened"));
    records.emplace_back(
        MakeNotification(i, kNow - 1h - i * 1s, i % 100 == 0 ? Severity::kP0 : Severity::kP3, {i}));
  }
  Write(records);
  HistoryCommandOptions options = Options(*this, true);
  options.selection.limit = 2400;
  Told got = Ask(options);
  BOOST_TEST(Ids(got, "incidents").size() == 2400u);
  BOOST_TEST(Ids(got, "incidents").back() == 2400);
  BOOST_TEST(got.json.Find("more")->AsBool());
  options.selection.limit = 5000;
  BOOST_TEST(Ids(Ask(options), "incidents").size() == 2500u);
  BOOST_TEST(Ids(Ask(options, HistoryTopic::kEvents), "events").size() == 2500u);
  options.selection.alertname = "Even";
  Numbers even = Ids(Ask(options, HistoryTopic::kEvents), "events", "incident_id");
  BOOST_TEST(even.size() == 1250u);
  BOOST_TEST(even.front() == 2);
  options.selection.alertname.clear();
  options.selection.severities = {"P0"};
  options.selection.limit = 20;
  got = Ask(options, HistoryTopic::kNotifications);
  BOOST_TEST(Ids(got, "notifications").size() == 20u);
  BOOST_TEST(Ids(got, "notifications").back() == 2000);
  BOOST_TEST(got.json.Find("more")->AsBool());
}

BOOST_FIXTURE_TEST_CASE(shows_one_incident_with_its_timeline, WeekOfThree) {
  TestConsole test;
  BOOST_TEST(RunHistoryShow(Options(*this), 2, kNow, test.console) == 0);
  std::string out = test.out.str();
  BOOST_TEST(Has(out, "Incident 2: Drift m1\n"));
  BOOST_TEST(Has(out, "severity      P1 (base P3, by age P1)\n"));
  BOOST_TEST(Has(out, "resolved      2026-11-22T09:00:00Z (1d3h ago)\n"));
  BOOST_TEST(Has(out, "lasted        3h\n"));
  size_t opened = out.find("2026-11-22T06:00:00Z  opened");
  size_t raised = out.find("2026-11-22T07:00:00Z  raised        system        nobody acted");
  size_t told = out.find("2026-11-22T07:00:00Z  notification  oncall/slack  sent 200 (first_notification)");
  BOOST_TEST(opened < raised);
  BOOST_TEST(raised < told);
  BOOST_TEST(told != std::string::npos);

  TestConsole missing;
  BOOST_TEST(RunHistoryShow(Options(*this), 99, kNow, missing.console) == 3);
  BOOST_TEST(missing.err.str() == "mlalert: there is no incident 99\n");
}

BOOST_FIXTURE_TEST_CASE(hostile_labels_and_errors_cannot_drive_the_terminal, Storage) {
  Incident evil = MakeIncident(1, kNow - 1h, "\x1b[2Jevil\n", "m\xc2\x9b", Severity::kP1);
  evil.annotations = LabelSet::From({{"summary", "\x1b]0;x\x07 \xe2\x80\xae"}});
  NotificationRecord failed = MakeNotification(1, kNow - 1h, Severity::kP1, {1});
  failed.outcome = "failed";
  failed.error = "\x1b[31mpwned";
  Write({IncidentRecord{evil}, MakeEvent(1, kNow - 1h, "opened", "\x1b[1A"), failed});
  std::string all;
  for (bool json : {false, true}) {
    HistoryCommandOptions options = Options(*this, json);
    for (HistoryTopic topic :
         {HistoryTopic::kIncidents, HistoryTopic::kEvents, HistoryTopic::kNotifications}) {
      all += Ask(options, topic).out;
    }
    TestConsole test;
    RunHistoryShow(options, 1, kNow, test.console);
    all += test.out.str();
  }
  BOOST_TEST(Has(all, "evil"));
  BOOST_TEST(Has(all, "pwned"));
  for (const char* raw : {"\x1b", "\x07", "\xc2\x9b", "\xe2\x80\xae"}) {
    BOOST_TEST(!Has(all, raw));
  }
}

BOOST_FIXTURE_TEST_CASE(reads_a_file_named_itself, WeekOfThree) {
  HistoryCommandOptions options = Options(*this);
  options.storage_path = path() + "/" + kDatabaseName;
  BOOST_TEST(Ask(options).exit_code == 0);
}

BOOST_AUTO_TEST_CASE(never_creates_a_file) {
  TempFolder dir;
  HistoryCommandOptions options;
  options.storage_path = dir.path();
  Told got = Ask(options);
  BOOST_TEST(got.exit_code == 2);
  BOOST_TEST(Has(got.err, "there is no history at " + dir.Path(kDatabaseName)));
  BOOST_TEST(Has(got.err, "hint: --storage.path"));
  BOOST_TEST(std::filesystem::is_empty(dir.path()));
  options.storage_path = dir.Path("none");
  BOOST_TEST(Ask(options).exit_code == 2);
  BOOST_TEST(!std::filesystem::exists(dir.Path("none")));
}

BOOST_AUTO_TEST_CASE(a_file_that_is_no_database_of_ours_is_an_error) {
  TempFolder dir;
  HistoryCommandOptions options;
  options.storage_path = dir.Write("bad.db", std::string(10'000, 'x'));
  BOOST_TEST(Ask(options).exit_code == 1);
  BOOST_TEST(Has(Ask(options).err, "not a database"));
  options.storage_path = dir.Write("empty.db", "");
  BOOST_TEST(Ask(options).exit_code == 1);
}

BOOST_FIXTURE_TEST_CASE(refuses_times_and_severities_it_does_not_know, WeekOfThree) {
  HistoryCommandOptions options = Options(*this);
  options.since = "yesterday";
  BOOST_TEST(Ask(options).exit_code == 2);
  BOOST_TEST(Has(Ask(options).err, "--since: \"yesterday\""));
  options.since = "1h";
  options.until = "2h";
  BOOST_TEST(Ask(options).exit_code == 2);
  BOOST_TEST(Has(Ask(options).err, "is not before"));
  options.until.clear();
  options.selection.severities = {"P1", "P9"};
  BOOST_TEST(Ask(options).exit_code == 2);
  BOOST_TEST(Has(Ask(options).err, "unknown severity \"P9\""));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mlalert
