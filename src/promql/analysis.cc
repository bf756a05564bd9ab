#include "promql/analysis.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <iterator>
#include <memory>
#include <unordered_set>
#include <utility>

#include "promql/printer.h"

namespace mlalert::promql {
namespace {

void CollectSelectors(const Expr& expr, std::vector<const VectorSelector*>& out) {
  if (const auto* selector = As<VectorSelector>(expr)) {
    out.push_back(selector);
  }
  for (const Expr* child : Children(expr)) {
    CollectSelectors(*child, out);
  }
}

using Required = std::vector<RequiredSelector>;

// Two selectors with one key look at the same samples.
std::string Key(const RequiredSelector& required) {
  return PresenceQuery(required);
}

void Append(Required& to, Required from) {
  to.insert(to.end(), from.begin(), from.end());
}

Required Common(const Required& a, const Required& b) {
  std::unordered_set<std::string> keys;
  for (const auto& one : b) {
    keys.insert(Key(one));
  }
  Required out;
  std::copy_if(a.begin(), a.end(), std::back_inserter(out),
               [&](const auto& one) { return keys.count(Key(one)); });
  return out;
}

Required Distinct(const Required& all) {
  std::unordered_set<std::string> seen;
  Required out;
  std::copy_if(all.begin(), all.end(), std::back_inserter(out),
               [&](const auto& one) { return seen.insert(Key(one)).second; });
  return out;
}

// Nested subqueries can add up to more than a Duration holds.
Duration SaturatingAdd(Duration a, Duration b) {
  if (b > Duration::zero() && a > Duration::max() - b) {
    return Duration::max();
  }
  if (b < Duration::zero() && a < Duration::min() - b) {
    return Duration::min() + Duration(1);
  }
  return a + b;
}

Required NeededBy(const Expr& expr);

// What turns a scalar into NaN when it is missing.
Required NeededByScalar(const Expr& expr) {
  Required out;
  if (const auto* call = As<Call>(expr)) {
    if (call->function->name == "scalar") {
      return NeededBy(*call->args[0]);
    }
    return {};
  }
  if (const auto* binary = As<BinaryExpr>(expr); binary != nullptr && IsComparison(binary->op)) {
    return {};
  }
  for (const Expr* child : Children(expr)) {
    Append(out, NeededByScalar(*child));
  }
  return out;
}

Required NeededByBinary(const BinaryExpr& binary) {
  Required lhs = NeededBy(*binary.lhs);
  if (binary.op == BinaryOp::kUnless) {
    return lhs;
  }
  Required rhs = NeededBy(*binary.rhs);
  if (binary.op == BinaryOp::kOr) {
    return Common(lhs, rhs);
  }
  Append(lhs, std::move(rhs));
  // NaN passes no comparison but "!=".
  bool drops_nan = IsComparison(binary.op) && !binary.return_bool && binary.op != BinaryOp::kNotEqual;
  for (const auto* side : {binary.lhs.get(), binary.rhs.get()}) {
    if (drops_nan && TypeOf(*side) == ValueType::kScalar) {
      Append(lhs, NeededByScalar(*side));
    }
  }
  return lhs;
}

Required NeededByCall(const Call& call) {
  std::string_view name = call.function->name;
  if (name == "absent" || name == "absent_over_time" || name == "scalar") {
    return {};
  }
  Required out;
  for (const auto& arg : call.args) {
    Append(out, NeededBy(*arg));
    if (name == "info") {
      break;
    }
  }
  return out;
}

// An @ inside fixes the time: what the subquery does around it no longer matters.
Required NeededBySubquery(const SubqueryExpr& subquery) {
  Required out;
  for (auto one : NeededBy(*subquery.expr)) {
    if (!one.at) {
      one.window = SaturatingAdd(one.window, subquery.window);
      one.offset = SaturatingAdd(one.offset, subquery.offset);
      one.at = subquery.at;
    }
    out.push_back(one);
  }
  return out;
}

Required NeededBy(const Expr& expr) {
  switch (expr.kind()) {
    case ExprKind::kNumber:
    case ExprKind::kString:
      return {};
    case ExprKind::kVector: {
      const auto& selector = *As<VectorSelector>(expr);
      return {{&selector, Duration::zero(), selector.offset, selector.at}};
    }
    case ExprKind::kMatrix: {
      const auto& matrix = *As<MatrixSelector>(expr);
      const auto* selector = matrix.selector.get();
      return {{selector, matrix.window, selector->offset, selector->at}};
    }
    case ExprKind::kSubquery:
      return NeededBySubquery(*As<SubqueryExpr>(expr));
    case ExprKind::kCall:
      return NeededByCall(*As<Call>(expr));
    case ExprKind::kAggregate:
      return NeededBy(*As<AggregateExpr>(expr)->expr);
    case ExprKind::kBinary:
      return NeededByBinary(*As<BinaryExpr>(expr));
    case ExprKind::kUnary:
      return NeededBy(*As<UnaryExpr>(expr)->expr);
    case ExprKind::kParen:
      return NeededBy(*As<ParenExpr>(expr)->expr);
  }
  return {};
}

Duration Scaled(Duration duration, double divisor) {
  constexpr double kMostMs = 9.2e12;  // what fits in nanoseconds
  double ms = ToSeconds(duration) * 1000 / divisor;
  return std::chrono::milliseconds(std::llround(std::clamp(ms, -kMostMs, kMostMs)));
}

void ScaleWindow(Duration& window, double divisor) {
  Duration least = std::min<Duration>(window, std::chrono::seconds(1));
  window = std::max(Scaled(window, divisor), least);
}

void CollectExperimental(const Expr& expr, std::vector<std::string_view>& out) {
  std::string_view name;
  if (const auto* call = As<Call>(expr); call != nullptr && call->function->experimental) {
    name = call->function->name;
  } else if (const auto* aggregate = As<AggregateExpr>(expr)) {
    bool experimental = aggregate->op == AggregateOp::kLimitK || aggregate->op == AggregateOp::kLimitRatio;
    name = experimental ? AggregateOpText(aggregate->op) : std::string_view();
  }
  if (!name.empty() && std::find(out.begin(), out.end(), name) == out.end()) {
    out.push_back(name);
  }
  for (const Expr* child : Children(expr)) {
    CollectExperimental(*child, out);
  }
}

}  // namespace

std::vector<const VectorSelector*> Selectors(const Expr& expr) {
  std::vector<const VectorSelector*> out;
  CollectSelectors(expr, out);
  return out;
}

std::vector<RequiredSelector> RequiredSelectors(const Expr& expr) {
  if (TypeOf(expr) == ValueType::kScalar || TypeOf(expr) == ValueType::kString) {
    return {};
  }
  return Distinct(NeededBy(expr));
}

std::string PresenceQuery(const RequiredSelector& required, std::span<const LabelMatcher> extra) {
  auto selector = std::make_unique<VectorSelector>();
  selector->name = required.selector->name;
  selector->matchers = required.selector->matchers;
  // A name before the braces is kept as the last matcher.
  selector->matchers.insert(selector->matchers.begin(), extra.begin(), extra.end());
  selector->offset = required.offset;
  selector->at = required.at;
  if (required.window == Duration::zero()) {
    return fmt::format("count({})", Print(*selector));
  }
  MatrixSelector matrix;
  matrix.window = required.window;
  matrix.selector = std::move(selector);
  return fmt::format("count(last_over_time({}))", Print(matrix));
}

std::string PresenceQuery(const VectorSelector& selector, Duration window,
                          std::span<const LabelMatcher> extra) {
  return PresenceQuery({&selector, window, selector.offset, selector.at}, extra);
}

void ScaleDurations(Expr& expr, double divisor) {
  if (!(divisor > 0) || std::isinf(divisor)) {
    return;
  }
  if (auto* selector = As<VectorSelector>(expr)) {
    selector->offset = Scaled(selector->offset, divisor);
  } else if (auto* matrix = As<MatrixSelector>(expr)) {
    ScaleWindow(matrix->window, divisor);
  } else if (auto* subquery = As<SubqueryExpr>(expr)) {
    ScaleWindow(subquery->window, divisor);
    ScaleWindow(subquery->step, divisor);
    subquery->offset = Scaled(subquery->offset, divisor);
  }
  for (Expr* child : Children(expr)) {
    ScaleDurations(*child, divisor);
  }
}

std::vector<std::string_view> ExperimentalNames(const Expr& expr) {
  std::vector<std::string_view> out;
  CollectExperimental(expr, out);
  return out;
}

}  // namespace mlalert::promql
