#include "template/ast.h"

#include <algorithm>
#include <fmt/format.h>

#include "template/quote.h"

namespace mlalert::tmpl {
namespace {

void Append(std::string& out, const Node& node, const ParsedText& source);

void AppendFields(std::string& out, const std::vector<std::string>& fields) {
  for (const std::string& field : fields) {
    out.push_back('.');
    out += field;
  }
}

void AppendOperand(std::string& out, const Operand& operand, const ParsedText& source) {
  switch (operand.type) {
    case NodeType::kDot:
      out.push_back('.');
      return;
    case NodeType::kNil:
      out += "nil";
      return;
    case NodeType::kVariable:
      out += source.variables[operand.variable];
      AppendFields(out, operand.fields);
      return;
    case NodeType::kField:
      AppendFields(out, operand.fields);
      return;
    case NodeType::kChain:
      if (operand.base->type == NodeType::kPipe) {
        out.push_back('(');
        Append(out, *operand.base->pipe, source);
        out.push_back(')');
      } else {
        Append(out, *operand.base, source);
      }
      AppendFields(out, operand.fields);
      return;
    case NodeType::kPipe:
      Append(out, *operand.pipe, source);
      return;
    default:
      out += operand.text;
  }
}

void AppendCommand(std::string& out, const Command& command, const ParsedText& source) {
  for (size_t i = 0; i < command.args.size(); ++i) {
    if (i > 0) {
      out.push_back(' ');
    }
    if (command.args[i]->type == NodeType::kPipe) {
      out.push_back('(');
      Append(out, *command.args[i], source);
      out.push_back(')');
    } else {
      Append(out, *command.args[i], source);
    }
  }
}

void AppendPipeline(std::string& out, const Pipeline& pipe, const ParsedText& source) {
  for (size_t i = 0; i < pipe.declarations.size(); ++i) {
    out += i > 0 ? ", " : "";
    out += pipe.declarations[i].name;
  }
  if (!pipe.declarations.empty()) {
    out += pipe.is_assign ? " = " : " := ";
  }
  for (size_t i = 0; i < pipe.commands.size(); ++i) {
    out += i > 0 ? " | " : "";
    AppendCommand(out, pipe.commands[i], source);
  }
}

void AppendBranch(std::string& out, std::string_view word, const Statement& s, const ParsedText& source) {
  out += fmt::format("{{{{{} ", word);
  AppendPipeline(out, *s.pipe, source);
  out += "}}";
  for (const Statement& child : s.body) {
    Append(out, child, source);
  }
  if (s.has_else) {
    out += "{{else}}";
    for (const Statement& child : s.orelse) {
      Append(out, child, source);
    }
  }
  out += "{{end}}";
}

void AppendStatement(std::string& out, const Statement& s, const ParsedText& source) {
  switch (s.type) {
    case NodeType::kAction:
      out += "{{";
      AppendPipeline(out, *s.pipe, source);
      out += "}}";
      return;
    case NodeType::kTemplate:
      out += "{{template " + QuoteGo(s.text);
      if (s.pipe != nullptr) {
        out.push_back(' ');
        AppendPipeline(out, *s.pipe, source);
      }
      out += "}}";
      return;
    case NodeType::kIf:
      AppendBranch(out, "if", s, source);
      return;
    case NodeType::kRange:
      AppendBranch(out, "range", s, source);
      return;
    case NodeType::kWith:
      AppendBranch(out, "with", s, source);
      return;
    case NodeType::kBreak:
      out += "{{break}}";
      return;
    case NodeType::kContinue:
      out += "{{continue}}";
      return;
    default:
      out += s.text;
  }
}

void Append(std::string& out, const Node& node, const ParsedText& source) {
  if (node.type == NodeType::kCommand) {
    AppendCommand(out, static_cast<const Command&>(node), source);
  } else if (node.type == NodeType::kPipeline) {
    AppendPipeline(out, static_cast<const Pipeline&>(node), source);
  } else if (node.type < NodeType::kCommand) {
    AppendOperand(out, static_cast<const Operand&>(node), source);
  } else {
    AppendStatement(out, static_cast<const Statement&>(node), source);
  }
}

}  // namespace

namespace {

std::unique_ptr<Pipeline> ClonePipeline(const Pipeline* pipe);

std::unique_ptr<Operand> CloneOperand(const Operand& o) {
  auto copy = std::make_unique<Operand>();
  static_cast<Node&>(*copy) = o;
  copy->text = o.text;
  copy->fields = o.fields;
  copy->variable = o.variable;
  copy->function = o.function;
  copy->value = o.value;
  copy->is_int = o.is_int;
  copy->is_float = o.is_float;
  copy->too_large = o.too_large;
  copy->integer = o.integer;
  copy->real = o.real;
  copy->base = o.base == nullptr ? nullptr : CloneOperand(*o.base);
  copy->pipe = ClonePipeline(o.pipe.get());
  return copy;
}

std::unique_ptr<Pipeline> ClonePipeline(const Pipeline* pipe) {
  if (pipe == nullptr) {
    return nullptr;
  }
  auto copy = std::make_unique<Pipeline>();
  static_cast<Node&>(*copy) = *pipe;
  copy->is_assign = pipe->is_assign;
  copy->declarations = pipe->declarations;
  for (const Command& command : pipe->commands) {
    Command& added = copy->commands.emplace_back();
    static_cast<Node&>(added) = command;
    for (const auto& arg : command.args) {
      added.args.push_back(CloneOperand(*arg));
    }
  }
  return copy;
}

}  // namespace

Statement Clone(const Statement& s) {
  Statement copy;
  static_cast<Node&>(copy) = s;
  copy.text = s.text;
  copy.pipe = ClonePipeline(s.pipe.get());
  copy.has_else = s.has_else;
  for (const Statement& child : s.body) {
    copy.body.push_back(Clone(child));
  }
  for (const Statement& child : s.orelse) {
    copy.orelse.push_back(Clone(child));
  }
  return copy;
}

bool Tree::IsEmpty() const {
  return std::all_of(body.begin(), body.end(), [](const Statement& s) {
    return s.type == NodeType::kText && s.text.find_first_not_of(" \t\r\n") == std::string::npos;
  });
}

std::string ToString(const Node& node, const ParsedText& source) {
  std::string out;
  Append(out, node, source);
  return out;
}

std::string Location(uint32_t pos, const ParsedText& source) {
  std::string_view before = std::string_view(source.text).substr(0, pos);
  size_t newline = before.rfind('\n');
  auto line = 1 + std::count(before.begin(), before.end(), '\n');
  size_t column =
      newline == std::string_view::npos ? pos + static_cast<size_t>(source.column_shift) : pos - newline - 1;
  return fmt::format("{}:{}:{}", source.name, line, column);
}

}  // namespace mlalert::tmpl
