#include "cli/cli.h"

#include <boost/test/unit_test.hpp>
#include <fmt/format.h>

#include "cli/api_client.h"
#include "cli/cli_case.h"
#include "cli/daemon.h"

#include "net/local_server.h"

namespace mlalert {
namespace {

using testing::Answer;
using testing::Cli;
using testing::CliRun;
using testing::Has;
using testing::LocalServer;
using testing::Request;
using testing::ScopedEnv;
using testing::TempFolder;

BOOST_AUTO_TEST_SUITE(usage)

BOOST_AUTO_TEST_CASE(without_a_subcommand_the_help_goes_to_stderr) {
  CliRun run = Cli({});
  BOOST_TEST(run.exit_code == 2);
  BOOST_TEST(run.out == "");
  BOOST_TEST(Has(run.err, "Usage: mlalert [OPTIONS] [SUBCOMMAND]"));
}

BOOST_AUTO_TEST_CASE(every_command_explains_itself) {
  const std::vector<std::vector<std::string>> commands = {{},
                                                          {"serve"},
                                                          {"check"},
                                                          {"incidents"},
                                                          {"incidents", "list"},
                                                          {"incidents", "show"},
                                                          {"ack"},
                                                          {"unack"},
                                                          {"history"},
                                                          {"history", "events"},
                                                          {"history", "show"},
                                                          {"demo"},
                                                          {"version"},
                                                          {"completion"},
                                                          {"manual"}};
  for (std::vector<std::string> command : commands) {
    std::string path = "mlalert";
    for (const std::string& word : command) {
      path += " " + word;
    }
    BOOST_TEST_CONTEXT(path) {
      for (const char* flag : {"--help", "-h"}) {
        auto arguments = command;
        arguments.emplace_back(flag);
        CliRun run = Cli(arguments);
        BOOST_TEST(run.exit_code == 0);
        BOOST_TEST(Has(run.out, "Usage: " + path + " "));
        BOOST_TEST(run.err == "");
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(a_flag_without_a_subcommand_is_one_of_serve) {
  CliRun run = Cli({"--frob"});
  BOOST_TEST(run.exit_code == 1);
  BOOST_TEST(run.err == "mlalert: error: unknown long flag '--frob', try --help\n");
}

BOOST_AUTO_TEST_CASE(mistakes_exit_2_and_say_what_was_meant) {
  struct {
    std::vector<std::string> arguments;
    std::string want;
  } cases[] = {
      {{"chek"},
       "mlalert: unknown subcommand chek\n  hint: did you mean \"check\"?\nRun `mlalert --help` for "
       "usage.\n"},
      {{"check", "--strct", "x"},
       "mlalert: unknown flag --strct\n  hint: did you mean \"--strict\"?\nRun `mlalert check --help` for "
       "usage.\n"},
      {{"check", "--strct=1", "x"},
       "mlalert: unknown flag --strct\n  hint: did you mean \"--strict\"?\nRun `mlalert check --help` for "
       "usage.\n"},
      {{"incidents", "lst"},
       "mlalert: unknown subcommand lst\n  hint: did you mean \"list\"?\nRun `mlalert incidents --help` for "
       "usage.\n"},
      {{"version", "now"}, "mlalert: unexpected argument now\nRun `mlalert version --help` for usage.\n"},
      {{"check"}, "mlalert: FILE is required\nRun `mlalert check --help` for usage.\n"},
      {{"ack", "1"}, "mlalert: --comment is required\nRun `mlalert ack --help` for usage.\n"},
      {{"chek\x1b[2J"}, "mlalert: unknown subcommand chek\\x1b[2J\n"},
  };
  for (const auto& c : cases) {
    CliRun run = Cli(c.arguments);
    BOOST_TEST(run.exit_code == 2);
    BOOST_TEST(run.out == "");
    BOOST_TEST(run.err.substr(0, c.want.size()) == c.want);
  }
}

BOOST_AUTO_TEST_CASE(values_are_checked) {
  const std::vector<std::vector<std::string>> cases = {
      {"ack", "x", "--comment", "y"},
      {"ack", "0", "--comment", "y"},
      {"ack", "-1", "--comment", "y"},
      {"ack", "1x", "--comment", "y"},
      {"ack", "99999999999999999999", "--comment", "y"},
      {"ack", "1", "--comment"},
      {"incidents", "--state", "odd"},
      {"incidents", "--limit", "0"},
      {"incidents", "--limit", "100001"},
      {"incidents", "--limit", "ten"},
      {"incidents", "show"},
      {"incidents", "show", "1", "2"},
      {"incidents", "--url", "nope"},
      {"history", "--limit", "-1"},
      {"history", "show", "0"},
      {"ack", "0x1", "--comment", "y"},
      {"ack", "+1", "--comment", "y"},
      {"incidents", "show", "1.5"},
      {"ack", "1", "", "--comment", "y"},
      {"history", "--since", "x"},
      {"check", "--format", "xml", "f"},
      {"history", "--severity", "P1,,P9"},
      {"incidents", "--timeout", "0"},
  };
  for (const auto& arguments : cases) {
    BOOST_TEST_CONTEXT(fmt::format("{}", fmt::join(arguments, " "))) {
      CliRun run = Cli(arguments);
      BOOST_TEST(run.exit_code == 2);
      BOOST_TEST(run.out == "");
      BOOST_TEST(run.err.starts_with("mlalert: "));
    }
  }
}

BOOST_AUTO_TEST_CASE(version_comes_as_flag_and_as_subcommand) {
  CliRun flag = Cli({"--version"});
  BOOST_TEST(flag.exit_code == 0);
  BOOST_TEST(flag.out.starts_with("mlalert, version " MLALERT_VERSION "\n"));
  BOOST_TEST(Cli({"version"}).out == flag.out);
  auto json = ParseJson(Cli({"version", "--json"}).out);
  BOOST_REQUIRE(json.has_value());
  BOOST_TEST(json->GetString("version") == MLALERT_VERSION);
  BOOST_TEST(json->Find("database_schema")->AsInt() >= 1);
}

BOOST_AUTO_TEST_CASE(check_runs_with_its_flags) {
  TempFolder dir;
  std::string file = dir.Write("r.yml", "groups: [{name: g, rules: [{record: a, expr: up}]}]\n");
  BOOST_TEST(Cli({"check", file}).exit_code == 0);
  BOOST_TEST(Cli({"check", "--strict", file}).exit_code == 1);
  BOOST_TEST(Cli({"check", file, "--format=json"}).out.starts_with("{"));
  BOOST_TEST(Cli({"check", dir.Path("none")}).exit_code == 2);
}

BOOST_AUTO_TEST_CASE(the_environment_gives_defaults_and_flags_win) {
  LocalServer named(
      LocalServer::Answering([](const Request&) { return Answer(200, R"({"incidents":[]})"); }));
  LocalServer other(
      LocalServer::Answering([](const Request&) { return Answer(200, R"({"incidents":[]})"); }));
  std::string url = named.Url("");
  ScopedEnv env("MLALERT_URL", url.c_str());
  BOOST_TEST(Cli({"incidents"}).exit_code == 0);
  BOOST_TEST(Cli({"incidents", "list", "--state", "all"}).exit_code == 0);
  BOOST_TEST(named.requests().size() == 2u);
  BOOST_TEST(Cli({"incidents", "--url", other.Url("")}).exit_code == 0);
  BOOST_TEST(named.requests().size() == 2u);
  BOOST_TEST(other.requests().size() == 1u);

  TempFolder dir;
  ScopedEnv storage("MLALERT_STORAGE_PATH", dir.path().c_str());
  BOOST_TEST(Has(Cli({"history"}).err, dir.path()));
  BOOST_TEST(Has(Cli({"history", "events"}).err, dir.path()));
  BOOST_TEST(Has(Cli({"history", "--storage.path", "/nowhere"}).err, "/nowhere"));
  BOOST_TEST(Has(Cli({"history", "show", "1", "--storage.path", "/nowhere"}).err, "/nowhere"));
  ScopedEnv empty("MLALERT_URL", "");
  BOOST_TEST(!Has(Cli({"incidents", "--timeout", "1s"}).err, "--url:"));  // as if unset
}

BOOST_AUTO_TEST_CASE(flags_before_and_after_the_inner_subcommand_both_count) {
  LocalServer server(
      LocalServer::Answering([](const Request&) { return Answer(200, R"({"incidents":[]})"); }));
  BOOST_TEST(Cli({"incidents", "--model", "a", "list", "--url", server.Url("")}).exit_code == 0);
  BOOST_TEST(Has(server.requests().at(0).target, "model=a"));
  BOOST_TEST(Cli({"incidents", "list", "--severity", "P0,p1", "--severity", "P2", "--url", server.Url("")})
                 .exit_code == 0);
  BOOST_TEST(Has(server.requests().at(1).target, "severity=P0&severity=P1&severity=P2"));
}

BOOST_AUTO_TEST_CASE(output_that_cannot_be_written_is_a_failure) {
  std::ofstream full("/dev/full");
  std::streambuf* old = std::cout.rdbuf(full.rdbuf());
  char name[] = "mlalert";
  char command[] = "version";
  char* argv[] = {name, command, nullptr};
  std::ostringstream err;
  std::streambuf* old_err = std::cerr.rdbuf(err.rdbuf());
  int exit_code = RunCli(2, argv);
  std::cerr.rdbuf(old_err);
  std::cout.rdbuf(old);
  std::cout.clear();
  BOOST_TEST(exit_code == 1);
  BOOST_TEST(Has(err.str(), "cannot write to standard output"));
}

BOOST_AUTO_TEST_SUITE_END()

// The commands against a real daemon in this process, and its file after it has gone.
BOOST_AUTO_TEST_SUITE(with_a_daemon)

std::string Id(const CliRun& run, size_t row) {
  auto json = ParseJson(run.out);
  BOOST_REQUIRE(json.has_value());
  const auto& rows = json->Find("incidents")->AsArray();
  BOOST_REQUIRE(rows.size() > row);
  return std::to_string(rows[row].Find("id")->AsInt());
}

BOOST_AUTO_TEST_CASE(an_alert_is_listed_acknowledged_given_back_and_remembered) {
  TempFolder dir;
  ServeOptions options;
  options.config_file = dir.Write("c.yml", R"(route: {receiver: none, group_wait: 1h}
receivers: [{name: none}]
incident_policies: [{name: all, cooldown: 5m, acknowledge: {expires: 4h}}]
)");
  options.storage_path = dir.Path("data");
  options.listen_addresses = {"127.0.0.1:0"};
  options.log_level = LogLevel::kError;
  auto daemon = Daemon::Open(options);
  BOOST_REQUIRE(daemon.has_value());
  BOOST_REQUIRE((*daemon)->Start().has_value());
  std::string url = fmt::format("http://127.0.0.1:{}", (*daemon)->port());
  ScopedEnv env("MLALERT_URL", url.c_str());
  ScopedEnv storage("MLALERT_STORAGE_PATH", options.storage_path.c_str());

  BOOST_TEST(Has(Cli({"incidents"}).err, "no open or acknowledged incidents"));
  BOOST_TEST(Cli({"incidents", "show", "1"}).exit_code == 3);
  {
    auto client = ApiClient::Open({.url = url});
    BOOST_REQUIRE(client.has_value());
    auto body = ParseJson(R"([{"labels":{"alertname":"Down","severity":"P1","model":"m1"}},
                              {"labels":{"alertname":"Drift","severity":"P3","model":"m2"}}])");
    // Answers with an empty body, which the client does not take for ours; the alerts are in all the same.
    (void)client->Post("/api/v2/alerts", *body);
  }
  CliRun listed = Cli({"incidents", "--severity", "P1", "--json"});
  BOOST_TEST(listed.exit_code == 0);
  std::string id = Id(listed, 0);
  BOOST_TEST(Has(Cli({"incidents", "--model", "m2"}).out, "Drift"));
  BOOST_TEST(!Has(Cli({"incidents", "--model", "m2"}).out, "Down"));

  CliRun acked = Cli({"ack", id, "--comment", "on it", "--as", "alice", "--expires", "2h"});
  BOOST_TEST(acked.exit_code == 0);
  BOOST_TEST(
      acked.out.starts_with(fmt::format("acknowledged incident {} (Down m1, P1) as alice until 20", id)));
  BOOST_TEST(Has(Cli({"incidents", "--state", "acknowledged"}).out, "by alice until"));
  BOOST_TEST(Cli({"ack", "12345", "--comment", "x"}).exit_code == 3);
  BOOST_TEST(Cli({"ack", id, "--comment", "x", "--expires", "800d"}).exit_code == 2);
  CliRun shown = Cli({"incidents", "show", id});
  BOOST_TEST(shown.exit_code == 0);
  BOOST_TEST(Has(shown.out, "acknowledged"));
  BOOST_TEST(Has(shown.out, "on it"));
  BOOST_TEST(Has(Cli({"unack", id, "--as", "bob"}).out, "it is open again"));
  BOOST_TEST(Cli({"unack", id, "--as", "bob"}).exit_code == 0);  // it is not acknowledged any more: no change

  // Beside the running daemon, and without it.
  BOOST_TEST(Has(Cli({"history", "events", "--model", "m1"}).out, "unacknowledged"));
  (*daemon)->Stop();
  daemon->reset();
  BOOST_TEST(Cli({"incidents"}).exit_code == 1);
  CliRun events = Cli({"history", "events", "--alertname", "Down"});
  BOOST_TEST(events.exit_code == 0);
  BOOST_TEST(Has(events.out, "opened"));
  BOOST_TEST(Has(events.out, "acknowledged"));
  BOOST_TEST(!Has(events.out, "Drift"));
  BOOST_TEST(Has(Cli({"history", "show", id}).out, "Incident " + id + ": Down m1"));
  BOOST_TEST(Cli({"history", "show", "12345"}).exit_code == 3);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mlalert
