// The parse tree of one template text, and Go's way of writing its nodes back for error messages.
// Made by: parser. Walked by: exec. html_escape runs between the two: it visits the actions of a copied tree
// and appends escaping commands to their pipelines, so the tree is plain data without invariants beyond those
// named here. Thread: immutable once in a TemplateSet.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "template/func_map.h"
#include "template/value.h"

namespace mlalert::tmpl {

enum class NodeType : uint8_t {
  // operands (struct Operand)
  kBool,
  kDot,
  kNil,
  kNumber,
  kString,
  kField,       // .A.B
  kVariable,    // $x.A.B
  kChain,       // (pipe).A.B or func.A
  kIdentifier,  // a function's name
  kPipe,        // (pipe), as an operand
  // their containers
  kCommand,
  kPipeline,
  // statements (struct Statement)
  kText,
  kAction,
  kIf,
  kRange,
  kWith,
  kTemplate,
  kBreak,
  kContinue,
};

struct Node {
  NodeType type = NodeType::kText;
  uint32_t pos = 0;  // byte offset in the text
};

struct Pipeline;

struct Operand : Node {
  std::string text;                 // as written: numbers, strings, function names
  std::vector<std::string> fields;  // kField, kVariable (behind the name), kChain
  uint32_t variable = 0;            // kVariable: its id in ParsedText::variables
  const FuncDef* function = nullptr;
  Value value;          // kBool, kNumber, kString
  bool is_int = false;  // kNumber: may fill an int parameter
  bool is_float = false;
  bool too_large = false;  // kNumber: fits no int
  int64_t integer = 0;
  double real = 0;
  std::unique_ptr<Operand> base;   // kChain
  std::unique_ptr<Pipeline> pipe;  // kPipe
};

struct Command : Node {
  std::vector<std::unique_ptr<Operand>> args;  // at least one
};

struct Declaration {
  uint32_t variable = 0;
  std::string name;
};

struct Pipeline : Node {
  bool is_assign = false;  // = rather than :=
  std::vector<Declaration> declarations;
  std::vector<Command> commands;
};

struct Statement : Node {
  std::string text;                // kText; the name of a kTemplate
  std::unique_ptr<Pipeline> pipe;  // null for {{ template "x" }}
  std::vector<Statement> body;
  std::vector<Statement> orelse;
  bool has_else = false;
};

// One text given to Parse() or AddFile(); its trees refer to it for positions and variables.
struct ParsedText {
  std::string name;  // shown in messages
  std::string text;
  int column_shift = 0;
  std::vector<std::string> variables;  // by id; 0 is "$"
  FuncMap functions;                   // keeps alive what Operand::function points to
};

struct Tree {
  std::string name;
  std::shared_ptr<const ParsedText> source;
  std::vector<Statement> body;
  uint32_t predeclared = 0;  // variables 1..predeclared exist at the start

  // Only white space and comments: such a definition never replaces a real one.
  bool IsEmpty() const;
};

using TreeMap = std::map<std::string, std::shared_ptr<const Tree>, std::less<>>;

// A deep copy; functions are shared.
Statement Clone(const Statement& s);

// The node as Go prints it: `humanize "x"`, `.Labels.job`, `{{template "x" .}}`.
std::string ToString(const Node& node, const ParsedText& source);
// "NAME:LINE:COL" of a position, columns counted in bytes from 0.
std::string Location(uint32_t pos, const ParsedText& source);

}  // namespace mlalert::tmpl
