#include "net/http_answer_reader.h"

#include <algorithm>
#include <charconv>

#include "net/credentials.h"

namespace mlalert {

namespace {

// A length that is only claimed costs no more than this at once.
constexpr uint64_t kReserveBytesMax = uint64_t{16} << 20;
// What chunks of a compressed body may hold beyond what the body may become.
constexpr size_t kCodingOverheadMax = size_t{64} << 10;

std::string_view Trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) {
    text.remove_prefix(1);
  }
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) {
    text.remove_suffix(1);
  }
  return text;
}

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

// Whether a list like "keep-alive, close" has the element.
bool Lists(std::string_view list, std::string_view element) {
  while (!list.empty()) {
    const size_t comma = std::min(list.find(','), list.size());
    if (SameHeaderName(Trimmed(list.substr(0, comma)), element)) {
      return true;
    }
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return false;
}

}  // namespace

HttpAnswerReader::State HttpAnswerReader::Feed(std::string_view bytes) {
  started_ = started_ || !bytes.empty();
  if (!head_done_) {
    const State state = ReadHead(bytes);
    if (state != State::kMore || !head_done_) {
      return state;
    }
  }
  return ReadBody(bytes);
}

HttpAnswerReader::State HttpAnswerReader::End() {
  return until_end_ && (!gzip_ || unzipped_) ? State::kDone : State::kMore;
}

HttpAnswerReader::State HttpAnswerReader::ReadHead(std::string_view& rest) {
  // Usually it comes in one piece and is read where it is.
  const bool in_pieces = !head_.empty();
  if (in_pieces) {
    head_ += rest;
  }
  const std::string_view all = in_pieces ? std::string_view(head_) : rest;
  for (;;) {
    const size_t end = all.find('\n', line_at_);
    if (end == std::string_view::npos) {
      if (all.size() > kAnswerHeaderBytesMax) {
        return State::kHeadTooLarge;
      }
      // What begins otherwise will never become an answer.
      constexpr std::string_view kStart = "HTTP/1.1 ";
      const size_t sure = lenient_ ? std::string_view("HTTP/1.").size() : kStart.size();
      if (line_at_ == begin_at_ && !kStart.substr(0, sure).starts_with(all.substr(begin_at_, sure))) {
        return State::kOdd;
      }
      if (!in_pieces) {
        head_ = rest;
      }
      return State::kMore;
    }
    if (end > kAnswerHeaderBytesMax) {
      return State::kHeadTooLarge;
    }
    const bool ends_well = end > line_at_ && all[end - 1] == '\r';
    if (!ends_well && !lenient_) {
      return State::kOdd;
    }
    const std::string_view line = all.substr(line_at_, end - (ends_well ? 1 : 0) - line_at_);
    const bool first = line_at_ == begin_at_;
    line_at_ = end + 1;
    if (line.empty() && !first) {
      if (status_ < 200) {
        // The answer itself is still to come.
        begin_at_ = line_at_;
        status_ = 0;
        headers_.clear();
        continue;
      }
      head_done_ = true;
      rest = rest.substr(rest.size() - (all.size() - line_at_));
      return BeginBody();
    }
    if (!(first ? ReadStatusLine(line) : ReadHeaderLine(line))) {
      return State::kOdd;
    }
    if (headers_.size() > kAnswerHeadersMax) {
      return State::kHeadTooLarge;
    }
  }
}

bool HttpAnswerReader::ReadStatusLine(std::string_view line) {
  constexpr std::string_view kStart = "HTTP/1.1 ";
  constexpr std::string_view kOldStart = "HTTP/1.0 ";
  const bool old = lenient_ && line.starts_with(kOldStart);
  if (!old && !line.starts_with(kStart)) {
    return false;
  }
  keeps_alive_ = keeps_alive_ && !old;
  line.remove_prefix(kStart.size());
  if (line.size() < 3 || !std::all_of(line.begin(), line.begin() + 3, IsDigit) ||
      (line.size() > 3 && line[3] != ' ')) {
    return false;
  }
  std::from_chars(line.data(), line.data() + 3, status_);
  constexpr int kSwitchingProtocols = 101;  // nobody has asked for it
  // Interim answers, and those that have no body whatever their headers say.
  const bool plain =
      lenient_ ? status_ >= 100 && status_ != kSwitchingProtocols
               : status_ >= 200 && status_ <= 599 && status_ != 204 && status_ != 205 && status_ != 304;
  status_ = plain ? status_ : 0;
  return plain;
}

bool HttpAnswerReader::ReadHeaderLine(std::string_view line) {
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos || !IsHeaderName(line.substr(0, colon))) {
    return lenient_;
  }
  const std::string_view value = Trimmed(line.substr(colon + 1));
  if (!IsHeaderValue(value)) {
    return lenient_;
  }
  std::string name(line.substr(0, colon));
  for (char& c : name) {
    c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  if (status_ >= 200 && !ReadFraming(name, value)) {
    return false;
  }
  headers_.emplace_back(std::move(name), value);
  return true;
}

// Headers that say where the body ends and how to read it.
bool HttpAnswerReader::ReadFraming(std::string_view name, std::string_view value) {
  if (name == "content-length") {
    constexpr size_t kDigitsMax = 15;
    if ((has_length_ && !lenient_) || value.empty() || value.size() > kDigitsMax ||
        !std::all_of(value.begin(), value.end(), IsDigit)) {
      return false;
    }
    uint64_t length = 0;
    std::from_chars(value.data(), value.data() + value.size(), length);
    if (has_length_ && length != left_) {
      return false;
    }
    has_length_ = true;
    left_ = length;
  } else if (name == "transfer-encoding") {
    if (lenient_ && SameHeaderName(value, "identity")) {
      return true;
    }
    if (chunked_ || !SameHeaderName(value, "chunked")) {
      return false;
    }
    chunked_ = true;
  } else if (name == "content-encoding") {
    if (lenient_ && SameHeaderName(value, "identity")) {
      return true;
    }
    if (gzip_ || !(SameHeaderName(value, "gzip") || (lenient_ && SameHeaderName(value, "x-gzip")))) {
      bad_coding_ = true;
      return false;
    }
    gzip_ = true;
  } else if (name == "connection") {
    keeps_alive_ = keeps_alive_ && !Lists(value, "close");
  } else if (name == "upgrade") {
    return lenient_;
  }
  return true;
}

HttpAnswerReader::State HttpAnswerReader::BeginBody() {
  if (lenient_) {
    const bool bodiless = status_ == 204 || status_ == 304;
    if (bodiless) {
      has_length_ = true;
      left_ = 0;
      chunked_ = false;
    } else if (has_length_ && chunked_) {
      has_length_ = keeps_alive_ = false;
    } else if (!has_length_ && !chunked_) {
      until_end_ = true;
      keeps_alive_ = false;
    }
  } else if (has_length_ == chunked_) {
    return State::kOdd;
  }
  if (lenient_ && has_length_ && left_ == 0) {
    gzip_ = false;
  }
  if (gzip_) {
    gunzipper_ = std::make_unique<Gunzipper>();
  } else if (has_length_ && left_ > body_bytes_max_) {
    return State::kBodyTooLarge;
  } else {
    body_.reserve(static_cast<size_t>(std::min(left_, kReserveBytesMax)));
  }
  return State::kMore;
}

HttpAnswerReader::State HttpAnswerReader::ReadBody(std::string_view bytes) {
  size_t taken = 0;
  State state = State::kMore;
  bool ended = false;
  if (chunked_) {
    std::string& out = gzip_ ? scratch_ : body_;
    scratch_.clear();
    const size_t max = gzip_ ? body_bytes_max_ + kCodingOverheadMax : body_bytes_max_;
    const ChunkedDecoder::State chunks = chunks_.Feed(bytes, out, max, taken);
    if (chunks == ChunkedDecoder::State::kTooLarge) {
      return State::kBodyTooLarge;
    }
    if (chunks == ChunkedDecoder::State::kMalformed) {
      return State::kOdd;
    }
    ended = chunks == ChunkedDecoder::State::kDone;
    if (gzip_) {
      state = AddBody(scratch_);
    }
  } else if (until_end_) {
    if (body_.size() + (gzip_ ? 0 : bytes.size()) > body_bytes_max_) {
      return State::kBodyTooLarge;
    }
    return AddBody(bytes);
  } else {
    taken = static_cast<size_t>(std::min<uint64_t>(left_, bytes.size()));
    left_ -= taken;
    ended = left_ == 0;
    state = AddBody(bytes.substr(0, taken));
  }
  if (state != State::kMore || !ended) {
    return state;
  }
  // Nobody has asked for what follows.
  keeps_alive_ = keeps_alive_ && taken == bytes.size();
  bad_coding_ = gzip_ && !unzipped_;
  return bad_coding_ ? State::kOdd : State::kDone;
}

HttpAnswerReader::State HttpAnswerReader::AddBody(std::string_view bytes) {
  if (!gzip_) {
    body_ += bytes;
    return State::kMore;
  }
  if (bytes.empty()) {
    return State::kMore;
  }
  switch (gunzipper_->Feed(bytes, body_, body_bytes_max_)) {
    case Gunzipper::State::kMore:
      return State::kMore;
    case Gunzipper::State::kDone:
      unzipped_ = true;
      return State::kMore;
    case Gunzipper::State::kTooLarge:
      return State::kBodyTooLarge;
    default:
      bad_coding_ = true;
      return State::kOdd;
  }
}

}  // namespace mlalert
