// A set of parsed Go text/template texts that call each other by name, and its execution.
// Fed by: rule_template (one text), notify (default templates, then the user's files, then each config
// field). Parsed once, executed often: a Template is a handle to immutable parse trees. Errors carry Go's own
// text ("template: NAME:LINE:COL: executing ... at <...>: ..."): users search for it. Thread: Execute() may
// run concurrently on one Template; AddFile() changes only the handle it is called on. Limits:
// kMaxTemplateBytes, kMaxNesting when parsing; ExecLimits when executing.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "template/func_map.h"
#include "template/value.h"

namespace mlalert::tmpl {

struct TemplateSet;

inline constexpr size_t kMaxTemplateBytes = 4 << 20;  // one text
inline constexpr int kMaxNesting = 200;               // blocks and parentheses inside each other

struct ParseOptions {
  // Variables that exist before the text begins, with "$", in the order of Execute()'s `variables`.
  std::vector<std::string> variables{};
  // Added to columns of the first line: for callers that emulate a text put in front of the user's.
  int column_shift = 0;
};

class Template {
 public:
  // `name` shows in messages and is the text's own name in the set.
  static Result<Template> Parse(std::string name, std::string_view text, const FuncMap& funcs,
                                const ParseOptions& options = {});

  // Parses one more text into this set. Its {{ define }} blocks replace earlier ones of the same name, unless
  // the new one is empty. On error the set stays as it was. Copies of this Template are not affected.
  Status AddFile(std::string name, std::string_view text, const ParseOptions& options = {});
  // A copy of this set with `text` added as template `name`, which becomes the one that Execute() runs.
  Result<Template> With(std::string name, std::string_view text, const ParseOptions& options = {}) const;

  // A copy whose output is safe HTML: every action of the template that this handle is for, and of those it
  // calls, escapes its value for the place where it stands in the document, as Go's html/template does.
  // Errors (an attribute that does not end, branches that disagree) have html/template's texts.
  Result<Template> Html() const;

  // Runs the template this handle is for. `variables` are the values of ParseOptions::variables.
  Result<std::string> Execute(const Value& data, const ExecEnv& env = {}, const ExecLimits& limits = {},
                              std::span<const Value> variables = {}) const;
  Result<std::string> ExecuteNamed(std::string_view name, const Value& data, const ExecEnv& env = {},
                                   const ExecLimits& limits = {}) const;

  bool Has(std::string_view name) const;
  std::vector<std::string> Names() const;

 private:
  Template(std::shared_ptr<const TemplateSet> set, std::string name)
      : set_(std::move(set)), name_(std::move(name)) {}

  std::shared_ptr<const TemplateSet> set_;
  std::string name_;
};

}  // namespace mlalert::tmpl
