#include "promql/printer.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <fmt/format.h>
#include <optional>
#include <string_view>
#include <vector>

#include "promql/go_text.h"

namespace mlalert::promql {
namespace {

bool IsPlainLabelName(std::string_view name) {
  auto letter = [](char c) { return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  auto digit = [](char c) { return c >= '0' && c <= '9'; };
  return !name.empty() && letter(name.front()) &&
         std::all_of(name.begin(), name.end(), [&](char c) { return letter(c) || digit(c); });
}

std::string LabelName(std::string_view name) {
  return IsPlainLabelName(name) ? std::string(name) : GoQuote(name);
}

std::string LabelList(const std::vector<std::string>& labels) {
  std::string out = "(";
  for (size_t i = 0; i < labels.size(); ++i) {
    out += i == 0 ? "" : ", ";
    out += LabelName(labels[i]);
  }
  return out + ")";
}

std::string PrintNumber(const NumberLiteral& number) {
  double value = number.value;
  if (number.is_duration) {
    auto ns = static_cast<int64_t>(std::round(std::fabs(value) * 1e9));
    return (std::signbit(value) ? "-" : "") + FormatDuration(Duration(ns));
  }
  if (std::isnan(value)) {
    return "NaN";
  }
  if (std::isinf(value)) {
    return value > 0 ? "+Inf" : "-Inf";
  }
  std::array<char, 512> buffer;  // the longest double has 309 digits before, or 340 behind the point
  auto result = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::fixed);
  return {buffer.data(), result.ptr};
}

std::string PrintModifiers(const std::optional<AtModifier>& at, Duration offset) {
  std::string out;
  if (at) {
    switch (at->kind) {
      case AtModifier::Kind::kTimestamp:
        out += fmt::format(" @ {:.3f}", static_cast<double>(at->unix_ms) / 1000);
        break;
      case AtModifier::Kind::kStart:
        out += " @ start()";
        break;
      case AtModifier::Kind::kEnd:
        out += " @ end()";
        break;
    }
  }
  if (offset != Duration::zero()) {
    bool negative = offset < Duration::zero();
    out += negative ? " offset -" : " offset ";
    out += FormatDuration(negative ? -offset : offset);
  }
  return out;
}

// Without offset and @.
std::string PrintBareSelector(const VectorSelector& selector) {
  std::vector<std::string> matchers;
  for (const auto& m : selector.matchers) {
    bool is_name = m.name == kMetricNameLabel && m.op == MatchOp::kEqual && m.value == selector.name;
    if (!is_name || m.value.empty()) {
      matchers.push_back(Print(m));
    }
  }
  if (matchers.empty()) {
    return selector.name.empty() ? "{}" : selector.name;
  }
  std::sort(matchers.begin(), matchers.end());
  std::string out = selector.name + "{";
  for (size_t i = 0; i < matchers.size(); ++i) {
    out += i == 0 ? "" : ",";
    out += matchers[i];
  }
  return out + "}";
}

std::string PrintSubquery(const SubqueryExpr& subquery) {
  std::string step = subquery.step == Duration::zero() ? "" : FormatDuration(subquery.step);
  return fmt::format("{}[{}:{}]{}", Print(*subquery.expr), FormatDuration(subquery.window), step,
                     PrintModifiers(subquery.at, subquery.offset));
}

std::string PrintCall(const Call& call) {
  std::string out = std::string(call.function->name) + "(";
  for (size_t i = 0; i < call.args.size(); ++i) {
    out += i == 0 ? "" : ", ";
    out += Print(*call.args[i]);
  }
  return out + ")";
}

std::string PrintAggregate(const AggregateExpr& aggregate) {
  std::string out(AggregateOpText(aggregate.op));
  if (aggregate.without || !aggregate.grouping.empty()) {
    out += aggregate.without ? " without " : " by ";
    out += LabelList(aggregate.grouping) + " ";
  }
  out += "(";
  if (aggregate.param) {
    out += Print(*aggregate.param) + ", ";
  }
  return out + Print(*aggregate.expr) + ")";
}

std::string PrintMatching(const VectorMatching& matching) {
  bool grouped =
      matching.cardinality == Cardinality::kManyToOne || matching.cardinality == Cardinality::kOneToMany;
  std::string out;
  if (matching.on || grouped || !matching.labels.empty()) {
    out += (matching.on ? " on " : " ignoring ") + LabelList(matching.labels);
  }
  if (grouped) {
    out += matching.cardinality == Cardinality::kManyToOne ? " group_left " : " group_right ";
    out += LabelList(matching.include);
  }
  return out;
}

std::string PrintBinary(const BinaryExpr& binary) {
  std::string lhs = Print(*binary.lhs);
  // "+Inf ^ x" would be read as +(Inf ^ x).
  if (binary.op == BinaryOp::kPow && lhs == "+Inf" && binary.lhs->kind() == ExprKind::kNumber) {
    lhs = "Inf";
  }
  return fmt::format("{} {}{}{} {}", lhs, BinaryOpText(binary.op), binary.return_bool ? " bool" : "",
                     binary.matching ? PrintMatching(*binary.matching) : "", Print(*binary.rhs));
}

}  // namespace

std::string Print(const LabelMatcher& matcher) {
  return fmt::format("{}{}{}", LabelName(matcher.name), MatchOpText(matcher.op), GoQuote(matcher.value));
}

std::string Print(const Expr& expr) {
  switch (expr.kind()) {
    case ExprKind::kNumber:
      return PrintNumber(*As<NumberLiteral>(expr));
    case ExprKind::kString:
      return GoQuote(As<StringLiteral>(expr)->value);
    case ExprKind::kVector: {
      const auto& selector = *As<VectorSelector>(expr);
      return PrintBareSelector(selector) + PrintModifiers(selector.at, selector.offset);
    }
    case ExprKind::kMatrix: {
      const auto& matrix = *As<MatrixSelector>(expr);
      return fmt::format("{}[{}]{}", PrintBareSelector(*matrix.selector), FormatDuration(matrix.window),
                         PrintModifiers(matrix.selector->at, matrix.selector->offset));
    }
    case ExprKind::kSubquery:
      return PrintSubquery(*As<SubqueryExpr>(expr));
    case ExprKind::kCall:
      return PrintCall(*As<Call>(expr));
    case ExprKind::kAggregate:
      return PrintAggregate(*As<AggregateExpr>(expr));
    case ExprKind::kBinary:
      return PrintBinary(*As<BinaryExpr>(expr));
    case ExprKind::kUnary: {
      const auto& unary = *As<UnaryExpr>(expr);
      return (unary.negative ? "-" : "+") + Print(*unary.expr);
    }
    case ExprKind::kParen:
      return "(" + Print(*As<ParenExpr>(expr)->expr) + ")";
  }
  return {};
}

}  // namespace mlalert::promql
