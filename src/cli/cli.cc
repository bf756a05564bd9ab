#include "cli/cli.h"

namespace mlalert {

int RunCli(int, char**) {
  return 2;
}

}  // namespace mlalert
