// PromQL: what parses prints, and the print is stable.
#include <string>

#include "fuzz.h"
#include "promql/parser.h"
#include "promql/printer.h"

using namespace mlalert;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  auto tree = promql::ParseExpr(FuzzText(data, size));
  if (!tree) {
    return 0;
  }
  const std::string printed = promql::Print(**tree);
  auto again = promql::ParseExpr(printed);
  if (!again) {
    // The canonical form may be longer than what is accepted, or deeper for its parentheses.
    FUZZ_CHECK(again.error().code == ErrorCode::kLimit);
    return 0;
  }
  FUZZ_CHECK(promql::Print(**again) == printed);
  return 0;
}
