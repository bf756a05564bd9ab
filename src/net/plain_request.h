// What of a call over plain HTTP does not change from one time to the next: the address and the head of the
// request, as bytes. Used by: net/plain_transfer. Owns: the last few. Holds credentials, as the configuration
// does; those that stand in files are read anew for each call and never kept. Thread: the transport's only.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "net/transport.h"
#include "net/url.h"

namespace mlalert {

inline constexpr size_t kPlainRequestsMax = 64;

struct PlainRequest {
  // What it was made from.
  HttpOptions options;
  std::string method;
  std::string text;  // of the URL
  HttpHeaders headers;

  Url url;
  std::string origin;  // host:port
  std::string head;    // up to the empty line, without Content-Length
};

class PlainRequests {
 public:
  explicit PlainRequests(const std::string& user_agent) : user_agent_(user_agent) {}

  // Null: libcurl has to do it (TLS, a proxy, OAuth, a header that frames the message, what is not valid).
  std::shared_ptr<const PlainRequest> Get(const HttpCall& call);

 private:
  std::shared_ptr<PlainRequest> Make(const HttpCall& call) const;

  const std::string& user_agent_;
  std::vector<std::shared_ptr<const PlainRequest>> kept_;
  size_t replace_next_ = 0;
};

}  // namespace mlalert
