// Questions about a parsed expression: what it reads, what must be there for it to speak, what a server must
// allow. Read by: the no-data check (rules/), lint (config/, cli/), the demo (cli/). Pure; borrows the tree;
// any thread.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "promql/ast.h"

namespace mlalert::promql {

// Every selector, in the order written; those inside range selectors too. Pointers live as long as the tree.
std::vector<const VectorSelector*> Selectors(const Expr& expr);

// A selector, and when its samples are looked at, seen from the time of evaluation.
struct RequiredSelector {
  const VectorSelector* selector = nullptr;
  // How far back: its own range plus those of the subqueries around it. Zero: an instant selector, looked up
  // at one instant with the server's staleness rule.
  Duration window = Duration::zero();
  Duration offset = Duration::zero();  // its own plus those of the subqueries around it
  std::optional<AtModifier> at;  // its own, or else that of the innermost subquery around it that has one
};

// The selectors without whose samples the result is empty for lack of data, not because a condition is false;
// each distinct one once, in the order written. Left out: the right side of `unless`, what absent() looks at,
// the second argument of info(), and operands of `or` except what both sides need. scalar(x), which gives NaN
// for want of data, requires x where a comparison that drops NaN filters by it. Empty for expressions that
// always speak, such as vector(1) or absent(up).
std::vector<RequiredSelector> RequiredSelectors(const Expr& expr);

// An expression that yields one element, the number of series, when the selector has samples there, and
// nothing otherwise: count(x{...} offset 5m), or count(last_over_time(x{...}[10m] offset 5m)). `extra` is
// added to its matchers.
std::string PresenceQuery(const RequiredSelector& required, std::span<const LabelMatcher> extra = {});
// The same from parts: `window` as in RequiredSelector; offset and @ are the selector's own.
std::string PresenceQuery(const VectorSelector& selector, Duration window,
                          std::span<const LabelMatcher> extra = {});

// Divides every range, subquery range and step, and offset by `divisor` (> 0; anything else changes nothing),
// rounded to whole milliseconds. Ranges and steps stay at least 1 s unless they were shorter before, because
// servers seldom have denser samples; a step left to the server stays so. Durations used as numbers ("> 5m")
// and functions' time arguments (predict_linear) keep their value.
void ScaleDurations(Expr& expr, double divisor);

// The experimental functions and aggregations used, each once: a server must run with
// --enable-feature=promql-experimental-functions to evaluate the expression.
std::vector<std::string_view> ExperimentalNames(const Expr& expr);

}  // namespace mlalert::promql
