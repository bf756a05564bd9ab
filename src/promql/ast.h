// The syntax tree of a PromQL expression: plain nodes, owned top down by unique_ptr.
// Made by: promql/parser.h, which also guarantees that the tree is well typed. Read by: printer and analysis.
// mlalert parses PromQL to refuse broken rules at load and to ask questions about them; it never evaluates
// it. The names live in mlalert::promql because template/ has lexers, parsers and expressions of its own.
// Thread: plain values, no sharing.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/regex.h"
#include "base/time.h"
#include "promql/functions.h"

namespace mlalert::promql {

// Bytes [start, end) of the parsed text.
struct Range {
  size_t start = 0;
  size_t end = 0;
};

enum class MatchOp : uint8_t { kEqual, kNotEqual, kRegex, kNotRegex };
std::string_view MatchOpText(MatchOp op);

struct LabelMatcher {
  std::string name;
  MatchOp op = MatchOp::kEqual;
  std::string value;

  // Whether a series without the label passes. A pattern that does not compile matches nothing.
  bool MatchesEmpty() const;
  bool operator==(const LabelMatcher&) const = default;
};

inline constexpr std::string_view kMetricNameLabel = "__name__";

enum class BinaryOp : uint8_t {
  kAdd,
  kSub,
  kMul,
  kDiv,
  kMod,
  kPow,
  kAtan2,
  kEqual,
  kNotEqual,
  kGreater,
  kGreaterEqual,
  kLess,
  kLessEqual,
  kAnd,
  kOr,
  kUnless,
};
std::string_view BinaryOpText(BinaryOp op);
bool IsComparison(BinaryOp op);
bool IsSetOperator(BinaryOp op);

enum class AggregateOp : uint8_t {
  kAvg,
  kBottomK,
  kCount,
  kCountValues,
  kGroup,
  kLimitK,
  kLimitRatio,
  kMax,
  kMin,
  kQuantile,
  kStddev,
  kStdvar,
  kSum,
  kTopK,
};
std::string_view AggregateOpText(AggregateOp op);
bool HasParameter(AggregateOp op);

// The @ modifier.
struct AtModifier {
  enum class Kind : uint8_t { kTimestamp, kStart, kEnd };
  Kind kind = Kind::kTimestamp;
  int64_t unix_ms = 0;  // only for kTimestamp; may lie outside the range of mlalert's Timestamp

  bool operator==(const AtModifier&) const = default;
};

enum class ExprKind : uint8_t {
  kNumber,
  kString,
  kVector,
  kMatrix,
  kSubquery,
  kCall,
  kAggregate,
  kBinary,
  kUnary,
  kParen,
};

class Expr {
 public:
  virtual ~Expr() = default;
  Expr(const Expr&) = delete;
  Expr& operator=(const Expr&) = delete;

  ExprKind kind() const { return kind_; }

  Range range;
  // Nodes on the longest way down, this one included. The parser keeps it at most kMaxExprDepth, so that
  // walking and destroying a tree by recursion is safe.
  int depth = 1;

 protected:
  explicit Expr(ExprKind kind) : kind_(kind) {}

 private:
  ExprKind kind_;
};

using ExprPtr = std::unique_ptr<Expr>;

struct NumberLiteral final : Expr {
  static constexpr ExprKind kKind = ExprKind::kNumber;
  NumberLiteral() : Expr(kKind) {}
  double value = 0;
  bool is_duration = false;  // written as "5m": the value is in seconds
};

struct StringLiteral final : Expr {
  static constexpr ExprKind kKind = ExprKind::kString;
  StringLiteral() : Expr(kKind) {}
  std::string value;  // unquoted; may hold any bytes
};

struct VectorSelector final : Expr {
  static constexpr ExprKind kKind = ExprKind::kVector;
  VectorSelector() : Expr(kKind) {}
  std::string name;                    // the metric name before the braces, or empty
  std::vector<LabelMatcher> matchers;  // as written; a name before the braces is the last one (__name__)
  Duration offset = Duration::zero();  // positive looks back
  std::optional<AtModifier> at;
};

// `selector` carries the offset and @ that stand after the bracket.
struct MatrixSelector final : Expr {
  static constexpr ExprKind kKind = ExprKind::kMatrix;
  MatrixSelector() : Expr(kKind) {}
  std::unique_ptr<VectorSelector> selector;
  Duration window = Duration::zero();
};

struct SubqueryExpr final : Expr {
  static constexpr ExprKind kKind = ExprKind::kSubquery;
  SubqueryExpr() : Expr(kKind) {}
  ExprPtr expr;
  Duration window = Duration::zero();
  Duration step = Duration::zero();  // 0: the server's default step
  Duration offset = Duration::zero();
  std::optional<AtModifier> at;
};

struct Call final : Expr {
  static constexpr ExprKind kKind = ExprKind::kCall;
  Call() : Expr(kKind) {}
  const Function* function = nullptr;  // never null in a parsed tree; static storage
  std::vector<ExprPtr> args;
};

struct AggregateExpr final : Expr {
  static constexpr ExprKind kKind = ExprKind::kAggregate;
  AggregateExpr() : Expr(kKind) {}
  AggregateOp op = AggregateOp::kSum;
  ExprPtr expr;
  ExprPtr param;  // null unless HasParameter(op)
  std::vector<std::string> grouping;
  bool without = false;
};

enum class Cardinality : uint8_t { kOneToOne, kManyToOne, kOneToMany, kManyToMany };

struct VectorMatching {
  Cardinality cardinality = Cardinality::kOneToOne;
  bool on = false;  // false: ignoring
  std::vector<std::string> labels;
  std::vector<std::string> include;  // of group_left or group_right
};

struct BinaryExpr final : Expr {
  static constexpr ExprKind kKind = ExprKind::kBinary;
  BinaryExpr() : Expr(kKind) {}
  BinaryOp op = BinaryOp::kAdd;
  ExprPtr lhs;
  ExprPtr rhs;
  bool return_bool = false;
  std::optional<VectorMatching> matching;  // set only between two vectors
};

struct UnaryExpr final : Expr {
  static constexpr ExprKind kKind = ExprKind::kUnary;
  UnaryExpr() : Expr(kKind) {}
  bool negative = false;
  ExprPtr expr;
};

struct ParenExpr final : Expr {
  static constexpr ExprKind kKind = ExprKind::kParen;
  ParenExpr() : Expr(kKind) {}
  ExprPtr expr;
};

// As<Call>(expr): the node, or null when it is of another kind.
template <class Node>
const Node* As(const Expr& expr) {
  return expr.kind() == Node::kKind ? static_cast<const Node*>(&expr) : nullptr;
}
template <class Node>
Node* As(Expr& expr) {
  return expr.kind() == Node::kKind ? static_cast<Node*>(&expr) : nullptr;
}

// What an expression yields.
ValueType TypeOf(const Expr& expr);

// The direct children in the order they are written (an aggregation's parameter before its expression).
std::vector<const Expr*> Children(const Expr& expr);
std::vector<Expr*> Children(Expr& expr);

}  // namespace mlalert::promql
