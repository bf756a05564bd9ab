// Which escaping functions an action needs in its context, and how they join its pipeline.
// Read by: html_escape. Thread: pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "template/ast.h"
#include "template/html_context.h"

namespace mlalert::tmpl {

// The functions for a value in context `c`, first to be applied first. nullopt: no function could make it
// safe, and a URL's part is unknown.
std::optional<std::vector<std::string_view>> EscapersFor(const HtmlContext& c);
// "html" or "urlquery" where the pipeline must not have it.
std::optional<std::string> MisusedEscaper(const HtmlContext& c, const Pipeline& pipe);
// Appends the functions, without those that a predefined escaper at its end makes superfluous.
void AppendEscapers(Pipeline& pipe, std::vector<std::string_view> escapers);

}  // namespace mlalert::tmpl
