#include "promql/type_check.h"

#include <algorithm>
#include <fmt/format.h>

#include "promql/go_text.h"

namespace mlalert::promql {
namespace {

using MaybeError = std::optional<TypeError>;

bool IsSpace(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

class TypeChecker {
 public:
  explicit TypeChecker(std::string_view text) : text_(text) {}

  MaybeError Check(Expr& expr) {
    switch (expr.kind()) {
      case ExprKind::kNumber:
      case ExprKind::kString:
        return {};
      case ExprKind::kVector:
        return CheckSelector(*As<VectorSelector>(expr), /*allow_empty=*/false);
      case ExprKind::kMatrix:
        return CheckSelector(*As<MatrixSelector>(expr)->selector, /*allow_empty=*/false);
      case ExprKind::kSubquery:
        return CheckSubquery(*As<SubqueryExpr>(expr));
      case ExprKind::kCall:
        return CheckCall(*As<Call>(expr));
      case ExprKind::kAggregate:
        return CheckAggregate(*As<AggregateExpr>(expr));
      case ExprKind::kBinary:
        return CheckBinary(*As<BinaryExpr>(expr));
      case ExprKind::kUnary:
        return CheckUnary(*As<UnaryExpr>(expr));
      case ExprKind::kParen:
        return Check(*As<ParenExpr>(expr)->expr);
    }
    return {};
  }

 private:
  template <class... Args>
  static MaybeError At(const Expr& node, fmt::format_string<Args...> format, Args&&... args) {
    return TypeError{node.range.start, fmt::format(format, std::forward<Args>(args)...)};
  }

  MaybeError Expect(Expr& node, ValueType want, std::string_view context) {
    if (auto error = Check(node)) {
      return error;
    }
    ValueType got = TypeOf(node);
    if (got == want) {
      return {};
    }
    return At(node, "expected type {} in {}, got {}", DocumentedType(want), context, DocumentedType(got));
  }

  MaybeError CheckSelector(const VectorSelector& selector, bool allow_empty) {
    if (!selector.name.empty()) {
      for (size_t i = 0; i + 1 < selector.matchers.size(); ++i) {
        const auto& matcher = selector.matchers[i];
        if (matcher.name == kMetricNameLabel) {
          return At(selector, "metric name must not be set twice: {} or {}", GoQuote(selector.name),
                    GoQuote(matcher.value));
        }
      }
      return {};
    }
    bool all_empty = std::all_of(selector.matchers.begin(), selector.matchers.end(),
                                 [](const LabelMatcher& m) { return m.MatchesEmpty(); });
    if (all_empty && !allow_empty) {
      return At(selector, "vector selector must contain at least one non-empty matcher");
    }
    return {};
  }

  MaybeError CheckSubquery(SubqueryExpr& subquery) {
    if (auto error = Check(*subquery.expr)) {
      return error;
    }
    ValueType type = TypeOf(*subquery.expr);
    if (type == ValueType::kVector) {
      return {};
    }
    return At(subquery, "subquery is only allowed on instant vector, got {} instead", ValueTypeText(type));
  }

  MaybeError CheckUnary(UnaryExpr& unary) {
    if (auto error = Check(*unary.expr)) {
      return error;
    }
    ValueType type = TypeOf(*unary.expr);
    if (type == ValueType::kScalar || type == ValueType::kVector) {
      return {};
    }
    return At(unary, "unary expression only allowed on expressions of type scalar or instant vector, got {}",
              GoQuote(DocumentedType(type)));
  }

  MaybeError CheckAggregate(AggregateExpr& aggregate) {
    if (auto error = Expect(*aggregate.expr, ValueType::kVector, "aggregation expression")) {
      return error;
    }
    if (!aggregate.param) {
      return {};
    }
    ValueType want = aggregate.op == AggregateOp::kCountValues ? ValueType::kString : ValueType::kScalar;
    return Expect(*aggregate.param, want, "aggregation parameter");
  }

  MaybeError CheckArity(const Call& call) {
    const Function& function = *call.function;
    size_t declared = function.args.size();
    size_t given = call.args.size();
    std::string name = GoQuote(function.name);
    if (function.variadic == 0) {
      return declared == given
                 ? MaybeError()
                 : At(call, "expected {} argument(s) in call to {}, got {}", declared, name, given);
    }
    size_t least = declared - 1;
    if (given < least) {
      return At(call, "expected at least {} argument(s) in call to {}, got {}", least, name, given);
    }
    if (function.variadic > 0 && given > least + static_cast<size_t>(function.variadic)) {
      return At(call, "expected at most {} argument(s) in call to {}, got {}",
                least + static_cast<size_t>(function.variadic), name, given);
    }
    return {};
  }

  // The second argument of info() selects labels, not series: no metric name, and all matchers may be empty.
  MaybeError CheckInfo(const Call& call) {
    const Expr& arg = *call.args[1];
    if (TypeOf(arg) != ValueType::kVector) {
      return At(call, "expected type {} in call to function \"info\", got {}",
                DocumentedType(ValueType::kVector), DocumentedType(TypeOf(arg)));
    }
    const auto* selector = As<VectorSelector>(arg);
    if (selector == nullptr) {
      return At(arg, "expected label selectors only");
    }
    if (!selector->name.empty()) {
      return At(arg, "expected label selectors only, got vector selector instead");
    }
    return {};
  }

  MaybeError CheckCall(Call& call) {
    const Function& function = *call.function;
    if (auto error = CheckArity(call)) {
      return error;
    }
    bool info = function.name == "info";
    if (info && call.args.size() > 1) {
      if (auto error = CheckInfo(call)) {
        return error;
      }
    }
    for (size_t i = 0; i < call.args.size(); ++i) {
      Expr& arg = *call.args[i];
      auto error =
          info && i == 1 ? CheckSelector(*As<VectorSelector>(arg), /*allow_empty=*/true) : Check(arg);
      if (error) {
        return error;
      }
      ValueType want = function.args[std::min(i, function.args.size() - 1)];
      if (ValueType got = TypeOf(arg); got != want) {
        return At(arg, "expected type {} in call to function {}, got {}", DocumentedType(want),
                  GoQuote(function.name), DocumentedType(got));
      }
    }
    return {};
  }

  // Where the operator itself stands.
  size_t OperatorPos(const BinaryExpr& binary) const {
    size_t pos = binary.lhs->range.end;
    while (pos < text_.size() && IsSpace(text_[pos])) {
      ++pos;
    }
    return pos;
  }

  MaybeError CheckMatching(BinaryExpr& binary, ValueType lhs, ValueType rhs) {
    auto& matching = *binary.matching;
    bool set = IsSetOperator(binary.op);
    std::string op = GoQuote(BinaryOpText(binary.op));
    if (lhs != ValueType::kVector || rhs != ValueType::kVector) {
      if (!matching.labels.empty()) {
        return At(binary, "vector matching only allowed between instant vectors");
      }
      binary.matching.reset();
    } else if (set) {
      if (matching.cardinality != Cardinality::kOneToOne) {
        return At(binary, "no grouping allowed for {} operation", op);
      }
      matching.cardinality = Cardinality::kManyToMany;
    }
    if (set && (lhs == ValueType::kScalar || rhs == ValueType::kScalar)) {
      return At(binary, "set operator {} not allowed in binary scalar expression", op);
    }
    return {};
  }

  MaybeError CheckBinary(BinaryExpr& binary) {
    if (auto error = Check(*binary.lhs)) {
      return error;
    }
    if (auto error = Check(*binary.rhs)) {
      return error;
    }
    ValueType lhs = TypeOf(*binary.lhs);
    ValueType rhs = TypeOf(*binary.rhs);
    bool comparison = IsComparison(binary.op);
    if (binary.return_bool && !comparison) {
      return TypeError{OperatorPos(binary), "bool modifier can only be used on comparison operators"};
    }
    if (comparison && !binary.return_bool && lhs == ValueType::kScalar && rhs == ValueType::kScalar) {
      return TypeError{OperatorPos(binary), "comparisons between scalars must use BOOL modifier"};
    }
    const auto& matching = *binary.matching;
    for (const auto& label : matching.labels) {
      if (matching.on &&
          std::find(matching.include.begin(), matching.include.end(), label) != matching.include.end()) {
        return TypeError{
            OperatorPos(binary),
            fmt::format("label {} must not occur in ON and GROUP clause at once", GoQuote(label))};
      }
    }
    for (const auto* side : {binary.lhs.get(), binary.rhs.get()}) {
      ValueType type = TypeOf(*side);
      if (type != ValueType::kScalar && type != ValueType::kVector) {
        return At(*side, "binary expression must contain only scalar and instant vector types");
      }
    }
    return CheckMatching(binary, lhs, rhs);
  }

  std::string_view text_;
};

}  // namespace

std::optional<TypeError> CheckTypes(Expr& expr, std::string_view text) {
  return TypeChecker(text).Check(expr);
}

}  // namespace mlalert::promql
