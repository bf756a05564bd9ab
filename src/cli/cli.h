// The command line: `mlalert SUBCOMMAND ...`. Exit codes: 0 fine, 1 failed, 2 bad input, 3 not found.
#pragma once

namespace mlalert {

int RunCli(int argc, char** argv);

}  // namespace mlalert
