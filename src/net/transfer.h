// One call: what net/http_transport drives, whatever the protocol. Implemented by: HttpTransfer and
// SmtpTransfer on an easy handle of libcurl, PlainTransfer without. Owns: what the handle points into, so it
// must outlive the handle's stay in the multi. Thread: the transport's only.
#pragma once

#include <curl/curl.h>
#include <poll.h>
#include <string>
#include <string_view>

#include "base/time.h"
#include "net/oauth2.h"
#include "net/transport.h"

namespace mlalert {

inline constexpr Duration kCallTimeoutMax = std::chrono::hours(1);

// Go's `Post "URL": reason`, the URL left out always: webhook URLs are secrets.
std::string CallErrorText(std::string_view method, std::string_view text);
// What every HTTP result gets at its end.
void FinishHttpResult(HttpResult& result, MonoTime started, MonoTime now, Clock& clock);

class Transfer {
 public:
  // kPerform: handle() is ready for the multi. kConverse: the transfer speaks by itself; a handle that
  // libcurl has connected stays in the multi. kFinished: see TakeResult().
  enum class Next : uint8_t { kPerform, kConverse, kFinished };

  virtual ~Transfer() = default;

  virtual Next Begin(MonoTime now) = 0;
  // After the multi has finished the handle. It was removed before, unless StaysConnected(); if that ends
  // here, it is removed after.
  virtual Next HopDone(CURLcode code, MonoTime now) = 0;
  virtual bool StaysConnected() const { return false; }
  // For a transfer that converses: called when its socket is ready, or its deadline has come.
  virtual Next Converse(MonoTime) { return Next::kFinished; }
  virtual pollfd WaitsFor() const { return {-1, 0, 0}; }
  virtual MonoTime deadline() const { return MonoTime::max(); }
  // Ends the call from outside; the handle must be out of the multi.
  virtual void Abort(Failure failure, std::string_view reason) = 0;
  virtual HttpResult TakeResult(MonoTime now) = 0;
  // Of libcurl; null while it is not needed.
  virtual CURL* handle() const = 0;
};

}  // namespace mlalert
