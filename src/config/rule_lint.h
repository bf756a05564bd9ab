// What a careful reviewer says about an alerting rule that loads: legal, and most likely not meant. Called
// by: rule_loader.cc, when its caller wants it (`mlalert check`). Everything is a warning. Thread: confined
// to one load.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "config/rule_file.h"
#include "config/yaml_reader.h"
#include "promql/ast.h"

namespace mlalert {

// `map` is the rule in the file, `expr` its expression; null: not PromQL. Messages begin with `prefix`.
void LintRule(const YamlMap& map, const std::string& prefix, const AlertingRule& rule,
              const promql::Expr* expr, Duration interval);

// Labels of the sample that a text reads: $labels.x, index $labels "x", and .Labels.x where nothing but the
// sample can be meant. Each once.
std::vector<std::string> LabelsRead(std::string_view text);
// Whether a text shows the value.
bool ReadsValue(std::string_view text);

}  // namespace mlalert
