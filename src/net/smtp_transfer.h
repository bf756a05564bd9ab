// One mail on one easy handle. libcurl resolves, connects, encrypts, says EHLO and, where wanted, STARTTLS
// (CURLOPT_CONNECT_ONLY); from there SmtpDialog speaks through curl_easy_send and curl_easy_recv. libcurl's
// own SMTP cannot take the server's order of mechanisms, use one secret for CRAM-MD5 and another for PLAIN,
// keep PLAIN off clear connections, or send BODY=8BITMIME.
// Driven by: net/http_transport. Thread: the transport's only. A connection serves one mail, as upstream.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "net/curl_handle.h"
#include "net/smtp_dialog.h"
#include "net/transfer.h"

namespace mlalert {

class SmtpTransfer final : public Transfer {
 public:
  // `easy` must outlive this.
  SmtpTransfer(CURL* easy, HttpCall call);
  SmtpTransfer(const SmtpTransfer&) = delete;
  SmtpTransfer& operator=(const SmtpTransfer&) = delete;

  Next Begin(MonoTime now) override;
  Next HopDone(CURLcode code, MonoTime now) override;
  bool StaysConnected() const override { return true; }
  Next Converse(MonoTime now) override;
  pollfd WaitsFor() const override;
  MonoTime deadline() const override { return deadline_; }
  void Abort(Failure failure, std::string_view reason) override;
  HttpResult TakeResult(MonoTime now) override;
  CURL* handle() const override { return easy_; }

 private:
  Status SetUp(MonoTime now);
  Next ConnectFailed(CURLcode code);
  Next Failed(Failure failure, std::string_view text);
  // False when the socket must be waited for.
  bool SendSome();
  bool ReceiveSome();
  std::string Address() const;

  static size_t OnReplyLine(char* data, size_t size, size_t count, void* self);

  CURL* easy_;
  std::shared_ptr<const SmtpMail> mail_;
  Duration timeout_;
  MonoTime started_{};
  MonoTime deadline_{};
  CurlList connect_to_;
  char error_buffer_[CURL_ERROR_SIZE] = {};
  // Replies to libcurl's commands: the last one is that to EHLO.
  SmtpReplyReader connecting_;
  std::optional<SmtpDialog> dialog_;
  HttpResult result_;
};

}  // namespace mlalert
