// The memory of one request and its response, and what a thread lends to the session it drives: buffers, zlib
// state, the date. Kept apart from the connection so that idle connections own no buffers at all.
// Fed by: http_session.cc.
// Thread: one at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "api/http_parse.h"
#include "api/http_router.h"
#include "api/http_types.h"
#include "base/http_body.h"

namespace mlalert {

// All memory of one request. Idle connections have none: workers keep one spare each and lend it.
struct HttpExchange {
  std::string in;  // received bytes are in[0, in_size); the rest is room
  size_t in_size = 0;
  size_t in_parsed = 0;  // head, and what of the body arrived with it
  HttpHeadScanner scanner;
  HttpHead head;
  HttpRequest request;
  HttpResponse response;
  const HttpRoute* route = nullptr;
  size_t body_max = 0;
  size_t body_size = 0;  // received so far (decoded chunks count, gzip does not yet)
  size_t charged = 0;    // our part of HttpCounters::buffered_bytes
  ChunkedDecoder chunks;
  std::string body_room;  // the last body, kept at its size so that the next one needs no zeroing
  std::string carry;      // bytes behind a chunked body: the next request
  std::string out_head;
  size_t sent = 0;
  bool send_body = true;
  bool outside_prefix = false;
  bool close_after = false;

  // Ready for the next request; `in` and `in_size` stay.
  void Reset();
};

// What a thread needs to drive sessions.
class HttpWorker {
 public:
  static constexpr size_t kScratchBytes = size_t{64} << 10;

  std::unique_ptr<HttpExchange> Take();
  void GiveBack(std::unique_ptr<HttpExchange> exchange);
  char* scratch();
  // "Mon, 02 Jan 2006 15:04:05 GMT" of now; made once per second.
  const std::string& Date();

  GzipWriter gzip;
  std::string gzip_out;

 private:
  std::unique_ptr<HttpExchange> spare_;
  std::unique_ptr<char[]> scratch_;
  std::string date_;
  int64_t date_second_ = -1;
};

// Turns x.response into x.out_head and, compressed or not, the body to send. Needs x.close_after and
// x.send_body.
void EncodeResponse(HttpExchange& x, HttpWorker& worker, size_t gzip_bytes_min);

}  // namespace mlalert
