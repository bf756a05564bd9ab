// Method and path to handler. Patterns are literal, or have whole segments `{name}` (one segment, not empty)
// and, at the end only, `{name...}` (the rest of the path, may be empty). Literals win over patterns, earlier
// patterns win over later ones. A trailing '/' in the request is tolerated when nothing matches with it. Fed
// by: the handlers' registration before the server starts; read by its workers. Thread: Find is const and
// safe from any thread once registration is over.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "api/http_types.h"

namespace mlalert {

struct HttpRouteOptions {
  // Whether HEAD runs the GET handler (its body is not sent).
  bool head = true;
  // Limit of this route's body in bytes, as sent and decoded; 0 = the server's. It can only lower the
  // server's.
  size_t body_bytes_max = 0;
};

struct HttpRoute {
  std::string method;
  std::string pattern;
  std::vector<std::string> segments;
  HttpHandler handler;
  HttpRouteOptions options;
};

class HttpRouter {
 public:
  HttpRouter() = default;
  HttpRouter(HttpRouter&&) = default;
  HttpRouter& operator=(HttpRouter&&) = default;

  // `pattern` begins with '/'. Registering one method and pattern twice is a bug: the first one serves.
  HttpRouter& Add(std::string_view method, std::string_view pattern, HttpHandler handler,
                  HttpRouteOptions options = {});
  HttpRouter& Get(std::string_view pattern, HttpHandler handler, HttpRouteOptions options = {});
  HttpRouter& Post(std::string_view pattern, HttpHandler handler, HttpRouteOptions options = {});
  HttpRouter& Put(std::string_view pattern, HttpHandler handler, HttpRouteOptions options = {});
  HttpRouter& Delete(std::string_view pattern, HttpHandler handler, HttpRouteOptions options = {});

  struct Match {
    const HttpRoute* route = nullptr;
    // When there is no route for the method but there is for the path: "GET, HEAD, POST", in order of
    // registration.
    std::string allow;
  };
  // `raw_path` is not decoded yet: "%2F" belongs to a segment and separates nothing. Fills `params`, decoded.
  Match Find(std::string_view method, std::string_view raw_path, std::vector<HttpParam>& params) const;

 private:
  Match FindExactly(std::string_view method, std::string_view raw_path, std::vector<HttpParam>& params) const;

  // A deque: routes never move, so the views and pointers below stay valid.
  std::deque<HttpRoute> routes_;
  std::unordered_map<std::string_view, std::vector<const HttpRoute*>> literals_;
  std::vector<const HttpRoute*> patterns_;
};

}  // namespace mlalert
