#include "template/exec.h"

#include <fmt/format.h>

#include "template/print.h"
#include "template/quote.h"

namespace mlalert::tmpl {
namespace {

// Counts nesting for as long as it lives.
class DepthGuard {
 public:
  explicit DepthGuard(int& depth) : depth_(depth) { ++depth_; }
  ~DepthGuard() { --depth_; }
  DepthGuard(const DepthGuard&) = delete;
  DepthGuard& operator=(const DepthGuard&) = delete;

 private:
  int& depth_;
};

}  // namespace

Executor::Executor(const TreeMap& trees, const ExecEnv& env, const ExecLimits& limits, RegexCache& regexes)
    : trees_(trees), context_(env, limits, regexes) {}

Result<std::string> Executor::Run(const Tree& tree, const Value& data, std::span<const Value> variables) {
  tree_ = &tree;
  variables_.reserve(variables.size() + 8);
  variables_.push_back({0, data});
  for (uint32_t i = 0; i < variables.size() && i < tree.predeclared; ++i) {
    variables_.push_back({i + 1, variables[i]});
  }
  out_.reserve(tree.source->text.size() + 32);
  if (WalkList(tree.body, data) == Flow::kFailed) {
    return mlalert::Fail(std::move(error_));
  }
  return std::move(out_);
}

bool Executor::Fail(std::string_view message, ErrorCode code) {
  if (error_.message.empty()) {
    const ParsedText& source = *tree_->source;
    error_.code = code;
    error_.message = at_ == nullptr
                         ? fmt::format("template: {}: {}", tree_->name, message)
                         : fmt::format("template: {}: executing {} at <{}>: {}", Location(at_->pos, source),
                                       QuoteGo(tree_->name), ToString(*at_, source), message);
  }
  return false;
}

bool Executor::Step(int64_t cost) {
  if (context_.Charge(cost)) {
    return true;
  }
  return Fail(fmt::format("exceeded the limit of {} steps", context_.limits().steps), ErrorCode::kLimit);
}

const Value* Executor::FindVariable(uint32_t id) const {
  for (size_t i = variables_.size(); i > frame_; --i) {
    if (variables_[i - 1].id == id) {
      return &variables_[i - 1].value;
    }
  }
  return nullptr;
}

bool Executor::SetVariable(const Declaration& declaration, const Value& v) {
  for (size_t i = variables_.size(); i > frame_; --i) {
    if (variables_[i - 1].id == declaration.variable) {
      variables_[i - 1].value = v;
      return true;
    }
  }
  return Fail(fmt::format("undefined variable: {}", declaration.name));
}

Executor::Flow Executor::WalkList(const std::vector<Statement>& list, const Value& dot) {
  DepthGuard guard(walk_depth_);
  if (walk_depth_ > kMaxWalkDepth) {
    Fail("templates nest too deeply", ErrorCode::kLimit);
    return Flow::kFailed;
  }
  for (const Statement& s : list) {
    Flow flow = Walk(s, dot);
    if (flow != Flow::kNext) {
      return flow;
    }
  }
  return Flow::kNext;
}

Executor::Flow Executor::Walk(const Statement& s, const Value& dot) {
  At(s);
  if (!Step()) {
    return Flow::kFailed;
  }
  switch (s.type) {
    case NodeType::kText:
      return Append(s.text) ? Flow::kNext : Flow::kFailed;
    case NodeType::kAction:
      return WalkAction(s, dot);
    case NodeType::kIf:
    case NodeType::kWith:
      return WalkIfOrWith(s, dot);
    case NodeType::kRange:
      return WalkRange(s, dot);
    case NodeType::kTemplate:
      return WalkTemplate(s, dot);
    case NodeType::kBreak:
      return Flow::kBreak;
    case NodeType::kContinue:
      return Flow::kContinue;
    default:
      Fail("unknown node", ErrorCode::kInternal);
      return Flow::kFailed;
  }
}

bool Executor::Append(std::string_view text) {
  if (out_.size() + text.size() > context_.limits().output_bytes) {
    return Fail(fmt::format("output is longer than {} bytes", context_.limits().output_bytes),
                ErrorCode::kLimit);
  }
  out_.append(text);
  return true;
}

bool Executor::Print(const Statement& s, const Value& v) {
  At(s);
  if (v.kind() == Kind::kString) {
    return Append(v.AsString());
  }
  if (v.IsNil()) {
    return Append("<no value>");
  }
  size_t limit = context_.limits().output_bytes;
  size_t before = out_.size();
  AppendValue(out_, v, limit);
  return Step(static_cast<int64_t>((out_.size() - before) / 64)) && Append("");
}

Executor::Flow Executor::WalkAction(const Statement& s, const Value& dot) {
  // Variables declared here live until the enclosing block ends.
  Value v;
  if (!EvalPipeline(*s.pipe, dot, v)) {
    return Flow::kFailed;
  }
  if (s.pipe->declarations.empty() && !Print(s, v)) {
    return Flow::kFailed;
  }
  return Flow::kNext;
}

Executor::Flow Executor::WalkIfOrWith(const Statement& s, const Value& dot) {
  size_t mark = variables_.size();
  Value v;
  if (!EvalPipeline(*s.pipe, dot, v)) {
    return Flow::kFailed;
  }
  Flow flow = Flow::kNext;
  if (v.Truth()) {
    flow = WalkList(s.body, s.type == NodeType::kWith ? v : dot);
  } else if (s.has_else) {
    flow = WalkList(s.orelse, dot);
  }
  variables_.resize(mark);
  return flow;
}

// One pass through the body. kBreak ends the loop, kContinue is absorbed here.
Executor::Flow Executor::RangeTurn(const Statement& s, size_t mark, Value index, const Value& item) {
  const auto& declared = s.pipe->declarations;
  if (s.pipe->is_assign) {
    // With two variables the index comes first; one variable gets the element.
    if (!declared.empty() && !SetVariable(declared[0], declared.size() > 1 ? index : item)) {
      return Flow::kFailed;
    }
    if (declared.size() > 1 && !SetVariable(declared[1], item)) {
      return Flow::kFailed;
    }
  } else {
    // The pipeline pushed its variables, in order, right below the mark.
    if (!declared.empty()) {
      variables_[mark - 1].value = item;
    }
    if (declared.size() > 1) {
      variables_[mark - 2].value = std::move(index);
    }
  }
  Flow flow = Step() ? WalkList(s.body, item) : Flow::kFailed;
  variables_.resize(mark);
  return flow == Flow::kContinue ? Flow::kNext : flow;
}

Executor::Flow Executor::WalkRange(const Statement& s, const Value& dot) {
  size_t outer = variables_.size();
  Value evaluated;
  if (!EvalPipeline(*s.pipe, dot, evaluated)) {
    return Flow::kFailed;
  }
  const Value& v = evaluated.Unwrapped();
  size_t mark = variables_.size();
  Flow flow = Flow::kNext;
  bool ran = false;
  auto turn = [&](Value index, const Value& item) {
    ran = true;
    flow = RangeTurn(s, mark, std::move(index), item);
    return flow == Flow::kNext;
  };
  if (v.kind() == Kind::kList) {
    for (size_t i = 0; i < v.Size() && turn(Value::Integer(static_cast<int64_t>(i)), v.Item(i)); ++i) {
    }
  } else if (v.kind() == Kind::kMap) {
    for (size_t i = 0; i < v.Size() && turn(v.KeyValueAt(i), v.ValueAt(i)); ++i) {
    }
  } else if (v.kind() == Kind::kInt && s.pipe->declarations.size() <= 1) {
    Int n = v.AsInt();
    for (int64_t i = 0; i < n.bits && turn(Value::Integer(i, n.type), Value::Integer(i, n.type)); ++i) {
    }
  } else if (v.kind() == Kind::kInt) {
    std::string shown;
    AppendValue(shown, v);
    Fail(fmt::format("can't use {} to iterate over more than one variable", shown));
    flow = Flow::kFailed;
  } else if (!v.IsNil()) {
    std::string shown;
    AppendValue(shown, v, 256);
    Fail(fmt::format("range can't iterate over {}", shown));
    flow = Flow::kFailed;
  }
  if (!ran && flow == Flow::kNext && s.has_else) {
    variables_.resize(mark);
    flow = WalkList(s.orelse, dot);
    variables_.resize(outer);
    return flow;
  }
  if (flow != Flow::kFailed) {
    variables_.resize(outer);
  }
  return flow == Flow::kBreak ? Flow::kNext : flow;
}

Executor::Flow Executor::WalkTemplate(const Statement& s, const Value& dot) {
  At(s);
  auto it = trees_.find(s.text);
  if (it == trees_.end()) {
    Fail(fmt::format("template {} not defined", QuoteGo(s.text)));
    return Flow::kFailed;
  }
  if (template_depth_ >= context_.limits().template_depth) {
    Fail(fmt::format("exceeded maximum template depth ({})", context_.limits().template_depth),
         ErrorCode::kLimit);
    return Flow::kFailed;
  }
  Value data;
  if (s.pipe != nullptr && !EvalPipeline(*s.pipe, dot, data)) {
    return Flow::kFailed;
  }
  // The called template sees none of our variables.
  const Tree* caller = tree_;
  size_t caller_frame = frame_;
  size_t mark = variables_.size();
  tree_ = it->second.get();
  frame_ = mark;
  variables_.push_back({0, data});
  ++template_depth_;
  Flow flow = WalkList(tree_->body, data);
  --template_depth_;
  if (flow == Flow::kFailed) {
    return flow;
  }
  variables_.resize(mark);
  frame_ = caller_frame;
  tree_ = caller;
  return Flow::kNext;
}

}  // namespace mlalert::tmpl
