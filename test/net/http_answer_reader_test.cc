#include "net/http_answer_reader.h"

#include <boost/test/unit_test.hpp>
#include <string>
#include <string_view>
#include <vector>
#include <zlib.h>

namespace mlalert {

namespace {

using State = HttpAnswerReader::State;

std::string_view Name(State state) {
  constexpr std::string_view kNames[] = {"more", "done", "odd", "head too large", "body too large"};
  return kNames[static_cast<size_t>(state)];
}

struct Read {
  std::string state;
  int status = 0;
  std::string body;
  bool keeps_alive = false;
  size_t headers = 0;
};

// `step`: bytes given at a time.
Read ReadBy(size_t step, std::string_view bytes, size_t body_max) {
  HttpAnswerReader reader(body_max);
  State state = State::kMore;
  while (!bytes.empty() && state == State::kMore) {
    state = reader.Feed(bytes.substr(0, step));
    bytes.remove_prefix(std::min(step, bytes.size()));
  }
  return {std::string(Name(state)), reader.status(), reader.body(), reader.keeps_alive() && bytes.empty(),
          reader.headers().size()};
}

Read ReadAll(std::string_view bytes, size_t body_max = 1000) {
  const Read whole = ReadBy(std::string::npos, bytes, body_max);
  for (const size_t step : {1U, 2U, 7U}) {
    BOOST_TEST_CONTEXT(step << " bytes at a time: " << bytes.substr(0, 100)) {
      const Read pieces = ReadBy(step, bytes, body_max);
      BOOST_TEST(pieces.state == whole.state);
      BOOST_TEST(pieces.status == whole.status);
      if (whole.state == "done") {
        BOOST_TEST(pieces.body == whole.body);
        BOOST_TEST(pieces.headers == whole.headers);
      }
    }
  }
  return whole;
}

// Leniently; the connection ends after the last byte.
Read ReadLeniently(std::string_view bytes, size_t step) {
  HttpAnswerReader reader(1000, HttpAnswerReader::Mode::kLenient);
  State state = State::kMore;
  while (!bytes.empty() && state == State::kMore) {
    state = reader.Feed(bytes.substr(0, step));
    bytes.remove_prefix(std::min(step, bytes.size()));
  }
  if (state == State::kMore) {
    state = reader.End();
  }
  return {std::string(Name(state)), reader.status(), reader.body(), reader.keeps_alive(),
          reader.headers().size()};
}

std::string Gzip(std::string text) {
  z_stream stream{};
  deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(text.data());
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string Chunked(std::string_view text, size_t step) {
  std::string out;
  for (; !text.empty(); text.remove_prefix(std::min(step, text.size()))) {
    const std::string_view piece = text.substr(0, step);
    char size[20];
    std::snprintf(size, sizeof(size), "%zx\r\n", piece.size());
    out.append(size).append(piece).append("\r\n");
  }
  return out + "0\r\n\r\n";
}

const std::string kOk = "HTTP/1.1 200 OK\r\n";

}  // namespace

BOOST_AUTO_TEST_SUITE(http_answer_reader)

BOOST_AUTO_TEST_CASE(reads_an_answer_of_known_length) {
  const Read read = ReadAll(kOk + "Content-Type: a/b \r\nContent-Length: 4\r\n\r\nbody");
  BOOST_TEST(read.state == "done");
  BOOST_TEST(read.status == 200);
  BOOST_TEST(read.body == "body");
  BOOST_TEST(read.headers == 2U);
  BOOST_TEST(read.keeps_alive);
  BOOST_TEST(ReadAll("HTTP/1.1 503\r\nContent-Length: 0\r\n\r\n").status == 503);
}

BOOST_AUTO_TEST_CASE(names_come_in_lower_case_and_values_trimmed) {
  HttpAnswerReader reader(10);
  BOOST_TEST((reader.Feed(kOk + "X-UP:\t one two \r\nContent-Length: 0\r\n\r\n") == State::kDone));
  BOOST_TEST(reader.headers()[0].first == "x-up");
  BOOST_TEST(reader.headers()[0].second == "one two");
}

BOOST_AUTO_TEST_CASE(reads_chunks_and_gzip_and_both) {
  const std::string text(500, 'a');
  const std::string zipped = Gzip(text);
  BOOST_TEST(ReadAll(kOk + "Transfer-Encoding: chunked\r\n\r\n" + Chunked(text, 100)).body == text);
  BOOST_TEST(ReadAll(kOk + "Content-Encoding: gzip\r\nContent-Length: " + std::to_string(zipped.size()) +
                     "\r\n\r\n" + zipped)
                 .body == text);
  BOOST_TEST(
      ReadAll(kOk + "Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n" + Chunked(zipped, 5))
          .body == text);
}

BOOST_AUTO_TEST_CASE(the_limit_counts_what_a_coding_becomes) {
  BOOST_TEST(ReadAll(kOk + "Content-Length: 10\r\n\r\n0123456789", 10).state == "done");
  BOOST_TEST(ReadAll(kOk + "Content-Length: 11\r\n\r\n", 10).state == "body too large");
  BOOST_TEST(ReadAll(kOk + "Transfer-Encoding: chunked\r\n\r\nb\r\n", 10).state == "body too large");
  const std::string bomb = Gzip(std::string(100'000, '\0'));
  for (const std::string& framed : {"Content-Length: " + std::to_string(bomb.size()) + "\r\n\r\n" + bomb,
                                    "Transfer-Encoding: chunked\r\n\r\n" + Chunked(bomb, 20)}) {
    const Read read = ReadAll(kOk + "Content-Encoding: gzip\r\n" + framed, 5000);
    BOOST_TEST(read.state == "body too large");
    BOOST_TEST(read.body.size() <= 5000U);
  }
}

BOOST_AUTO_TEST_CASE(an_endless_head_is_refused) {
  BOOST_TEST(ReadAll(kOk + "X: " + std::string(kAnswerHeaderBytesMax, 'x')).state == "head too large");
  std::string many = kOk;
  for (size_t i = 0; i <= kAnswerHeadersMax; ++i) {
    many += "X: y\r\n";
  }
  BOOST_TEST(ReadAll(many).state == "head too large");
}

BOOST_AUTO_TEST_CASE(what_is_not_plain_is_odd) {
  const std::string zipped = Gzip("text");
  const std::string gzip_head =
      kOk + "Content-Encoding: gzip\r\nContent-Length: " + std::to_string(zipped.size() + 1) + "\r\n\r\n";
  const std::string cases[] = {
      "SSH-2.0",
      "\r\n",
      "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
      "HTTP/1.1 2000 OK\r\n",
      "HTTP/1.1 20 OK\r\n",
      "HTTP/1.1 100 Continue\r\n\r\n",
      "HTTP/1.1 103 Early\r\n",
      "HTTP/1.1 204 No\r\n",
      "HTTP/1.1 304 No\r\n",
      "HTTP/1.1 600 No\r\n",
      "HTTP/1.1 200 OK\nContent-Length: 0\n\n",
      kOk + "Content-Length: 0\n",
      kOk + "\r\n",  // until the connection ends
      kOk + "Content-Length: 1\r\nContent-Length: 1\r\n",
      kOk + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
      kOk + "Content-Length: -1\r\n",
      kOk + "Content-Length: +1\r\n",
      kOk + "Content-Length: 1, 1\r\n",
      kOk + "Content-Length:\r\n",
      kOk + "Content-Length: 0x1\r\n",
      kOk + "Content-Length: 1234567890123456\r\n",
      kOk + "Transfer-Encoding: gzip, chunked\r\n",
      kOk + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
      kOk + "Content-Encoding: br\r\n",
      kOk + "Content-Encoding: gzip, gzip\r\n",
      kOk + "Content-Encoding: gzip\r\nContent-Encoding: gzip\r\n",
      kOk + "Upgrade: h2c\r\n",
      kOk + "X : y\r\n",
      kOk + " folded: y\r\n",
      kOk + "no colon\r\n",
      kOk + ": no name\r\n",
      kOk + "X: a\rb\r\n",
      kOk + std::string("X: a\0b\r\n", 8),
      kOk + "Transfer-Encoding: chunked\r\n\r\nx\r\n",
      kOk + "Transfer-Encoding: chunked\r\n\r\n-1\r\n",
      kOk + "Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\ntext",
      kOk + "Content-Encoding: gzip\r\nContent-Length: 10\r\n\r\n" + zipped.substr(0, 10),
      gzip_head + zipped + "x",
  };
  for (const std::string& bytes : cases) {
    BOOST_TEST_CONTEXT(bytes) {
      BOOST_TEST(ReadAll(bytes).state == "odd");
    }
  }
}

BOOST_AUTO_TEST_CASE(leniently_everything_is_read_that_a_server_may_say) {
  const std::string zipped = Gzip("text");
  const struct {
    std::string bytes;
    int status;
    std::string body;
    bool keeps_alive;
  } cases[] = {
      {kOk + "Content-Length: 4\r\n\r\nbody", 200, "body", true},
      {"HTTP/1.0 200 OK\r\nServer: x\r\n\r\nto the end", 200, "to the end", false},
      {"HTTP/1.0 200 OK\r\n\r\n", 200, "", false},
      {"HTTP/1.1 503 No\nContent-Length: 2\n\nno", 503, "no", true},
      {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nContent-Length: 9\r\n\r\n" + kOk +
           "Content-Length: 1\r\n\r\nx",
       200, "x", true},
      {"HTTP/1.1 204 No\r\n\r\n", 204, "", true},
      {"HTTP/1.1 304 No\r\nContent-Length: 7\r\n\r\n", 304, "", true},
      {"HTTP/1.1 600 Own\r\nContent-Length: 0\r\n\r\n", 600, "", true},
      {kOk + "Content-Length: 1\r\nContent-Length: 1\r\n\r\nx", 200, "x", true},
      {kOk + "Content-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n" + Chunked("text", 3), 200, "text",
       false},
      {kOk + "no colon\r\n folded: y\r\nX : y\r\nContent-Length: 0\r\n\r\n", 200, "", true},
      {kOk + "Content-Encoding: identity\r\nTransfer-Encoding: identity\r\nContent-Length: 1\r\n\r\nx", 200,
       "x", true},
      {kOk + "Content-Encoding: gzip\r\n\r\n" + zipped, 200, "text", false},
      {kOk + "Content-Encoding: gzip\r\nContent-Length: 0\r\n\r\n", 200, "", true},
      {kOk + "Upgrade: h2c\r\nContent-Length: 0\r\n\r\n", 200, "", true},
  };
  for (const auto& c : cases) {
    for (const size_t step : {size_t{1}, size_t{7}, std::string::npos}) {
      BOOST_TEST_CONTEXT(step << " bytes at a time: " << c.bytes) {
        const Read read = ReadLeniently(c.bytes, step);
        BOOST_TEST(read.state == "done");
        BOOST_TEST(read.status == c.status);
        BOOST_TEST(read.body == c.body);
        BOOST_TEST(read.keeps_alive == c.keeps_alive);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(leniently_what_nobody_understands_is_odd_and_what_breaks_off_is_not_done) {
  const std::string odd[] = {
      "SSH-2.0",
      "\r\n",
      "HTTP/2 200\r\n",
      "HTTP/1.1 20 OK\r\n",
      "HTTP/1.1 101 Switching\r\n",
      kOk + "Content-Length: 1\r\nContent-Length: 2\r\n",
      kOk + "Content-Length: -1\r\n",
      kOk + "Content-Encoding: br\r\n",
      kOk + "Transfer-Encoding: chunked\r\n\r\nx\r\n",
  };
  for (const std::string& bytes : odd) {
    BOOST_TEST_CONTEXT(bytes) {
      BOOST_TEST(ReadLeniently(bytes, 1).state == "odd");
      BOOST_TEST(ReadLeniently(bytes, std::string::npos).state == "odd");
    }
  }
  const std::string broken[] = {
      "",
      "HTTP/1.1 200",
      kOk + "Content-Length: 4\r\n",
      kOk + "Content-Length: 4\r\n\r\nbod",
      kOk + "Transfer-Encoding: chunked\r\n\r\n4\r\ntext\r\n",
      kOk + "Content-Encoding: gzip\r\n\r\n" + Gzip("text").substr(0, 10),
      "HTTP/1.1 100 Continue\r\n\r\n",
  };
  for (const std::string& bytes : broken) {
    BOOST_TEST_CONTEXT(bytes) {
      BOOST_TEST(ReadLeniently(bytes, 3).state == "more");
    }
  }
  BOOST_TEST(ReadLeniently(kOk + "\r\n" + std::string(1001, 'x'), 100).state == "body too large");
}

BOOST_AUTO_TEST_CASE(a_connection_is_kept_only_when_nothing_speaks_against_it) {
  BOOST_TEST(!ReadAll(kOk + "Connection: close\r\nContent-Length: 0\r\n\r\n").keeps_alive);
  BOOST_TEST(!ReadAll(kOk + "Connection: keep-alive, Close\r\nContent-Length: 0\r\n\r\n").keeps_alive);
  BOOST_TEST(ReadAll(kOk + "Connection: keep-alive\r\nContent-Length: 0\r\n\r\n").keeps_alive);
  BOOST_TEST(
      !ReadBy(std::string::npos, kOk + "Content-Length: 1\r\n\r\nxHTTP/1.1 200 OK\r\n", 10).keeps_alive);
  BOOST_TEST(
      !ReadBy(std::string::npos, kOk + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nx", 10).keeps_alive);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mlalert
