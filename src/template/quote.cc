#include "template/quote.h"

#include <array>
#include <fmt/format.h>

#include "template/utf8.h"

namespace mlalert::tmpl {
namespace {

void AppendEscapedRune(std::string& out, Rune r, unsigned char first_byte, char quote, bool ascii_only) {
  if (!r.valid) {
    out += fmt::format("\\x{:02x}", first_byte);
    return;
  }
  if (r.code == static_cast<unsigned char>(quote) || r.code == '\\') {
    out.push_back('\\');
    out.push_back(static_cast<char>(r.code));
    return;
  }
  if (r.code < 0x80 ? IsPrintable(r.code) : !ascii_only && IsPrintable(r.code)) {
    AppendRune(out, r.code);
    return;
  }
  static constexpr std::string_view kCodes = "\a\b\f\n\r\t\v";
  static constexpr std::string_view kNames = "abfnrtv";
  size_t named = r.code < 0x80 ? kCodes.find(static_cast<char>(r.code)) : std::string_view::npos;
  if (named != std::string_view::npos) {
    out.push_back('\\');
    out.push_back(kNames[named]);
  } else if (r.code < 0x20 || r.code == 0x7F) {
    out += fmt::format("\\x{:02x}", static_cast<uint32_t>(r.code));
  } else if (r.code < 0x10000) {
    out += fmt::format("\\u{:04x}", static_cast<uint32_t>(r.code));
  } else {
    out += fmt::format("\\U{:08x}", static_cast<uint32_t>(r.code));
  }
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  if (c >= 'a' && c <= 'f') {
    return c - 'a' + 10;
  }
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

struct Unescaped {
  char32_t code = 0;
  bool is_byte = false;  // \xNN and \NNN stand for one byte, not for a character
};

// Reads one character or escape of an interpreted literal at `pos`.
std::optional<Unescaped> ReadEscaped(std::string_view body, size_t& pos, char quote) {
  Rune r = DecodeRune(body, pos);
  if (r.width == 0 || r.code == '\n') {
    return std::nullopt;
  }
  if (r.code != '\\') {
    if (r.code == static_cast<unsigned char>(quote)) {
      return std::nullopt;
    }
    bool bad = !r.valid;
    Unescaped out{bad ? static_cast<unsigned char>(body[pos]) : r.code, bad};
    pos += r.width;
    return out;
  }
  if (++pos >= body.size()) {
    return std::nullopt;
  }
  char c = body[pos++];
  auto number = [&](size_t count, int base) -> std::optional<char32_t> {
    char32_t value = 0;
    for (size_t i = 0; i < count; ++i, ++pos) {
      int digit = pos < body.size() ? HexDigit(body[pos]) : -1;
      if (digit < 0 || digit >= base) {
        return std::nullopt;
      }
      value = value * static_cast<char32_t>(base) + static_cast<char32_t>(digit);
    }
    return value;
  };
  static constexpr std::string_view kNames = "abfnrtv\\";
  static constexpr std::string_view kCodes = "\a\b\f\n\r\t\v\\";
  if (size_t named = kNames.find(c); named != std::string_view::npos) {
    return Unescaped{static_cast<unsigned char>(kCodes[named]), false};
  }
  if (c == quote) {
    return Unescaped{static_cast<unsigned char>(c), false};
  }
  std::optional<char32_t> value;
  bool is_byte = false;
  if (c == 'x') {
    value = number(2, 16);
    is_byte = true;
  } else if (c == 'u' || c == 'U') {
    value = number(c == 'u' ? 4 : 8, 16);
    if (value && (*value > 0x10FFFF || (*value >= 0xD800 && *value <= 0xDFFF))) {
      return std::nullopt;
    }
  } else if (c >= '0' && c <= '7') {
    --pos;
    value = number(3, 8);
    is_byte = true;
    if (value && *value > 255) {
      return std::nullopt;
    }
  }
  if (!value) {
    return std::nullopt;
  }
  return Unescaped{*value, is_byte};
}

bool IsUnreserved(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_' ||
         c == '.' || c == '~';
}

std::string PercentEncode(std::string_view text, std::string_view keep, bool plus_for_space) {
  std::string out;
  for (char c : text) {
    if (IsUnreserved(c) || keep.find(c) != std::string_view::npos) {
      out.push_back(c);
    } else if (c == ' ' && plus_for_space) {
      out.push_back('+');
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

constexpr std::string_view kBase64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

}  // namespace

std::string QuoteGo(std::string_view text, bool ascii_only) {
  std::string out = "\"";
  for (size_t i = 0; i < text.size();) {
    Rune r = DecodeRune(text, i);
    AppendEscapedRune(out, r, static_cast<unsigned char>(text[i]), '"', ascii_only);
    i += r.width;
  }
  out.push_back('"');
  return out;
}

std::string QuoteRune(char32_t code, bool ascii_only) {
  if (code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) {
    code = kRuneError;
  }
  std::string out = "'";
  AppendEscapedRune(out, {code, 1, true}, 0, '\'', ascii_only);
  out.push_back('\'');
  return out;
}

std::optional<std::string> UnquoteGo(std::string_view literal) {
  if (literal.size() < 2 || literal.front() != literal.back()) {
    return std::nullopt;
  }
  char quote = literal.front();
  std::string_view body = literal.substr(1, literal.size() - 2);
  std::string out;
  if (quote == '`') {
    for (char c : body) {
      if (c == '`') {
        return std::nullopt;
      }
      if (c != '\r') {
        out.push_back(c);
      }
    }
    return out;
  }
  if (quote != '"') {
    return std::nullopt;
  }
  for (size_t pos = 0; pos < body.size();) {
    auto c = ReadEscaped(body, pos, quote);
    if (!c) {
      return std::nullopt;
    }
    if (c->is_byte) {
      out.push_back(static_cast<char>(static_cast<unsigned char>(c->code)));
    } else {
      AppendRune(out, c->code);
    }
  }
  return out;
}

std::optional<char32_t> UnquoteRune(std::string_view literal, bool& malformed) {
  malformed = false;
  if (literal.size() < 3 || literal.front() != '\'' || literal.back() != '\'') {
    return std::nullopt;
  }
  std::string_view body = literal.substr(1, literal.size() - 2);
  size_t pos = 0;
  auto c = ReadEscaped(body, pos, '\'');
  if (!c) {
    return std::nullopt;
  }
  malformed = pos != body.size();
  return malformed ? std::nullopt : std::optional(c->code);
}

std::string EscapeHtml(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (char c : text) {
    switch (c) {
      case '\0':
        out += "\xEF\xBF\xBD";
        break;
      case '"':
        out += "&#34;";
        break;
      case '\'':
        out += "&#39;";
        break;
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      default:
        out.push_back(c);
    }
  }
  return out;
}

std::string EscapeJs(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size();) {
    Rune r = DecodeRune(text, i);
    if (r.code == '\\' || r.code == '\'' || r.code == '"') {
      out.push_back('\\');
      out.push_back(static_cast<char>(r.code));
    } else if (r.code < 0x20 || r.code == '<' || r.code == '>' || r.code == '&' || r.code == '=' ||
               (r.code >= 0x80 && !IsPrintable(r.code))) {
      out += fmt::format("\\u{:04X}", static_cast<uint32_t>(r.code));
    } else {
      out.append(text.substr(i, r.width));
    }
    i += r.width;
  }
  return out;
}

std::string EscapeQuery(std::string_view text) {
  return PercentEncode(text, "", true);
}

std::string EscapePath(std::string_view text) {
  return PercentEncode(text, "$&+=:@", false);
}

Result<std::string> UnescapeQuery(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c != '%') {
      out.push_back(c == '+' ? ' ' : c);
      continue;
    }
    int high = i + 1 < text.size() ? HexDigit(text[i + 1]) : -1;
    int low = i + 2 < text.size() ? HexDigit(text[i + 2]) : -1;
    if (high < 0 || low < 0) {
      return Fail(ErrorCode::kInvalid, fmt::format("invalid URL escape {}", QuoteGo(text.substr(i, 3))));
    }
    out.push_back(static_cast<char>(static_cast<unsigned char>(high * 16 + low)));
    i += 2;
  }
  return out;
}

std::string EncodeBase64Url(std::string_view bytes) {
  std::string out;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t group = 0;
    for (size_t k = 0; k < 3; ++k) {
      group = group << 8 | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0U);
    }
    size_t count = bytes.size() - i >= 3 ? 4 : bytes.size() - i + 1;
    for (size_t k = 0; k < 4; ++k) {
      out.push_back(k < count ? kBase64[group >> (18 - 6 * k) & 63] : '=');
    }
  }
  return out;
}

Result<std::string> DecodeBase64Url(std::string_view text) {
  auto bad = [](size_t at) {
    return Fail(ErrorCode::kInvalid, fmt::format("illegal base64 data at input byte {}", at));
  };
  std::string clean;
  std::string out;
  for (char c : text) {
    if (c != '\n' && c != '\r') {
      clean.push_back(c);
    }
  }
  for (size_t i = 0; i < clean.size(); i += 4) {
    uint32_t group = 0;
    size_t data = 0;
    for (size_t k = 0; k < 4; ++k) {
      char c = i + k < clean.size() ? clean[i + k] : '\0';
      size_t digit = kBase64.find(c);
      if (c == '=' && k >= 2 && i + 4 == clean.size() && (k == 3 || clean[i + 3] == '=')) {
        group <<= 6;
        continue;
      }
      if (c == '\0' || digit == std::string_view::npos || data != k) {
        return bad(i + k);
      }
      group = group << 6 | static_cast<uint32_t>(digit);
      ++data;
    }
    for (size_t k = 0; k + 1 < data; ++k) {
      out.push_back(static_cast<char>(static_cast<unsigned char>(group >> (16 - 8 * k) & 0xFF)));
    }
  }
  return out;
}

}  // namespace mlalert::tmpl
