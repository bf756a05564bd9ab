// Loaded rules as the history remembers them. Thread: pure functions.
#pragma once

#include <string>
#include <vector>

#include "config/rule_file.h"
#include "model/memory_record.h"

namespace mlalert {

// For patches; empty when it cannot be read or is huge.
std::string ReadRuleFile(const std::string& path);

RuleSetRecord RuleSetOf(const std::vector<RuleGroup>& groups, Timestamp now);

}  // namespace mlalert
