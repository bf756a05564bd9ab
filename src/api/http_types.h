// What a handler sees of HTTP: one request in, one response out. Nothing of the socket or of the server
// library. Fed by: http_session.cc, which has already enforced every limit; a request that breaks one never
// gets here. Owns: the body and the decoded texts. Views point into the connection's buffer and die with the
// handler call. Thread: a request belongs to the one worker that runs its handler. Handlers of different
// requests run at the same time; a handler that blocks holds one worker.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mlalert {

// Zero bytes that stand behind the body in memory: SIMD parsers read past the end.
inline constexpr size_t kHttpBodyPadding = 16;

struct HttpField {
  std::string_view name;
  std::string_view value;
};

struct HttpParam {
  std::string name;
  std::string value;
};

struct HttpRequest {
  std::string_view method;
  std::string path;              // decoded, without the route prefix; begins with '/'
  std::string_view raw_path;     // as sent, without the route prefix
  std::string_view raw_query;    // as sent, without '?'
  std::string_view route;        // pattern of the route that matched; empty when none: a label for metrics
  std::vector<HttpParam> query;  // decoded, in the order sent, repeated names kept
  std::vector<HttpParam> path_params;  // decoded
  std::vector<HttpField> headers;      // in the order sent
  // Decoded (chunks, gzip). Handlers may parse it in situ: it is followed by kHttpBodyPadding zero bytes.
  std::string body;
  // Numeric address of the peer of the socket, without port. No header can change it.
  std::string remote_addr;
  // Who logged in, one line; empty: nobody had to. Set by WebGuard, by no header alone.
  std::string user;

  // First header of that name, compared without case; empty when absent.
  std::string_view Header(std::string_view name) const;
  bool HasHeader(std::string_view name) const;
  // First query parameter of that name, null when absent.
  const std::string* Query(std::string_view name) const;
  std::vector<std::string_view> QueryAll(std::string_view name) const;
  // Value of `{name}` in the route's pattern; empty when the pattern has no such name.
  std::string_view PathParam(std::string_view name) const;
};

struct HttpResponse {
  int status = 200;
  std::string content_type;  // no Content-Type header when empty
  // Written as they are. Content-Length, Connection and Date are the server's: do not set them. Line breaks
  // in a value are replaced by spaces.
  std::vector<std::pair<std::string, std::string>> headers;
  // Compressed on the way out when the client accepts gzip, unless a Content-Encoding header is set here.
  std::string body;

  void SetHeader(std::string_view name, std::string_view value);
  std::string_view Header(std::string_view name) const;
};

using HttpHandler = std::function<void(HttpRequest&, HttpResponse&)>;

// ASCII only, as header names and tokens are.
bool EqualsIgnoreCase(std::string_view a, std::string_view b);
// "Not Found" for 404; "Unknown" for codes we do not know.
std::string_view HttpReason(int status);

}  // namespace mlalert
