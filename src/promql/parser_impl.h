// The parser proper, split over three files: expressions (parser.cc), selectors and label lists
// (parser_selectors.cc), ranges, offsets and @ (parser_modifiers.cc). Internal to promql/; parser.h is the
// way in. Recursive descent that meets errors in the order of Prometheus' generated LALR parser: an action
// runs as soon as its tokens are read, and the next token is looked at only where the grammar needs it to
// decide. Thread: one object, one parse.
#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "promql/ast.h"
#include "promql/grammar.h"
#include "promql/lexer.h"
#include "promql/parser.h"

namespace mlalert::promql {

// A null node, false or nullopt means that error_ is set and that everything unwinds.
class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text), lexer_(text) {}

  Result<ExprPtr> Run();

 private:
  // What an unexpected token is said to be in, and what should have stood there.
  struct Place {
    std::string_view context;
    std::string_view expected;
  };

  // Sets the place for errors in a scope and puts the outer one back.
  class Within {
   public:
    Within(Parser& parser, Place place) : parser_(parser), outer_(parser.place_) { parser.place_ = place; }
    ~Within() { parser_.place_ = outer_; }
    Within(const Within&) = delete;
    Within& operator=(const Within&) = delete;

   private:
    Parser& parser_;
    Place outer_;
  };

  struct Seconds {
    Duration value;
    size_t pos;
    size_t end;
  };

  const Token& Peek();
  Token Take();
  bool Accept(TokenType type);
  bool Expect(TokenType type);

  // Keeps the first error only.
  void SetError(size_t pos, std::string message, ErrorCode code = ErrorCode::kInvalid);
  ExprPtr FailAt(size_t pos, std::string message);
  // Complains about the next token.
  std::nullptr_t Unexpected();
  void TooDeep(size_t pos);

  // The last step of making a node: its depth, checked.
  template <class Node>
  ExprPtr Finish(std::unique_ptr<Node> node) {
    for (const Expr* child : Children(std::as_const(static_cast<Expr&>(*node)))) {
      node->depth = std::max(node->depth, child->depth + 1);
    }
    if (node->depth > kMaxExprDepth) {
      TooDeep(node->range.start);
      return nullptr;
    }
    return node;
  }

  // Precedence climbing. Every recursion of the parser passes here.
  ExprPtr ParseBinary(int least_precedence);
  ExprPtr ParseRightSide(ExprPtr lhs, BinaryInfo info);
  // bool, on/ignoring, group_left/group_right.
  bool ParseModifiers(BinaryExpr& node);
  // A unary expression, or a primary one with the modifiers behind it.
  ExprPtr ParseOperand();
  // Binds as tightly as "*", so "-a ^ b" is "-(a ^ b)".
  ExprPtr ParseUnary();
  ExprPtr ParsePrimary();
  ExprPtr ParseParen();
  std::unique_ptr<NumberLiteral> ParseNumberLiteral();
  // "(" arguments ")"; `end` receives the end of the closing parenthesis.
  bool ParseArgs(std::vector<ExprPtr>& args, size_t* end);
  ExprPtr ParseCall(const Token& name);
  ExprPtr ParseAggregate(const Token& op);
  bool ParseTrailingGrouping(AggregateExpr& node);
  // by (...) or without (...); before or after the arguments.
  bool ParseAggregateGrouping(AggregateExpr& node);

  // `name` is empty when the selector starts with its brace. A name becomes the last matcher.
  ExprPtr ParseSelector(const Token& name);
  bool ParseMatchers(VectorSelector& selector);
  // name op "value", or a metric name in quotes.
  bool ParseMatcher(VectorSelector& selector);
  bool ParseGrouping(std::vector<std::string>& labels);
  bool ParseGroupingLabel(std::vector<std::string>& labels);

  ExprPtr ParseOffset(ExprPtr expr);
  ExprPtr ParseAt(ExprPtr expr);
  bool ParseTimestamp(const Expr& expr, AtModifier& modifier, size_t* end);
  // [5m] or [5m:1m].
  ExprPtr ParseBracket(ExprPtr expr);
  ExprPtr ParseSubquery(ExprPtr expr, Duration window);
  // A duration, or a number of seconds.
  std::optional<Seconds> ParseSeconds();
  // Ranges and steps of nothing are refused.
  std::optional<Seconds> ParsePositiveSeconds();

  // Places of errors, and what Prometheus says was expected there.
  static constexpr Place kInAggregation{"aggregation", ""};
  static constexpr Place kGroupingOpen{"grouping opts", "\"(\""};
  static constexpr Place kGroupingLabel{"grouping opts", "label"};
  static constexpr Place kGroupingNext{"grouping opts", "\",\" or \")\""};
  static constexpr Place kMatcherName{"label matching", "identifier or \"}\""};
  static constexpr Place kMatcherOp{"label matching", "label matching operator"};
  static constexpr Place kMatcherValue{"label matching", "string"};
  static constexpr Place kMatcherNext{"label matching", "\",\" or \"}\""};
  static constexpr Place kOffsetValue{"offset", "number or duration"};
  static constexpr Place kAtValue{"@", "timestamp"};
  static constexpr Place kWindow{"subquery selector", "number or duration"};
  static constexpr Place kAfterWindow{"subquery or range", "\":\" or \"]\""};
  static constexpr Place kStep{"subquery selector", "number or duration or \"]\""};
  static constexpr Place kAfterStep{"subquery selector", "\"]\""};

  std::string_view text_;
  Lexer lexer_;
  Token token_;
  bool peeked_ = false;
  int depth_ = 0;
  size_t last_end_ = 0;  // of the token taken last
  Place place_;          // the innermost one that would catch an error now
  std::optional<Error> error_;
};

}  // namespace mlalert::promql
