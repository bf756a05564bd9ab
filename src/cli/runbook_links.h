// Lets the runbook links of rules lead to the runbooks that this process serves (--runbooks.path): a literal
// annotation runbook_url whose last part names one of them, as the shipped rules'
// https://wiki.internal/runbooks/NAME. Others stay as they are written. Fed by: the daemon, after each load.
// Thread: pure.
#pragma once

#include <string_view>
#include <vector>

#include "api/runbooks.h"
#include "config/rule_file.h"

namespace mlalert {

void PointAtRunbooks(std::vector<RuleGroup>& groups, const Runbooks& runbooks, std::string_view external_url);

}  // namespace mlalert
