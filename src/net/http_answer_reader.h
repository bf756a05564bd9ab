// Reads one HTTP answer as its bytes arrive. Strictly: what is not a plain answer of HTTP/1.1 with a known
// length (an interim one, a body that ends with the connection, a folded header, two lengths, an unknown
// coding) is kOdd, and the call is made again through libcurl, which knows the rest of HTTP. Leniently, where
// a second call would do harm: all of that is read, as libcurl does, and kOdd is only what nobody
// understands. Fed by: net/plain_transfer. Pure: bytes in, an answer out; hostile input within the limits
// below. Thread: one at a time.
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
  enum class Mode : uint8_t { kStrict, kLenient };

  // `body_bytes_max`: of the body after decompression.
  explicit HttpAnswerReader(size_t body_bytes_max, Mode mode = Mode::kStrict)
      : body_bytes_max_(body_bytes_max), lenient_(mode == Mode::kLenient) {}

  // Only after kMore.
  State Feed(std::string_view bytes);
  // The connection has ended after kMore. kDone: that was the end of the answer; else kMore.
  State End();

  // Any byte has come.
  bool started() const { return started_; }
  // 0 until the head is complete.
  int status() const { return status_; }
  HttpHeaders& headers() { return headers_; }
  std::string& body() { return body_; }
  // After kOdd: the body is compressed in a way that we do not know, or badly.
  bool bad_coding() const { return bad_coding_; }
  // After kDone: nothing forbids another request on the connection.
  bool keeps_alive() const { return keeps_alive_; }

 private:
  // kMore: the head is not complete yet, or it is and `rest` is what follows.
  State ReadHead(std::string_view& rest);
  bool ReadStatusLine(std::string_view line);
  bool ReadHeaderLine(std::string_view line);
  bool ReadFraming(std::string_view name, std::string_view value);
  State BeginBody();
  State ReadBody(std::string_view bytes);
  State AddBody(std::string_view bytes);

  size_t body_bytes_max_;
  bool lenient_;
  std::string head_;     // of a head that came in pieces
  size_t line_at_ = 0;   // in it: the first line not yet read
  size_t begin_at_ = 0;  // in it: the status line; interim answers stand before
  bool started_ = false;
  bool head_done_ = false;
  bool keeps_alive_ = true;
  bool has_length_ = false;
  bool chunked_ = false;
  bool gzip_ = false;
  bool unzipped_ = false;
  bool bad_coding_ = false;
  bool until_end_ = false;  // the body is what comes before the connection ends
  uint64_t left_ = 0;       // of a body of known length
  int status_ = 0;
  HttpHeaders headers_;
  std::string body_;
  std::string scratch_;
  ChunkedDecoder chunks_;
  std::unique_ptr<Gunzipper> gunzipper_;
};

}  // namespace mlalert
