#include "promql/grammar.h"

namespace mlalert::promql {

BinaryInfo BinaryInfoOf(TokenType type) {
  switch (type) {
    case TokenType::kOr:
      return {BinaryOp::kOr, 1};
    case TokenType::kAnd:
      return {BinaryOp::kAnd, 2};
    case TokenType::kUnless:
      return {BinaryOp::kUnless, 2};
    case TokenType::kEqlC:
      return {BinaryOp::kEqual, 3};
    case TokenType::kNeq:
      return {BinaryOp::kNotEqual, 3};
    case TokenType::kGtr:
      return {BinaryOp::kGreater, 3};
    case TokenType::kGte:
      return {BinaryOp::kGreaterEqual, 3};
    case TokenType::kLss:
      return {BinaryOp::kLess, 3};
    case TokenType::kLte:
      return {BinaryOp::kLessEqual, 3};
    case TokenType::kAdd:
      return {BinaryOp::kAdd, 4};
    case TokenType::kSub:
      return {BinaryOp::kSub, 4};
    case TokenType::kMul:
      return {BinaryOp::kMul, kMulPrecedence};
    case TokenType::kDiv:
      return {BinaryOp::kDiv, kMulPrecedence};
    case TokenType::kMod:
      return {BinaryOp::kMod, kMulPrecedence};
    case TokenType::kAtan2:
      return {BinaryOp::kAtan2, kMulPrecedence};
    case TokenType::kPow:
      return {BinaryOp::kPow, kPowPrecedence};
    default:
      return {BinaryOp::kAdd, 0};
  }
}

AggregateOp AggregateOpOf(TokenType type) {
  // Both enumerations list the same names in the same order.
  return static_cast<AggregateOp>(static_cast<int>(type) - static_cast<int>(TokenType::kAvg));
}
static_assert(static_cast<int>(TokenType::kTopK) - static_cast<int>(TokenType::kAvg) ==
              static_cast<int>(AggregateOp::kTopK));

bool IsMetricName(TokenType type) {
  switch (type) {
    case TokenType::kIdentifier:
    case TokenType::kMetricIdentifier:
    case TokenType::kBy:
    case TokenType::kAnd:
    case TokenType::kOr:
    case TokenType::kUnless:
    case TokenType::kOffset:
    case TokenType::kWithout:
    case TokenType::kStart:
    case TokenType::kEnd:
      return true;
    default:
      return IsAggregatorToken(type);
  }
}

bool StartsOperand(TokenType type) {
  switch (type) {
    case TokenType::kLeftParen:
    case TokenType::kLeftBrace:
    case TokenType::kNumber:
    case TokenType::kDuration:
    case TokenType::kString:
    case TokenType::kAdd:
    case TokenType::kSub:
      return true;
    default:
      return IsMetricName(type);
  }
}

bool IsGroupingLabel(TokenType type) {
  switch (type) {
    case TokenType::kBool:
    case TokenType::kGroupLeft:
    case TokenType::kGroupRight:
    case TokenType::kIgnoring:
    case TokenType::kOn:
    case TokenType::kAtan2:
      return true;
    case TokenType::kWithout:
      return false;
    default:
      return IsMetricName(type);
  }
}

std::optional<MatchOp> MatchOpOf(TokenType type) {
  switch (type) {
    case TokenType::kEql:
      return MatchOp::kEqual;
    case TokenType::kNeq:
      return MatchOp::kNotEqual;
    case TokenType::kEqlRegex:
      return MatchOp::kRegex;
    case TokenType::kNeqRegex:
      return MatchOp::kNotRegex;
    default:
      return std::nullopt;
  }
}

}  // namespace mlalert::promql
