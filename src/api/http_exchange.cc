#include "api/http_exchange.h"

#include <algorithm>
#include <ctime>
#include <string_view>
#include <utility>

namespace mlalert {

namespace {

constexpr size_t kKeepBytes = size_t{1} << 20;  // larger buffers are freed after their request

bool IsCompressible(std::string_view content_type) {
  std::string_view type = content_type.substr(0, content_type.find(';'));
  return type.starts_with("text/") || type.ends_with("json") || type.ends_with("javascript") ||
         type.ends_with("xml") || type == "application/openmetrics-text" || type == "application/yaml";
}

void AppendHeader(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ");
  for (char c : value) {
    out += c == '\r' || c == '\n' || c == '\0' ? ' ' : c;
  }
  out += "\r\n";
}

void DropIfLarge(std::string& buffer) {
  if (buffer.capacity() > kKeepBytes) {
    buffer = std::string();
  }
}

void Compress(HttpExchange& x, HttpWorker& worker, size_t gzip_bytes_min) {
  HttpResponse& response = x.response;
  if (response.body.size() < gzip_bytes_min || !IsCompressible(response.content_type) ||
      !response.Header("Content-Encoding").empty()) {
    return;
  }
  response.headers.emplace_back("Vary", "Accept-Encoding");
  if (x.head.accepts_gzip && worker.gzip.Compress(response.body, worker.gzip_out)) {
    response.headers.emplace_back("Content-Encoding", "gzip");
    response.body.swap(worker.gzip_out);
  }
  DropIfLarge(worker.gzip_out);
}

void WriteHead(HttpExchange& x, const std::string& date) {
  const HttpResponse& response = x.response;
  std::string& out = x.out_head;
  out.assign("HTTP/1.1 ").append(std::to_string(response.status)).append(" ");
  out.append(HttpReason(response.status)).append("\r\nDate: ").append(date).append("\r\n");
  if (!response.content_type.empty()) {
    AppendHeader(out, "Content-Type", response.content_type);
  }
  for (const auto& [name, value] : response.headers) {
    AppendHeader(out, name, value);
  }
  if (response.status >= 200 && response.status != 204 && response.status != 304) {
    out.append("Content-Length: ").append(std::to_string(response.body.size())).append("\r\n");
  }
  if (x.close_after) {
    out += "Connection: close\r\n";
  } else if (x.head.minor_version == 0) {
    out += "Connection: keep-alive\r\n";
  }
  out += "\r\n";
}

}  // namespace

void HttpExchange::Reset() {
  in_parsed = 0;
  scanner.Reset();
  head = HttpHead();
  if (request.body.capacity() > body_room.capacity()) {
    body_room.swap(request.body);
  }
  DropIfLarge(body_room);
  request.body.clear();
  request.method = request.raw_path = request.raw_query = request.route = {};
  request.path.clear();
  request.query.clear();
  request.path_params.clear();
  request.headers.clear();
  response.status = 200;
  response.content_type.clear();
  response.headers.clear();
  response.body.clear();
  DropIfLarge(response.body);
  route = nullptr;
  body_max = body_size = 0;
  chunks = ChunkedDecoder();
  carry.clear();
  out_head.clear();
  sent = 0;
  send_body = true;
  outside_prefix = close_after = false;
}

std::unique_ptr<HttpExchange> HttpWorker::Take() {
  return spare_ ? std::move(spare_) : std::make_unique<HttpExchange>();
}

void HttpWorker::GiveBack(std::unique_ptr<HttpExchange> exchange) {
  if (!spare_) {
    spare_ = std::move(exchange);
  }
}

char* HttpWorker::scratch() {
  if (!scratch_) {
    scratch_.reset(new char[kScratchBytes]);
  }
  return scratch_.get();
}

const std::string& HttpWorker::Date() {
  std::time_t now = std::time(nullptr);
  if (now != date_second_) {
    std::tm utc{};
    gmtime_r(&now, &utc);
    char text[64];
    // The program keeps the "C" locale, so names are English.
    date_.assign(text, std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &utc));
    date_second_ = now;
  }
  return date_;
}

void EncodeResponse(HttpExchange& x, HttpWorker& worker, size_t gzip_bytes_min) {
  Compress(x, worker, gzip_bytes_min);
  WriteHead(x, worker.Date());
}

}  // namespace mlalert
