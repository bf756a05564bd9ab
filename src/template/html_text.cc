#include "template/html_text.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "template/html_transition.h"
#include "template/print.h"
#include "template/utf8.h"

namespace mlalert::tmpl {
namespace {

using Arguments = std::span<const Value>;

// How & and white space are treated; everything else is the same everywhere.
struct HtmlRules {
  bool keep_entities = false;  // the text is HTML: & is not escaped again
  bool unquoted = false;       // for attribute values without quotes
};

std::string_view Replacement(char32_t c, HtmlRules rules) {
  switch (c) {
    case 0:
      return rules.unquoted ? "&#xfffd;" : "\xEF\xBF\xBD";
    case '"':
      return "&#34;";
    case '&':
      return rules.keep_entities ? "" : "&amp;";
    case '\'':
      return "&#39;";
    case '+':
      return "&#43;";
    case '<':
      return "&lt;";
    case '>':
      return "&gt;";
    default:
      break;
  }
  if (!rules.unquoted) {
    return "";
  }
  switch (c) {
    case '\t':
      return "&#9;";
    case '\n':
      return "&#10;";
    case '\v':
      return "&#11;";
    case '\f':
      return "&#12;";
    case '\r':
      return "&#13;";
    case ' ':
      return "&#32;";
    case '=':
      return "&#61;";
    case '`':
      return "&#96;";
    default:
      return "";
  }
}

std::string EscapeForHtml(std::string_view s, HtmlRules rules) {
  std::string out;
  out.reserve(s.size() + s.size() / 8);
  for (size_t i = 0; i < s.size();) {
    Rune r = DecodeRune(s, i);
    std::string_view repl = Replacement(r.code, rules);
    if (!repl.empty()) {
      out += repl;
    } else if (rules.unquoted &&
               ((r.code >= 0xFDD0 && r.code <= 0xFDEF) || (r.code >= 0xFFF0 && r.code <= 0xFFFF))) {
      out += fmt::format("&#x{:x};", static_cast<uint32_t>(r.code));
    } else {
      out += s.substr(i, r.width);
    }
    i += r.width;
  }
  return out;
}

// The arguments as print shows them, without untyped nils; one string keeps its type.
Value Text(ExecContext& context, Arguments args) {
  if (args.size() == 1 && args[0].kind() == Kind::kString) {
    return args[0];
  }
  std::vector<Value> shown;
  for (const Value& v : args) {
    if (!v.IsNil()) {
      shown.push_back(v);
    }
  }
  return Value::String(Sprint(shown, context.limits().output_bytes));
}

bool IsHtml(const Value& text) {
  return text.AsStringType() == StringType::kHtml;
}

bool IsUrl(const Value& text) {
  return text.AsStringType() == StringType::kUrl;
}

std::string ForText(ExecContext&, const Value& text) {
  return IsHtml(text) ? std::string(text.AsString()) : EscapeForHtml(text.AsString(), {});
}

std::string ForRcdata(ExecContext&, const Value& text) {
  return EscapeForHtml(text.AsString(), {.keep_entities = IsHtml(text)});
}

std::string ForAttr(ExecContext&, const Value& text) {
  return IsHtml(text) ? EscapeForHtml(StripTags(text.AsString()), {.keep_entities = true})
                      : EscapeForHtml(text.AsString(), {});
}

std::string ForUnquotedAttr(ExecContext&, const Value& text) {
  if (text.Size() == 0) {
    // Nothing here would make the next attribute the value.
    return std::string(kUnsafeValue);
  }
  return IsHtml(text) ? EscapeForHtml(StripTags(text.AsString()), {.keep_entities = true, .unquoted = true})
                      : EscapeForHtml(text.AsString(), {.unquoted = true});
}

// An attribute's or a tag's name: only harmless ones.
std::string ForName(ExecContext&, const Value& text) {
  std::string lower = ToLower(text.AsString());
  bool plain = !lower.empty() && MeaningOfAttr(lower) == AttrMeaning::kPlain &&
               std::all_of(lower.begin(), lower.end(),
                           [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z'); });
  return plain ? lower : std::string(kUnsafeValue);
}

std::string ForComment(ExecContext&, const Value&) {
  return {};
}

std::string ForCss(ExecContext&, const Value& text) {
  return EscapeCss(text.AsString());
}

std::string ForCssValue(ExecContext&, const Value& text) {
  return FilterCssValue(text.AsString());
}

std::string ForUrlStart(ExecContext&, const Value& text) {
  return IsUrl(text) || IsSafeUrl(text.AsString()) ? std::string(text.AsString())
                                                   : fmt::format("#{}", kUnsafeValue);
}

std::string ForUrl(ExecContext&, const Value& text) {
  return EscapeUrl(text.AsString(), true);
}

std::string ForUrlQuery(ExecContext&, const Value& text) {
  return EscapeUrl(text.AsString(), IsUrl(text));
}

std::string ForSrcset(ExecContext&, const Value& text) {
  if (!IsUrl(text)) {
    return FilterSrcset(text.AsString());
  }
  // One address: its commas must not separate.
  std::string out;
  for (char c : EscapeUrl(text.AsString(), true)) {
    out += c == ',' ? std::string("%2c") : std::string(1, c);
  }
  return out;
}

template <JsText kKind>
std::string ForJsText(ExecContext&, const Value& text) {
  return EscapeJsText(text.AsString(), kKind);
}

template <std::string (*kEscape)(ExecContext&, const Value&)>
Result<Value> Escape(ExecContext& context, Arguments args) {
  return Value::String(kEscape(context, Text(context, args)));
}

Result<Value> ForJs(ExecContext& context, Arguments args) {
  size_t limit = context.limits().output_bytes;
  return Value::String(args.size() == 1 ? JsExpression(args[0], limit)
                                        : JsExpression(Value::String(Sprint(args, limit)), limit));
}

// Several arguments of html and urlquery as one.
Result<Value> EvalArgs(ExecContext& context, Arguments args) {
  if (args.size() == 1 && args[0].kind() == Kind::kString) {
    return args[0];
  }
  return Value::String(Sprint(args, context.limits().output_bytes));
}

FuncMap Build() {
  FuncMap map;
  auto add = [&map](const char* name, Function fn) {
    map.AddVariadic(name, {ParamType::kAny}, std::move(fn));
  };
  add("_html_template_htmlescaper", Escape<ForText>);
  add("_html_template_rcdataescaper", Escape<ForRcdata>);
  add("_html_template_attrescaper", Escape<ForAttr>);
  add("_html_template_nospaceescaper", Escape<ForUnquotedAttr>);
  add("_html_template_htmlnamefilter", Escape<ForName>);
  add("_html_template_commentescaper", Escape<ForComment>);
  add("_html_template_cssescaper", Escape<ForCss>);
  add("_html_template_cssvaluefilter", Escape<ForCssValue>);
  add("_html_template_urlfilter", Escape<ForUrlStart>);
  add("_html_template_urlnormalizer", Escape<ForUrl>);
  add("_html_template_urlescaper", Escape<ForUrlQuery>);
  add("_html_template_srcsetescaper", Escape<ForSrcset>);
  add("_html_template_jsvalescaper", ForJs);
  add("_html_template_jsstrescaper", Escape<ForJsText<JsText::kString>>);
  add("_html_template_jstmpllitescaper", Escape<ForJsText<JsText::kTemplateLiteral>>);
  add("_html_template_jsregexpescaper", Escape<ForJsText<JsText::kRegexp>>);
  add("_eval_args_", EvalArgs);
  return map;
}

}  // namespace

const FuncMap& HtmlEscaperFunctions() {
  static const FuncMap map = Build();
  return map;
}

std::string StripTags(std::string_view html) {
  std::string out;
  HtmlContext c;
  bool all_text = true;
  size_t i = 0;
  while (i != html.size()) {
    if (c.delim != HtmlDelim::kNone) {
      size_t end = html.find_first_of(DelimEnds(c.delim), i);
      if (end == std::string_view::npos) {
        break;
      }
      i = end + (c.delim == HtmlDelim::kSpaceOrTagEnd ? 0 : 1);
      c = {.state = HtmlState::kTag, .element = c.element};
      continue;
    }
    HtmlContext after = c;
    bool was_text = c.state == HtmlState::kText || c.state == HtmlState::kRcdata;
    if (c.element != HtmlElement::kNone && !IsInTag(c.state)) {
      // The content of scripts and styles is skipped as text.
      after.state = HtmlState::kRcdata;
    }
    HtmlState read_as = after.state;
    size_t next = i + ReadState(after, html.substr(i));
    if (after.state == read_as) {
      after.state = c.state;
    }
    if (was_text) {
      size_t end = next;
      if (after.state != c.state) {
        size_t open = html.substr(0, next).rfind('<');
        end = open != std::string_view::npos && open >= i ? open : end;
      }
      out += html.substr(i, end - i);
    } else {
      all_text = false;
    }
    if (next == i && after == c) {
      break;
    }
    c = after;
    i = next;
  }
  if (all_text) {
    return std::string(html);
  }
  if (c.state == HtmlState::kText || c.state == HtmlState::kRcdata) {
    out += html.substr(i);
  }
  return out;
}

AttrMeaning MeaningOfAttr(std::string_view name) {
  static constexpr std::array<std::string_view, 19> kUrls{
      "action", "archive", "background", "cite", "classid", "codebase", "data", "formaction", "href", "icon",
      "longdesc", "manifest", "poster", "profile", "src", "usemap", "xmlns",
      // as the heuristic below has it, spelled out because they are common
      "url", "uri"};
  static constexpr std::array<std::string_view, 21> kUnsafe{"accept-charset",
                                                            "async",
                                                            "challenge",
                                                            "charset",
                                                            "content",
                                                            "crossorigin",
                                                            "defer",
                                                            "enctype",
                                                            "form",
                                                            "formenctype",
                                                            "formmethod",
                                                            "formnovalidate",
                                                            "http-equiv",
                                                            "keytype",
                                                            "language",
                                                            "method",
                                                            "novalidate",
                                                            "pattern",
                                                            "rel",
                                                            "sandbox",
                                                            "type"};
  if (name.starts_with("data-")) {
    name.remove_prefix(5);
  } else if (size_t colon = name.find(':'); colon != std::string_view::npos) {
    if (name.substr(0, colon) == "xmlns") {
      return AttrMeaning::kUrl;
    }
    name.remove_prefix(colon + 1);
  }
  if (std::find(kUrls.begin(), kUrls.end(), name) != kUrls.end()) {
    return AttrMeaning::kUrl;
  }
  if (name == "value" || std::find(kUnsafe.begin(), kUnsafe.end(), name) != kUnsafe.end()) {
    return AttrMeaning::kUnsafe;
  }
  if (name == "style") {
    return AttrMeaning::kCss;
  }
  if (name == "srcdoc") {
    return AttrMeaning::kHtml;
  }
  if (name == "srcset") {
    return AttrMeaning::kSrcset;
  }
  if (name == "srclang") {
    return AttrMeaning::kPlain;
  }
  if (name.starts_with("on")) {
    return AttrMeaning::kJs;
  }
  // Whatever calls itself an address is treated as one: data-src, tweetUrl.
  for (std::string_view part : {"src", "uri", "url"}) {
    if (name.find(part) != std::string_view::npos) {
      return AttrMeaning::kUrl;
    }
  }
  return AttrMeaning::kPlain;
}

}  // namespace mlalert::tmpl
