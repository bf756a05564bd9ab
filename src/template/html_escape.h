// Makes templates write safe HTML: follows the literal text of a template, and of those it calls, through the
// contexts of a document, and appends to each action's pipeline the functions that escape its value there.
// A template that is called in several contexts gets a copy for each. The rules, and the texts of errors, are
// those of Go's html/template.
// Fed by: template.cc. Thread: pure function. Limits: kMaxEscapeSteps, kMaxEscapeDepth.
#pragma once

#include <string>

#include "base/result.h"
#include "template/ast.h"

namespace mlalert::tmpl {

// Statements visited; loops are visited twice, so nested loops double it with each level.
inline constexpr int kMaxEscapeSteps = 500000;
inline constexpr int kMaxEscapeDepth = 500;

// `trees` with the named one, and those it reaches, replaced by safe ones. Errors begin with
// "html/template:".
Result<TreeMap> EscapeTrees(const TreeMap& trees, const std::string& name);

}  // namespace mlalert::tmpl
