#include "config/url_check.h"

#include <algorithm>
#include <fmt/format.h>

namespace mlalert {
namespace {

bool IsAlpha(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}
int HexValue(char c) {
  if (IsDigit(c)) {
    return c - '0';
  }
  char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

tl::unexpected<Error> Bad(std::string message) {
  return Fail(ErrorCode::kInvalid, std::move(message));
}

// Empty when the text has no scheme.
std::string_view SchemeOf(std::string_view text) {
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == ':') {
      return text.substr(0, i);
    }
    bool later_only = IsDigit(c) || c == '+' || c == '-' || c == '.';
    if (!IsAlpha(c) && (i == 0 || !later_only)) {
      return {};
    }
  }
  return {};
}

bool Unescape(std::string_view text, std::string& out) {
  out.clear();
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    int high = i + 2 < text.size() ? HexValue(text[i + 1]) : -1;
    int low = i + 2 < text.size() ? HexValue(text[i + 2]) : -1;
    if (high < 0 || low < 0) {
      return false;
    }
    out += static_cast<char>(static_cast<unsigned char>(high * 16 + low));
    i += 2;
  }
  return true;
}

Status CheckHost(std::string_view host) {
  static constexpr std::string_view kAllowed = "-_.~!$&'()*+,;=:[]<>\"%";
  size_t port_from = 0;
  if (host.starts_with('[')) {
    size_t close = host.rfind(']');
    if (close == std::string_view::npos) {
      return Bad("missing ']' in host");
    }
    port_from = close + 1;
  } else {
    size_t colon = host.rfind(':');
    port_from = colon == std::string_view::npos ? host.size() : colon;
  }
  std::string_view port = host.substr(port_from);
  if (!port.empty() && (port.front() != ':' || !std::all_of(port.begin() + 1, port.end(), IsDigit))) {
    return Bad("invalid port after host");
  }
  if (port_from == 0) {
    return Bad("missing host for URL");
  }
  for (char c : host) {
    bool ascii = static_cast<unsigned char>(c) < 0x80;
    if (ascii && !IsAlpha(c) && !IsDigit(c) && kAllowed.find(c) == std::string_view::npos) {
      return Bad(fmt::format("invalid character \"{}\" in host name", c));
    }
  }
  return {};
}

Status ReadUserinfo(std::string_view userinfo, HttpUrlParts& parts) {
  static constexpr std::string_view kAllowed = "-._:~!$&'()*+,;=%@";
  bool valid = std::all_of(userinfo.begin(), userinfo.end(), [](char c) {
    return IsAlpha(c) || IsDigit(c) || kAllowed.find(c) != std::string_view::npos;
  });
  size_t colon = userinfo.find(':');
  std::string name;
  std::string password;
  valid = valid && Unescape(userinfo.substr(0, colon), name);
  if (valid && colon != std::string_view::npos) {
    valid = Unescape(userinfo.substr(colon + 1), password);
    parts.password = std::move(password);
  }
  if (!valid) {
    return Bad("net/url: invalid userinfo");
  }
  parts.username = std::move(name);
  return {};
}

}  // namespace

Result<HttpUrlParts> CheckHttpUrl(std::string_view text) {
  bool control = std::any_of(text.begin(), text.end(),
                             [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
  if (control) {
    return Bad("net/url: invalid control character in URL");
  }
  std::string_view scheme = SchemeOf(text);
  std::string lower;
  for (char c : scheme) {
    lower += static_cast<char>(IsAlpha(c) ? c | 0x20 : c);
  }
  if (lower != "http" && lower != "https") {
    bool shown = text.substr(scheme.size()).starts_with("://");
    return Bad(fmt::format("unsupported scheme \"{}\" for URL", shown ? lower : ""));
  }
  std::string_view rest = text.substr(scheme.size() + 1);
  if (!rest.starts_with("//")) {
    return Bad("missing host for URL");
  }
  rest.remove_prefix(2);
  std::string_view authority = rest.substr(0, rest.find_first_of("/?#"));
  std::string_view tail = rest.substr(authority.size());
  HttpUrlParts parts;
  size_t at = authority.rfind('@');
  std::string_view host = at == std::string_view::npos ? authority : authority.substr(at + 1);
  if (at != std::string_view::npos) {
    MLALERT_TRY(ReadUserinfo(authority.substr(0, at), parts));
  }
  if (host.empty()) {
    return Bad("missing host for URL");
  }
  MLALERT_TRY(CheckHost(host));
  std::string unused;
  if (!Unescape(tail.substr(0, tail.find('?')), unused)) {
    return Bad("invalid URL escape");
  }
  parts.without_userinfo = fmt::format("{}://{}{}", lower, host, tail);
  return parts;
}

}  // namespace mlalert
