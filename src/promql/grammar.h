// Which token may stand where: operators and their binding, and keywords that double as names.
// Used by the parser only. Pure functions, any thread.
#pragma once

#include <optional>

#include "promql/ast.h"
#include "promql/lexer.h"

namespace mlalert::promql {

struct BinaryInfo {
  BinaryOp op;
  int precedence;  // 1 binds loosest; 0: not a binary operator
};
inline constexpr int kMulPrecedence = 5;
inline constexpr int kPowPrecedence = 6;

BinaryInfo BinaryInfoOf(TokenType type);
// `type` must be an aggregator.
AggregateOp AggregateOpOf(TokenType type);
std::optional<MatchOp> MatchOpOf(TokenType type);

// Names, and keywords that are metric names where an operand is expected.
bool IsMetricName(TokenType type);
bool StartsOperand(TokenType type);
// Names, and keywords that are label names inside by(), on() and the like.
bool IsGroupingLabel(TokenType type);

}  // namespace mlalert::promql
