#include "template/html_context.h"

#include <array>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace mlalert::tmpl {
namespace {

constexpr std::array<std::string_view, 31> kStateNames{"stateText",
                                                       "stateTag",
                                                       "stateAttrName",
                                                       "stateAfterName",
                                                       "stateBeforeValue",
                                                       "stateHTMLCmt",
                                                       "stateRCDATA",
                                                       "stateAttr",
                                                       "stateURL",
                                                       "stateSrcset",
                                                       "stateJS",
                                                       "stateJSDqStr",
                                                       "stateJSSqStr",
                                                       "stateJSTmplLit",
                                                       "stateJSRegexp",
                                                       "stateJSBlockCmt",
                                                       "stateJSLineCmt",
                                                       "stateJSHTMLOpenCmt",
                                                       "stateJSHTMLCloseCmt",
                                                       "stateCSS",
                                                       "stateCSSDqStr",
                                                       "stateCSSSqStr",
                                                       "stateCSSDqURL",
                                                       "stateCSSSqURL",
                                                       "stateCSSURL",
                                                       "stateCSSBlockCmt",
                                                       "stateCSSLineCmt",
                                                       "stateMetaContent",
                                                       "stateMetaContentURL",
                                                       "stateError",
                                                       "stateDead"};
constexpr std::array<std::string_view, 4> kDelimNames{"delimNone", "delimDoubleQuote", "delimSingleQuote",
                                                      "delimSpaceOrTagEnd"};
constexpr std::array<std::string_view, 4> kUrlPartNames{"urlPartNone", "urlPartPreQuery",
                                                        "urlPartQueryOrFrag", "urlPartUnknown"};
constexpr std::array<std::string_view, 3> kSlashNames{"jsCtxRegexp", "jsCtxDivOp", "jsCtxUnknown"};
constexpr std::array<std::string_view, 7> kAttrNames{"attrNone", "attrScript", "attrScriptType", "attrStyle",
                                                     "attrURL",  "attrSrcset", "attrMetaContent"};
constexpr std::array<std::string_view, 6> kElementNames{"elementNone",     "elementScript", "elementStyle",
                                                        "elementTextarea", "elementTitle",  "elementMeta"};

template <class Names, class Enum>
std::string_view NameOf(const Names& names, Enum value) {
  return names[static_cast<size_t>(value)];
}

}  // namespace

HtmlContext FailedContext(std::string message, std::string place) {
  HtmlContext c;
  c.state = HtmlState::kError;
  c.error = std::make_shared<HtmlError>(HtmlError{std::move(place), std::move(message)});
  return c;
}

bool IsComment(HtmlState state) {
  switch (state) {
    case HtmlState::kHtmlComment:
    case HtmlState::kJsBlockComment:
    case HtmlState::kJsLineComment:
    case HtmlState::kJsHtmlOpenComment:
    case HtmlState::kJsHtmlCloseComment:
    case HtmlState::kCssBlockComment:
    case HtmlState::kCssLineComment:
      return true;
    default:
      return false;
  }
}

bool IsInTag(HtmlState state) {
  switch (state) {
    case HtmlState::kTag:
    case HtmlState::kAttrName:
    case HtmlState::kAfterName:
    case HtmlState::kBeforeValue:
    case HtmlState::kAttr:
      return true;
    default:
      return false;
  }
}

bool IsInScriptLiteral(HtmlState state) {
  switch (state) {
    case HtmlState::kJsDoubleQuoted:
    case HtmlState::kJsSingleQuoted:
    case HtmlState::kJsTemplateLiteral:
    case HtmlState::kJsRegexp:
      return true;
    default:
      return false;
  }
}

HtmlState ValueStartState(HtmlAttr attr) {
  switch (attr) {
    case HtmlAttr::kScript:
      return HtmlState::kJs;
    case HtmlAttr::kStyle:
      return HtmlState::kCss;
    case HtmlAttr::kUrl:
      return HtmlState::kUrl;
    case HtmlAttr::kSrcset:
      return HtmlState::kSrcset;
    case HtmlAttr::kMetaContent:
      return HtmlState::kMetaContent;
    default:
      return HtmlState::kAttr;
  }
}

HtmlContext Nudge(HtmlContext c) {
  switch (c.state) {
    case HtmlState::kTag:
      c.state = HtmlState::kAttrName;
      break;
    case HtmlState::kBeforeValue:
      // <foo bar={{.}}: an unquoted value.
      c.state = ValueStartState(c.attr);
      c.delim = HtmlDelim::kSpaceOrTagEnd;
      c.attr = HtmlAttr::kNone;
      break;
    case HtmlState::kAfterName:
      // <foo bar {{.}}: another attribute's name.
      c.state = HtmlState::kAttrName;
      c.attr = HtmlAttr::kNone;
      break;
    default:
      break;
  }
  return c;
}

std::string ToString(const HtmlContext& c) {
  return fmt::format("{{{} {} {} {} {} {} {}}}", NameOf(kStateNames, c.state), NameOf(kDelimNames, c.delim),
                     NameOf(kUrlPartNames, c.url_part), NameOf(kSlashNames, c.slash),
                     NameOf(kAttrNames, c.attr), NameOf(kElementNames, c.element),
                     c.error == nullptr ? "<nil>" : c.error->message);
}

std::string DerivedName(std::string_view name, const HtmlContext& c) {
  if (c.state == HtmlState::kText) {
    return std::string(name);
  }
  std::string out = fmt::format("{}$htmltemplate_{}", name, NameOf(kStateNames, c.state));
  auto add = [&out](std::string_view part) {
    out += '_';
    out += part;
  };
  if (c.delim != HtmlDelim::kNone) {
    add(NameOf(kDelimNames, c.delim));
  }
  if (c.url_part != UrlPart::kNone) {
    add(NameOf(kUrlPartNames, c.url_part));
  }
  if (c.slash != JsSlash::kRegexp) {
    add(NameOf(kSlashNames, c.slash));
  }
  if (!c.brace_depths.empty()) {
    add(fmt::format("jsBraceDepth([{}])", fmt::join(c.brace_depths, " ")));
  }
  if (c.attr != HtmlAttr::kNone) {
    add(NameOf(kAttrNames, c.attr));
  }
  if (c.element != HtmlElement::kNone) {
    add(NameOf(kElementNames, c.element));
  }
  return out;
}

}  // namespace mlalert::tmpl
