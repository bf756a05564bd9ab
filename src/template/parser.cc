// Recursive descent over a token list. Every function returns false once an error is recorded; the first
// error wins. The line of an error is that of the furthest token looked at, as in Go.
#include "template/parser.h"

#include <algorithm>
#include <fmt/format.h>
#include <unordered_map>

#include "template/lexer.h"
#include "template/number.h"
#include "template/quote.h"

namespace mlalert::tmpl {
namespace {

constexpr uint32_t kMaxVariables = 1000;  // different names in one text

// How a list of statements ended.
enum class ListEnd : uint8_t { kEnd, kElse };

Statement Make(NodeType type, uint32_t pos) {
  Statement s;
  s.type = type;
  s.pos = pos;
  return s;
}

class Parser {
 public:
  Parser(std::shared_ptr<ParsedText> source, const ParseOptions& options)
      : source_(std::move(source)), tokens_(Lex(source_->text)), predeclared_(options.variables.size()) {
    MakeVisible(IdOf("$"));
    for (const std::string& variable : options.variables) {
      MakeVisible(IdOf(variable));
    }
  }

  Result<std::vector<std::shared_ptr<const Tree>>> Run() {
    auto root = std::make_shared<Tree>();
    root->name = source_->name;
    root->source = source_;
    root->predeclared = static_cast<uint32_t>(predeclared_);
    trees_.push_back(root);
    if (!ParseTop(root->body)) {
      return Fail(ErrorCode::kInvalid, std::move(error_));
    }
    return std::vector<std::shared_ptr<const Tree>>(trees_.begin(), trees_.end());
  }

 private:
  // -- tokens
  const Token& Next() {
    const Token& token = tokens_.tokens[std::min(next_, tokens_.tokens.size() - 1)];
    furthest_ = std::max(furthest_, std::min(next_, tokens_.tokens.size() - 1));
    ++next_;
    return token;
  }
  void Backup() { --next_; }
  const Token& Peek() {
    const Token& token = Next();
    Backup();
    return token;
  }
  const Token& NextNonSpace() {
    const Token* token = &Next();
    while (token->type == TokenType::kSpace) {
      token = &Next();
    }
    return *token;
  }
  const Token& PeekNonSpace() {
    const Token& token = NextNonSpace();
    Backup();
    return token;
  }

  // -- errors
  bool Error(std::string message) {
    if (error_.empty()) {
      error_ = fmt::format("template: {}:{}: {}", source_->name, tokens_.tokens[furthest_].line, message);
    }
    return false;
  }
  bool Unexpected(const Token& token, std::string_view context) {
    if (token.type == TokenType::kError) {
      std::string extra;
      if (action_line_ != 0 && action_line_ != token.line) {
        bool named = token.val.size() >= 7 && token.val.substr(token.val.size() - 7) == " action";
        extra = fmt::format("{} started at {}:{}", named ? "" : " in action", source_->name, action_line_);
      }
      return Error(std::string(token.val) + extra);
    }
    return Error(fmt::format("unexpected {} in {}", Describe(token), context));
  }
  bool Expect(TokenType type, std::string_view context) {
    const Token& token = NextNonSpace();
    return token.type == type || Unexpected(token, context);
  }
  bool Enter() { return ++depth_ <= kMaxNesting || Error("blocks and parentheses nest too deeply"); }
  void Leave() { --depth_; }

  // -- variables
  uint32_t IdOf(std::string_view name) {
    auto& names = source_->variables;
    auto it = std::find(names.begin(), names.end(), name);
    if (it == names.end()) {
      names.emplace_back(name);
      visible_.push_back(0);
      return static_cast<uint32_t>(names.size() - 1);
    }
    return static_cast<uint32_t>(it - names.begin());
  }
  void MakeVisible(uint32_t id) {
    scope_.push_back(id);
    ++visible_[id];
  }
  void LeaveScope(size_t size) {
    for (; scope_.size() > size; scope_.pop_back()) {
      --visible_[scope_.back()];
    }
  }
  bool Declare(Pipeline& pipe, const Token& variable) {
    uint32_t id = IdOf(variable.val);
    if (id >= kMaxVariables) {
      return Error(fmt::format("more than {} variables", kMaxVariables));
    }
    pipe.declarations.push_back({id, std::string(variable.val)});
    MakeVisible(id);
    return true;
  }

  // -- statements
  bool ParseTop(std::vector<Statement>& body);
  bool ParseList(std::vector<Statement>& body, ListEnd& end);
  bool ParseAction(std::vector<Statement>& body, bool& ended, ListEnd& end);
  bool ParseBranch(NodeType type, std::string_view word, uint32_t pos, std::vector<Statement>& body);
  bool ParseBranchParts(Statement& s, std::string_view word);
  bool ParseLoopControl(NodeType type, const Token& token, std::vector<Statement>& body);
  bool ParseDefine();
  bool ParseTemplateCall(std::vector<Statement>& body);
  bool ParseBlock(std::vector<Statement>& body);
  bool ParseDefinitionBody(std::string name, std::string_view context);
  bool TemplateName(const Token& token, std::string_view context, std::string& name);

  // -- expressions
  bool ParsePipeline(std::string_view context, TokenType end, std::unique_ptr<Pipeline>& out);
  bool ParseDeclarations(std::string_view context, Pipeline& pipe);
  bool ParseCommand(Command& out);
  bool ParseOperand(std::unique_ptr<Operand>& out);
  bool ParseTerm(std::unique_ptr<Operand>& out);
  bool ParseNumber(const Token& token, Operand& out);

  std::shared_ptr<ParsedText> source_;
  TokenList tokens_;
  size_t predeclared_;
  size_t next_ = 0;
  size_t furthest_ = 0;
  int action_line_ = 0;
  int depth_ = 0;
  int range_depth_ = 0;
  std::vector<uint32_t> scope_;  // ids of source_->variables visible here, innermost last
  std::vector<int> visible_;     // by id: how often it is in scope_
  std::vector<std::shared_ptr<Tree>> trees_;
  std::unordered_map<std::string, size_t> definitions_;  // name -> index in trees_
  std::string error_;
};

bool Parser::ParseTop(std::vector<Statement>& body) {
  while (Peek().type != TokenType::kEof) {
    if (Peek().type == TokenType::kLeftDelim) {
      size_t start = next_;
      Next();
      if (NextNonSpace().type == TokenType::kDefine) {
        if (!ParseDefine()) {
          return false;
        }
        continue;
      }
      next_ = start;
    }
    bool ended = false;
    ListEnd end{};
    if (!ParseAction(body, ended, end)) {
      return false;
    }
    if (ended) {
      return Error(end == ListEnd::kEnd ? "unexpected {{end}}" : "unexpected {{else}}");
    }
  }
  return true;
}

bool Parser::ParseList(std::vector<Statement>& body, ListEnd& end) {
  while (PeekNonSpace().type != TokenType::kEof) {
    bool ended = false;
    if (!ParseAction(body, ended, end)) {
      return false;
    }
    if (ended) {
      return true;
    }
  }
  return Error("unexpected EOF");
}

// One piece of text or one action. `ended` when it was {{end}} or {{else}}.
bool Parser::ParseAction(std::vector<Statement>& body, bool& ended, ListEnd& end) {
  const Token& first = NextNonSpace();
  if (first.type == TokenType::kText) {
    Statement text = Make(NodeType::kText, first.pos);
    text.text = std::string(first.val);
    body.push_back(std::move(text));
    return true;
  }
  if (first.type != TokenType::kLeftDelim) {
    return Unexpected(first, "input");
  }
  action_line_ = first.line;
  const Token& token = NextNonSpace();
  bool ok = true;
  switch (token.type) {
    case TokenType::kIf:
      ok = ParseBranch(NodeType::kIf, "if", token.pos, body);
      break;
    case TokenType::kRange:
      ok = ParseBranch(NodeType::kRange, "range", token.pos, body);
      break;
    case TokenType::kWith:
      ok = ParseBranch(NodeType::kWith, "with", token.pos, body);
      break;
    case TokenType::kTemplate:
      ok = ParseTemplateCall(body);
      break;
    case TokenType::kBlock:
      ok = ParseBlock(body);
      break;
    case TokenType::kBreak:
      ok = ParseLoopControl(NodeType::kBreak, token, body);
      break;
    case TokenType::kContinue:
      ok = ParseLoopControl(NodeType::kContinue, token, body);
      break;
    case TokenType::kEnd:
      ended = true;
      end = ListEnd::kEnd;
      ok = Expect(TokenType::kRightDelim, "end");
      break;
    case TokenType::kElse: {
      ended = true;
      end = ListEnd::kElse;
      TokenType next = PeekNonSpace().type;
      ok = next == TokenType::kIf || next == TokenType::kWith || Expect(TokenType::kRightDelim, "else");
      break;
    }
    default: {
      Backup();
      Statement action = Make(NodeType::kAction, Peek().pos);
      ok = ParsePipeline("command", TokenType::kRightDelim, action.pipe);
      body.push_back(std::move(action));
    }
  }
  action_line_ = 0;
  return ok;
}

bool Parser::ParseLoopControl(NodeType type, const Token& token, std::vector<Statement>& body) {
  std::string_view shown = type == NodeType::kBreak ? "{{break}}" : "{{continue}}";
  const Token& next = NextNonSpace();
  if (next.type != TokenType::kRightDelim) {
    return Unexpected(next, shown);
  }
  if (range_depth_ == 0) {
    return Error(fmt::format("{} outside {{{{range}}}}", shown));
  }
  body.push_back(Make(type, token.pos));
  return true;
}

bool Parser::ParseBranch(NodeType type, std::string_view word, uint32_t pos, std::vector<Statement>& body) {
  Statement s = Make(type, pos);
  size_t visible = scope_.size();
  bool ok = Enter() && ParseBranchParts(s, word);
  Leave();
  LeaveScope(visible);
  if (ok && s.pipe != nullptr) {
    s.pos = s.pipe->pos;
  }
  body.push_back(std::move(s));
  return ok;
}

bool Parser::ParseBranchParts(Statement& s, std::string_view word) {
  if (!ParsePipeline(word, TokenType::kRightDelim, s.pipe)) {
    return false;
  }
  ListEnd end{};
  range_depth_ += s.type == NodeType::kRange ? 1 : 0;
  bool ok = ParseList(s.body, end);
  range_depth_ -= s.type == NodeType::kRange ? 1 : 0;
  if (!ok || end == ListEnd::kEnd) {
    return ok;
  }
  s.has_else = true;
  // {{else if}} and {{else with}} are a nested statement that shares our {{end}}.
  const Token& next = PeekNonSpace();
  if (s.type == NodeType::kIf && next.type == TokenType::kIf) {
    NextNonSpace();
    return ParseBranch(NodeType::kIf, "if", next.pos, s.orelse);
  }
  if (s.type == NodeType::kWith && next.type == TokenType::kWith) {
    NextNonSpace();
    return ParseBranch(NodeType::kWith, "with", next.pos, s.orelse);
  }
  if (!ParseList(s.orelse, end)) {
    return false;
  }
  return end == ListEnd::kEnd || Error("expected end; found {{else}}");
}

bool Parser::TemplateName(const Token& token, std::string_view context, std::string& name) {
  if (token.type != TokenType::kString && token.type != TokenType::kRawString) {
    return Unexpected(token, context);
  }
  auto unquoted = UnquoteGo(token.val);
  if (!unquoted) {
    return Error("invalid syntax");
  }
  name = std::move(*unquoted);
  return true;
}

// The name was read; parses up to {{end}} into a tree of its own.
bool Parser::ParseDefinitionBody(std::string name, std::string_view context) {
  auto tree = std::make_shared<Tree>();
  tree->name = std::move(name);
  tree->source = source_;
  // Definitions see no variables of the text around them, only "$".
  std::vector<uint32_t> outer_scope{0};
  std::vector<int> outer_visible{1};
  outer_scope.swap(scope_);
  outer_visible.swap(visible_);
  visible_.resize(source_->variables.size());
  int outer_range = range_depth_;
  range_depth_ = 0;
  ListEnd end{};
  bool ok = Enter() && ParseList(tree->body, end);
  Leave();
  range_depth_ = outer_range;
  outer_scope.swap(scope_);
  outer_visible.swap(visible_);
  visible_.resize(source_->variables.size());
  if (!ok) {
    return false;
  }
  if (end != ListEnd::kEnd) {
    return Error(fmt::format("unexpected {{{{else}}}} in {}", context));
  }
  auto [it, fresh] = definitions_.emplace(tree->name, trees_.size());
  if (fresh) {
    trees_.push_back(std::move(tree));
    return true;
  }
  std::shared_ptr<Tree>& other = trees_[it->second];
  if (!other->IsEmpty() && !tree->IsEmpty()) {
    return Error(fmt::format("template: multiple definition of template {}", QuoteGo(tree->name)));
  }
  if (other->IsEmpty()) {
    other = std::move(tree);
  }
  return true;
}

bool Parser::ParseDefine() {
  std::string name;
  return TemplateName(NextNonSpace(), "define clause", name) &&
         Expect(TokenType::kRightDelim, "define clause") &&
         ParseDefinitionBody(std::move(name), "define clause");
}

bool Parser::ParseTemplateCall(std::vector<Statement>& body) {
  const Token& token = NextNonSpace();
  Statement call = Make(NodeType::kTemplate, token.pos);
  if (!TemplateName(token, "template clause", call.text)) {
    return false;
  }
  if (NextNonSpace().type != TokenType::kRightDelim) {
    Backup();
    if (!ParsePipeline("template clause", TokenType::kRightDelim, call.pipe)) {
      return false;
    }
  }
  body.push_back(std::move(call));
  return true;
}

bool Parser::ParseBlock(std::vector<Statement>& body) {
  const Token& token = NextNonSpace();
  Statement call = Make(NodeType::kTemplate, token.pos);
  if (!TemplateName(token, "block clause", call.text) ||
      !ParsePipeline("block clause", TokenType::kRightDelim, call.pipe) ||
      !ParseDefinitionBody(call.text, "block clause")) {
    return false;
  }
  body.push_back(std::move(call));
  return true;
}

// "$x :=", "$x =", "$i, $e :=" or nothing.
bool Parser::ParseDeclarations(std::string_view context, Pipeline& pipe) {
  while (PeekNonSpace().type == TokenType::kVariable) {
    size_t start = next_;
    const Token& variable = NextNonSpace();
    const Token& next = PeekNonSpace();
    if (next.type == TokenType::kAssign || next.type == TokenType::kDeclare) {
      pipe.is_assign = next.type == TokenType::kAssign;
      NextNonSpace();
      return Declare(pipe, variable);
    }
    if (next.type != TokenType::kChar || next.val != ",") {
      next_ = start;
      return true;
    }
    NextNonSpace();
    if (!Declare(pipe, variable)) {
      return false;
    }
    if (context != "range" || pipe.declarations.size() >= 2) {
      return Error(fmt::format("too many declarations in {}", context));
    }
    TokenType third = PeekNonSpace().type;
    if (third != TokenType::kVariable && third != TokenType::kRightDelim && third != TokenType::kRightParen) {
      return Error("range can only initialize variables");
    }
  }
  return true;
}

bool Parser::ParsePipeline(std::string_view context, TokenType end, std::unique_ptr<Pipeline>& out) {
  out = std::make_unique<Pipeline>();
  out->type = NodeType::kPipeline;
  out->pos = PeekNonSpace().pos;
  if (!ParseDeclarations(context, *out)) {
    return false;
  }
  for (;;) {
    const Token& token = NextNonSpace();
    if (token.type == end) {
      break;
    }
    switch (token.type) {
      case TokenType::kBool:
      case TokenType::kCharConstant:
      case TokenType::kDot:
      case TokenType::kField:
      case TokenType::kIdentifier:
      case TokenType::kNumber:
      case TokenType::kNil:
      case TokenType::kRawString:
      case TokenType::kString:
      case TokenType::kVariable:
      case TokenType::kLeftParen: {
        Backup();
        Command command;
        command.type = NodeType::kCommand;
        if (!ParseCommand(command)) {
          return false;
        }
        out->commands.push_back(std::move(command));
        break;
      }
      default:
        return Unexpected(token, context);
    }
  }
  if (out->commands.empty()) {
    return Error(fmt::format("missing value for {}", context));
  }
  for (size_t i = 1; i < out->commands.size(); ++i) {
    NodeType type = out->commands[i].args[0]->type;
    if (type == NodeType::kBool || type == NodeType::kDot || type == NodeType::kNil ||
        type == NodeType::kNumber || type == NodeType::kString) {
      return Error(fmt::format("non executable command in pipeline stage {}", i + 1));
    }
  }
  return true;
}

bool Parser::ParseCommand(Command& out) {
  out.pos = PeekNonSpace().pos;
  for (;;) {
    PeekNonSpace();
    while (Peek().type == TokenType::kSpace) {
      Next();
    }
    std::unique_ptr<Operand> operand;
    if (!ParseOperand(operand)) {
      return false;
    }
    if (operand != nullptr) {
      out.args.push_back(std::move(operand));
    }
    const Token& token = Next();
    if (token.type == TokenType::kSpace) {
      continue;
    }
    if (token.type == TokenType::kRightDelim || token.type == TokenType::kRightParen) {
      Backup();
    } else if (token.type != TokenType::kPipe) {
      return Unexpected(token, "operand");
    }
    break;
  }
  return !out.args.empty() || Error("empty command");
}

// A term and the fields that follow it directly. `out` stays null when there is no term.
bool Parser::ParseOperand(std::unique_ptr<Operand>& out) {
  if (!ParseTerm(out) || out == nullptr) {
    return out != nullptr || error_.empty();
  }
  if (Peek().type != TokenType::kField) {
    return true;
  }
  uint32_t pos = Peek().pos;
  std::vector<std::string> fields;
  while (Peek().type == TokenType::kField) {
    fields.emplace_back(Next().val.substr(1));
  }
  switch (out->type) {
    case NodeType::kField:
    case NodeType::kVariable:
      out->pos = pos;
      out->fields.insert(out->fields.end(), fields.begin(), fields.end());
      return true;
    case NodeType::kBool:
    case NodeType::kString:
    case NodeType::kNumber:
    case NodeType::kNil:
    case NodeType::kDot:
      return Error(fmt::format("unexpected . after term {}", QuoteGo(ToString(*out, *source_))));
    default: {
      auto chain = std::make_unique<Operand>();
      chain->type = NodeType::kChain;
      chain->pos = pos;
      chain->fields = std::move(fields);
      chain->base = std::move(out);
      out = std::move(chain);
      return true;
    }
  }
}

bool Parser::ParseNumber(const Token& token, Operand& out) {
  out.type = NodeType::kNumber;
  if (token.type == TokenType::kCharConstant) {
    bool malformed = false;
    auto code = UnquoteRune(token.val, malformed);
    if (!code) {
      return Error(malformed ? fmt::format("malformed character constant: {}", token.val) : "invalid syntax");
    }
    out.is_int = out.is_float = true;
    out.integer = static_cast<int64_t>(*code);
    out.real = static_cast<double>(*code);
    out.value = Value::Integer(out.integer);
    return true;
  }
  bool overflow = false;
  auto number = ParseLiteral(token.val, overflow);
  if (!number) {
    return Error(overflow ? fmt::format("integer overflow: {}", QuoteGo(token.val))
                          : fmt::format("illegal number syntax: {}", QuoteGo(token.val)));
  }
  out.is_int = number->is_int;
  out.is_float = number->is_float;
  out.integer = number->integer;
  out.real = number->real;
  out.too_large = number->too_large;
  out.value = number->is_complex     ? ComplexValue(number->real, number->imaginary)
              : number->prints_float ? Value::Float(out.real)
                                     : Value::Integer(out.integer);
  return true;
}

bool Parser::ParseTerm(std::unique_ptr<Operand>& out) {
  const Token& token = NextNonSpace();
  auto term = std::make_unique<Operand>();
  term->pos = token.pos;
  term->text = std::string(token.val);
  switch (token.type) {
    case TokenType::kIdentifier:
      term->type = NodeType::kIdentifier;
      term->function = source_->functions.Find(token.val);
      if (term->function == nullptr) {
        term->function = BuiltinFunctions().Find(token.val);
      }
      if (term->function == nullptr) {
        return Error(fmt::format("function {} not defined", QuoteGo(token.val)));
      }
      break;
    case TokenType::kDot:
      term->type = NodeType::kDot;
      break;
    case TokenType::kNil:
      term->type = NodeType::kNil;
      break;
    case TokenType::kVariable: {
      term->type = NodeType::kVariable;
      term->variable = IdOf(token.val);
      if (visible_[term->variable] == 0) {
        return Error(fmt::format("undefined variable {}", QuoteGo(token.val)));
      }
      break;
    }
    case TokenType::kField:
      term->type = NodeType::kField;
      term->fields.emplace_back(token.val.substr(1));
      break;
    case TokenType::kBool:
      term->type = NodeType::kBool;
      term->value = Value::Bool(token.val == "true");
      break;
    case TokenType::kCharConstant:
    case TokenType::kNumber:
      if (!ParseNumber(token, *term)) {
        return false;
      }
      break;
    case TokenType::kLeftParen: {
      term->type = NodeType::kPipe;
      bool ok = Enter() && ParsePipeline("parenthesized pipeline", TokenType::kRightParen, term->pipe);
      Leave();
      if (!ok) {
        return false;
      }
      break;
    }
    case TokenType::kString:
    case TokenType::kRawString: {
      term->type = NodeType::kString;
      auto text = UnquoteGo(token.val);
      if (!text) {
        return Error("invalid syntax");
      }
      term->value = Value::String(std::move(*text));
      break;
    }
    default:
      Backup();
      return true;
  }
  out = std::move(term);
  return true;
}

}  // namespace

Result<std::vector<std::shared_ptr<const Tree>>> ParseText(std::string name, std::string_view text,
                                                           const FuncMap& funcs,
                                                           const ParseOptions& options) {
  if (text.size() > kMaxTemplateBytes) {
    return Fail(ErrorCode::kLimit,
                fmt::format("template: {}:1: text is longer than {} bytes", name, kMaxTemplateBytes));
  }
  auto source = std::make_shared<ParsedText>();
  source->name = std::move(name);
  source->text = std::string(text);
  source->column_shift = options.column_shift;
  source->functions = funcs;
  Parser parser(source, options);
  return parser.Run();
}

}  // namespace mlalert::tmpl
