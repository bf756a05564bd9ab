#include "notify/mime.h"

#include <algorithm>
#include <fmt/format.h>

#include "notify/mail_address.h"
#include "template/utf8.h"

namespace mlalert {
namespace {

constexpr size_t kEncodedWordMax = 75;
constexpr std::string_view kWordStart = "=?utf-8?q?";
constexpr std::string_view kWordEnd = "?=";
constexpr size_t kBodyLineMax = 76;
// RFC 5322 2.1.1, without the line end.
constexpr size_t kHeaderLineMax = 998;

bool NeedsEncoding(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) { return (c < ' ' || c > '~') && c != '\t'; });
}

bool IsPlainInWord(char c) {
  return c >= '!' && c <= '~' && c != '=' && c != '?' && c != '_';
}

void AppendHex(std::string& out, char c) {
  out += fmt::format("={:02X}", static_cast<unsigned char>(c));
}

bool IsBlank(char c) {
  return c == ' ' || c == '\t';
}

}  // namespace

std::string EncodeHeaderText(std::string_view text) {
  if (!NeedsEncoding(text)) {
    return std::string(text);
  }
  constexpr size_t kContentMax = kEncodedWordMax - kWordStart.size() - kWordEnd.size();
  std::string out(kWordStart);
  size_t length = 0;
  for (size_t i = 0; i < text.size();) {
    // A character is never split between two words.
    const bool plain = IsPlainInWord(text[i]) || text[i] == ' ';
    const size_t width = plain ? 1 : std::max<size_t>(tmpl::DecodeRune(text, i).width, 1);
    const size_t encoded = plain ? 1 : 3 * width;
    if (length + encoded > kContentMax) {
      out += fmt::format("{} {}", kWordEnd, kWordStart);
      length = 0;
    }
    for (char c : text.substr(i, width)) {
      if (c == ' ') {
        out.push_back('_');
      } else if (IsPlainInWord(c)) {
        out.push_back(c);
      } else {
        AppendHex(out, c);
      }
    }
    length += encoded;
    i += width;
  }
  out += kWordEnd;
  return out;
}

std::string EncodeAddressHeader(std::string_view text) {
  if (!NeedsEncoding(text)) {
    return std::string(text);
  }
  auto list = ParseAddressList(text);
  if (!list || std::any_of(list->begin(), list->end(),
                           [](const MailAddress& one) { return NeedsEncoding(one.address); })) {
    return EncodeHeaderText(text);
  }
  std::string out;
  for (const MailAddress& one : *list) {
    out += out.empty() ? "" : ", ";
    if (one.name.empty()) {
      out += one.address;
    } else if (NeedsEncoding(one.name)) {
      out += fmt::format("{} <{}>", EncodeHeaderText(one.name), one.address);
    } else {
      std::string name;
      for (char c : one.name) {
        if (c == '"' || c == '\\') {
          name.push_back('\\');
        }
        name.push_back(c);
      }
      out += fmt::format("\"{}\" <{}>", name, one.address);
    }
  }
  return out;
}

std::string HeaderLine(std::string_view name, std::string_view value) {
  std::string line = fmt::format("{}: {}", name, value);
  std::string out;
  while (line.size() > kHeaderLineMax) {
    const size_t blank = line.rfind(' ', kHeaderLineMax);
    // Not inside the name's own blank, nor at the start of a folded line.
    if (blank == std::string::npos || blank <= name.size() + 1) {
      break;
    }
    out += line.substr(0, blank) + "\r\n";
    line.erase(0, blank);
  }
  return out + line + "\r\n";
}

bool IsMailHeaderName(std::string_view name) {
  return !name.empty() &&
         std::all_of(name.begin(), name.end(), [](char c) { return c > ' ' && c < 0x7F && c != ':'; });
}

std::string QuotedPrintable(std::string_view text) {
  std::string out, line;
  auto soft_break = [&] {
    out += line + "=\r\n";
    line.clear();
  };
  auto encode = [&](char c) {
    if (kBodyLineMax - 1 - line.size() < 3) {
      soft_break();
    }
    AppendHex(line, c);
  };
  // A blank at the end of a line would be lost on the way.
  auto encode_last_blank = [&] {
    if (!line.empty() && IsBlank(line.back())) {
      char blank = line.back();
      line.pop_back();
      encode(blank);
    }
  };
  bool after_cr = false;
  for (char c : text) {
    if (c == '\n' && after_cr) {
      after_cr = false;
      continue;
    }
    after_cr = c == '\r';
    if (c == '\n' || c == '\r') {
      encode_last_blank();
      out += line + "\r\n";
      line.clear();
    } else if ((c >= '!' && c <= '~' && c != '=') || IsBlank(c)) {
      if (line.size() == kBodyLineMax - 1) {
        soft_break();
      }
      line.push_back(c);
    } else {
      encode(c);
    }
  }
  encode_last_blank();
  return out + line;
}

void MultipartBody::Add(std::string_view content_type, std::string_view text) {
  out_ += fmt::format(
      "{}--{}\r\nContent-Transfer-Encoding: quoted-printable\r\nContent-Type: {}; charset=UTF-8\r\n\r\n",
      out_.empty() ? "" : "\r\n", boundary_, content_type);
  out_ += QuotedPrintable(text);
}

std::string MultipartBody::Finish() const {
  return fmt::format("{}\r\n--{}--\r\n", out_, boundary_);
}

}  // namespace mlalert
