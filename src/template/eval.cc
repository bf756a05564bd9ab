// Expressions: pipelines, commands, calls, fields. The order of evaluation and the node each error is blamed
// on follow Go's text/template, because both can be seen in messages.
#include <fmt/format.h>

#include "template/exec.h"
#include "template/go_time.h"
#include "template/print.h"

namespace mlalert::tmpl {
namespace {

constexpr int64_t kBytesPerStep = 64;

// What Go calls the parameter's type when a literal of another type stands there.
std::string_view ExpectedLiteral(ParamType type) {
  switch (type) {
    case ParamType::kBool:
      return "bool";
    case ParamType::kInt:
      return "integer";
    case ParamType::kFloat:
      return "float";
    case ParamType::kString:
      return "string";
    default:
      return "";
  }
}

ParamType TypeOfArg(const Signature& signature, size_t i) {
  return signature.variadic && i + 1 >= signature.params.size() ? signature.params.back()
                                                                : signature.params[i];
}

}  // namespace

bool Executor::EvalPipeline(const Pipeline& pipe, const Value& dot, Value& out) {
  At(pipe);
  if (walk_depth_ > kMaxWalkDepth) {
    return Fail("templates nest too deeply", ErrorCode::kLimit);
  }
  ++walk_depth_;
  const Value* final = nullptr;
  Value piped;
  for (const Command& command : pipe.commands) {
    if (!Step() || !EvalCommand(command, dot, final, out)) {
      return false;
    }
    if (&command != &pipe.commands.back()) {
      piped = std::move(out);
      out = Value();
      final = &piped;
    }
  }
  --walk_depth_;
  for (const Declaration& declaration : pipe.declarations) {
    if (!pipe.is_assign) {
      variables_.push_back({declaration.variable, out});
    } else if (!SetVariable(declaration, out)) {
      return false;
    }
  }
  return true;
}

bool Executor::NoArguments(Args args, const Value* final) {
  if (args.size() <= 1 && final == nullptr) {
    return true;
  }
  return Fail(fmt::format("can't give argument to non-function {}", ToString(*args[0], *tree_->source)));
}

bool Executor::EvalCommand(const Command& command, const Value& dot, const Value* final, Value& out) {
  const Operand& first = *command.args[0];
  Args args(command.args);
  switch (first.type) {
    case NodeType::kField:
      At(first);
      return EvalFields(first, dot, dot, first.fields, args, final, out);
    case NodeType::kVariable: {
      At(first);
      const Value* v = FindVariable(first.variable);
      if (v == nullptr) {
        return Fail(fmt::format("undefined variable: {}", tree_->source->variables[first.variable]));
      }
      if (first.fields.empty()) {
        out = *v;
        return NoArguments(args, final);
      }
      return EvalFields(first, dot, *v, first.fields, args, final, out);
    }
    case NodeType::kChain: {
      At(first);
      if (first.base->type == NodeType::kNil) {
        return Fail(fmt::format("indirection through explicit nil in {}", ToString(first, *tree_->source)));
      }
      Value receiver;
      return EvalOperand(*first.base, dot, receiver) &&
             EvalFields(first, dot, std::move(receiver), first.fields, args, final, out);
    }
    case NodeType::kIdentifier:
      return EvalFunction(first, command, dot, args, final, out);
    case NodeType::kPipe:
      return NoArguments(args, final) && EvalPipeline(*first.pipe, dot, out);
    default:
      break;
  }
  At(first);
  if (!NoArguments(args, final)) {
    return false;
  }
  switch (first.type) {
    case NodeType::kDot:
      out = dot;
      return true;
    case NodeType::kNil:
      return Fail("nil is not a command");
    default:
      if (first.too_large) {
        return Fail(fmt::format("{} overflows int", first.text));
      }
      out = first.value;
      return true;
  }
}

bool Executor::CheckCount(std::string_view name, const Signature& signature, size_t written, bool piped) {
  size_t given = written + (piped ? 1 : 0);
  size_t want = signature.params.size();
  if (signature.variadic) {
    if (given + 1 < want) {
      return Fail(
          fmt::format("wrong number of args for {}: want at least {} got {}", name, want - 1, written));
    }
  } else if (given != want) {
    return Fail(fmt::format("wrong number of args for {}: want {} got {}", name, want, given));
  }
  return true;
}

bool Executor::CheckType(ParamType type, const Value& v) {
  if (Accepts(type, v)) {
    return true;
  }
  if (v.IsNil()) {
    return Fail(fmt::format("invalid value; expected {}", ParamTypeName(type)));
  }
  return Fail(fmt::format("wrong type for value; expected {}; got {}", ParamTypeName(type), v.TypeName()));
}

// Leaves the evaluated arguments on top of args_.
bool Executor::PushArgs(const Signature& signature, const Value& dot, Args args, const Value* final) {
  int64_t bytes = 0;
  for (size_t i = 1; i < args.size(); ++i) {
    Value v;
    if (!EvalArg(TypeOfArg(signature, i - 1), *args[i], dot, v)) {
      return false;
    }
    bytes += v.kind() == Kind::kString ? static_cast<int64_t>(v.Size()) : 0;
    args_.push_back(std::move(v));
  }
  if (final != nullptr) {
    if (!CheckType(TypeOfArg(signature, args.empty() ? 0 : args.size() - 1), *final)) {
      return false;
    }
    bytes += final->kind() == Kind::kString ? static_cast<int64_t>(final->Size()) : 0;
    args_.push_back(*final);
  }
  return Step(1 + bytes / kBytesPerStep);
}

bool Executor::Finish(const Node& node, std::string_view name, Result<Value> result, Value& out) {
  if (!result) {
    At(node);
    return Fail(fmt::format("error calling {}: {}", name, result.error().message), result.error().code);
  }
  out = std::move(*result);
  size_t limit = context_.limits().output_bytes;
  if (out.kind() == Kind::kString && out.Size() > limit) {
    At(node);
    return Fail(fmt::format("error calling {}: result is longer than {} bytes", name, limit),
                ErrorCode::kLimit);
  }
  if (out.Depth() > kMaxValueDepth) {
    At(node);
    return Fail(fmt::format("error calling {}: lists nest too deeply", name), ErrorCode::kLimit);
  }
  // Lists are copied by the functions that build them.
  size_t items =
      out.kind() == Kind::kList || out.kind() == Kind::kMap ? out.Size() : out.Size() / kBytesPerStep;
  return items == 0 || Step(static_cast<int64_t>(items));
}

// `node` is what an error of the call is blamed on: the command, or the bare name when it is an argument.
bool Executor::EvalFunction(const Operand& callee, const Node& node, const Value& dot, Args args,
                            const Value* final, Value& out) {
  const FuncDef& function = *callee.function;
  At(callee);
  if (!CheckCount(function.name, function.signature, args.empty() ? 0 : args.size() - 1, final != nullptr)) {
    return false;
  }
  if (function.special == SpecialForm::kAnd || function.special == SpecialForm::kOr) {
    return EvalAndOr(function, dot, args, final, out);
  }
  size_t base = args_.size();
  if (!PushArgs(function.signature, dot, args, final)) {
    return false;
  }
  if (function.special == SpecialForm::kCall) {
    // There are no function values, so call always fails; how it fails names what was called.
    const Value& v = args_[base];
    std::string shown = args.size() > 1 ? ToString(*args[1], *tree_->source) : "value";
    At(node);
    return Fail(v.IsNil()
                    ? std::string("error calling call: call of nil")
                    : fmt::format("error calling call: non-function {} of type {}", shown, v.TypeName()));
  }
  Result<Value> result = function.fn(context_, std::span<const Value>(args_).subspan(base));
  args_.resize(base);
  return Finish(node, function.name, std::move(result), out);
}

bool Executor::EvalAndOr(const FuncDef& function, const Value& dot, Args args, const Value* final,
                         Value& out) {
  for (size_t i = 1; i < args.size(); ++i) {
    if (!EvalArg(ParamType::kAny, *args[i], dot, out)) {
      return false;
    }
    if (out.Truth() == (function.special == SpecialForm::kOr)) {
      return true;
    }
  }
  if (final != nullptr) {
    out = *final;
  }
  return true;
}

bool Executor::EvalFields(const Node& node, const Value& dot, Value receiver,
                          std::span<const std::string> fields, Args args, const Value* final, Value& out) {
  if (receiver.IsNil()) {
    // What {{ template "x" }} without data leaves for a dot: its fields are nothing too, and print <no
    // value>.
    out = Value();
    return true;
  }
  for (size_t i = 0; i + 1 < fields.size(); ++i) {
    Value next;
    if (!EvalField(node, dot, receiver, fields[i], {}, nullptr, next)) {
      return false;
    }
    receiver = std::move(next);
  }
  return EvalField(node, dot, receiver, fields.back(), args, final, out);
}

bool Executor::EvalField(const Node& node, const Value& dot, const Value& receiver, const std::string& name,
                         Args args, const Value* final, Value& out) {
  if (!Step()) {
    return false;
  }
  if (receiver.IsNil()) {
    return Fail(fmt::format("nil pointer evaluating interface {{}}.{}", name));
  }
  const bool is_object = receiver.kind() == Kind::kObject;
  const Signature* method =
      is_object ? receiver.AsObject().FindMethod(name) : FindValueMethod(receiver, name);
  if (method != nullptr) {
    if (!CheckCount(name, *method, args.empty() ? 0 : args.size() - 1, final != nullptr)) {
      return false;
    }
    size_t base = args_.size();
    if (!PushArgs(*method, dot, args, final)) {
      return false;
    }
    auto values = std::span<const Value>(args_).subspan(base);
    Result<Value> result =
        is_object ? receiver.AsObject().Call(name, values) : CallValueMethod(receiver, name, values);
    args_.resize(base);
    return Finish(node, name, std::move(result), out);
  }
  const bool has_args = args.size() > 1 || final != nullptr;
  if (is_object) {
    if (auto field = receiver.AsObject().Field(name)) {
      if (has_args) {
        return Fail(fmt::format("{} has arguments but cannot be invoked as function", name));
      }
      out = std::move(*field);
      return true;
    }
  }
  if (receiver.Unwrapped().kind() == Kind::kMap) {
    if (has_args) {
      return Fail(fmt::format("{} is not a method but has arguments", name));
    }
    out = receiver.Lookup(name);
    return true;
  }
  return Fail(fmt::format("can't evaluate field {} in type {}", name, receiver.TypeName()));
}

// An operand as a value of any type.
bool Executor::EvalOperand(const Operand& arg, const Value& dot, Value& out) {
  At(arg);
  switch (arg.type) {
    case NodeType::kDot:
      out = dot;
      return true;
    case NodeType::kNil:
      out = Value();
      return true;
    case NodeType::kField:
      return EvalFields(arg, dot, dot, arg.fields, {}, nullptr, out);
    case NodeType::kVariable: {
      const Value* v = FindVariable(arg.variable);
      if (v == nullptr) {
        return Fail(fmt::format("undefined variable: {}", tree_->source->variables[arg.variable]));
      }
      if (arg.fields.empty()) {
        out = *v;
        return true;
      }
      return EvalFields(arg, dot, *v, arg.fields, {}, nullptr, out);
    }
    case NodeType::kPipe:
      return EvalPipeline(*arg.pipe, dot, out);
    case NodeType::kIdentifier:
      return EvalFunction(arg, arg, dot, {}, nullptr, out);
    case NodeType::kChain: {
      if (arg.base->type == NodeType::kNil) {
        return Fail(fmt::format("indirection through explicit nil in {}", ToString(arg, *tree_->source)));
      }
      Value receiver;
      return EvalOperand(*arg.base, dot, receiver) &&
             EvalFields(arg, dot, std::move(receiver), arg.fields, {}, nullptr, out);
    }
    default:
      out = arg.value;
      return true;
  }
}

bool Executor::EvalArg(ParamType type, const Operand& arg, const Value& dot, Value& out) {
  At(arg);
  switch (arg.type) {
    case NodeType::kNil:
      if (type == ParamType::kAny || type == ParamType::kStringList || type == ParamType::kList) {
        out = type == ParamType::kAny ? Value() : Value::StringList({});
        return true;
      }
      return Fail(fmt::format("cannot assign nil to {}", ParamTypeName(type)));
    case NodeType::kBool:
    case NodeType::kNumber:
    case NodeType::kString:
      return EvalLiteralArg(type, arg, out);
    default:
      if (!EvalOperand(arg, dot, out)) {
        return false;
      }
      if (out.IsNil() && type == ParamType::kStringList) {
        out = Value::StringList({});  // a field of nothing is Go's nil slice
      }
      return CheckType(type, out);
  }
}

bool Executor::EvalLiteralArg(ParamType type, const Operand& arg, Value& out) {
  bool fits = false;
  switch (type) {
    case ParamType::kAny:
      if (arg.too_large) {
        return Fail(fmt::format("{} overflows int", arg.text));
      }
      out = arg.value;
      return true;
    case ParamType::kBool:
      fits = arg.type == NodeType::kBool;
      out = arg.value;
      break;
    case ParamType::kString:
      fits = arg.type == NodeType::kString;
      out = arg.value;
      break;
    case ParamType::kInt:
      fits = arg.type == NodeType::kNumber && arg.is_int;
      out = Value::Integer(arg.integer);
      break;
    case ParamType::kFloat:
      fits = arg.type == NodeType::kNumber && arg.is_float;
      out = Value::Float(arg.real);
      break;
    case ParamType::kDuration:
      // time.Duration is an integer to Go: 5 means five nanoseconds.
      fits = arg.type == NodeType::kNumber && arg.is_int;
      out = Value::OfDuration(Duration(arg.integer));
      if (!fits) {
        return Fail(fmt::format("expected integer; found {}", ToString(arg, *tree_->source)));
      }
      break;
    default:
      return Fail(fmt::format("can't handle {} for arg of type {}", ToString(arg, *tree_->source),
                              ParamTypeName(type)));
  }
  return fits ||
         Fail(fmt::format("expected {}; found {}", ExpectedLiteral(type), ToString(arg, *tree_->source)));
}

}  // namespace mlalert::tmpl
