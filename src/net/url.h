// http(s) URLs by the rules of Go's net/url, so that what Alertmanager accepts or refuses is accepted or
// refused here. Used by: config/ values at check time, notify/ and rules/ to build request URLs,
// net/http_transfer before every hop. Pure. Thread: plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace mlalert {

inline constexpr size_t kUrlBytesMax = 64 * 1024;

struct Url {
  // "http" or "https".
  std::string scheme;
  // Percent-decoded. A password is never there without a user name (which may be empty).
  std::optional<std::string> username;
  std::optional<std::string> password;
  // Without brackets; an IPv6 address contains ':'. Never empty.
  std::string host;
  // 0: the scheme's default.
  uint16_t port = 0;
  // Escaped: empty, or starts with '/'.
  std::string path;
  // Escaped, without '?'.
  std::string query;
  std::string fragment;

  uint16_t EffectivePort() const;
  // "host" or "host:port" as in the Host header, IPv6 in brackets.
  std::string HostPort() const;
  // The whole URL, userinfo in clear.
  std::string ToString() const;
  // Userinfo and fragment left out: what goes on the wire.
  std::string ToWire() const;
  // As Go's URL.Redacted(): the password printed as xxxxx.
  std::string Redacted() const;
};

// Error texts are those users know: `unsupported scheme "ftp" for URL`, `missing host for URL`. They never
// repeat the URL, which may be a secret. Code kInvalid.
Result<Url> ParseUrl(std::string_view text);

// The base's path with one slash between it and `suffix` ("api/v1/query" or "/api/v1/query"); the query is
// kept.
Url JoinPath(Url base, std::string_view suffix);

// Go's url.QueryEscape: space becomes '+'.
std::string QueryEscape(std::string_view text);
// Go's url.PathEscape, for one segment: '/' becomes %2F, space %20.
std::string PathEscape(std::string_view text);
// a=b&c=d, in the given order.
std::string EncodeForm(const std::vector<std::pair<std::string, std::string>>& fields);

// For logs: http://user:xxxxx@host/path. Text that cannot be parsed prints as "<invalid URL>". Also serves
// proxy URLs (socks5://...).
std::string MaskUserinfo(std::string_view url);

// Whether credentials meant for `from` may be sent to `to`: same host and port under the same scheme, or the
// step from plain http to https on the default ports of the same host.
bool MayShareCredentials(const Url& from, const Url& to);

}  // namespace mlalert
