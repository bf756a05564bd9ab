#include "net/plain_request.h"

#include <algorithm>
#include <fmt/format.h>

#include "net/credentials.h"

namespace mlalert {

namespace {

bool ReadsFiles(const HttpClientConfig& config) {
  const bool basic = config.basic_auth &&
                     !(config.basic_auth->username_file.empty() && config.basic_auth->password_file.empty());
  const bool bearer = config.authorization && !config.authorization->credentials_file.empty();
  return basic || bearer ||
         std::any_of(config.http_headers.begin(), config.http_headers.end(),
                     [](const HttpHeaderConfig& header) { return !header.files.empty(); });
}

// Those that we write ourselves, or that change how the message is read.
bool Frames(std::string_view name) {
  for (const std::string_view ours :
       {"Host", "Content-Length", "Transfer-Encoding", "Connection", "Keep-Alive", "Proxy-Connection",
        "Upgrade", "Expect", "TE", "Trailer", "Accept-Encoding"}) {
    if (SameHeaderName(name, ours)) {
      return true;
    }
  }
  return false;
}

// A name or an address that needs no reading between the lines.
bool IsPlainHost(std::string_view host) {
  return std::all_of(host.begin(), host.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '_' || c == ':';
  });
}

bool IsPrintable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

}  // namespace

std::shared_ptr<const PlainRequest> PlainRequests::Get(const HttpCall& call) {
  for (const auto& kept : kept_) {
    if (kept->options == call.options && kept->method == call.method && kept->text == call.url &&
        kept->headers == call.headers) {
      return kept;
    }
  }
  std::shared_ptr<PlainRequest> made = Make(call);
  // A query in the URL means that the next one is another.
  if (made != nullptr && made->url.query.empty() && !(call.options && ReadsFiles(*call.options))) {
    if (kept_.size() < kPlainRequestsMax) {
      kept_.push_back(made);
    } else {
      kept_[replace_next_++ % kPlainRequestsMax] = made;
    }
  }
  return made;
}

std::shared_ptr<PlainRequest> PlainRequests::Make(const HttpCall& call) const {
  static const HttpClientConfig kDefaults;
  const HttpClientConfig& config = call.options ? *call.options : kDefaults;
  const bool has_body = call.method == "POST";
  if ((!has_body && (call.method != "GET" || !call.body.empty())) || config.oauth2 ||
      !config.proxy.url.empty() || config.proxy.from_environment) {
    return nullptr;
  }
  Result<Url> url = ParseUrl(call.url);
  if (!url || url->scheme != "http" || !IsPlainHost(url->host) || !IsPrintable(url->path) ||
      !IsPrintable(url->query)) {
    return nullptr;
  }
  HttpHeaders headers = call.headers;
  if (!HasHeader(headers, "Authorization")) {
    Result<std::string> authorization = AuthorizationValue(config, *url);
    if (!authorization) {
      return nullptr;
    }
    if (!authorization->empty()) {
      headers.emplace_back("Authorization", std::move(*authorization));
    }
  }
  Result<HttpHeaders> configured = ConfiguredHeaders(config);
  if (!configured) {
    return nullptr;
  }
  std::move(configured->begin(), configured->end(), std::back_inserter(headers));
  const bool plain = std::all_of(headers.begin(), headers.end(), [](const auto& header) {
    return IsHeaderName(header.first) && IsHeaderValue(header.second) && !Frames(header.first);
  });
  if (!plain) {
    return nullptr;
  }
  auto made = std::make_shared<PlainRequest>();
  made->options = call.options;
  made->method = call.method;
  made->text = call.url;
  made->headers = call.headers;
  Url address = *url;
  address.port = url->EffectivePort();
  made->origin = address.HostPort();
  made->head =
      fmt::format("{} {}{}{} HTTP/1.1\r\nHost: {}\r\n", call.method, url->path.empty() ? "/" : url->path,
                  url->query.empty() ? "" : "?", url->query, url->HostPort());
  if (!HasHeader(headers, "User-Agent")) {
    made->head.append("User-Agent: ").append(user_agent_).append("\r\n");
  }
  if (!HasHeader(headers, "Accept")) {
    made->head += "Accept: */*\r\n";
  }
  made->head += "Accept-Encoding: gzip\r\n";
  for (const auto& [name, value] : headers) {
    made->head.append(name).append(": ").append(value).append("\r\n");
  }
  made->url = std::move(*url);
  return made;
}

}  // namespace mlalert
