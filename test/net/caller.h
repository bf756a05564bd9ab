// Runs calls on a real HttpTransport and waits for their results.
#pragma once

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <future>
#include <memory>
#include <string>
#include <unistd.h>
#include <utility>

#include "net/http_transport.h"

namespace mlalert::testing {

class FixedClock final : public Clock {
 public:
  explicit FixedClock(Timestamp now) : now_(now) {}
  Timestamp Now() override { return now_; }

 private:
  Timestamp now_;
};

class Caller {
 public:
  // 2026-01-01T00:00:00Z
  static constexpr Timestamp kNow{std::chrono::seconds(1'767'225'600)};

  Caller() : transport(std::move(*HttpTransport::Start(clock, {.user_agent = "mlalert/test"}))) {
    lane = transport->OpenLane({.name = "test"});
  }

  // Of all calls: sent by the way that queries take.
  static inline bool repeatable = false;

  std::future<HttpResult> Send(HttpCall call, LaneId to) {
    call.repeatable = call.repeatable || repeatable;
    auto promise = std::make_shared<std::promise<HttpResult>>();
    std::future<HttpResult> future = promise->get_future();
    transport->Send(to, std::move(call),
                    [promise](HttpResult result) { promise->set_value(std::move(result)); });
    return future;
  }
  std::future<HttpResult> Send(HttpCall call) { return Send(std::move(call), lane); }

  static HttpResult Wait(std::future<HttpResult> future) {
    // A hung test would say nothing; this one says what it waited for.
    if (future.wait_for(std::chrono::seconds(30)) != std::future_status::ready) {
      HttpResult result;
      result.failure = Failure::kOther;
      result.error = "TEST: no result after 30 s";
      return result;
    }
    return future.get();
  }
  HttpResult Call(HttpCall call) { return Wait(Send(std::move(call))); }
  HttpResult Get(std::string url, HttpOptions options = nullptr) {
    return Call({.url = std::move(url), .options = std::move(options)});
  }

  FixedClock clock{kNow};
  std::unique_ptr<HttpTransport> transport;
  LaneId lane{};
};

// A case that must hold for calls that libcurl makes and for repeatable ones, which we make ourselves.
#define ON_BOTH_WAYS(name)                       \
  static void name##_either_way();               \
  BOOST_AUTO_TEST_CASE(name) {                   \
    testing::Caller::repeatable = false;         \
    name##_either_way();                         \
  }                                              \
  BOOST_AUTO_TEST_CASE(name##_when_repeatable) { \
    testing::Caller::repeatable = true;          \
    name##_either_way();                         \
    testing::Caller::repeatable = false;         \
  }                                              \
  static void name##_either_way()

class TempDir {
 public:
  TempDir() {
    std::string pattern = (std::filesystem::temp_directory_path() / "mlalert_net_XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) {
      std::abort();
    }
    path_ = pattern;
  }
  ~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  std::string Path(const std::string& name) const { return path_ + "/" + name; }
  std::string Write(const std::string& name, const std::string& content) const {
    std::ofstream(Path(name), std::ios::binary | std::ios::trunc) << content;
    return Path(name);
  }

 private:
  std::string path_;
};

inline HttpOptions Options(HttpClientConfig config) {
  return std::make_shared<const HttpClientConfig>(std::move(config));
}

}  // namespace mlalert::testing
