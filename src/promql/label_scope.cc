#include "promql/label_scope.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace mlalert::promql {
namespace {

LabelScope None() {
  return {};
}

void Add(LabelScope& scope, const std::string& label) {
  if (scope.all) {
    scope.names.erase(label);
  } else {
    scope.names.insert(label);
  }
}

void Remove(LabelScope& scope, const std::string& label) {
  if (scope.all) {
    scope.names.insert(label);
  } else {
    scope.names.erase(label);
  }
}

LabelScope Only(const LabelScope& scope, const std::vector<std::string>& labels) {
  LabelScope out;
  for (const std::string& label : labels) {
    if (scope.MayHave(label)) {
      out.names.insert(label);
    }
  }
  return out;
}

LabelScope Union(const LabelScope& a, const LabelScope& b) {
  if (!a.all && !b.all) {
    LabelScope out = a;
    out.names.insert(b.names.begin(), b.names.end());
    return out;
  }
  const LabelScope& wide = a.all ? a : b;
  const LabelScope& other = a.all ? b : a;
  LabelScope out{true, {}};
  for (const std::string& label : wide.names) {
    if (!other.MayHave(label)) {
      out.names.insert(label);
    }
  }
  return out;
}

LabelScope OfSelector(const VectorSelector& selector) {
  LabelScope out{true, {}};
  for (const LabelMatcher& matcher : selector.matchers) {
    if (matcher.op == MatchOp::kEqual && matcher.value.empty()) {
      out.names.insert(matcher.name);
    }
  }
  return out;
}

// absent() makes its labels of matchers that fix one value.
LabelScope OfAbsent(const Expr& arg) {
  const Expr* inner = &arg;
  while (const auto* paren = As<ParenExpr>(*inner)) {
    inner = paren->expr.get();
  }
  const VectorSelector* selector = As<VectorSelector>(*inner);
  if (const auto* matrix = As<MatrixSelector>(*inner)) {
    selector = matrix->selector.get();
  }
  LabelScope out;
  for (const LabelMatcher& matcher : selector != nullptr ? selector->matchers : std::vector<LabelMatcher>()) {
    if (matcher.op == MatchOp::kEqual && matcher.name != kMetricNameLabel && !matcher.value.empty()) {
      out.names.insert(matcher.name);
    }
  }
  return out;
}

LabelScope OfCall(const Call& call) {
  const std::string_view name = call.function->name;
  if (name == "absent" || name == "absent_over_time") {
    return OfAbsent(*call.args[0]);
  }
  LabelScope out;
  for (const auto& arg : call.args) {
    if (TypeOf(*arg) == ValueType::kVector || TypeOf(*arg) == ValueType::kMatrix) {
      out = name == "scalar" ? None() : LabelsOf(*arg);
      break;
    }
  }
  if (name == "info") {
    return {true, {}};
  }
  if (name == "histogram_quantile" || name == "histogram_fraction" || name == "histogram_quantiles") {
    Remove(out, "le");
  }
  if (name == "label_replace" || name == "label_join") {
    if (const auto* target = call.args.size() > 1 ? As<StringLiteral>(*call.args[1]) : nullptr) {
      Add(out, target->value);
    }
  }
  return out;
}

LabelScope OfAggregate(const AggregateExpr& aggregate) {
  LabelScope inner = LabelsOf(*aggregate.expr);
  switch (aggregate.op) {
    case AggregateOp::kTopK:
    case AggregateOp::kBottomK:
    case AggregateOp::kLimitK:
    case AggregateOp::kLimitRatio:
      return inner;
    default:
      break;
  }
  LabelScope out;
  if (aggregate.without) {
    out = std::move(inner);
    for (const std::string& label : aggregate.grouping) {
      Remove(out, label);
    }
  } else {
    out = Only(inner, aggregate.grouping);
  }
  if (aggregate.op == AggregateOp::kCountValues && aggregate.param != nullptr) {
    if (const auto* label = As<StringLiteral>(*aggregate.param)) {
      Add(out, label->value);
    }
  }
  return out;
}

LabelScope OfBinary(const BinaryExpr& binary) {
  if (!binary.matching) {
    return Union(LabelsOf(*binary.lhs), LabelsOf(*binary.rhs));
  }
  const VectorMatching& matching = *binary.matching;
  if (binary.op == BinaryOp::kOr) {
    return Union(LabelsOf(*binary.lhs), LabelsOf(*binary.rhs));
  }
  if (IsSetOperator(binary.op)) {
    return LabelsOf(*binary.lhs);
  }
  if (matching.cardinality == Cardinality::kOneToOne) {
    LabelScope out = LabelsOf(*binary.lhs);
    if (matching.on) {
      return Only(out, matching.labels);
    }
    for (const std::string& label : matching.labels) {
      Remove(out, label);
    }
    return out;
  }
  const bool left = matching.cardinality == Cardinality::kManyToOne;
  LabelScope out = LabelsOf(left ? *binary.lhs : *binary.rhs);
  const LabelScope one = LabelsOf(left ? *binary.rhs : *binary.lhs);
  for (const std::string& label : matching.include) {
    one.MayHave(label) ? Add(out, label) : Remove(out, label);
  }
  return out;
}

}  // namespace

LabelScope LabelsOf(const Expr& expr) {
  switch (expr.kind()) {
    case ExprKind::kNumber:
    case ExprKind::kString:
      return None();
    case ExprKind::kVector:
      return OfSelector(*As<VectorSelector>(expr));
    case ExprKind::kMatrix:
      return OfSelector(*As<MatrixSelector>(expr)->selector);
    case ExprKind::kSubquery:
      return LabelsOf(*As<SubqueryExpr>(expr)->expr);
    case ExprKind::kCall:
      return OfCall(*As<Call>(expr));
    case ExprKind::kAggregate:
      return OfAggregate(*As<AggregateExpr>(expr));
    case ExprKind::kBinary:
      return OfBinary(*As<BinaryExpr>(expr));
    case ExprKind::kUnary:
      return LabelsOf(*As<UnaryExpr>(expr)->expr);
    case ExprKind::kParen:
      return LabelsOf(*As<ParenExpr>(expr)->expr);
  }
  return {true, {}};
}

}  // namespace mlalert::promql
