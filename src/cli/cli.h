// The command line: `mlalert SUBCOMMAND ...`. Exit codes: 0 fine, 1 failed (or a negative answer of a check),
// 2 bad input or usage, 3 not found. Each subcommand registers itself through its Add*Command.
// Thread: one.
#pragma once

namespace mlalert {

int RunCli(int argc, char** argv);

}  // namespace mlalert
