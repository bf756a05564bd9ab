// The answer of an HTTP server, whole and in pieces: both must be read alike.
#include <algorithm>

#include "fuzz.h"
#include "net/http_answer_reader.h"

using namespace mlalert;
using State = HttpAnswerReader::State;

namespace {

constexpr size_t kBodyMax = 4096;

State ReadBy(size_t step, std::string_view bytes, HttpAnswerReader& reader) {
  State state = State::kMore;
  while (!bytes.empty() && state == State::kMore) {
    state = reader.Feed(bytes.substr(0, step));
    bytes.remove_prefix(std::min(step, bytes.size()));
    FUZZ_CHECK(reader.body().size() <= kBodyMax);
    FUZZ_CHECK(reader.headers().size() <= kAnswerHeadersMax + 1);
  }
  return state;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes = FuzzText(data, size);
  HttpAnswerReader whole(kBodyMax);
  HttpAnswerReader pieces(kBodyMax);
  const State a = ReadBy(std::string_view::npos, bytes, whole);
  const State b = ReadBy(3, bytes, pieces);
  if (a == State::kDone) {
    FUZZ_CHECK(b == State::kDone && whole.status() == pieces.status() && whole.body() == pieces.body());
  }
  return 0;
}
