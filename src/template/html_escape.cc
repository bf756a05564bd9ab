#include "template/html_escape.h"

#include <algorithm>
#include <fmt/format.h>
#include <set>
#include <unordered_map>

#include "template/html_pipeline.h"
#include "template/html_transition.h"
#include "template/quote.h"

namespace mlalert::tmpl {
namespace {

// Where {{break}} and {{continue}} left the loop being followed.
struct Loop {
  struct Exit {
    HtmlContext context;
    const Statement* at;
  };
  std::vector<Exit> breaks, continues;
};

// What was found out: kept for as long as the assumptions hold under which it was.
struct Findings {
  std::map<std::string, HtmlContext> output;  // the context behind a template, by its derived name
  std::set<std::string> called;
  std::unordered_map<const Statement*, std::vector<std::string_view>> actions;
  std::unordered_map<const Statement*, std::string> calls;
  std::unordered_map<const Statement*, std::string> texts;

  void Absorb(Findings&& other) {
    for (auto& [name, context] : other.output) {
      output[name] = context;
    }
    called.merge(other.called);
    actions.merge(other.actions);
    calls.merge(other.calls);
    texts.merge(other.texts);
  }
};

bool StartsDoctype(std::string_view s) {
  return AsciiLower(s.substr(0, 9)) == "<!doctype";
}

// "<script", "</script" and "<!--" inside a script's strings, written so that browsers see no tag.
void AppendScriptText(std::string& out, std::string_view s) {
  for (size_t i = 0; i < s.size(); ++i) {
    if (s[i] == '<') {
      std::string next = AsciiLower(s.substr(i + 1, 7));
      if (next.starts_with("script") || next.starts_with("/script") || next.starts_with("!--")) {
        out += "\\x3C";
        continue;
      }
    }
    out.push_back(s[i]);
  }
}

class Escaper {
 public:
  Escaper(const TreeMap& trees, const std::string& name) : trees_(trees), name_(name) {}

  Result<TreeMap> Run() {
    std::string derived;
    HtmlContext end = EscapeTree({}, name_, {}, derived);
    if (!end.Failed() && end.state != HtmlState::kText) {
      end = FailedContext("ends in a non-text context: " + ToString(end));
    }
    if (end.Failed()) {
      const HtmlError& error = *end.error;
      const std::string& place = error.place.empty() ? name_ : error.place;
      return Fail(over_budget_ ? ErrorCode::kLimit : ErrorCode::kInvalid,
                  fmt::format("html/template:{}{} {}", place, place.empty() ? "" : ":", error.message));
    }
    return Commit();
  }

 private:
  // -- places
  std::string Place(const Statement& s) const { return Location(s.pos, *tree_->source); }
  std::string LinePlace(const Statement& s) const {
    std::string_view before = std::string_view(tree_->source->text).substr(0, s.pos);
    return fmt::format("{}:{}", name_, 1 + std::count(before.begin(), before.end(), '\n'));
  }

  // Changes the error itself, which contexts of an earlier pass may share, as upstream's does. The limit's
  // message stays as it is: loops inside each other would make it long.
  HtmlContext Prefixed(const HtmlContext& failed, std::string_view prefix, const std::string& place) const {
    if (!over_budget_) {
      HtmlError& error = *failed.error;
      error.message.insert(0, prefix);
      if (error.place.empty()) {
        error.place = place;
      }
    }
    return failed;
  }

  bool Charge(size_t cost) {
    steps_ += cost;
    over_budget_ = over_budget_ || steps_ > kMaxEscapeSteps;
    return !over_budget_;
  }

  // -- templates
  // The tree to work on: a copy, because trees are shared with other sets.
  std::shared_ptr<Tree> Work(const std::string& derived, const std::string& name) {
    std::shared_ptr<Tree>& work = work_[derived];
    if (work == nullptr) {
      const Tree& original = *trees_.find(name)->second;
      work = std::make_shared<Tree>();
      work->name = derived;
      work->source = original.source;
      work->predeclared = original.predeclared;
      for (const Statement& s : original.body) {
        work->body.push_back(Clone(s));
      }
    }
    return work;
  }

  // The context behind the template when it starts in `c`.
  HtmlContext EscapeTree(const HtmlContext& c, const std::string& name, const std::string& place,
                         std::string& derived) {
    derived = DerivedName(name, c);
    found_->called.insert(derived);
    if (auto it = found_->output.find(derived); it != found_->output.end()) {
      return it->second;
    }
    if (!trees_.contains(name)) {
      return FailedContext(fmt::format("no such template {}", QuoteGo(name)), place);
    }
    std::shared_ptr<Tree> tree = Work(derived, name);
    std::shared_ptr<const Tree> caller = std::exchange(tree_, tree);
    HtmlContext end = OutputContext(c, *tree);
    tree_ = caller;
    return end;
  }

  HtmlContext OutputContext(const HtmlContext& c, const Tree& tree) {
    HtmlContext end = c;
    if (EscapeBody(c, tree, end)) {
      return end;
    }
    // A template that calls itself: assume that it ends as it was found to end.
    HtmlContext assumed = end;
    HtmlContext again = end;
    if (EscapeBody(assumed, tree, again)) {
      return again;
    }
    if (end.Failed()) {
      return end;  // the second pass may have added to its text
    }
    uint32_t pos = tree.body.empty() ? 0 : tree.body.front().pos;
    return FailedContext(fmt::format("cannot compute output context for template {}", tree.name),
                         Location(pos, *tree.source));
  }

  // Follows the body under the assumption that the template ends in `assumed`, which its calls of itself see.
  // As upstream the body too starts there. Keeps what was found when the assumption holds.
  bool EscapeBody(const HtmlContext& assumed, const Tree& tree, HtmlContext& end) {
    found_->output[tree.name] = assumed;
    Findings inner;
    if (!Charge(found_->output.size())) {
      end = FailedContext("template is too complex to escape");
      return false;
    }
    inner.output = found_->output;
    Findings* outer = std::exchange(found_, &inner);
    end = EscapeList(assumed, tree.body);
    found_ = outer;
    if (end.Failed() || (inner.called.contains(tree.name) && !(end == assumed))) {
      return false;
    }
    found_->Absorb(std::move(inner));
    return true;
  }

  // -- statements
  HtmlContext EscapeList(HtmlContext c, const std::vector<Statement>& list) {
    if (++depth_ > kMaxEscapeDepth) {
      over_budget_ = true;
    }
    for (const Statement& s : list) {
      if (!Charge(1 + s.text.size() / 64)) {
        c = FailedContext("template is too complex to escape");
        break;
      }
      c = EscapeStatement(std::move(c), s);
      if (c.state == HtmlState::kDead) {
        break;
      }
    }
    --depth_;
    return c;
  }

  HtmlContext EscapeStatement(HtmlContext c, const Statement& s) {
    switch (s.type) {
      case NodeType::kText:
        return EscapeText(std::move(c), s);
      case NodeType::kAction:
        return EscapeAction(std::move(c), s);
      case NodeType::kBreak:
        loop_->breaks.push_back({std::move(c), &s});
        return {.state = HtmlState::kDead};
      case NodeType::kContinue:
        loop_->continues.push_back({std::move(c), &s});
        return {.state = HtmlState::kDead};
      case NodeType::kIf:
        return EscapeBranch(c, s, "if");
      case NodeType::kWith:
        return EscapeBranch(c, s, "with");
      case NodeType::kRange:
        return EscapeRange(c, s);
      case NodeType::kTemplate: {
        std::string derived;
        HtmlContext end = EscapeTree(c, s.text, Place(s), derived);
        if (derived != s.text) {
          found_->calls[&s] = derived;
        }
        return end;
      }
      default:
        return c;
    }
  }

  HtmlContext EscapeAction(HtmlContext c, const Statement& s) {
    if (!s.pipe->declarations.empty()) {
      return c;
    }
    c = Nudge(std::move(c));
    // Behind an error too: the last of these errors is the one that is told.
    if (auto name = MisusedEscaper(c, *s.pipe)) {
      return FailedContext(fmt::format("predefined escaper {} disallowed in template", QuoteGo(*name)),
                           Place(s));
    }
    if (c.Failed()) {
      return c;
    }
    auto escapers = EscapersFor(c);
    if (!escapers) {
      return FailedContext(
          fmt::format("{} appears in an ambiguous context within a URL", ToString(s, *tree_->source)),
          Place(s));
    }
    if (c.state == HtmlState::kJs) {
      // Behind a value a slash divides.
      c.slash = JsSlash::kDivision;
    } else if (c.state == HtmlState::kTag) {
      c.state = HtmlState::kAttrName;
    }
    found_->actions[&s] = std::move(*escapers);
    return c;
  }

  // One context for what follows a statement whose branches end in `a` and `b`.
  HtmlContext Join(const HtmlContext& a, const HtmlContext& b, const Statement& s, std::string_view word) {
    if (a.Failed() || b.state == HtmlState::kDead) {
      return a;
    }
    if (b.Failed() || a.state == HtmlState::kDead || a == b) {
      return b;
    }
    HtmlContext c = a;
    c.url_part = b.url_part;
    if (c == b) {
      c.url_part = UrlPart::kUnknown;
      return c;
    }
    c = a;
    c.slash = b.slash;
    if (c == b) {
      c.slash = JsSlash::kUnknown;
      return c;
    }
    // <p title={{if .C}}{{.}}{{end}} ends in an unquoted value, though nothing was written in one branch.
    HtmlContext x = Nudge(a);
    HtmlContext y = Nudge(b);
    if (!(x == a && y == b)) {
      if (HtmlContext joined = Join(x, y, s, word); !joined.Failed()) {
        return joined;
      }
    }
    return FailedContext(
        fmt::format("{{{{{}}}}} branches end in different contexts: {}, {}", word, ToString(a), ToString(b)),
        Place(s));
  }

  HtmlContext EscapeBranch(const HtmlContext& c, const Statement& s, std::string_view word) {
    HtmlContext then = EscapeList(c, s.body);
    return Join(then, EscapeList(c, s.orelse), s, word);
  }

  HtmlContext JoinExits(HtmlContext c, const Loop& loop) {
    for (const auto& [exits, prefix] : {std::pair(&loop.breaks, "at range loop break: "),
                                        std::pair(&loop.continues, "at range loop continue: ")}) {
      for (const Loop::Exit& exit : *exits) {
        c = Join(c, exit.context, *exit.at, "range");
        if (c.Failed()) {
          return Prefixed(c, prefix, LinePlace(*exit.at));
        }
      }
    }
    return c;
  }

  HtmlContext EscapeRange(const HtmlContext& c, const Statement& s) {
    Loop first;
    Loop* outer = std::exchange(loop_, &first);
    HtmlContext end = EscapeList(c, s.body);
    if (!end.Failed()) {
      end = JoinExits(end, first);
    }
    if (!end.Failed()) {
      // The body may run again: its second turn must end as the first did.
      Loop second;
      loop_ = &second;
      Findings inner;
      inner.output = found_->output;
      Charge(inner.output.size());
      Findings* kept = std::exchange(found_, &inner);
      HtmlContext again = EscapeList(end, s.body);
      found_ = kept;
      end = Join(end, again, s, "range");
      end = end.Failed() ? Prefixed(end, "on range loop re-entry: ", LinePlace(s)) : JoinExits(end, second);
    }
    loop_ = outer;
    if (end.Failed()) {
      return end;
    }
    return Join(end, EscapeList(c, s.orelse), s, "range");
  }

  // -- text
  HtmlContext EscapeText(HtmlContext c, const Statement& statement) {
    const std::string_view s = statement.text;
    std::string out;
    size_t written = 0;
    auto write_to = [&](size_t end) {
      out += s.substr(written, end > written ? end - written : 0);
      written = end;
    };
    for (size_t i = 0; i != s.size();) {
      HtmlContext next = c;
      size_t end = i + ReadText(next, s.substr(i));
      if (c.state == HtmlState::kText || c.state == HtmlState::kRcdata) {
        // A "<" that starts no tag is text.
        size_t stop = end;
        if (next.state != c.state && end > i) {
          size_t open = s.substr(0, end).rfind('<');
          stop = open != std::string_view::npos && open >= i ? open : end;
        }
        for (size_t j = s.find('<', i); j < stop; j = s.find('<', j + 1)) {
          if (!StartsDoctype(s.substr(j))) {
            write_to(j);
            out += "&lt;";
            written = j + 1;
          }
        }
      } else if (IsComment(c.state) && c.delim == HtmlDelim::kNone) {
        if (c.state == HtmlState::kJsBlockComment) {
          // To a script's grammar a comment of several lines is a line's end.
          std::string_view comment = s.substr(written, end - written);
          bool lines = comment.find_first_of("\n\r") != std::string_view::npos ||
                       comment.find("\xE2\x80\xA8") != std::string_view::npos ||
                       comment.find("\xE2\x80\xA9") != std::string_view::npos;
          out.push_back(lines ? '\n' : ' ');
        } else if (c.state == HtmlState::kCssBlockComment) {
          out.push_back(' ');
        }
        written = end;
      }
      if (c.state != next.state && IsComment(next.state) && next.delim == HtmlDelim::kNone) {
        bool html = next.state == HtmlState::kHtmlComment || next.state == HtmlState::kJsHtmlOpenComment;
        size_t mark = html ? 4 : next.state == HtmlState::kJsHtmlCloseComment ? 3 : 2;
        write_to(end - mark);
        written = end;
      }
      if (IsInScriptLiteral(c.state) && end > i) {
        std::string text;
        AppendScriptText(text, s.substr(i, end - i));
        if (text.size() != end - i) {
          write_to(i);
          out += text;
          written = end;
        }
      }
      if (end == i && next.state == c.state) {
        return FailedContext("template is too complex to escape");
      }
      c = std::move(next);
      i = end;
    }
    if (written != 0 && !c.Failed()) {
      if (!IsComment(c.state) || c.delim != HtmlDelim::kNone) {
        write_to(s.size());
      }
      found_->texts[&statement] = std::move(out);
    }
    return c;
  }

  // -- the end: the copies take the changes
  void Apply(std::vector<Statement>& list) {
    for (Statement& s : list) {
      if (auto it = top_.actions.find(&s); it != top_.actions.end()) {
        AppendEscapers(*s.pipe, it->second);
      }
      if (auto it = top_.calls.find(&s); it != top_.calls.end()) {
        s.text = it->second;
      }
      if (auto it = top_.texts.find(&s); it != top_.texts.end()) {
        s.text = it->second;
      }
      Apply(s.body);
      Apply(s.orelse);
    }
  }

  TreeMap Commit() {
    TreeMap out = trees_;
    for (auto& [name, tree] : work_) {
      if (top_.output.contains(name)) {
        Apply(tree->body);
        out.insert_or_assign(name, tree);
      }
    }
    return out;
  }

  const TreeMap& trees_;
  const std::string& name_;
  std::map<std::string, std::shared_ptr<Tree>> work_;
  std::shared_ptr<const Tree> tree_;
  Findings top_;
  Findings* found_ = &top_;
  Loop* loop_ = nullptr;
  size_t steps_ = 0;
  int depth_ = 0;
  bool over_budget_ = false;
};

}  // namespace

Result<TreeMap> EscapeTrees(const TreeMap& trees, const std::string& name) {
  return Escaper(trees, name).Run();
}

}  // namespace mlalert::tmpl
