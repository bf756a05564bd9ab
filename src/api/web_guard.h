// Keeps the door of our HTTP server by the file of --web.config.file: basic authentication, headers, rate
// limit, and the TLS context of new connections. The file and the certificates that it names are looked at
// again whenever they change on disk, so that users and certificates are rotated without restart or reload.
// Fed by: the server's `before` hook with every request, and its `tls` hook with every connection.
// Owns: the config in force, the memory of verified passwords. Thread: any worker.
#pragma once

#include <atomic>
#include <chrono>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "api/http_types.h"
#include "api/tls_context.h"
#include "base/result.h"
#include "config/web_config.h"

namespace mlalert {

struct WebGuardStats {
  uint64_t logins_failed = 0;   // requests answered with 401
  uint64_t logins_refused = 0;  // answered with 503: too many unknown passwords at once
  uint64_t rate_limited = 0;    // answered with 429
  bool config_good = true;      // the file and its certificates could be read the last time
};

// What bcrypt said of a password, remembered: it takes tens of milliseconds by design. A good answer and a
// bad one are remembered alike, and an unknown user costs what a known one does. Thread: any.
class PasswordCheck {
 public:
  PasswordCheck();

  // kBusy: too many passwords that were never seen are being checked; try again later.
  enum class Verdict : uint8_t { kGood, kBad, kBusy };
  Verdict Verify(const std::string& user, const std::string& password, const std::string* hash);

 private:
  std::string KeyOf(const std::string& user, const std::string& password, const std::string& hash) const;
  void Remember(const std::string& key, bool good);

  const std::string secret_;  // of this process: the memory must not be a table of passwords
  std::mutex cache_mutex_;
  std::unordered_map<std::string, bool> cache_;  // guarded by cache_mutex_
  std::list<std::string> oldest_first_;          // guarded by cache_mutex_
  std::mutex bcrypt_mutex_;                      // one at a time, as upstream
  std::atomic<int> waiting_{0};
};

class WebGuard {
 public:
  // Errors: what is wrong with the file or its certificates.
  static Result<std::unique_ptr<WebGuard>> Open(const std::string& path);
  ~WebGuard();

  // As of Open: turning TLS on or off takes a restart.
  bool has_tls() const { return has_tls_; }
  bool http2_wanted() const { return http2_wanted_; }

  // Sets the configured headers. True when it has answered: 401, 429, 500, 503. Of the doors that check a
  // signature (links, Slack, PagerDuty, Twilio) it asks no password: their senders have none. Notes in the
  // request who logged in.
  bool Before(HttpRequest& request, HttpResponse& response);
  // For a new connection; only with has_tls(). Certificates that cannot be read leave the last good ones.
  std::shared_ptr<const TlsContext> Tls();
  WebGuardStats Stats() const;

 private:
  struct State;
  using StatePtr = std::shared_ptr<const State>;

  explicit WebGuard(std::string path) : path_(std::move(path)) {}
  StatePtr Load(const State* last) const;
  StatePtr Current();
  bool TakeToken(const WebConfig& config);
  bool Login(const WebConfig& config, HttpRequest& request, HttpResponse& response);

  const std::string path_;
  bool has_tls_ = false;
  bool http2_wanted_ = false;

  mutable std::mutex state_mutex_;
  StatePtr state_;  // guarded by state_mutex_

  std::mutex rate_mutex_;
  double tokens_ = -1;                               // guarded by rate_mutex_; below 0: not used yet
  std::chrono::steady_clock::time_point tokens_at_;  // guarded by rate_mutex_

  PasswordCheck passwords_;
  std::atomic<uint64_t> logins_failed_{0};
  std::atomic<uint64_t> logins_refused_{0};
  std::atomic<uint64_t> rate_limited_{0};
};

}  // namespace mlalert
