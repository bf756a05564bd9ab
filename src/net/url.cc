#include "net/url.h"

#include <charconv>
#include <fmt/format.h>

namespace mlalert {

namespace {

constexpr char kHexDigits[] = "0123456789ABCDEF";

bool IsAlpha(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}
bool IsUnreserved(char c) {
  return IsAlpha(c) || IsDigit(c) || c == '-' || c == '_' || c == '.' || c == '~';
}
int HexValue(char c) {
  if (IsDigit(c)) {
    return c - '0';
  }
  if (c >= 'a' && c <= 'f') {
    return c - 'a' + 10;
  }
  if (c >= 'A' && c <= 'F') {
    return c - 'A' + 10;
  }
  return -1;
}
char ToLower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}
bool EqualsIgnoreCase(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) {
    return false;
  }
  for (size_t i = 0; i < a.size(); ++i) {
    if (ToLower(a[i]) != ToLower(b[i])) {
      return false;
    }
  }
  return true;
}

void AppendEscaped(std::string& out, char c) {
  const auto byte = static_cast<unsigned char>(c);
  out += '%';
  out += kHexDigits[byte >> 4];
  out += kHexDigits[byte & 15];
}

Status CheckEscapes(std::string_view text) {
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      continue;
    }
    if (i + 2 >= text.size() || HexValue(text[i + 1]) < 0 || HexValue(text[i + 2]) < 0) {
      return Fail(ErrorCode::kInvalid, "invalid URL escape");
    }
    i += 2;
  }
  return {};
}

// Only after CheckEscapes().
std::string Unescape(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      out += static_cast<char>(HexValue(text[i + 1]) * 16 + HexValue(text[i + 2]));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

// What may stand in a path or query as it is. The rest is escaped on the way in, because Go accepts it from a
// config file and the wire does not.
std::string EscapeUnsafe(std::string_view text) {
  constexpr std::string_view kUnsafe = " \"<>\\^`{|}";
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= 0x20 || byte >= 0x7f || kUnsafe.find(c) != std::string_view::npos) {
      AppendEscaped(out, c);
    } else {
      out += c;
    }
  }
  return out;
}

std::string EscapeUserinfo(std::string_view text) {
  constexpr std::string_view kAllowed = "$&+,;=!*'()";
  std::string out;
  for (const char c : text) {
    if (IsUnreserved(c) || kAllowed.find(c) != std::string_view::npos) {
      out += c;
    } else {
      AppendEscaped(out, c);
    }
  }
  return out;
}

Status ParseUserinfo(std::string_view text, Url& url) {
  constexpr std::string_view kAllowed = "-._:~!$&'()*+,;=%@";
  for (const char c : text) {
    if (!IsAlpha(c) && !IsDigit(c) && kAllowed.find(c) == std::string_view::npos) {
      return Fail(ErrorCode::kInvalid, "net/url: invalid userinfo");
    }
  }
  MLALERT_TRY(CheckEscapes(text));
  const size_t colon = text.find(':');
  url.username = Unescape(text.substr(0, colon));
  if (colon != std::string_view::npos) {
    url.password = Unescape(text.substr(colon + 1));
  }
  return {};
}

Status ParsePort(std::string_view text, Url& url) {
  if (text.empty()) {
    return {};
  }
  const std::string_view digits = text.substr(1);
  if (digits.empty()) {
    return {};
  }
  unsigned value = 0;
  const auto [end, ec] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (text[0] != ':' || ec != std::errc() || end != digits.data() + digits.size() || value == 0 ||
      value > 65535) {
    return Fail(ErrorCode::kInvalid, "invalid port after host");
  }
  url.port = static_cast<uint16_t>(value);
  return {};
}

Status ParseHost(std::string_view text, Url& url) {
  if (!text.empty() && text[0] == '[') {
    const size_t close = text.rfind(']');
    if (close == std::string_view::npos) {
      return Fail(ErrorCode::kInvalid, "missing ']' in host");
    }
    url.host = text.substr(1, close - 1);
    for (const char c : url.host) {
      if (HexValue(c) < 0 && c != ':' && c != '.') {
        return Fail(ErrorCode::kInvalid, "invalid character in host name");
      }
    }
    return ParsePort(text.substr(close + 1), url);
  }
  const size_t colon = text.find(':');
  url.host = text.substr(0, colon);
  for (const char c : url.host) {
    // Bytes above ASCII are international names, which the client encodes.
    if (!IsUnreserved(c) && static_cast<unsigned char>(c) < 0x80) {
      return Fail(ErrorCode::kInvalid, "invalid character in host name");
    }
  }
  return colon == std::string_view::npos ? Status() : ParsePort(text.substr(colon), url);
}

// Splits "scheme:rest"; an empty scheme means there is none.
std::string TakeScheme(std::string_view& text) {
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == ':' && i > 0) {
      std::string scheme(text.substr(0, i));
      for (char& s : scheme) {
        s = ToLower(s);
      }
      text.remove_prefix(i + 1);
      return scheme;
    }
    const bool allowed = IsAlpha(c) || (i > 0 && (IsDigit(c) || c == '+' || c == '-' || c == '.'));
    if (!allowed) {
      break;
    }
  }
  return "";
}

std::string_view CutFrom(std::string_view& text, char separator) {
  const size_t at = text.find(separator);
  if (at == std::string_view::npos) {
    return {};
  }
  const std::string_view tail = text.substr(at + 1);
  text = text.substr(0, at);
  return tail;
}

// Everything but the check of the scheme.
Result<Url> ParseAnyScheme(std::string_view text) {
  if (text.size() > kUrlBytesMax) {
    return Fail(ErrorCode::kInvalid, "URL is too long");
  }
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      return Fail(ErrorCode::kInvalid, "net/url: invalid control character in URL");
    }
  }
  Url url;
  const std::string_view fragment = CutFrom(text, '#');
  url.scheme = TakeScheme(text);
  if (url.scheme.empty() && !text.empty() && text[0] == ':') {
    return Fail(ErrorCode::kInvalid, "missing protocol scheme");
  }
  const std::string_view query = CutFrom(text, '?');
  if (text.substr(0, 2) != "//") {
    return url;
  }
  text.remove_prefix(2);
  const size_t slash = text.find('/');
  std::string_view authority = text.substr(0, slash);
  const std::string_view path = slash == std::string_view::npos ? std::string_view() : text.substr(slash);
  const size_t at = authority.rfind('@');
  if (at != std::string_view::npos) {
    MLALERT_TRY(ParseUserinfo(authority.substr(0, at), url));
    authority.remove_prefix(at + 1);
  }
  MLALERT_TRY(ParseHost(authority, url));
  MLALERT_TRY(CheckEscapes(path));
  url.path = EscapeUnsafe(path);
  url.query = EscapeUnsafe(query);
  url.fragment = EscapeUnsafe(fragment);
  return url;
}

std::string Print(const Url& url, std::string_view userinfo, bool fragment) {
  std::string out = url.scheme;
  out += "://";
  out += userinfo;
  out += url.HostPort();
  out += url.path;
  if (!url.query.empty()) {
    out += '?';
    out += url.query;
  }
  if (fragment && !url.fragment.empty()) {
    out += '#';
    out += url.fragment;
  }
  return out;
}

std::string Userinfo(const Url& url, bool redact) {
  if (!url.username) {
    return "";
  }
  std::string out = EscapeUserinfo(*url.username);
  if (url.password) {
    out += ':';
    out += redact ? "xxxxx" : EscapeUserinfo(*url.password);
  }
  out += '@';
  return out;
}

}  // namespace

uint16_t Url::EffectivePort() const {
  if (port != 0) {
    return port;
  }
  return scheme == "https" ? 443 : 80;
}

std::string Url::HostPort() const {
  std::string out = host.find(':') == std::string::npos ? host : "[" + host + "]";
  if (port != 0) {
    out += ':';
    out += std::to_string(port);
  }
  return out;
}

std::string Url::ToString() const {
  return Print(*this, Userinfo(*this, false), true);
}

std::string Url::ToWire() const {
  return Print(*this, "", false);
}

std::string Url::Redacted() const {
  return Print(*this, Userinfo(*this, true), true);
}

Result<Url> ParseUrl(std::string_view text) {
  MLALERT_ASSIGN(Url url, ParseAnyScheme(text));
  if (url.scheme != "http" && url.scheme != "https") {
    return Fail(ErrorCode::kInvalid, fmt::format("unsupported scheme \"{}\" for URL", url.scheme));
  }
  if (url.host.empty()) {
    return Fail(ErrorCode::kInvalid, "missing host for URL");
  }
  return url;
}

Url JoinPath(Url base, std::string_view suffix) {
  while (!base.path.empty() && base.path.back() == '/') {
    base.path.pop_back();
  }
  while (!suffix.empty() && suffix.front() == '/') {
    suffix.remove_prefix(1);
  }
  base.path += '/';
  base.path += EscapeUnsafe(suffix);
  return base;
}

std::string QueryEscape(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    if (c == ' ') {
      out += '+';
    } else if (IsUnreserved(c)) {
      out += c;
    } else {
      AppendEscaped(out, c);
    }
  }
  return out;
}

std::string PathEscape(std::string_view text) {
  constexpr std::string_view kAllowed = "$&+=:@";
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    if (IsUnreserved(c) || kAllowed.find(c) != std::string_view::npos) {
      out += c;
    } else {
      AppendEscaped(out, c);
    }
  }
  return out;
}

std::string EncodeForm(const std::vector<std::pair<std::string, std::string>>& fields) {
  std::string out;
  for (const auto& [name, value] : fields) {
    if (!out.empty()) {
      out += '&';
    }
    out += QueryEscape(name);
    out += '=';
    out += QueryEscape(value);
  }
  return out;
}

std::string MaskUserinfo(std::string_view url) {
  const Result<Url> parsed = ParseAnyScheme(url);
  if (!parsed || parsed->scheme.empty() || parsed->host.empty()) {
    return "<invalid URL>";
  }
  return parsed->Redacted();
}

bool MayShareCredentials(const Url& from, const Url& to) {
  if (!EqualsIgnoreCase(from.host, to.host)) {
    return false;
  }
  if (from.scheme == to.scheme) {
    return from.EffectivePort() == to.EffectivePort();
  }
  return from.scheme == "http" && from.EffectivePort() == 80 && to.EffectivePort() == 443;
}

}  // namespace mlalert
