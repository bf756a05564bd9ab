#include "promql/ast.h"

namespace mlalert::promql {

std::string_view MatchOpText(MatchOp op) {
  switch (op) {
    case MatchOp::kEqual:
      return "=";
    case MatchOp::kNotEqual:
      return "!=";
    case MatchOp::kRegex:
      return "=~";
    case MatchOp::kNotRegex:
      return "!~";
  }
  return "";
}

bool LabelMatcher::MatchesEmpty() const {
  if (op == MatchOp::kEqual || op == MatchOp::kNotEqual) {
    return value.empty() == (op == MatchOp::kEqual);
  }
  auto regex = Regex::CompileAnchored(value);
  return regex && regex->FullMatch("") == (op == MatchOp::kRegex);
}

std::string_view BinaryOpText(BinaryOp op) {
  switch (op) {
    case BinaryOp::kAdd:
      return "+";
    case BinaryOp::kSub:
      return "-";
    case BinaryOp::kMul:
      return "*";
    case BinaryOp::kDiv:
      return "/";
    case BinaryOp::kMod:
      return "%";
    case BinaryOp::kPow:
      return "^";
    case BinaryOp::kAtan2:
      return "atan2";
    case BinaryOp::kEqual:
      return "==";
    case BinaryOp::kNotEqual:
      return "!=";
    case BinaryOp::kGreater:
      return ">";
    case BinaryOp::kGreaterEqual:
      return ">=";
    case BinaryOp::kLess:
      return "<";
    case BinaryOp::kLessEqual:
      return "<=";
    case BinaryOp::kAnd:
      return "and";
    case BinaryOp::kOr:
      return "or";
    case BinaryOp::kUnless:
      return "unless";
  }
  return "";
}

bool IsComparison(BinaryOp op) {
  return op >= BinaryOp::kEqual && op <= BinaryOp::kLessEqual;
}

bool IsSetOperator(BinaryOp op) {
  return op >= BinaryOp::kAnd;
}

std::string_view AggregateOpText(AggregateOp op) {
  switch (op) {
    case AggregateOp::kAvg:
      return "avg";
    case AggregateOp::kBottomK:
      return "bottomk";
    case AggregateOp::kCount:
      return "count";
    case AggregateOp::kCountValues:
      return "count_values";
    case AggregateOp::kGroup:
      return "group";
    case AggregateOp::kLimitK:
      return "limitk";
    case AggregateOp::kLimitRatio:
      return "limit_ratio";
    case AggregateOp::kMax:
      return "max";
    case AggregateOp::kMin:
      return "min";
    case AggregateOp::kQuantile:
      return "quantile";
    case AggregateOp::kStddev:
      return "stddev";
    case AggregateOp::kStdvar:
      return "stdvar";
    case AggregateOp::kSum:
      return "sum";
    case AggregateOp::kTopK:
      return "topk";
  }
  return "";
}

bool HasParameter(AggregateOp op) {
  switch (op) {
    case AggregateOp::kBottomK:
    case AggregateOp::kCountValues:
    case AggregateOp::kLimitK:
    case AggregateOp::kLimitRatio:
    case AggregateOp::kQuantile:
    case AggregateOp::kTopK:
      return true;
    default:
      return false;
  }
}

ValueType TypeOf(const Expr& expr) {
  switch (expr.kind()) {
    case ExprKind::kNumber:
      return ValueType::kScalar;
    case ExprKind::kString:
      return ValueType::kString;
    case ExprKind::kVector:
    case ExprKind::kAggregate:
      return ValueType::kVector;
    case ExprKind::kMatrix:
    case ExprKind::kSubquery:
      return ValueType::kMatrix;
    case ExprKind::kCall:
      return As<Call>(expr)->function->result;
    case ExprKind::kBinary: {
      const auto& binary = *As<BinaryExpr>(expr);
      bool scalar = TypeOf(*binary.lhs) == ValueType::kScalar && TypeOf(*binary.rhs) == ValueType::kScalar;
      return scalar ? ValueType::kScalar : ValueType::kVector;
    }
    case ExprKind::kUnary:
      return TypeOf(*As<UnaryExpr>(expr)->expr);
    case ExprKind::kParen:
      return TypeOf(*As<ParenExpr>(expr)->expr);
  }
  return ValueType::kScalar;
}

namespace {

template <class E>
std::vector<E*> ChildrenOf(E& expr) {
  switch (expr.kind()) {
    case ExprKind::kNumber:
    case ExprKind::kString:
    case ExprKind::kVector:
      return {};
    case ExprKind::kMatrix:
      return {As<MatrixSelector>(expr)->selector.get()};
    case ExprKind::kSubquery:
      return {As<SubqueryExpr>(expr)->expr.get()};
    case ExprKind::kCall: {
      std::vector<E*> out;
      for (const auto& arg : As<Call>(expr)->args) {
        out.push_back(arg.get());
      }
      return out;
    }
    case ExprKind::kAggregate: {
      auto& aggregate = *As<AggregateExpr>(expr);
      if (aggregate.param) {
        return {aggregate.param.get(), aggregate.expr.get()};
      }
      return {aggregate.expr.get()};
    }
    case ExprKind::kBinary: {
      auto& binary = *As<BinaryExpr>(expr);
      return {binary.lhs.get(), binary.rhs.get()};
    }
    case ExprKind::kUnary:
      return {As<UnaryExpr>(expr)->expr.get()};
    case ExprKind::kParen:
      return {As<ParenExpr>(expr)->expr.get()};
  }
  return {};
}

}  // namespace

std::vector<const Expr*> Children(const Expr& expr) {
  return ChildrenOf(expr);
}

std::vector<Expr*> Children(Expr& expr) {
  return ChildrenOf(expr);
}

}  // namespace mlalert::promql
