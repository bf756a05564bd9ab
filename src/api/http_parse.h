// Reads the head of a request: request line and header section, strictly (RFC 9112 without its leniencies).
// Whatever two servers could read in two ways is refused, because a proxy in front of us may read it the
// other way: bare LF, folded headers, space before the colon, two lengths, a length beside a transfer coding.
// Fed by: http_session.cc with bytes as they arrive. Pure: no socket, no clock. Views point into the given
// bytes. Thread: plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/http_types.h"

namespace mlalert {

// Why the server itself refused a request or a connection; one counter each (HttpCounters::refused).
enum class HttpRefusal : uint8_t {
  kMalformed,           // 400, 417, 505
  kUnsupported,         // 415, 501: a coding we do not speak
  kTargetTooLong,       // 414
  kHeadTooLarge,        // 431
  kBodyTooLarge,        // 413, as sent or after decoding
  kHeadTimeout,         // 408
  kBodyTimeout,         // 408
  kWriteTimeout,        // the client does not read its response: closed
  kTooManyConnections,  // 503
  kOutOfBuffer,         // 503: bodies of all connections together are too large
};
inline constexpr size_t kHttpRefusals = 10;
// "malformed", "target_too_long", ...: a label for metrics.
std::string_view HttpRefusalName(HttpRefusal reason);

struct HttpFault {
  int status;
  HttpRefusal reason;
  std::string_view text;  // static storage; safe to show to the client
};

struct HttpHeadLimits {
  size_t request_line_max = 8 * 1024;
  size_t head_bytes_max = 64 * 1024;  // header section, without the request line
  size_t headers_max = 100;
};

// Finds the end of the head while bytes arrive; each byte is looked at once. Also the place of the size
// limits, so that an endless head is refused before its end.
class HttpHeadScanner {
 public:
  enum class State : uint8_t { kMore, kComplete, kFault };

  // `bytes`: everything received so far, from the first byte of the request on.
  State Scan(std::string_view bytes, const HttpHeadLimits& limits);
  void Reset() { *this = HttpHeadScanner(); }

  // After kComplete: the head is bytes[begin, end), the rest is body or the next request.
  size_t begin() const { return begin_; }
  size_t end() const { return end_; }
  // After kFault.
  const HttpFault& fault() const { return fault_; }

 private:
  State Fail(int status, HttpRefusal reason, std::string_view text);
  State CheckUnfinished(size_t size, const HttpHeadLimits& limits);

  size_t begin_ = 0;
  size_t end_ = 0;
  size_t scanned_ = 0;
  size_t line_begin_ = 0;
  size_t headers_begin_ = 0;
  size_t lines_ = 0;
  HttpFault fault_{};
};

struct HttpHead {
  std::string_view method;
  std::string_view path;   // raw, begins with '/'; "*" only for OPTIONS
  std::string_view query;  // raw
  int minor_version = 1;
  bool keep_alive = true;
  bool chunked = false;
  bool gzip_body = false;
  bool expect_continue = false;
  bool accepts_gzip = false;
  uint64_t content_length = 0;
};

// `head`: what HttpHeadScanner found, with the empty line at its end. Fills `headers`.
std::optional<HttpFault> ParseHttpHead(std::string_view head, HttpHead& out, std::vector<HttpField>& headers);

// %XX decoding; `plus_is_space` for query parameters. False on a broken escape or on NUL. Appends to `out`.
bool PercentDecode(std::string_view text, bool plus_is_space, std::string& out);
// "a=1&b&a=2" decoded and in order. False as PercentDecode.
bool ParseHttpQuery(std::string_view raw, std::vector<HttpParam>& out);
// True when the Accept-Encoding value allows gzip (q above zero).
bool AcceptsGzip(std::string_view accept_encoding);

}  // namespace mlalert
