// One call over plain HTTP/1.1, without libcurl between us and the socket: rules are thousands of small
// queries to one server, a storm is thousands of webhooks to one receiver, and half of such a call's time was
// spent on setting libcurl's handle up. libcurl resolves and connects (CURLOPT_CONNECT_ONLY); the request is
// written and the answer read here. Of a repeatable call whatever is not an everyday answer (redirects too)
// starts it again as an HttpTransfer, under the same deadline. One that must not be made twice reads what it
// gets, and an HttpTransfer follows its redirects. Driven by: net/http_transport. Thread: the transport's
// only.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "net/curl_handle.h"
#include "net/http_answer_reader.h"
#include "net/http_transfer.h"
#include "net/plain_connections.h"
#include "net/plain_request.h"
#include "net/transfer.h"

namespace mlalert {

// What all plain transfers of one transport share.
struct PlainShared {
  explicit PlainShared(const std::string& user_agent) : requests(user_agent) {}

  PlainConnections connections;
  PlainRequests requests;
  std::string buffer;  // for reading
};

class PlainTransfer final : public Transfer {
 public:
  // `easy` and what is shared must outlive this. With `fresh_connection` no idle connection is used.
  PlainTransfer(CURL* easy, TransferShared& shared, PlainShared& plain, HttpCall call, bool fresh_connection);
  PlainTransfer(const PlainTransfer&) = delete;
  PlainTransfer& operator=(const PlainTransfer&) = delete;

  Next Begin(MonoTime now) override;
  Next HopDone(CURLcode code, MonoTime now) override;
  bool StaysConnected() const override { return connecting_; }
  Next Converse(MonoTime now) override;
  curl_waitfd WaitsFor() const override;
  MonoTime deadline() const override { return deadline_; }
  void Abort(Failure failure, std::string_view reason) override;
  HttpResult TakeResult(MonoTime now) override;
  bool UsedHandle() const override { return used_handle_; }

 private:
  Next Connect(MonoTime now);
  Next SendRequest(MonoTime now);
  // Nothing, when all is sent or the socket is full.
  std::optional<Next> SendSome(MonoTime now);
  Next Receive(MonoTime now);
  Next Answered(MonoTime now);
  // The connection has ended: `error` is errno, 0 for an orderly end.
  Next Lost(int error, MonoTime now);
  Next Failed(Failure failure, std::string_view text);
  Next LeaveToCurl(MonoTime now);
  HttpTransfer& HandOver();

  CURL* easy_;
  TransferShared& shared_;
  PlainShared& plain_;
  HttpCall call_;
  bool fresh_connection_;
  Duration timeout_;
  MonoTime started_{};
  MonoTime deadline_{};
  std::shared_ptr<const PlainRequest> request_;

  bool used_handle_ = false;
  bool connecting_ = false;
  bool kept_ = false;  // the connection has served other calls
  char error_buffer_[CURL_ERROR_SIZE] = {};
  Socket socket_;
  std::string output_;  // the request
  size_t sent_ = 0;
  std::optional<HttpAnswerReader> reader_;
  HttpResult result_;
  std::unique_ptr<HttpTransfer> curl_;  // does it in our place
};

}  // namespace mlalert
