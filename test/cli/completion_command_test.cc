// Completions and the manual page name every subcommand and flag.
#include <boost/test/unit_test.hpp>

#include "cli/cli_case.h"

namespace mlalert {
namespace {

using testing::Cli;
using testing::CliRun;
using testing::Has;

BOOST_AUTO_TEST_SUITE(completion)

BOOST_AUTO_TEST_CASE(each_shell_gets_subcommands_and_flags) {
  for (const char* shell : {"bash", "zsh"}) {
    CliRun run = Cli({"completion", shell});
    BOOST_TEST(run.exit_code == 0);
    BOOST_TEST(run.err == "");
    for (const char* word :
         {"serve", "'mlalert incidents show'", "--config.auto-reload-interval", "--strict"}) {
      BOOST_TEST(Has(run.out, word), shell << ": " << word);
    }
  }
  BOOST_TEST(Has(Cli({"completion", "zsh"}).out, "#compdef mlalert\n"));
}

BOOST_AUTO_TEST_CASE(a_command_without_flags_has_nothing_to_complete) {
  BOOST_TEST(Has(Cli({"completion", "bash"}).out, "'mlalert template render') words='' ;;"));
}

BOOST_AUTO_TEST_CASE(an_unknown_shell_is_refused) {
  CliRun run = Cli({"completion", "fish"});
  BOOST_TEST(run.exit_code == 2);
  BOOST_TEST(Has(run.err, "fish"));
}

BOOST_AUTO_TEST_CASE(the_manual_page_is_troff) {
  CliRun run = Cli({"manual"});
  BOOST_TEST(run.exit_code == 0);
  BOOST_TEST(run.out.rfind(".TH MLALERT 1", 0) == 0U);
  for (const char* word :
       {".SH NAME", ".SS mlalert serve", "\\fB\\-\\-config.file\\fR", ".SS mlalert incidents show"}) {
    BOOST_TEST(Has(run.out, word), word);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mlalert
