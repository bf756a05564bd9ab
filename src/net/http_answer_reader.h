// Reads one HTTP/1.1 answer as its bytes arrive, strictly: what is not a plain answer of known length (an
// interim one, a body that ends with the connection, a folded header, two lengths, an unknown coding) is
// kOdd, and its reader leaves it to libcurl, which knows the rest of HTTP. Fed by: net/plain_transfer. Pure:
// bytes in, an answer out; hostile input within the limits below. Thread: one at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/http_body.h"
#include "net/transport.h"

namespace mlalert {

inline constexpr size_t kAnswerHeaderBytesMax = 64 * 1024;
inline constexpr size_t kAnswerHeadersMax = 256;

class HttpAnswerReader {
 public:
  enum class State : uint8_t { kMore, kDone, kOdd, kHeadTooLarge, kBodyTooLarge };

  // `body_bytes_max`: of the body after decompression.
  explicit HttpAnswerReader(size_t body_bytes_max) : body_bytes_max_(body_bytes_max) {}

  // Only after kMore.
  State Feed(std::string_view bytes);

  // Any byte has come.
  bool started() const { return started_; }
  // 0 until the head is complete.
  int status() const { return status_; }
  HttpHeaders& headers() { return headers_; }
  std::string& body() { return body_; }
  // After kDone: nothing forbids another request on the connection.
  bool keeps_alive() const { return keeps_alive_; }

 private:
  // kMore: the head is not complete yet, or it is and `rest` is what follows.
  State ReadHead(std::string_view& rest);
  bool ReadStatusLine(std::string_view line);
  bool ReadHeaderLine(std::string_view line);
  State BeginBody();
  State ReadBody(std::string_view bytes);
  State AddBody(std::string_view bytes);

  size_t body_bytes_max_;
  std::string head_;    // of a head that came in pieces
  size_t line_at_ = 0;  // in it: the first line not yet read
  bool started_ = false;
  bool head_done_ = false;
  bool keeps_alive_ = true;
  bool has_length_ = false;
  bool chunked_ = false;
  bool gzip_ = false;
  bool unzipped_ = false;
  uint64_t left_ = 0;  // of a body of known length
  int status_ = 0;
  HttpHeaders headers_;
  std::string body_;
  std::string scratch_;
  ChunkedDecoder chunks_;
  std::unique_ptr<Gunzipper> gunzipper_;
};

}  // namespace mlalert
