// PromQL: what parses prints, and the print is stable; questions about it can be asked, and mean the same of
// both.
#include <string>

#include "fuzz.h"
#include "promql/analysis.h"
#include "promql/label_scope.h"
#include "promql/parser.h"
#include "promql/printer.h"

using namespace mlalert;

namespace {

// What the no-data check would ask, one query to a line.
std::string Questions(const promql::Expr& expr) {
  std::string out;
  for (const promql::RequiredSelector& required : promql::RequiredSelectors(expr)) {
    out += promql::PresenceQuery(required) + "\n";
  }
  return out;
}

}  // namespace

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
  FUZZ_CHECK(Questions(**tree) == Questions(**again));
  const promql::LabelScope scope = promql::LabelsOf(**tree);
  const promql::LabelScope same = promql::LabelsOf(**again);
  FUZZ_CHECK(scope.all == same.all && scope.names == same.names);
  for (const promql::RequiredSelector& required : promql::RequiredSelectors(**tree)) {
    const auto question = promql::ParseExpr(promql::PresenceQuery(required));
    FUZZ_CHECK(question || question.error().code == ErrorCode::kLimit);
  }
  return 0;
}
