// One call over plain HTTP/1.1, without libcurl between us and the socket: rules are thousands of small
// queries to one server, a storm is thousands of webhooks to one receiver, and half of such a call's time was
// spent on setting libcurl's handle up. net/dialer connects; the request is written and the answer read here.
// Of a repeatable call whatever is not an everyday answer (redirects too) starts it again as an HttpTransfer,
// under the same deadline. One that must not be made twice reads what it gets, and an HttpTransfer follows
// its redirects. Driven by: net/http_transport. Thread: the transport's only.
#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <string>

#include "net/curl_handle.h"
#include "net/dialer.h"
#include "net/http_answer_reader.h"
#include "net/http_transfer.h"
#include "net/plain_connections.h"
#include "net/plain_request.h"
#include "net/transfer.h"

namespace mlalert {

// What all plain transfers of one transport share.
struct PlainShared {
  PlainShared(const std::string& user_agent, CurlHandles& curl_handles)
      : requests(user_agent), handles(curl_handles) {}

  PlainConnections connections;
  PlainRequests requests;
  CurlHandles& handles;  // for what is left to libcurl
  std::string buffer;    // for reading
};

class PlainTransfer final : public Transfer {
 public:
  // What is shared must outlive this. With `fresh_connection` no idle connection is used.
  PlainTransfer(TransferShared& shared, PlainShared& plain, HttpCall call, bool fresh_connection);
  ~PlainTransfer() override;
  PlainTransfer(const PlainTransfer&) = delete;
  PlainTransfer& operator=(const PlainTransfer&) = delete;

  Next Begin(MonoTime now) override;
  Next HopDone(CURLcode code, MonoTime now) override;
  Next Converse(MonoTime now) override;
  pollfd WaitsFor() const override;
  MonoTime deadline() const override { return dialer_ ? std::min(deadline_, dialer_->wake_at()) : deadline_; }
  void Abort(Failure failure, std::string_view reason) override;
  HttpResult TakeResult(MonoTime now) override;
  CURL* handle() const override { return easy_.get(); }

 private:
  Next Connect(MonoTime now);
  Next OnDialed(Dialer::State state, MonoTime now);
  Next SendRequest(MonoTime now);
  // Nothing, when all is sent or the socket is full.
  std::optional<Next> SendSome(MonoTime now);
  Next Receive(MonoTime now);
  Next Answered(MonoTime now);
  // The connection has ended: `error` is errno, 0 for an orderly end.
  Next Lost(int error, MonoTime now);
  Next Failed(Failure failure, std::string_view text);
  Next LeaveToCurl(MonoTime now);
  // False: libcurl cannot be had, and the call has failed.
  bool HandOver();

  TransferShared& shared_;
  PlainShared& plain_;
  HttpCall call_;
  bool fresh_connection_;
  Duration timeout_;
  MonoTime started_{};
  MonoTime deadline_{};
  std::shared_ptr<const PlainRequest> request_;

  bool kept_ = false;               // the connection has served other calls
  std::unique_ptr<Dialer> dialer_;  // while it connects
  Socket socket_;
  std::string output_;  // the request
  size_t sent_ = 0;
  std::optional<HttpAnswerReader> reader_;
  HttpResult result_;
  CurlEasy easy_;                       // of curl_
  std::unique_ptr<HttpTransfer> curl_;  // does it in our place
};

}  // namespace mlalert
