// The server side of TLS: an OpenSSL context made from a WebTlsConfig, immutable, shared by the connections
// that began under it. Fed by: web_guard.cc, which makes a new one when a file has changed.
// Thread: construction on one thread, connections from it on any.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "config/web_config.h"

// OpenSSL's own types, not to be seen by whoever includes this.
struct ssl_ctx_st;
struct ssl_st;

namespace mlalert {

struct SslDelete {
  void operator()(ssl_st* ssl) const;
};
using SslPtr = std::unique_ptr<ssl_st, SslDelete>;

class TlsContext {
 public:
  // Reads certificate, key and CA. Errors carry upstream's texts; no secret is in them.
  static Result<std::shared_ptr<const TlsContext>> Make(const WebTlsConfig& config);
  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  // A server-side connection on this socket, before its handshake. Null: out of memory.
  SslPtr Accept(int fd) const;

 private:
  struct Policy;
  TlsContext(ssl_ctx_st* context, std::unique_ptr<Policy> policy);

  ssl_ctx_st* context_;
  std::unique_ptr<Policy> policy_;  // the verify callback points to it
};

}  // namespace mlalert
