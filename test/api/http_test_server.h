// A server on a free port of 127.0.0.1 with a few telling routes and short deadlines.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <zlib.h>

#include "api/http_raw_client.h"
#include "api/http_server.h"

namespace mlalert::testing {

inline HttpServerOptions TestOptions() {
  HttpServerOptions options;
  options.port = 0;
  options.workers = 4;
  options.limits.body_bytes_max = 1 << 20;
  options.limits.stop_timeout = std::chrono::milliseconds(300);
  options.limits.linger_timeout = std::chrono::milliseconds(200);
  return options;
}

inline HttpRouter TestRouter() {
  HttpRouter router;
  router.Post("/echo", [](HttpRequest& request, HttpResponse& response) { response.body = request.body; });
  router.Get("/hello", [](HttpRequest&, HttpResponse& response) {
    response.content_type = "text/plain";
    response.body = "hello";
  });
  router.Get("/large", [](HttpRequest&, HttpResponse& response) {
    response.content_type = "application/json";
    response.body.assign(100'000, 'x');
  });
  router.Get("/huge", [](HttpRequest&, HttpResponse& response) { response.body.assign(64 << 20, 'x'); });
  router.Get("/peer",
             [](HttpRequest& request, HttpResponse& response) { response.body = request.remote_addr; });
  router.Get("/throw", [](HttpRequest&, HttpResponse&) { throw std::runtime_error("secret detail"); });
  router.Get("/throw-int", [](HttpRequest&, HttpResponse&) { throw 42; });
  router.Get("/items/{id}", [](HttpRequest& request, HttpResponse& response) {
    response.body = std::string(request.PathParam("id"));
    for (std::string_view filter : request.QueryAll("filter")) {
      response.body.append("|").append(filter);
    }
  });
  return router;
}

inline std::unique_ptr<HttpServer> StartServer(HttpServerOptions options = TestOptions(),
                                               HttpRouter router = TestRouter()) {
  auto server = HttpServer::Start(std::move(options), std::move(router));
  if (!server) {
    throw std::runtime_error(server.error().ToString());
  }
  return std::move(*server);
}

inline std::string GetOf(std::string_view path, std::string_view headers = "") {
  return "GET " + std::string(path) + " HTTP/1.1\r\nHost: t\r\n" + std::string(headers) + "\r\n";
}

inline std::string PostOf(std::string_view body, std::string_view headers = "") {
  return "POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
         std::string(headers) + "\r\n" + std::string(body);
}

inline std::string GzipOf(std::string_view text) {
  std::string out(compressBound(static_cast<uLong>(text.size())) + 64, '\0');
  z_stream z{};
  deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  z.avail_in = static_cast<uInt>(text.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  deflate(&z, Z_FINISH);
  out.resize(z.total_out);
  deflateEnd(&z);
  return out;
}

inline std::string GunzipOf(std::string_view bytes) {
  std::string out(1 << 20, '\0');
  z_stream z{};
  inflateInit2(&z, 15 + 16);
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  z.avail_in = static_cast<uInt>(bytes.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  inflate(&z, Z_FINISH);
  out.resize(z.total_out);
  inflateEnd(&z);
  return out;
}

}  // namespace mlalert::testing
