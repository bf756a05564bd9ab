// Where in a HTML document a piece of template output lands: the state that decides how it must be escaped.
// Made by: html_transition from literal text. Read by: html_escape. Names and order follow Go's
// html/template, because users read them in messages ("ends in a non-text context: {stateTag delimNone
// ...}"). Thread: plain values.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace mlalert::tmpl {

enum class HtmlState : uint8_t {
  kText,
  kTag,          // before an attribute or the end of a tag
  kAttrName,     // inside an attribute's name
  kAfterName,    // between the name and "="
  kBeforeValue,  // between "=" and the value
  kHtmlComment,
  kRcdata,  // <textarea>, <title>
  kAttr,    // the value of an attribute without a meaning of its own
  kUrl,
  kSrcset,
  kJs,
  kJsDoubleQuoted,
  kJsSingleQuoted,
  kJsTemplateLiteral,
  kJsRegexp,
  kJsBlockComment,
  kJsLineComment,
  kJsHtmlOpenComment,
  kJsHtmlCloseComment,
  kCss,
  kCssDoubleQuoted,
  kCssSingleQuoted,
  kCssDoubleQuotedUrl,
  kCssSingleQuotedUrl,
  kCssUrl,
  kCssBlockComment,
  kCssLineComment,
  kMetaContent,     // <meta content="
  kMetaContentUrl,  // <meta content="0;url=
  kError,
  kDead,  // behind {{break}} and {{continue}}
};

// What ends the attribute's value.
enum class HtmlDelim : uint8_t { kNone, kDoubleQuote, kSingleQuote, kSpaceOrTagEnd };
enum class UrlPart : uint8_t { kNone, kPreQuery, kQueryOrFragment, kUnknown };
// What a slash would start.
enum class JsSlash : uint8_t { kRegexp, kDivision, kUnknown };
enum class HtmlElement : uint8_t { kNone, kScript, kStyle, kTextarea, kTitle, kMeta };
enum class HtmlAttr : uint8_t { kNone, kScript, kScriptType, kStyle, kUrl, kSrcset, kMetaContent };

// The error of a context; `place` is "NAME:LINE:COL" of the node it is blamed on, or empty.
struct HtmlError {
  std::string place;
  std::string message;
};

struct HtmlContext {
  HtmlState state = HtmlState::kText;
  HtmlDelim delim = HtmlDelim::kNone;
  UrlPart url_part = UrlPart::kNone;
  JsSlash slash = JsSlash::kRegexp;
  HtmlAttr attr = HtmlAttr::kNone;
  HtmlElement element = HtmlElement::kNone;
  // Open braces of each ${...} that we are inside of.
  std::vector<int> brace_depths{};
  std::shared_ptr<HtmlError> error{};

  bool operator==(const HtmlContext&) const = default;
  bool Failed() const { return state == HtmlState::kError; }
};

HtmlContext FailedContext(std::string message, std::string place = {});

bool IsComment(HtmlState state);
bool IsInTag(HtmlState state);
// A string, template or regular expression inside a script.
bool IsInScriptLiteral(HtmlState state);
HtmlState ValueStartState(HtmlAttr attr);
// The context in which an action stands when it follows directly.
HtmlContext Nudge(HtmlContext c);

// "{stateTag delimNone urlPartNone jsCtxRegexp attrNone elementNone <nil>}"
std::string ToString(const HtmlContext& c);
// The name of a template derived for this context: "x$htmltemplate_stateURL_delimDoubleQuote"; the plain name
// for text.
std::string DerivedName(std::string_view name, const HtmlContext& c);

}  // namespace mlalert::tmpl
