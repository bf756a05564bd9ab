// Body codings of HTTP: chunked transfer coding (in), gzip (in and out). Every decoder has an output limit,
// because a few bytes on the wire can ask for gigabytes. Fed by: api/http_session (requests) and
// net/http_answer_reader (answers). Pure: bytes in, bytes out. Thread: each object belongs to one thread at a
// time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace mlalert {

// Decodes a chunked body as it arrives. Extensions and trailers are read over, within limits.
class ChunkedDecoder {
 public:
  enum class State : uint8_t { kMore, kDone, kMalformed, kTooLarge };

  // Appends decoded bytes to `out`, which never grows past `out_bytes_max`. `consumed`: how much of `bytes`
  // belongs to this body; all of it unless kDone.
  State Feed(std::string_view bytes, std::string& out, size_t out_bytes_max, size_t& consumed);

 private:
  enum class Phase : uint8_t {
    kSize,
    kExtension,
    kSizeLf,
    kData,
    kDataCr,
    kDataLf,
    kTrailerStart,
    kTrailer,
    kTrailerLf,
    kEndLf,
  };

  State Step(char c);

  Phase phase_ = Phase::kSize;
  int digits_ = 0;
  uint64_t left_ = 0;      // of the current chunk
  uint64_t overhead_ = 0;  // bytes that carry no data, less what honest chunks need
};

enum class GunzipResult : uint8_t { kOk, kMalformed, kTooLarge };

// One gzip member, nothing behind it. `out` is replaced.
GunzipResult Gunzip(std::string_view bytes, size_t out_bytes_max, std::string& out);

// The same as the bytes arrive; one body each. No limit by ratio: for peers whose answers we have asked for.
class Gunzipper {
 public:
  enum class State : uint8_t { kMore, kDone, kMalformed, kTooLarge };

  Gunzipper();
  ~Gunzipper();
  Gunzipper(const Gunzipper&) = delete;
  Gunzipper& operator=(const Gunzipper&) = delete;

  // Appends to `out`, which never grows past `out_bytes_max`. Bytes behind the member are malformed.
  State Feed(std::string_view bytes, std::string& out, size_t out_bytes_max);

 private:
  struct Stream;
  std::unique_ptr<Stream> stream_;
  bool done_ = false;
};

// Keeps zlib's state (about 256 KiB) between responses. Made on first use.
class GzipWriter {
 public:
  GzipWriter();
  ~GzipWriter();
  GzipWriter(const GzipWriter&) = delete;
  GzipWriter& operator=(const GzipWriter&) = delete;

  // False when zlib fails or the result is not smaller; then `out` is unspecified.
  bool Compress(std::string_view bytes, std::string& out);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace mlalert
