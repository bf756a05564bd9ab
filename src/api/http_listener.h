// A listening socket and the loop that accepts from it. Used by: http_server.cc. Owns: the socket, unless it
// was inherited: then the one who made it goes on listening when we end. Thread: Run() on one of its own,
// Close() from any; the rest before Run().
#pragma once

#include <atomic>
#include <functional>
#include <string>

#include "base/result.h"

namespace mlalert {

class HttpListener {
 public:
  HttpListener() = default;
  ~HttpListener();
  HttpListener(const HttpListener&) = delete;
  HttpListener& operator=(const HttpListener&) = delete;

  // Port 0: any free one. Host empty: all addresses, IPv6 and IPv4. Returns the port.
  Result<int> Bind(const std::string& host, int port);
  // A socket that somebody else made and that listens. Returns the port, 0 for one that has none.
  Result<int> Adopt(int fd);

  // Hands accepted sockets on until Close().
  void Run(const std::function<void(int)>& accepted);
  void Close();

 private:
  bool BindTo(const std::string& host, const std::string& port);

  int fd_ = -1;
  int wake_fd_ = -1;
  std::atomic<bool> closing_{false};
};

}  // namespace mlalert
