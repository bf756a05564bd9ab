#include "base/http_body.h"

#include <algorithm>
#include <limits>
#include <zlib.h>

namespace mlalert {

namespace {

// 15 bits of window, plus zlib's flag for the gzip format.
constexpr int kGzipWindow = 15 + 16;
// Level 1 is 3 times faster than 6 on our JSON and 20 % larger: replies go over local networks.
constexpr int kGzipLevel = 1;
constexpr int kGzipMemory = 8;

// Sizes are read up to this many hex digits, leading zeros included: enough for any body we accept.
constexpr int kChunkSizeDigitsMax = 15;
// Go's rule (net/http/internal, CVE-2023-39326): 16 bytes per chunk and twice its data are fair, the rest
// adds up.
constexpr uint64_t kChunkOverheadMax = 16 * 1024;

Bytef* InBytes(std::string_view bytes) {
  // zlib's next_in is not const for historical reasons; it does not write there.
  return reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
}
Bytef* OutBytes(std::string& out, size_t at) {
  return reinterpret_cast<Bytef*>(out.data() + at);
}

// What has grown to so much by so much is a bomb (spaces give 1,000 times; alerts that repeat each other 50):
// it is refused before it has cost the whole limit.
constexpr size_t kBombBytesMin = size_t{4} << 20;
constexpr size_t kBombRatio = 250;

struct InflateStream {
  z_stream z{};
  bool ok = inflateInit2(&z, kGzipWindow) == Z_OK;
  InflateStream() = default;
  InflateStream(const InflateStream&) = delete;
  InflateStream& operator=(const InflateStream&) = delete;
  ~InflateStream() {
    if (ok) {
      inflateEnd(&z);
    }
  }
};

}  // namespace

ChunkedDecoder::State ChunkedDecoder::Step(char c) {
  switch (phase_) {
    case Phase::kSize: {
      int digit = c >= '0' && c <= '9'   ? c - '0'
                  : c >= 'a' && c <= 'f' ? c - 'a' + 10
                  : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                         : -1;
      if (digit >= 0) {
        if (++digits_ > kChunkSizeDigitsMax) {
          return State::kTooLarge;
        }
        left_ = left_ * 16 + static_cast<uint64_t>(digit);
        return State::kMore;
      }
      if (digits_ == 0 || (c != '\r' && c != ';' && c != ' ' && c != '\t')) {
        return State::kMalformed;
      }
      phase_ = c == '\r' ? Phase::kSizeLf : Phase::kExtension;
      return State::kMore;
    }
    case Phase::kExtension:
      if (c == '\n') {
        return State::kMalformed;
      }
      phase_ = c == '\r' ? Phase::kSizeLf : Phase::kExtension;
      return State::kMore;
    case Phase::kSizeLf: {
      uint64_t fair = 16 + 2 * left_;
      overhead_ = overhead_ > fair ? overhead_ - fair : 0;
      digits_ = 0;
      phase_ = left_ == 0 ? Phase::kTrailerStart : Phase::kData;
      return c == '\n' ? State::kMore : State::kMalformed;
    }
    case Phase::kData:
      return State::kMalformed;  // not reached: Feed copies data itself
    case Phase::kDataCr:
      phase_ = Phase::kDataLf;
      return c == '\r' ? State::kMore : State::kMalformed;
    case Phase::kDataLf:
      phase_ = Phase::kSize;
      return c == '\n' ? State::kMore : State::kMalformed;
    case Phase::kTrailerStart:
      phase_ = c == '\r' ? Phase::kEndLf : Phase::kTrailer;
      return c == '\n' ? State::kMalformed : State::kMore;
    case Phase::kTrailer:
      phase_ = c == '\r' ? Phase::kTrailerLf : Phase::kTrailer;
      return c == '\n' ? State::kMalformed : State::kMore;
    case Phase::kTrailerLf:
      phase_ = Phase::kTrailerStart;
      return c == '\n' ? State::kMore : State::kMalformed;
    case Phase::kEndLf:
      return c == '\n' ? State::kDone : State::kMalformed;
  }
  return State::kMalformed;
}

ChunkedDecoder::State ChunkedDecoder::Feed(std::string_view bytes, std::string& out, size_t out_bytes_max,
                                           size_t& consumed) {
  consumed = 0;
  while (consumed < bytes.size()) {
    if (phase_ == Phase::kData) {
      auto take = static_cast<size_t>(std::min<uint64_t>(left_, bytes.size() - consumed));
      out.append(bytes.substr(consumed, take));
      consumed += take;
      left_ -= take;
      if (left_ == 0) {
        phase_ = Phase::kDataCr;
      }
      continue;
    }
    State state = Step(bytes[consumed++]);
    if (state != State::kMore) {
      return state;
    }
    if (++overhead_ > kChunkOverheadMax) {
      return State::kMalformed;
    }
    if (phase_ == Phase::kData && left_ > out_bytes_max - std::min(out.size(), out_bytes_max)) {
      return State::kTooLarge;
    }
  }
  return State::kMore;
}

GunzipResult Gunzip(std::string_view bytes, size_t out_bytes_max, std::string& out) {
  InflateStream stream;
  if (!stream.ok || bytes.size() > std::numeric_limits<uInt>::max()) {
    return GunzipResult::kMalformed;
  }
  stream.z.next_in = InBytes(bytes);
  stream.z.avail_in = static_cast<uInt>(bytes.size());
  // Alert JSON shrinks about ten times; growing by doubling covers the rest. One byte more than the limit
  // tells a body of exactly the limit from a larger one.
  size_t room = std::min(std::max<size_t>(bytes.size() * 8, 4096), out_bytes_max + 1);
  size_t size = 0;
  for (;;) {
    out.resize(room);
    stream.z.next_out = OutBytes(out, size);
    stream.z.avail_out = static_cast<uInt>(std::min<size_t>(room - size, std::numeric_limits<uInt>::max()));
    uInt before = stream.z.avail_out;
    int rc = inflate(&stream.z, Z_NO_FLUSH);
    size += before - stream.z.avail_out;
    size_t taken = bytes.size() - stream.z.avail_in;
    if (size > out_bytes_max || (size >= kBombBytesMin && size / kBombRatio > taken)) {
      return GunzipResult::kTooLarge;
    }
    if (rc == Z_STREAM_END) {
      out.resize(size);
      return stream.z.avail_in == 0 ? GunzipResult::kOk : GunzipResult::kMalformed;
    }
    if (rc != Z_OK || (stream.z.avail_in == 0 && stream.z.avail_out > 0)) {
      return GunzipResult::kMalformed;  // bad data, or the input ends before the member does
    }
    room = std::min(room * 2, out_bytes_max + 1);
  }
}

struct Gunzipper::Stream : InflateStream {};

Gunzipper::Gunzipper() : stream_(std::make_unique<Stream>()) {}

Gunzipper::~Gunzipper() = default;

Gunzipper::State Gunzipper::Feed(std::string_view bytes, std::string& out, size_t out_bytes_max) {
  constexpr size_t kPieceBytes = size_t{32} << 10;
  if (!stream_->ok || done_ || bytes.size() > std::numeric_limits<uInt>::max()) {
    return bytes.empty() && done_ ? State::kDone : State::kMalformed;
  }
  z_stream& z = stream_->z;
  z.next_in = InBytes(bytes);
  z.avail_in = static_cast<uInt>(bytes.size());
  char piece[kPieceBytes];
  do {
    z.next_out = reinterpret_cast<Bytef*>(piece);
    z.avail_out = kPieceBytes;
    const int rc = inflate(&z, Z_NO_FLUSH);
    const size_t made = kPieceBytes - z.avail_out;
    if (made > out_bytes_max - std::min(out.size(), out_bytes_max)) {
      return State::kTooLarge;
    }
    out.append(piece, made);
    if (rc == Z_STREAM_END) {
      done_ = true;
      return z.avail_in == 0 ? State::kDone : State::kMalformed;
    }
    // Z_BUF_ERROR: it wants more input.
    if (rc != Z_OK && rc != Z_BUF_ERROR) {
      return State::kMalformed;
    }
  } while (z.avail_in > 0 || z.avail_out == 0);
  return State::kMore;
}

struct GzipWriter::State {
  z_stream z{};
  bool ok = false;
};

GzipWriter::GzipWriter() = default;

GzipWriter::~GzipWriter() {
  if (state_ && state_->ok) {
    deflateEnd(&state_->z);
  }
}

bool GzipWriter::Compress(std::string_view bytes, std::string& out) {
  if (!state_) {
    state_ = std::make_unique<State>();
    state_->ok = deflateInit2(&state_->z, kGzipLevel, Z_DEFLATED, kGzipWindow, kGzipMemory,
                              Z_DEFAULT_STRATEGY) == Z_OK;
  }
  if (!state_->ok || bytes.size() > std::numeric_limits<uInt>::max() || deflateReset(&state_->z) != Z_OK) {
    return false;
  }
  // Room for less than the input only: a result that does not fit is not worth sending.
  out.resize(bytes.size());
  state_->z.next_in = InBytes(bytes);
  state_->z.avail_in = static_cast<uInt>(bytes.size());
  state_->z.next_out = OutBytes(out, 0);
  state_->z.avail_out = static_cast<uInt>(out.size());
  if (deflate(&state_->z, Z_FINISH) != Z_STREAM_END) {
    return false;
  }
  out.resize(out.size() - state_->z.avail_out);
  return true;
}

}  // namespace mlalert
