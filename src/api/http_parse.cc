#include "api/http_parse.h"

#include <array>
#include <cstring>

namespace mlalert {

namespace {

constexpr size_t kMethodMax = 16;

constexpr std::array<bool, 256> MakeTokenTable() {
  std::array<bool, 256> table{};
  for (char c : std::string_view("!#$%&'*+-.^_`|~0123456789"
                                 "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")) {
    table[static_cast<unsigned char>(c)] = true;
  }
  return table;
}
constexpr std::array<bool, 256> kToken = MakeTokenTable();

bool IsToken(std::string_view text) {
  for (char c : text) {
    if (!kToken[static_cast<unsigned char>(c)]) {
      return false;
    }
  }
  return !text.empty();
}

// Tab and everything printable, UTF-8 included; no other control character (NUL, CR, DEL).
bool IsFieldValue(std::string_view text) {
  for (char c : text) {
    auto u = static_cast<unsigned char>(c);
    if ((u < 0x20 && u != '\t') || u == 0x7f) {
      return false;
    }
  }
  return true;
}

std::string_view Trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) {
    text.remove_prefix(1);
  }
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) {
    text.remove_suffix(1);
  }
  return text;
}

// Cuts the text up to `separator` off `rest`, trimmed.
std::string_view NextPart(std::string_view& rest, char separator) {
  size_t at = rest.find(separator);
  std::string_view part = rest.substr(0, at);
  rest = at == std::string_view::npos ? std::string_view() : rest.substr(at + 1);
  return Trim(part);
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

HttpFault Malformed(std::string_view text) {
  return {400, HttpRefusal::kMalformed, text};
}

std::optional<HttpFault> ParseTarget(std::string_view target, HttpHead& out) {
  for (char c : target) {
    auto u = static_cast<unsigned char>(c);
    if (u <= 0x20 || u == 0x7f || u == '#') {
      return Malformed("invalid request target");
    }
  }
  if (target == "*" && out.method == "OPTIONS") {
    out.path = target;
    return std::nullopt;
  }
  if (size_t scheme = target.find("://"); scheme != std::string_view::npos && target.front() != '/') {
    // Absolute form, as sent to proxies: the authority is not ours to judge, the path counts.
    size_t path = target.find_first_of("/?", scheme + 3);
    target = path == std::string_view::npos ? std::string_view() : target.substr(path);
    if (target.empty()) {
      target = "/";
    }
  }
  if (target.front() != '/') {
    return Malformed("invalid request target");
  }
  size_t question = target.find('?');
  out.path = target.substr(0, question);
  out.query = question == std::string_view::npos ? std::string_view() : target.substr(question + 1);
  return std::nullopt;
}

std::optional<HttpFault> ParseRequestLine(std::string_view line, HttpHead& out) {
  size_t first = line.find(' ');
  size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) {
    return Malformed("malformed request line");
  }
  out.method = line.substr(0, first);
  std::string_view target = line.substr(first + 1, last - first - 1);
  std::string_view version = line.substr(last + 1);
  if (!IsToken(out.method) || out.method.size() > kMethodMax || target.empty()) {
    return Malformed("malformed request line");
  }
  if (version != "HTTP/1.1" && version != "HTTP/1.0") {
    if (version.substr(0, 5) == "HTTP/") {
      return HttpFault{505, HttpRefusal::kMalformed, "unsupported protocol version"};
    }
    return Malformed("malformed request line");
  }
  out.minor_version = version.back() - '0';
  out.keep_alive = out.minor_version == 1;
  return ParseTarget(target, out);
}

// Only digits: "+5", "5, 5", "" and what does not fit are errors, not guesses.
bool ParseLength(std::string_view text, uint64_t& out) {
  if (text.empty() || text.size() > 18) {
    return false;
  }
  out = 0;
  for (char c : text) {
    if (c < '0' || c > '9') {
      return false;
    }
    out = out * 10 + static_cast<uint64_t>(c - '0');
  }
  return true;
}

struct Framing {
  int hosts = 0;
  int lengths = 0;
  int codings = 0;
};

std::optional<HttpFault> ReadField(const HttpField& field, HttpHead& out, Framing& framing) {
  std::string_view name = field.name;
  std::string_view value = field.value;
  // The length decides first: most headers are none of these.
  switch (name.size()) {
    case 4:
      framing.hosts += EqualsIgnoreCase(name, "Host") ? 1 : 0;
      break;
    case 6:
      if (EqualsIgnoreCase(name, "Expect")) {
        if (!EqualsIgnoreCase(value, "100-continue")) {
          return HttpFault{417, HttpRefusal::kMalformed, "unknown expectation"};
        }
        out.expect_continue = out.minor_version == 1;
      }
      break;
    case 10:
      if (EqualsIgnoreCase(name, "Connection")) {
        while (!value.empty()) {
          std::string_view option = NextPart(value, ',');
          if (EqualsIgnoreCase(option, "close")) {
            out.keep_alive = false;
          } else if (EqualsIgnoreCase(option, "keep-alive") && out.minor_version == 0) {
            out.keep_alive = true;
          }
        }
      }
      break;
    case 14:
      if (EqualsIgnoreCase(name, "Content-Length")) {
        ++framing.lengths;
        if (!ParseLength(value, out.content_length)) {
          return Malformed("invalid Content-Length");
        }
      }
      break;
    case 15:
      if (EqualsIgnoreCase(name, "Accept-Encoding")) {
        out.accepts_gzip = AcceptsGzip(value);
      }
      break;
    case 16:
      if (EqualsIgnoreCase(name, "Content-Encoding")) {
        if (EqualsIgnoreCase(value, "gzip") || EqualsIgnoreCase(value, "x-gzip")) {
          if (out.gzip_body) {
            return HttpFault{415, HttpRefusal::kUnsupported, "unsupported content encoding"};
          }
          out.gzip_body = true;
        } else if (!value.empty() && !EqualsIgnoreCase(value, "identity")) {
          return HttpFault{415, HttpRefusal::kUnsupported, "unsupported content encoding"};
        }
      }
      break;
    case 17:
      if (EqualsIgnoreCase(name, "Transfer-Encoding")) {
        ++framing.codings;
        if (!EqualsIgnoreCase(value, "chunked")) {
          return HttpFault{501, HttpRefusal::kUnsupported, "unsupported transfer encoding"};
        }
        out.chunked = true;
      }
      break;
    default:
      break;
  }
  return std::nullopt;
}

std::optional<HttpFault> CheckFraming(const HttpHead& head, const Framing& framing) {
  if (framing.lengths > 1) {
    return Malformed("several Content-Length headers");
  }
  if (framing.codings > 1) {
    return Malformed("several Transfer-Encoding headers");
  }
  if (framing.codings > 0 && framing.lengths > 0) {
    return Malformed("both Content-Length and Transfer-Encoding");
  }
  if (framing.codings > 0 && head.minor_version == 0) {
    return Malformed("Transfer-Encoding in HTTP/1.0");
  }
  if (framing.hosts > 1 || (framing.hosts == 0 && head.minor_version == 1)) {
    return Malformed("exactly one Host header is required");
  }
  return std::nullopt;
}

}  // namespace

std::string_view HttpRefusalName(HttpRefusal reason) {
  switch (reason) {
    case HttpRefusal::kMalformed:
      return "malformed";
    case HttpRefusal::kUnsupported:
      return "unsupported";
    case HttpRefusal::kTargetTooLong:
      return "target_too_long";
    case HttpRefusal::kHeadTooLarge:
      return "head_too_large";
    case HttpRefusal::kBodyTooLarge:
      return "body_too_large";
    case HttpRefusal::kHeadTimeout:
      return "head_timeout";
    case HttpRefusal::kBodyTimeout:
      return "body_timeout";
    case HttpRefusal::kWriteTimeout:
      return "write_timeout";
    case HttpRefusal::kTooManyConnections:
      return "too_many_connections";
    case HttpRefusal::kOutOfBuffer:
      return "out_of_buffer";
  }
  return "unknown";
}

HttpHeadScanner::State HttpHeadScanner::Fail(int status, HttpRefusal reason, std::string_view text) {
  fault_ = {status, reason, text};
  return State::kFault;
}

HttpHeadScanner::State HttpHeadScanner::CheckUnfinished(size_t size, const HttpHeadLimits& limits) {
  if (lines_ == 0 && size - begin_ > limits.request_line_max) {
    return Fail(414, HttpRefusal::kTargetTooLong, "request line too long");
  }
  if (lines_ > 0 && size - headers_begin_ > limits.head_bytes_max) {
    return Fail(431, HttpRefusal::kHeadTooLarge, "header section too large");
  }
  return State::kMore;
}

HttpHeadScanner::State HttpHeadScanner::Scan(std::string_view bytes, const HttpHeadLimits& limits) {
  while (scanned_ < bytes.size()) {
    const void* hit = std::memchr(bytes.data() + scanned_, '\n', bytes.size() - scanned_);
    if (hit == nullptr) {
      scanned_ = bytes.size();
      break;
    }
    auto at = static_cast<size_t>(static_cast<const char*>(hit) - bytes.data());
    scanned_ = at + 1;
    if (at == line_begin_ || bytes[at - 1] != '\r') {
      return Fail(400, HttpRefusal::kMalformed, "line does not end with CRLF");
    }
    size_t length = at - 1 - line_begin_;
    line_begin_ = at + 1;
    if (lines_ == 0) {
      if (length == 0 && begin_ == 0) {
        // RFC 9112 2.2: one empty line before the request line is a habit of old clients.
        begin_ = line_begin_;
        continue;
      }
      if (length == 0) {
        return Fail(400, HttpRefusal::kMalformed, "malformed request line");
      }
      if (length > limits.request_line_max) {
        return Fail(414, HttpRefusal::kTargetTooLong, "request line too long");
      }
      headers_begin_ = line_begin_;
    } else if (length == 0) {
      end_ = line_begin_;
      return end_ - headers_begin_ > limits.head_bytes_max
                 ? Fail(431, HttpRefusal::kHeadTooLarge, "header section too large")
                 : State::kComplete;
    } else if (lines_ > limits.headers_max) {
      return Fail(431, HttpRefusal::kHeadTooLarge, "too many headers");
    }
    ++lines_;
  }
  return CheckUnfinished(bytes.size(), limits);
}

std::optional<HttpFault> ParseHttpHead(std::string_view head, HttpHead& out,
                                       std::vector<HttpField>& headers) {
  out = HttpHead();
  headers.clear();
  size_t at = head.find("\r\n");
  if (at == std::string_view::npos) {
    return Malformed("malformed request line");
  }
  if (auto fault = ParseRequestLine(head.substr(0, at), out)) {
    return fault;
  }
  Framing framing;
  for (size_t begin = at + 2; begin < head.size(); begin = at + 2) {
    at = head.find("\r\n", begin);
    if (at == std::string_view::npos) {
      return Malformed("malformed header");
    }
    std::string_view line = head.substr(begin, at - begin);
    if (line.empty()) {
      break;
    }
    size_t colon = line.find(':');
    // A name that is not a token covers folded lines (they begin with a space) and a space before the colon.
    if (colon == std::string_view::npos || !IsToken(line.substr(0, colon))) {
      return Malformed("malformed header");
    }
    HttpField field{line.substr(0, colon), Trim(line.substr(colon + 1))};
    if (!IsFieldValue(field.value)) {
      return Malformed("malformed header");
    }
    headers.push_back(field);
    if (auto fault = ReadField(field, out, framing)) {
      return fault;
    }
  }
  return CheckFraming(out, framing);
}

bool PercentDecode(std::string_view text, bool plus_is_space, std::string& out) {
  out.reserve(out.size() + text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      int high = i + 2 < text.size() ? HexDigit(text[i + 1]) : -1;
      int low = i + 2 < text.size() ? HexDigit(text[i + 2]) : -1;
      if (high < 0 || low < 0 || (high == 0 && low == 0)) {
        return false;
      }
      c = static_cast<char>(high * 16 + low);
      i += 2;
    } else if (c == '+' && plus_is_space) {
      c = ' ';
    }
    out += c;
  }
  return true;
}

bool ParseHttpQuery(std::string_view raw, std::vector<HttpParam>& out) {
  while (!raw.empty()) {
    size_t at = raw.find('&');
    std::string_view pair = raw.substr(0, at);
    raw = at == std::string_view::npos ? std::string_view() : raw.substr(at + 1);
    if (pair.empty()) {
      continue;
    }
    size_t equals = pair.find('=');
    HttpParam& param = out.emplace_back();
    if (!PercentDecode(pair.substr(0, equals), true, param.name) ||
        (equals != std::string_view::npos && !PercentDecode(pair.substr(equals + 1), true, param.value))) {
      return false;
    }
  }
  return true;
}

bool AcceptsGzip(std::string_view accept_encoding) {
  bool star = false;
  while (!accept_encoding.empty()) {
    std::string_view item = NextPart(accept_encoding, ',');
    std::string_view coding = NextPart(item, ';');
    bool gzip = EqualsIgnoreCase(coding, "gzip") || EqualsIgnoreCase(coding, "x-gzip");
    if (!gzip && coding != "*") {
      continue;
    }
    // "q=0", "q=0.0", "q=0.000" forbid; any other weight allows.
    bool allowed = true;
    item = Trim(item);
    if (item.size() >= 3 && (item[0] == 'q' || item[0] == 'Q') && item[1] == '=') {
      allowed = item.substr(2).find_first_not_of("0.") != std::string_view::npos;
    }
    if (gzip) {
      return allowed;
    }
    star = allowed;
  }
  return star;
}

}  // namespace mlalert
