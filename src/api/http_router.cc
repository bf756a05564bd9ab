#include "api/http_router.h"

#include <algorithm>

#include "api/http_parse.h"

namespace mlalert {

namespace {

enum class SegmentKind : uint8_t { kLiteral, kOne, kRest };

SegmentKind KindOf(std::string_view segment) {
  if (segment.size() < 3 || segment.front() != '{' || segment.back() != '}') {
    return SegmentKind::kLiteral;
  }
  return segment.ends_with("...}") ? SegmentKind::kRest : SegmentKind::kOne;
}

std::string_view NameOf(std::string_view segment) {
  return segment.substr(1, segment.size() - (KindOf(segment) == SegmentKind::kRest ? 5 : 2));
}

std::vector<std::string> Split(std::string_view path) {
  std::vector<std::string> segments;
  path.remove_prefix(1);
  for (;;) {
    size_t slash = path.find('/');
    segments.emplace_back(path.substr(0, slash));
    if (slash == std::string_view::npos) {
      return segments;
    }
    path.remove_prefix(slash + 1);
  }
}

bool MatchSegments(const HttpRoute& route, const std::vector<std::string>& segments,
                   std::vector<HttpParam>& params) {
  params.clear();
  for (size_t i = 0; i < route.segments.size(); ++i) {
    std::string_view want = route.segments[i];
    SegmentKind kind = KindOf(want);
    if (kind == SegmentKind::kRest) {
      HttpParam& param = params.emplace_back(HttpParam{std::string(NameOf(want)), {}});
      for (size_t k = i; k < segments.size(); ++k) {
        param.value += (k == i ? "" : "/") + segments[k];
      }
      return true;
    }
    if (i == segments.size()) {
      return false;
    }
    if (kind == SegmentKind::kOne) {
      if (segments[i].empty()) {
        return false;
      }
      params.push_back({std::string(NameOf(want)), segments[i]});
    } else if (segments[i] != want) {
      return false;
    }
  }
  return segments.size() == route.segments.size();
}

bool Serves(const HttpRoute& route, std::string_view method) {
  return route.method == method || (method == "HEAD" && route.method == "GET" && route.options.head);
}

void Allow(std::string& allow, std::string_view method) {
  allow.append(allow.empty() ? "" : ", ").append(method);
}

void AllowRoute(std::string& allow, const HttpRoute& route) {
  Allow(allow, route.method);
  if (route.method == "GET" && route.options.head) {
    Allow(allow, "HEAD");
  }
}

}  // namespace

HttpRouter& HttpRouter::Add(std::string_view method, std::string_view pattern, HttpHandler handler,
                            HttpRouteOptions options) {
  HttpRoute& route = routes_.emplace_back(
      HttpRoute{std::string(method), std::string(pattern), Split(pattern), std::move(handler), options});
  bool literal = std::all_of(route.segments.begin(), route.segments.end(), [](const std::string& segment) {
    return KindOf(segment) == SegmentKind::kLiteral;
  });
  if (literal) {
    literals_[route.pattern].push_back(&route);
  } else {
    patterns_.push_back(&route);
  }
  return *this;
}

HttpRouter& HttpRouter::Get(std::string_view pattern, HttpHandler handler, HttpRouteOptions options) {
  return Add("GET", pattern, std::move(handler), options);
}
HttpRouter& HttpRouter::Post(std::string_view pattern, HttpHandler handler, HttpRouteOptions options) {
  return Add("POST", pattern, std::move(handler), options);
}
HttpRouter& HttpRouter::Put(std::string_view pattern, HttpHandler handler, HttpRouteOptions options) {
  return Add("PUT", pattern, std::move(handler), options);
}
HttpRouter& HttpRouter::Delete(std::string_view pattern, HttpHandler handler, HttpRouteOptions options) {
  return Add("DELETE", pattern, std::move(handler), options);
}

HttpRouter::Match HttpRouter::FindExactly(std::string_view method, std::string_view raw_path,
                                          std::vector<HttpParam>& params) const {
  Match match;
  // An escaped path takes the slow way: it may name a literal route, but "%2F" must not become a separator.
  bool escaped = raw_path.find('%') != std::string_view::npos;
  if (!escaped) {
    if (auto it = literals_.find(raw_path); it != literals_.end()) {
      for (const HttpRoute* route : it->second) {
        if (Serves(*route, method)) {
          match = {route, {}};
          return match;
        }
        AllowRoute(match.allow, *route);
      }
      return match;
    }
  }
  std::vector<std::string> segments;
  for (const std::string& raw : Split(raw_path)) {
    if (!PercentDecode(raw, false, segments.emplace_back())) {
      return match;
    }
  }
  auto try_route = [&](const HttpRoute& route) {
    if (!MatchSegments(route, segments, params)) {
      return false;
    }
    if (Serves(route, method)) {
      match = {&route, {}};
      return true;
    }
    AllowRoute(match.allow, route);
    return false;
  };
  if (escaped) {
    for (const HttpRoute& route : routes_) {
      if (literals_.contains(route.pattern) && try_route(route)) {
        return match;
      }
    }
  }
  for (const HttpRoute* route : patterns_) {
    if (try_route(*route)) {
      return match;
    }
  }
  params.clear();
  return match;
}

HttpRouter::Match HttpRouter::Find(std::string_view method, std::string_view raw_path,
                                   std::vector<HttpParam>& params) const {
  params.clear();
  if (raw_path.empty() || raw_path.front() != '/') {
    return {};
  }
  Match match = FindExactly(method, raw_path, params);
  if (match.route == nullptr && match.allow.empty() && raw_path.size() > 1 && raw_path.ends_with('/')) {
    raw_path.remove_suffix(1);
    match = FindExactly(method, raw_path, params);
  }
  return match;
}

}  // namespace mlalert
