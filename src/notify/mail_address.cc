#include "notify/mail_address.h"

#include <fmt/format.h>
#include <optional>
#include <utility>

namespace mlalert {
namespace {

constexpr int kCommentDepthMax = 16;

bool IsAtomChar(char c, bool dot) {
  const auto byte = static_cast<unsigned char>(c);
  if ((byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') ||
      byte >= 0x80) {
    return true;
  }
  return (dot && c == '.') || std::string_view("!#$%&'*+-/=?^_`{|}~").find(c) != std::string_view::npos;
}

bool IsDotAtom(std::string_view text) {
  if (text.empty() || text.front() == '.' || text.back() == '.' ||
      text.find("..") != std::string_view::npos) {
    return false;
  }
  for (char c : text) {
    if (!IsAtomChar(c, true)) {
      return false;
    }
  }
  return true;
}

std::string Quoted(std::string_view text) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') {
      out.push_back('\\');
    }
    out.push_back(c);
  }
  return out + "\"";
}

tl::unexpected<Error> Bad(std::string_view what) {
  return Fail(ErrorCode::kInvalid, fmt::format("mail: {}", what));
}

class Parser {
 public:
  explicit Parser(std::string_view text) : rest_(text) {}

  Result<std::vector<MailAddress>> List() {
    std::vector<MailAddress> out;
    for (;;) {
      MLALERT_TRY(SkipBlanks());
      if (Take(',')) {
        continue;  // empty entries are allowed
      }
      if (rest_.empty()) {
        break;
      }
      MLALERT_TRY(Entry(out));
      MLALERT_TRY(SkipBlanks());
      if (rest_.empty()) {
        break;
      }
      if (rest_.front() != ',') {
        return Bad("expected comma");
      }
    }
    if (out.empty()) {
      return Bad("no address");
    }
    return out;
  }

 private:
  bool Take(char c) {
    if (rest_.empty() || rest_.front() != c) {
      return false;
    }
    rest_.remove_prefix(1);
    return true;
  }

  // White space and comments.
  Status SkipBlanks() {
    for (;;) {
      while (!rest_.empty() && std::string_view(" \t\r\n").find(rest_.front()) != std::string_view::npos) {
        rest_.remove_prefix(1);
      }
      if (rest_.empty() || rest_.front() != '(') {
        return {};
      }
      int depth = 0;
      do {
        if (rest_.empty() || depth > kCommentDepthMax) {
          return Bad("misformatted parenthetical comment");
        }
        char c = rest_.front();
        rest_.remove_prefix(1);
        if (c == '\\' && !rest_.empty()) {
          rest_.remove_prefix(1);
        }
        depth += c == '(' ? 1 : c == ')' ? -1 : 0;
      } while (depth > 0);
    }
  }

  std::string Atom(bool dot) {
    size_t end = 0;
    while (end < rest_.size() && IsAtomChar(rest_[end], dot)) {
      ++end;
    }
    std::string out(rest_.substr(0, end));
    rest_.remove_prefix(end);
    return out;
  }

  Result<std::string> QuotedString() {
    std::string out;
    rest_.remove_prefix(1);
    while (!rest_.empty()) {
      char c = rest_.front();
      rest_.remove_prefix(1);
      if (c == '"') {
        return out;
      }
      if (c == '\\' && !rest_.empty()) {
        c = rest_.front();
        rest_.remove_prefix(1);
      }
      const auto byte = static_cast<unsigned char>(c);
      if ((byte < 0x20 && c != '\t') || byte == 0x7F) {
        return Bad("bad character in quoted-string");
      }
      out.push_back(c);
    }
    return Bad("unclosed quoted-string");
  }

  // local@domain; rest_ is only moved on success.
  Result<std::string> AddrSpec() {
    const std::string_view start = rest_;
    auto spec = TryAddrSpec();
    if (!spec) {
      rest_ = start;
    }
    return spec;
  }

  Result<std::string> TryAddrSpec() {
    std::string local;
    if (rest_.starts_with('"')) {
      MLALERT_ASSIGN(local, QuotedString());
      if (local.empty()) {
        return Bad("empty quoted string in addr-spec");
      }
    } else {
      local = Atom(true);
      if (!IsDotAtom(local)) {
        return Bad("invalid string");
      }
    }
    if (!Take('@')) {
      return Bad("missing @ in addr-spec");
    }
    MLALERT_TRY(SkipBlanks());
    std::string domain;
    if (rest_.starts_with('[')) {
      size_t end = rest_.find(']');
      if (end == std::string_view::npos) {
        return Bad("unclosed domain-literal");
      }
      domain = rest_.substr(0, end + 1);
      if (domain.find_first_of(" \t\r\n\\<>\"") != std::string::npos) {
        return Bad("bad character in domain-literal");
      }
      rest_.remove_prefix(end + 1);
    } else {
      domain = Atom(true);
      if (!IsDotAtom(domain)) {
        return Bad("no domain in addr-spec");
      }
    }
    return (IsDotAtom(local) ? local : Quoted(local)) + "@" + domain;
  }

  // A mailbox, or a group of them.
  Status Entry(std::vector<MailAddress>& out) {
    if (auto spec = AddrSpec()) {
      out.push_back({"", std::move(*spec)});
      return {};
    }
    std::string name;
    if (!rest_.starts_with('<')) {
      MLALERT_ASSIGN(name, Phrase());
    }
    MLALERT_TRY(SkipBlanks());
    if (Take(':')) {
      return Group(out);
    }
    if (!Take('<')) {
      return rest_.starts_with('@') ? Bad("no angle-addr") : Bad("missing '@' or angle-addr");
    }
    MLALERT_ASSIGN(std::string address, AddrSpec());
    if (!Take('>')) {
      return Bad("unclosed angle-addr");
    }
    out.push_back({std::move(name), std::move(address)});
    return {};
  }

  Status Group(std::vector<MailAddress>& out) {
    for (;;) {
      MLALERT_TRY(SkipBlanks());
      if (Take(';')) {
        return {};
      }
      if (Take(',')) {
        continue;
      }
      if (rest_.empty() || in_group_) {
        return Bad("invalid group");
      }
      in_group_ = true;
      Status ok = Entry(out);
      in_group_ = false;
      MLALERT_TRY(std::move(ok));
    }
  }

  Result<std::string> Phrase() {
    std::string out;
    for (;;) {
      MLALERT_TRY(SkipBlanks());
      std::string word;
      if (rest_.starts_with('"')) {
        MLALERT_ASSIGN(word, QuotedString());
      } else {
        word = Atom(true);
        if (word.empty()) {
          break;
        }
      }
      out += (out.empty() ? "" : " ") + word;
    }
    if (out.empty()) {
      return Bad("no angle-addr");
    }
    return out;
  }

  std::string_view rest_;
  bool in_group_ = false;
};

}  // namespace

Result<std::vector<MailAddress>> ParseAddressList(std::string_view text) {
  return Parser(text).List();
}

}  // namespace mlalert
