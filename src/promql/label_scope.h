// Which labels the elements of an expression's result can have: what an aggregation drops is gone for
// templates. Read by: lint (config/). Errs on the side of "may have". Pure; borrows nothing.
#pragma once

#include <set>
#include <string>

#include "promql/ast.h"

namespace mlalert::promql {

struct LabelScope {
  bool all = false;  // every label but `names`; otherwise none but `names`
  std::set<std::string> names;

  bool MayHave(const std::string& label) const { return all != names.contains(label); }
};

LabelScope LabelsOf(const Expr& expr);

}  // namespace mlalert::promql
