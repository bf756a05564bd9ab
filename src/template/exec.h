// Walks a parse tree and writes the output. One Executor runs one execution.
// Fed by: template.cc. Errors have the shape `template: N:1:2: executing "N" at <.Foo>: can't evaluate ...`.
// HTML needs nothing here: its escapers are commands that html_escape appends to the trees' pipelines.
// Thread: one execution on one thread; trees are shared and const.
// Limits: ExecLimits; kMaxWalkDepth bounds the C++ stack.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "template/ast.h"
#include "template/func_map.h"

namespace mlalert::tmpl {

// Statements and pipelines inside each other, over all templates that call each other.
inline constexpr int kMaxWalkDepth = 1500;

class Executor {
 public:
  Executor(const TreeMap& trees, const ExecEnv& env, const ExecLimits& limits, RegexCache& regexes);

  // `variables` are the values of the tree's predeclared variables.
  Result<std::string> Run(const Tree& tree, const Value& data, std::span<const Value> variables);

 private:
  enum class Flow : uint8_t { kNext, kBreak, kContinue, kFailed };
  struct Variable {
    uint32_t id = 0;
    Value value;
  };
  using Args = std::span<const std::unique_ptr<Operand>>;

  // -- statements (exec.cc)
  Flow WalkList(const std::vector<Statement>& list, const Value& dot);
  Flow Walk(const Statement& s, const Value& dot);
  Flow WalkAction(const Statement& s, const Value& dot);
  Flow WalkIfOrWith(const Statement& s, const Value& dot);
  Flow WalkRange(const Statement& s, const Value& dot);
  Flow RangeTurn(const Statement& s, size_t mark, Value index, const Value& item);
  Flow WalkTemplate(const Statement& s, const Value& dot);
  bool Print(const Statement& s, const Value& v);
  bool Append(std::string_view text);

  // -- expressions (eval.cc). `final` is the value piped in, null when there is none. False: failed.
  bool EvalPipeline(const Pipeline& pipe, const Value& dot, Value& out);
  bool EvalCommand(const Command& command, const Value& dot, const Value* final, Value& out);
  bool EvalFunction(const Operand& callee, const Node& node, const Value& dot, Args args, const Value* final,
                    Value& out);
  bool EvalAndOr(const FuncDef& function, const Value& dot, Args args, const Value* final, Value& out);
  bool EvalFields(const Node& node, const Value& dot, Value receiver, std::span<const std::string> fields,
                  Args args, const Value* final, Value& out);
  bool EvalField(const Node& node, const Value& dot, const Value& receiver, const std::string& name,
                 Args args, const Value* final, Value& out);
  bool EvalArg(ParamType type, const Operand& arg, const Value& dot, Value& out);
  bool EvalLiteralArg(ParamType type, const Operand& arg, Value& out);
  bool EvalOperand(const Operand& arg, const Value& dot, Value& out);
  bool CheckCount(std::string_view name, const Signature& signature, size_t written, bool piped);
  bool CheckType(ParamType type, const Value& v);
  bool PushArgs(const Signature& signature, const Value& dot, Args args, const Value* final);
  bool Finish(const Node& node, std::string_view name, Result<Value> result, Value& out);
  bool NoArguments(Args args, const Value* final);

  // -- variables
  const Value* FindVariable(uint32_t id) const;
  bool SetVariable(const Declaration& declaration, const Value& v);

  void At(const Node& node) { at_ = &node; }
  bool Fail(std::string_view message, ErrorCode code = ErrorCode::kInvalid);
  bool Step(int64_t cost = 1);

  const TreeMap& trees_;
  ExecContext context_;
  const Tree* tree_ = nullptr;
  const Node* at_ = nullptr;  // the node an error is blamed on
  std::vector<Variable> variables_;
  size_t frame_ = 0;         // variables below it belong to calling templates
  std::vector<Value> args_;  // a stack: arguments of the calls being evaluated
  std::string out_;
  int template_depth_ = 0;
  int walk_depth_ = 0;
  Error error_;
};

}  // namespace mlalert::tmpl
