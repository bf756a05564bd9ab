// Rule files: YAML, PromQL and templates in one.
#include <vector>

#include "config/rule_loader.h"
#include "fuzz.h"

using namespace mlalert;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::vector<RuleGroup> groups;
  RuleDefaults defaults;
  defaults.lint = true;
  Diagnostics found = LoadRuleText(FuzzText(data, size), "fuzz.yml", defaults, groups);
  FUZZ_CHECK(found.ok() || groups.empty());
  (void)found.ToText();
  return 0;
}
