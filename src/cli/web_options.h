// What follows from the --web.* and --cluster.* flags: addresses, prefix, the URL for links, and the node
// that the status shows. Fed by: daemon.cc. Thread: main.
#pragma once

#include <string>

#include "cli/daemon.h"

#include "api/api.h"
#include "api/http_options.h"

namespace mlalert {

struct WebOptions {
  HttpServerOptions http;    // addresses, prefix, limits; no hooks
  std::string external_url;  // without a slash at its end
  ClusterView cluster;

  // For the log: that of the i-th socket, with the port it got.
  std::string AddressOf(size_t i, int port) const;
};

// Errors are kInvalid.
Result<WebOptions> ReadWebOptions(const ServeOptions& options);

// host:port, [v6]:port or :port (all addresses).
Status SplitListenAddress(const std::string& address, std::string& host, int& port);

}  // namespace mlalert
