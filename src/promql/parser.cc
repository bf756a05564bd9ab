#include "promql/parser.h"

#include <fmt/format.h>

#include "promql/go_text.h"
#include "promql/literals.h"
#include "promql/parser_impl.h"
#include "promql/type_check.h"

namespace mlalert::promql {

Result<ExprPtr> Parser::Run() {
  ExprPtr expr;
  if (Peek().type == TokenType::kEof) {
    SetError(0, "no expression found in input");
  } else {
    expr = ParseBinary(1);
  }
  if (expr && Peek().type != TokenType::kEof) {
    Unexpected();
  }
  if (!error_) {
    if (auto type_error = CheckTypes(*expr, text_)) {
      SetError(type_error->pos, std::move(type_error->message));
    }
  }
  if (error_) {
    return Fail(std::move(*error_));
  }
  return expr;
}

const Token& Parser::Peek() {
  if (!peeked_) {
    peeked_ = true;
    token_ = lexer_.Next();
    if (token_.type == TokenType::kError) {
      SetError(token_.pos, lexer_.error());
    }
  }
  return token_;
}

Token Parser::Take() {
  Token token = Peek();
  last_end_ = token.end();
  // The end and an error stay: the lexer has nothing after them.
  peeked_ = token.type == TokenType::kEof || token.type == TokenType::kError;
  return token;
}

bool Parser::Accept(TokenType type) {
  if (Peek().type != type) {
    return false;
  }
  Take();
  return true;
}

void Parser::SetError(size_t pos, std::string message, ErrorCode code) {
  if (error_) {
    return;
  }
  std::string_view before = text_.substr(0, pos);
  size_t line_break = before.rfind('\n');
  SourcePos where;
  where.line = 1 + static_cast<int>(std::count(before.begin(), before.end(), '\n'));
  where.column = static_cast<int>(line_break == std::string_view::npos ? pos + 1 : pos - line_break);
  std::string place = text_.empty() ? "unknown position" : fmt::format("{}:{}", where.line, where.column);
  error_ = Error{code, fmt::format("{}: parse error: {}", place, message), where, {}};
}

ExprPtr Parser::FailAt(size_t pos, std::string message) {
  SetError(pos, std::move(message));
  return nullptr;
}

std::nullptr_t Parser::Unexpected() {
  const Token& token = Peek();
  std::string message = "unexpected " + DescribeToken(token);
  if (!place_.context.empty()) {
    message += fmt::format(" in {}", place_.context);
  }
  if (!place_.expected.empty()) {
    message += fmt::format(", expected {}", place_.expected);
  }
  SetError(token.pos, std::move(message));
  return nullptr;
}

bool Parser::Expect(TokenType type) {
  if (Accept(type)) {
    return true;
  }
  Unexpected();
  return false;
}

void Parser::TooDeep(size_t pos) {
  SetError(pos, fmt::format("expression is nested more than {} levels deep", kMaxExprDepth),
           ErrorCode::kLimit);
}

ExprPtr Parser::ParseBinary(int least_precedence) {
  if (depth_ >= kMaxExprDepth) {
    TooDeep(Peek().pos);
    return nullptr;
  }
  ++depth_;
  ExprPtr lhs = ParseOperand();
  while (lhs) {
    BinaryInfo info = BinaryInfoOf(Peek().type);
    if (error_) {
      lhs = nullptr;
      break;
    }
    if (info.precedence == 0 || info.precedence < least_precedence) {
      break;
    }
    Take();
    lhs = ParseRightSide(std::move(lhs), info);
  }
  --depth_;
  return lhs;
}

ExprPtr Parser::ParseRightSide(ExprPtr lhs, BinaryInfo info) {
  auto node = std::make_unique<BinaryExpr>();
  node->op = info.op;
  if (!ParseModifiers(*node)) {
    return nullptr;
  }
  bool right_associative = info.op == BinaryOp::kPow;
  node->rhs = ParseBinary(right_associative ? info.precedence : info.precedence + 1);
  if (!node->rhs) {
    return nullptr;
  }
  node->lhs = std::move(lhs);
  node->range = {node->lhs->range.start, node->rhs->range.end};
  return Finish(std::move(node));
}

bool Parser::ParseModifiers(BinaryExpr& node) {
  node.return_bool = Accept(TokenType::kBool);
  auto& matching = node.matching.emplace();
  TokenType type = Peek().type;
  if (type == TokenType::kOn || type == TokenType::kIgnoring) {
    Take();
    matching.on = type == TokenType::kOn;
    if (!ParseGrouping(matching.labels)) {
      return false;
    }
    type = Peek().type;
    if (type == TokenType::kGroupLeft || type == TokenType::kGroupRight) {
      Take();
      matching.cardinality =
          type == TokenType::kGroupLeft ? Cardinality::kManyToOne : Cardinality::kOneToMany;
      // The list may be missing, but only where an operand follows.
      bool list = Peek().type == TokenType::kLeftParen || !StartsOperand(Peek().type);
      if (list && !ParseGrouping(matching.include)) {
        return false;
      }
    }
  }
  return !error_;
}

ExprPtr Parser::ParseOperand() {
  const Token& token = Peek();
  if (token.type == TokenType::kAdd || token.type == TokenType::kSub) {
    return ParseUnary();
  }
  ExprPtr expr = ParsePrimary();
  while (expr && !error_) {
    switch (Peek().type) {
      case TokenType::kOffset:
        expr = ParseOffset(std::move(expr));
        break;
      case TokenType::kAt:
        expr = ParseAt(std::move(expr));
        break;
      case TokenType::kLeftBracket:
        expr = ParseBracket(std::move(expr));
        break;
      default:
        return error_ ? nullptr : std::move(expr);
    }
  }
  return nullptr;
}

ExprPtr Parser::ParseUnary() {
  Token op = Take();
  bool negative = op.type == TokenType::kSub;
  ExprPtr operand = ParseBinary(kMulPrecedence + 1);
  if (!operand) {
    return nullptr;
  }
  if (auto* number = As<NumberLiteral>(*operand)) {
    number->value = negative ? -number->value : number->value;
    number->range.start = op.pos;
    return operand;
  }
  auto node = std::make_unique<UnaryExpr>();
  node->negative = negative;
  node->range = {op.pos, operand->range.end};
  node->expr = std::move(operand);
  return Finish(std::move(node));
}

ExprPtr Parser::ParsePrimary() {
  Token token = Peek();
  switch (token.type) {
    case TokenType::kLeftParen:
      return ParseParen();
    case TokenType::kNumber:
    case TokenType::kDuration:
      return ParseNumberLiteral();
    case TokenType::kString: {
      Take();
      auto node = std::make_unique<StringLiteral>();
      node->value = Unquote(token.text);
      node->range = {token.pos, token.end()};
      return node;
    }
    case TokenType::kLeftBrace:
      return ParseSelector(Token{TokenType::kIdentifier, token.pos, {}});
    default:
      break;
  }
  if (!IsMetricName(token.type)) {
    return Unexpected();
  }
  Take();
  TokenType next = Peek().type;
  bool grouped = next == TokenType::kBy || next == TokenType::kWithout;
  if (IsAggregatorToken(token.type) && (grouped || next == TokenType::kLeftParen)) {
    return ParseAggregate(token);
  }
  if (token.type == TokenType::kIdentifier && next == TokenType::kLeftParen) {
    return ParseCall(token);
  }
  return ParseSelector(token);
}

ExprPtr Parser::ParseParen() {
  auto node = std::make_unique<ParenExpr>();
  node->range.start = Take().pos;
  node->expr = ParseBinary(1);
  if (!node->expr) {
    return nullptr;
  }
  node->range.end = Peek().end();
  if (!Expect(TokenType::kRightParen)) {
    return nullptr;
  }
  return Finish(std::move(node));
}

std::unique_ptr<NumberLiteral> Parser::ParseNumberLiteral() {
  Token token = Take();
  auto node = std::make_unique<NumberLiteral>();
  node->range = {token.pos, token.end()};
  if (token.type == TokenType::kNumber) {
    auto number = ParseNumber(token.text);
    if (!number) {
      SetError(token.pos, number.error().message);
      return nullptr;
    }
    node->value = *number;
    return node;
  }
  auto duration = ParseDuration(token.text);
  if (!duration) {
    SetError(token.pos, duration.error().message);
    return nullptr;
  }
  node->value = ToSeconds(*duration);
  node->is_duration = true;
  return node;
}

bool Parser::ParseArgs(std::vector<ExprPtr>& args, size_t* end) {
  if (!Expect(TokenType::kLeftParen)) {
    return false;
  }
  if (Peek().type != TokenType::kRightParen) {
    for (;;) {
      args.push_back(ParseBinary(1));
      if (!args.back()) {
        return false;
      }
      if (Peek().type != TokenType::kComma) {
        break;
      }
      Token comma = Take();
      if (!StartsOperand(Peek().type)) {
        SetError(comma.pos, "trailing commas not allowed in function call args");
        return false;
      }
    }
  }
  *end = Peek().end();
  return Expect(TokenType::kRightParen);
}

ExprPtr Parser::ParseCall(const Token& name) {
  auto node = std::make_unique<Call>();
  node->range.start = name.pos;
  if (!ParseArgs(node->args, &node->range.end)) {
    return nullptr;
  }
  node->function = FindFunction(name.text);
  if (node->function == nullptr) {
    return FailAt(name.pos, "unknown function with name " + GoQuote(name.text));
  }
  return Finish(std::move(node));
}

ExprPtr Parser::ParseAggregate(const Token& op) {
  auto node = std::make_unique<AggregateExpr>();
  node->op = AggregateOpOf(op.type);
  node->range.start = op.pos;
  std::vector<ExprPtr> args;
  {
    Within aggregation(*this, kInAggregation);
    bool grouped = Peek().type != TokenType::kLeftParen;
    if ((grouped && !ParseAggregateGrouping(*node)) || !ParseArgs(args, &node->range.end)) {
      return nullptr;
    }
    if (!grouped && !ParseTrailingGrouping(*node)) {
      return nullptr;
    }
  }
  if (args.empty()) {
    return FailAt(op.pos, "no arguments for aggregate expression provided");
  }
  size_t wanted = HasParameter(node->op) ? 2 : 1;
  if (args.size() != wanted) {
    return FailAt(op.pos, fmt::format("wrong number of arguments for aggregate expression provided, "
                                      "expected {}, got {}",
                                      wanted, args.size()));
  }
  if (wanted == 2) {
    node->param = std::move(args.front());
  }
  node->expr = std::move(args.back());
  return Finish(std::move(node));
}

bool Parser::ParseTrailingGrouping(AggregateExpr& node) {
  TokenType next = Peek().type;
  if (next == TokenType::kBy || next == TokenType::kWithout) {
    return ParseAggregateGrouping(node);
  }
  return !error_;
}

bool Parser::ParseAggregateGrouping(AggregateExpr& node) {
  node.without = Take().type == TokenType::kWithout;
  if (!ParseGrouping(node.grouping)) {
    return false;
  }
  node.range.end = last_end_;
  return true;
}

Result<std::unique_ptr<Expr>> ParseExpr(std::string_view text) {
  if (text.size() > kMaxExprBytes) {
    return Fail(Error{ErrorCode::kLimit,
                      fmt::format("expression of {} bytes is longer than {}", text.size(), kMaxExprBytes),
                      {},
                      {}});
  }
  return Parser(text).Run();
}

}  // namespace mlalert::promql
