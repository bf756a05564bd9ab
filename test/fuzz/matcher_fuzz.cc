// Matcher text in all three modes, as lists and as one. What parsed is printed, and what is printed means the
// same.
#include <algorithm>
#include <string>

#include "fuzz.h"
#include "model/matcher_parse.h"

using namespace mlalert;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(FuzzText(data, size));
  for (MatcherMode mode : {MatcherMode::kFallback, MatcherMode::kClassic, MatcherMode::kUtf8Strict}) {
    std::string warning;
    auto list = ParseMatchers(text, mode, &warning);
    (void)ParseMatcher(text, mode, &warning);
    if (!list) {
      continue;
    }
    // Upstream's print of an empty name does not parse, and the print is part of group keys: kept.
    if (std::any_of(list->begin(), list->end(), [](const Matcher& m) { return m.name().empty(); })) {
      continue;
    }
    auto again = ParseMatchers(ToString(*list), mode);
    FUZZ_CHECK(again.has_value());
    FUZZ_CHECK(*again == *list);
    const LabelSet labels = LabelSet::From({{"a", "b"}, {"severity", text.substr(0, 20)}});
    (void)MatchesAll(*list, labels);
  }
  return 0;
}
