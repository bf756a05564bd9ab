// Tokens to parse trees, with Go's grammar and Go's error texts ("template: NAME:LINE: unexpected ...").
// Fed by: template.cc. Unknown functions and variables are errors here, undefined templates are not.
// Thread: pure function. Limits: kMaxNesting (template.h).
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "template/ast.h"
#include "template/template.h"

namespace mlalert::tmpl {

// The trees of one text: first the text itself, then its definitions in order of appearance.
Result<std::vector<std::shared_ptr<const Tree>>> ParseText(std::string name, std::string_view text,
                                                           const FuncMap& funcs, const ParseOptions& options);

}  // namespace mlalert::tmpl
