// A scripted HTTP server on 127.0.0.1, port 0, raw sockets, one thread per connection: it can do everything a
// server must not do (hang, drip, reset, lie about lengths). Thread: scripts run on the server's threads and
// must not assert; requests are looked at from the test's.
#pragma once

#include <arpa/inet.h>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <functional>
#include <list>
#include <mutex>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

#include "net/transport.h"

namespace mlalert::testing {

struct Request {
  std::string method;
  std::string target;
  // Names in lower case.
  HttpHeaders headers;
  std::string body;

  // Empty when absent.
  std::string Header(std::string_view name) const {
    for (const auto& [key, value] : headers) {
      if (key == name) {
        return value;
      }
    }
    return "";
  }
};

inline std::string Answer(int status, std::string_view body = "", std::string_view headers = "") {
  return "HTTP/1.1 " + std::to_string(status) + " X\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n" + std::string(headers) + "\r\n" + std::string(body);
}

class LocalServer;

class Connection {
 public:
  Connection(LocalServer& server, int fd, SSL* ssl) : server_(server), fd_(fd), ssl_(ssl) {}
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // False at the end of the stream.
  bool ReadRequest(Request* request);
  // A line without its end, for protocols that are not HTTP.
  bool ReadLine(std::string* line) {
    size_t end = 0;
    while ((end = buffer_.find('\n')) == std::string::npos) {
      if (!Fill()) {
        return false;
      }
    }
    *line = buffer_.substr(0, end);
    buffer_.erase(0, end + 1);
    if (!line->empty() && line->back() == '\r') {
      line->pop_back();
    }
    return true;
  }
  bool Write(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t n = ssl_ != nullptr ? SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size()))
                                        : ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0) {
        return false;
      }
      bytes.remove_prefix(static_cast<size_t>(n));
    }
    return true;
  }
  // The close that follows sends RST.
  void ResetOnClose() {
    const linger hard{1, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
  }
  // Ends our half; the client may still send.
  void HalfClose() { ::shutdown(fd_, SHUT_WR); }
  // Says nothing until the server is destroyed.
  void Hang();
  // False when the server is being destroyed.
  bool Pause(std::chrono::milliseconds time);

 private:
  bool Fill() {
    char chunk[4096];
    const ssize_t n =
        ssl_ != nullptr ? SSL_read(ssl_, chunk, sizeof(chunk)) : ::recv(fd_, chunk, sizeof(chunk), 0);
    if (n <= 0) {
      return false;
    }
    buffer_.append(chunk, static_cast<size_t>(n));
    return true;
  }

  LocalServer& server_;
  int fd_;
  SSL* ssl_;
  std::string buffer_;
};

struct ServerTls {
  std::string cert_file;
  std::string key_file;
  // When set, clients must show a certificate of this CA.
  std::string client_ca_file;
};

class LocalServer {
 public:
  using Script = std::function<void(Connection&)>;
  using Handler = std::function<std::string(const Request&)>;

  explicit LocalServer(Script script, const ServerTls& tls = {}) : script_(std::move(script)) {
    if (!tls.cert_file.empty()) {
      ssl_ctx_ = SSL_CTX_new(TLS_server_method());
      SSL_CTX_use_certificate_chain_file(ssl_ctx_, tls.cert_file.c_str());
      SSL_CTX_use_PrivateKey_file(ssl_ctx_, tls.key_file.c_str(), SSL_FILETYPE_PEM);
      if (!tls.client_ca_file.empty()) {
        SSL_CTX_load_verify_locations(ssl_ctx_, tls.client_ca_file.c_str(), nullptr);
        SSL_CTX_set_verify(ssl_ctx_, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
      }
    }
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
        ::listen(listener_, 128) != 0 ||
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
      std::abort();
    }
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread([this] { Accept(); });
  }

  ~LocalServer() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
      for (const int fd : open_) {
        ::shutdown(fd, SHUT_RDWR);
      }
    }
    changed_.notify_all();
    ::shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    for (std::thread& thread : threads_) {
      thread.join();
    }
    ::close(listener_);
    SSL_CTX_free(ssl_ctx_);
  }
  LocalServer(const LocalServer&) = delete;
  LocalServer& operator=(const LocalServer&) = delete;

  // Keep-alive, one answer per request.
  static Script Answering(Handler handler) {
    return [handler = std::move(handler)](Connection& connection) {
      Request request;
      while (connection.ReadRequest(&request) && connection.Write(handler(request))) {
      }
    };
  }

  int port() const { return port_; }
  std::string Url(std::string_view path, std::string_view host = "127.0.0.1",
                  std::string_view scheme = "http") const {
    return std::string(scheme) + "://" + std::string(host) + ":" + std::to_string(port_) + std::string(path);
  }

  std::vector<Request> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }
  size_t connections() const {
    const std::lock_guard lock(mutex_);
    return connections_;
  }
  // False after ten seconds, which no healthy run needs.
  bool WaitForRequests(size_t count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(10), [&] { return requests_.size() >= count; });
  }

 private:
  friend class Connection;

  static void BlockSigpipe() {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
  }

  void Accept() {
    BlockSigpipe();
    for (;;) {
      const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0) {
        return;
      }
      const int on = 1;
      ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
      const std::lock_guard lock(mutex_);
      if (stopping_) {
        ::close(fd);
        return;
      }
      ++connections_;
      open_.push_back(fd);
      threads_.emplace_back([this, fd] { Serve(fd); });
    }
  }

  void Serve(int fd) {
    SSL* ssl = nullptr;
    bool ready = true;
    if (ssl_ctx_ != nullptr) {
      ssl = SSL_new(ssl_ctx_);
      SSL_set_fd(ssl, fd);
      ready = SSL_accept(ssl) == 1;
    }
    if (ready) {
      Connection connection(*this, fd, ssl);
      script_(connection);
    }
    SSL_free(ssl);
    const std::lock_guard lock(mutex_);
    open_.remove(fd);
    ::close(fd);
  }

  Script script_;
  SSL_CTX* ssl_ctx_ = nullptr;
  int listener_ = -1;
  int port_ = 0;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  std::list<int> open_;
  size_t connections_ = 0;
  std::vector<Request> requests_;
  std::thread acceptor_;
  std::list<std::thread> threads_;
};

inline bool Connection::ReadRequest(Request* request) {
  size_t end = 0;
  while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
    if (!Fill()) {
      return false;
    }
  }
  *request = {};
  const std::string head = buffer_.substr(0, end + 2);
  buffer_.erase(0, end + 4);
  const size_t first_end = head.find("\r\n");
  const size_t space = head.find(' ');
  request->method = head.substr(0, space);
  request->target = head.substr(space + 1, head.find(' ', space + 1) - space - 1);
  for (size_t at = first_end + 2; at < head.size();) {
    const size_t line_end = head.find("\r\n", at);
    const size_t colon = head.find(':', at);
    std::string name = head.substr(at, colon - at);
    for (char& c : name) {
      c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
    const size_t value = std::min(head.find_first_not_of(' ', colon + 1), line_end);
    request->headers.emplace_back(name, head.substr(value, line_end - value));
    at = line_end + 2;
  }
  const std::string length = request->Header("content-length");
  const size_t body_size = length.empty() ? 0 : static_cast<size_t>(std::atol(length.c_str()));
  while (buffer_.size() < body_size) {
    if (!Fill()) {
      return false;
    }
  }
  request->body = buffer_.substr(0, body_size);
  buffer_.erase(0, body_size);
  {
    const std::lock_guard lock(server_.mutex_);
    server_.requests_.push_back(*request);
  }
  server_.changed_.notify_all();
  return true;
}

inline void Connection::Hang() {
  std::unique_lock lock(server_.mutex_);
  server_.changed_.wait(lock, [&] { return server_.stopping_; });
}

inline bool Connection::Pause(std::chrono::milliseconds time) {
  std::unique_lock lock(server_.mutex_);
  return !server_.changed_.wait_for(lock, time, [&] { return server_.stopping_; });
}

}  // namespace mlalert::testing
