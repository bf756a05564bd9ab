#include "net/smtp_transfer.h"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

namespace mlalert {

namespace {

constexpr size_t kReadBytes = 16 * 1024;

std::string HostPort(const std::string& host, uint16_t port) {
  const bool v6 = host.find(':') != std::string::npos;
  return v6 ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
}

}  // namespace

SmtpTransfer::SmtpTransfer(CURL* easy, HttpCall call)
    : easy_(easy),
      mail_(std::move(call.smtp)),
      timeout_(call.timeout > Duration(0) ? std::min(call.timeout, kCallTimeoutMax) : kCallTimeoutDefault) {}

Transfer::Next SmtpTransfer::Begin(MonoTime now) {
  started_ = now;
  deadline_ = started_ + timeout_;
  const Status ready = SetUp(now);
  return ready ? Next::kPerform : Failed(Failure::kOther, ready.error().message);
}

Status SmtpTransfer::SetUp(MonoTime now) {
  Curl().easy_reset(easy_);
  CurlOptions options(easy_);
  const bool implicit = mail_->encryption == SmtpEncryption::kImplicit;
  // libcurl takes the expected name of the certificate from the URL.
  std::string name = mail_->host;
  if (!mail_->tls.server_name.empty()) {
    name = mail_->tls.server_name;
    connect_to_.Add("::" + HostPort(mail_->host, mail_->port));
    options.Set(CURLOPT_CONNECT_TO, connect_to_.get());
  }
  options.SetString(CURLOPT_URL, fmt::format("{}://{}/{}", implicit ? "smtps" : "smtp",
                                             HostPort(name, mail_->port), PathEscape(mail_->hello)));
  options.Set(CURLOPT_PROTOCOLS_STR, "smtp,smtps");
  options.Set(CURLOPT_CONNECT_ONLY, 1L);
  options.Set(CURLOPT_FRESH_CONNECT, 1L);
  options.Set(
      CURLOPT_USE_SSL,
      static_cast<long>(mail_->encryption == SmtpEncryption::kStartTls ? CURLUSESSL_ALL : CURLUSESSL_NONE));
  // Empty, not unset: the environment's proxies are for HTTP.
  options.Set(CURLOPT_PROXY, "");
  ApplySocketOptions(options, deadline_ - now);
  options.Set(CURLOPT_ERRORBUFFER, &error_buffer_[0]);
  options.Set(CURLOPT_HEADERFUNCTION, &OnReplyLine);
  options.Set(CURLOPT_HEADERDATA, static_cast<void*>(this));
  MLALERT_TRY(ApplyTls(options, mail_->tls));
  if (options.code() != CURLE_OK) {
    return Fail(ErrorCode::kInvalid,
                fmt::format("cannot set up the call: {}", Curl().easy_strerror(options.code())));
  }
  return {};
}

size_t SmtpTransfer::OnReplyLine(char* data, size_t size, size_t count, void* self) {
  auto& transfer = *static_cast<SmtpTransfer*>(self);
  std::string_view line(data, size * count);
  while (!line.empty() && (line.back() == '\r' || line.back() == '\n')) {
    line.remove_suffix(1);
  }
  return transfer.connecting_.Add(line) == SmtpReplyReader::State::kBroken ? 0 : size * count;
}

std::string SmtpTransfer::Address() const {
  return HostPort(mail_->host, mail_->port);
}

Transfer::Next SmtpTransfer::HopDone(CURLcode code, MonoTime now) {
  if (code != CURLE_OK) {
    return ConnectFailed(code);
  }
  dialog_.emplace(*mail_, connecting_.reply(), mail_->encryption != SmtpEncryption::kNone);
  return Converse(now);
}

Transfer::Next SmtpTransfer::ConnectFailed(CURLcode code) {
  const SmtpReply& last = connecting_.reply();
  std::string parameters;
  switch (code) {
    case CURLE_USE_SSL_FAILED:
      if (last.code == 250 && FindSmtpExtension(last, "STARTTLS", parameters) == nullptr) {
        return Failed(Failure::kTls,
                      fmt::format("'require_tls' is true (default) but \"{}\" does not advertise the "
                                  "STARTTLS extension",
                                  Address()));
      }
      return Failed(Failure::kTls, "starttls failed: " + last.ToString());
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_REMOTE_ACCESS_DENIED:
    case CURLE_WRITE_ERROR:
      return Failed(Failure::kOther, last.code == 0
                                         ? std::string("create SMTP client: the server's answer is not SMTP")
                                         : "create SMTP client: " + last.ToString());
    default:
      break;
  }
  Url target;
  target.scheme = mail_->encryption == SmtpEncryption::kNone ? "http" : "https";
  target.host = mail_->host;
  target.port = mail_->port;
  const CurlFailure why = ExplainCurlFailure(easy_, code, error_buffer_, target, false, timeout_);
  return Failed(why.failure, "establish connection to server: " + why.text);
}

Transfer::Next SmtpTransfer::Converse(MonoTime now) {
  for (;;) {
    const bool sent_all = SendSome();
    if (dialog_->finished()) {
      break;
    }
    if (!ReceiveSome() || !sent_all) {
      if (dialog_->finished()) {
        break;
      }
      if (now < deadline_) {
        return Next::kConverse;
      }
      if (dialog_->accepted()) {
        break;  // only QUIT is left
      }
      return Failed(Failure::kTimeout, fmt::format("deadline of {} exceeded while waiting for {}",
                                                   FormatGoDuration(timeout_), dialog_->WaitsFor()));
    }
  }
  if (!dialog_->accepted()) {
    return Failed(dialog_->closed() ? Failure::kReset : Failure::kOther, dialog_->error());
  }
  result_.status = 250;
  return Next::kFinished;
}

// True when everything is sent.
bool SmtpTransfer::SendSome() {
  std::string& output = dialog_->output();
  size_t sent_total = 0;
  bool open = true;
  while (open && sent_total < output.size()) {
    size_t sent = 0;
    const CURLcode code =
        Curl().easy_send(easy_, output.data() + sent_total, output.size() - sent_total, &sent);
    sent_total += sent;
    if (code != CURLE_OK || sent == 0) {
      open = false;
      if (code != CURLE_OK && code != CURLE_AGAIN) {
        // The server may have said why before it went away.
        output.clear();
        ReceiveSome();
        dialog_->Closed();
        return true;
      }
    }
  }
  output.erase(0, sent_total);
  return output.empty();
}

// True when something came.
bool SmtpTransfer::ReceiveSome() {
  char buffer[kReadBytes];
  size_t received = 0;
  const CURLcode code = Curl().easy_recv(easy_, buffer, sizeof(buffer), &received);
  if (code == CURLE_AGAIN) {
    return false;
  }
  if (code != CURLE_OK || received == 0) {
    dialog_->Closed();
    return false;
  }
  dialog_->Receive(std::string_view(buffer, received));
  return true;
}

pollfd SmtpTransfer::WaitsFor() const {
  curl_socket_t socket = CURL_SOCKET_BAD;
  Curl().easy_getinfo(easy_, CURLINFO_ACTIVESOCKET, &socket);
  short events = POLLIN;
  if (dialog_ && !const_cast<SmtpDialog&>(*dialog_).output().empty()) {
    events = static_cast<short>(events | POLLOUT);
  }
  return {socket, events, 0};
}

void SmtpTransfer::Abort(Failure failure, std::string_view reason) {
  if (dialog_ && dialog_->accepted()) {
    result_.status = 250;
    return;
  }
  Failed(failure, reason);
}

Transfer::Next SmtpTransfer::Failed(Failure failure, std::string_view text) {
  result_ = {};
  result_.failure = failure;
  result_.error = text;
  return Next::kFinished;
}

HttpResult SmtpTransfer::TakeResult(MonoTime now) {
  result_.latency = now - started_;
  return std::move(result_);
}

}  // namespace mlalert
