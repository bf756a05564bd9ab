#include "template/html_pipeline.h"

#include <algorithm>
#include <array>
#include <set>

#include "template/html_text.h"

namespace mlalert::tmpl {
namespace {

constexpr std::string_view kAttrEscaper = "_html_template_attrescaper";

bool IsPredefined(std::string_view name) {
  return name == "html" || name == "urlquery";
}

// The function that a command calls; empty when it calls none.
std::string_view CalleeOf(const Command& command) {
  const Operand& first = *command.args[0];
  return first.type == NodeType::kIdentifier ? std::string_view(first.text) : std::string_view();
}

// The predefined escaper that does the same, or the name itself.
std::string_view Equivalent(std::string_view name) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kSame{
      {{kAttrEscaper, "html"},
       {"_html_template_htmlescaper", "html"},
       {"_html_template_rcdataescaper", "html"},
       {"_html_template_urlescaper", "urlquery"},
       // Not the same: urlquery escapes more. Old templates rely on it.
       {"_html_template_urlnormalizer", "urlquery"}}};
  for (const auto& [escaper, predefined] : kSame) {
    if (name == escaper) {
      return predefined;
    }
  }
  return name;
}

// `next` would change nothing behind `last`.
bool IsRedundant(std::string_view last, std::string_view next) {
  if (next == kAttrEscaper) {
    return last == "_html_template_commentescaper" || last == "_html_template_cssescaper" ||
           last == "_html_template_jsregexpescaper" || last == "_html_template_jsstrescaper" ||
           last == "_html_template_jstmpllitescaper";
  }
  return (last == "_html_template_commentescaper" && next == "_html_template_htmlescaper") ||
         (last == "_html_template_urlescaper" && next == "_html_template_urlnormalizer");
}

Command CallOf(std::string_view name, uint32_t pos) {
  auto callee = std::make_unique<Operand>();
  callee->type = NodeType::kIdentifier;
  callee->pos = pos;
  callee->text = std::string(name);
  callee->function = HtmlEscaperFunctions().Find(name);
  if (callee->function == nullptr) {
    callee->function = BuiltinFunctions().Find(name);
  }
  Command command;
  command.type = NodeType::kCommand;
  command.pos = pos;
  command.args.push_back(std::move(callee));
  return command;
}

void AppendCall(std::vector<Command>& commands, std::string_view name, uint32_t pos) {
  if (commands.empty() || !IsRedundant(CalleeOf(commands.back()), name)) {
    commands.push_back(CallOf(name, pos));
  }
}

// {{ html .A .B }} as {{ _eval_args_ .A .B | html }}.
void SplitArguments(Pipeline& pipe, std::string_view escaper) {
  Operand& callee = *pipe.commands[0].args[0];
  Command call = CallOf(escaper, pipe.pos);
  callee.text = "_eval_args_";
  callee.function = HtmlEscaperFunctions().Find(callee.text);
  pipe.commands.push_back(std::move(call));
}

}  // namespace

std::optional<std::vector<std::string_view>> EscapersFor(const HtmlContext& c) {
  std::vector<std::string_view> out;
  switch (c.state) {
    case HtmlState::kUrl:
    case HtmlState::kCssDoubleQuoted:
    case HtmlState::kCssSingleQuoted:
    case HtmlState::kCssDoubleQuotedUrl:
    case HtmlState::kCssSingleQuotedUrl:
    case HtmlState::kCssUrl: {
      if (c.url_part == UrlPart::kUnknown) {
        return std::nullopt;
      }
      if (c.url_part == UrlPart::kQueryOrFragment) {
        out.push_back("_html_template_urlescaper");
        break;
      }
      if (c.url_part == UrlPart::kNone) {
        out.push_back("_html_template_urlfilter");
      }
      bool string = c.state == HtmlState::kCssDoubleQuoted || c.state == HtmlState::kCssSingleQuoted;
      out.push_back(string ? "_html_template_cssescaper" : "_html_template_urlnormalizer");
      break;
    }
    case HtmlState::kMetaContentUrl:
      out.push_back("_html_template_urlfilter");
      break;
    case HtmlState::kJs:
      out.push_back("_html_template_jsvalescaper");
      break;
    case HtmlState::kJsDoubleQuoted:
    case HtmlState::kJsSingleQuoted:
      out.push_back("_html_template_jsstrescaper");
      break;
    case HtmlState::kJsTemplateLiteral:
      out.push_back("_html_template_jstmpllitescaper");
      break;
    case HtmlState::kJsRegexp:
      out.push_back("_html_template_jsregexpescaper");
      break;
    case HtmlState::kCss:
      out.push_back("_html_template_cssvaluefilter");
      break;
    case HtmlState::kText:
      out.push_back("_html_template_htmlescaper");
      break;
    case HtmlState::kRcdata:
      out.push_back("_html_template_rcdataescaper");
      break;
    case HtmlState::kTag:
    case HtmlState::kAttrName:
      out.push_back("_html_template_htmlnamefilter");
      break;
    case HtmlState::kSrcset:
      out.push_back("_html_template_srcsetescaper");
      break;
    default:
      if (IsComment(c.state)) {
        out.push_back("_html_template_commentescaper");
      }
  }
  if (c.delim == HtmlDelim::kSpaceOrTagEnd) {
    out.push_back("_html_template_nospaceescaper");
  } else if (c.delim != HtmlDelim::kNone) {
    out.push_back(kAttrEscaper);
  }
  return out;
}

std::optional<std::string> MisusedEscaper(const HtmlContext& c, const Pipeline& pipe) {
  bool unquoted = c.state == HtmlState::kAttr && c.delim == HtmlDelim::kSpaceOrTagEnd;
  for (const Command& command : pipe.commands) {
    std::string_view name = CalleeOf(command);
    bool last = &command == &pipe.commands.back();
    if (IsPredefined(name) && (!last || (unquoted && name == "html"))) {
      return std::string(name);
    }
  }
  return std::nullopt;
}

void AppendEscapers(Pipeline& pipe, std::vector<std::string_view> escapers) {
  if (escapers.empty()) {
    return;
  }
  std::string last(CalleeOf(pipe.commands.back()));
  if (IsPredefined(last)) {
    if (pipe.commands.size() == 1 && pipe.commands[0].args.size() > 1) {
      SplitArguments(pipe, last);
    }
    bool replaced = false;
    for (std::string_view& escaper : escapers) {
      if (Equivalent(last) == Equivalent(escaper)) {
        escaper = last;
        replaced = true;
      }
    }
    if (replaced) {
      pipe.commands.pop_back();
    }
  }
  std::set<std::string_view> present;
  for (const Command& command : pipe.commands) {
    present.insert(Equivalent(CalleeOf(command)));
  }
  for (std::string_view escaper : escapers) {
    if (!present.contains(Equivalent(escaper))) {
      AppendCall(pipe.commands, escaper, pipe.pos);
    }
  }
}

}  // namespace mlalert::tmpl
