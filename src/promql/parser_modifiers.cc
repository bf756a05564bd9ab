#include <cmath>
#include <cstdint>
#include <fmt/format.h>
#include <limits>

#include "promql/literals.h"
#include "promql/parser_impl.h"

namespace mlalert::promql {

ExprPtr Parser::ParseOffset(ExprPtr expr) {
  Take();
  Within offset(*this, kOffsetValue);
  bool negative = Peek().type == TokenType::kSub;
  if (negative || Peek().type == TokenType::kAdd) {
    Take();
  }
  auto value = ParseSeconds();
  if (!value) {
    return nullptr;
  }
  Duration* where = nullptr;
  if (auto* vector = As<VectorSelector>(*expr)) {
    where = &vector->offset;
  } else if (auto* matrix = As<MatrixSelector>(*expr)) {
    where = &matrix->selector->offset;
  } else if (auto* subquery = As<SubqueryExpr>(*expr)) {
    where = &subquery->offset;
  } else {
    return FailAt(expr->range.start,
                  "offset modifier must be preceded by an instant vector selector or range vector selector "
                  "or a subquery");
  }
  if (*where != Duration::zero()) {
    return FailAt(expr->range.start, "offset may not be set multiple times");
  }
  *where = negative ? -value->value : value->value;
  expr->range.end = value->end;
  return expr;
}

std::optional<Parser::Seconds> Parser::ParseSeconds() {
  TokenType type = Peek().type;
  if (type != TokenType::kNumber && type != TokenType::kDuration) {
    Unexpected();
    return std::nullopt;
  }
  auto literal = ParseNumberLiteral();
  if (!literal) {
    return std::nullopt;
  }
  auto duration = SecondsToDuration(literal->value);
  if (!duration) {
    SetError(literal->range.start, duration.error().message);
    return std::nullopt;
  }
  return Seconds{*duration, literal->range.start, literal->range.end};
}

std::optional<Parser::Seconds> Parser::ParsePositiveSeconds() {
  auto seconds = ParseSeconds();
  if (seconds && seconds->value <= Duration::zero()) {
    SetError(seconds->pos, "duration must be greater than 0");
    return std::nullopt;
  }
  return seconds;
}

ExprPtr Parser::ParseAt(ExprPtr expr) {
  Take();
  Within at(*this, kAtValue);
  AtModifier modifier;
  Token token = Peek();
  size_t end = 0;
  if (token.type == TokenType::kStart || token.type == TokenType::kEnd) {
    Take();
    modifier.kind = token.type == TokenType::kStart ? AtModifier::Kind::kStart : AtModifier::Kind::kEnd;
    if (!Expect(TokenType::kLeftParen)) {
      return nullptr;
    }
    end = Peek().end();
    if (!Expect(TokenType::kRightParen)) {
      return nullptr;
    }
  } else if (!ParseTimestamp(*expr, modifier, &end)) {
    return nullptr;
  }
  std::optional<AtModifier>* where = nullptr;
  if (auto* vector = As<VectorSelector>(*expr)) {
    where = &vector->at;
  } else if (auto* matrix = As<MatrixSelector>(*expr)) {
    where = &matrix->selector->at;
  } else if (auto* subquery = As<SubqueryExpr>(*expr)) {
    where = &subquery->at;
  } else {
    return FailAt(expr->range.start,
                  "@ modifier must be preceded by an instant vector selector or range vector selector or a "
                  "subquery");
  }
  if (where->has_value()) {
    return FailAt(expr->range.start, "@ <timestamp> may not be set multiple times");
  }
  *where = modifier;
  expr->range.end = end;
  return expr;
}

bool Parser::ParseTimestamp(const Expr& expr, AtModifier& modifier, size_t* end) {
  bool negative = Peek().type == TokenType::kSub;
  if (negative || Peek().type == TokenType::kAdd) {
    Take();
  }
  if (Peek().type != TokenType::kNumber) {
    Unexpected();
    return false;
  }
  auto literal = ParseNumberLiteral();
  if (!literal) {
    return false;
  }
  constexpr double kBound = 9223372036854775808.0;  // 2^63
  double seconds = negative ? -literal->value : literal->value;
  if (!(std::fabs(seconds) < kBound)) {
    std::string shown = std::isnan(seconds)   ? "NaN"
                        : std::isinf(seconds) ? (negative ? "-Inf" : "+Inf")
                                              : fmt::format("{:f}", seconds);
    SetError(expr.range.start, "timestamp out of bounds for @ modifier: " + shown);
    return false;
  }
  double ms = std::round(seconds * 1000);
  modifier.unix_ms = ms >= kBound    ? std::numeric_limits<int64_t>::max()
                     : ms <= -kBound ? std::numeric_limits<int64_t>::min()
                                     : static_cast<int64_t>(ms);
  *end = literal->range.end;
  return true;
}

ExprPtr Parser::ParseBracket(ExprPtr expr) {
  size_t bracket = Take().pos;
  Within window_place(*this, kWindow);
  auto window = ParsePositiveSeconds();
  if (!window) {
    return nullptr;
  }
  place_ = kAfterWindow;
  if (Accept(TokenType::kColon)) {
    return ParseSubquery(std::move(expr), window->value);
  }
  size_t end = Peek().end();
  if (!Expect(TokenType::kRightBracket)) {
    return nullptr;
  }
  auto* selector = As<VectorSelector>(*expr);
  if (selector == nullptr) {
    return FailAt(bracket, "ranges only allowed for vector selectors");
  }
  if (selector->offset != Duration::zero()) {
    return FailAt(bracket, "no offset modifiers allowed before range");
  }
  if (selector->at && selector->at->kind == AtModifier::Kind::kTimestamp) {
    return FailAt(bracket, "no @ modifiers allowed before range");
  }
  auto node = std::make_unique<MatrixSelector>();
  node->window = window->value;
  node->range = {expr->range.start, end};
  expr.release();
  node->selector.reset(selector);
  return Finish(std::move(node));
}

ExprPtr Parser::ParseSubquery(ExprPtr expr, Duration window) {
  auto node = std::make_unique<SubqueryExpr>();
  node->window = window;
  place_ = kStep;
  if (Peek().type != TokenType::kRightBracket) {
    auto step = ParsePositiveSeconds();
    if (!step) {
      return nullptr;
    }
    node->step = step->value;
    place_ = kAfterStep;
  }
  node->range = {expr->range.start, Peek().end()};
  if (!Expect(TokenType::kRightBracket)) {
    return nullptr;
  }
  node->expr = std::move(expr);
  return Finish(std::move(node));
}

}  // namespace mlalert::promql
