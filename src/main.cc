#include "cli/cli.h"

int main(int argc, char** argv) {
  return mlalert::RunCli(argc, argv);
}
