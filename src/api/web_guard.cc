#include "api/web_guard.h"

#include <algorithm>
#include <array>
#include <crypt.h>
#include <cstring>
#include <openssl/rand.h>
#include <optional>
#include <sys/stat.h>
#include <utility>

#include "api/http_error.h"
#include "base/hash.h"
#include "base/log.h"

namespace mlalert {
namespace {

// bcrypt of "fakepassword" at the usual cost: what an unknown user is compared with.
constexpr const char* kNobody = "$2y$10$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi";
constexpr size_t kRememberedMax = 1000;
// Of the workers only so many may be busy with bcrypt or wait for it: somebody who tries passwords must not
// stop everybody else.
constexpr int kWaitingMax = 4;
// A file that was written this shortly before it was read may have been written again without a trace.
constexpr auto kRacy = std::chrono::milliseconds(100);

struct FileStamp {
  std::string path;
  std::array<int64_t, 5> marks{};  // inode, size, mtime, ctime

  friend bool operator==(const FileStamp&, const FileStamp&) = default;
};

FileStamp StampOf(std::string path) {
  FileStamp stamp{std::move(path), {}};
  struct stat info {};
  if (::stat(stamp.path.c_str(), &info) == 0) {
    constexpr int64_t kSecond = 1'000'000'000;
    stamp.marks = {static_cast<int64_t>(info.st_ino), static_cast<int64_t>(info.st_size),
                   info.st_mtim.tv_sec * kSecond + info.st_mtim.tv_nsec,
                   info.st_ctim.tv_sec * kSecond + info.st_ctim.tv_nsec, 1};
  }
  return stamp;
}

std::string RandomText() {
  std::string out(32, '\0');
  RAND_bytes(reinterpret_cast<unsigned char*>(out.data()), static_cast<int>(out.size()));
  return out;
}

bool BcryptEquals(const std::string& password, const std::string& hash) {
  if (password.find('\0') != std::string::npos) {
    return false;  // crypt() would stop there and take the rest for right
  }
  auto data = std::make_unique<crypt_data>();
  std::memset(data.get(), 0, sizeof *data);
  const char* result = ::crypt_r(password.c_str(), hash.c_str(), data.get());
  return result != nullptr && result[0] == '$' && ConstantTimeEquals(result, hash);
}

std::optional<std::string> DecodeBase64(std::string_view text) {
  if (text.empty() || text.size() % 4 != 0) {
    return text.empty() ? std::optional(std::string()) : std::nullopt;
  }
  static constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const size_t padding = text.ends_with("==") ? 2 : text.ends_with("=") ? 1 : 0;
  text.remove_suffix(padding);
  std::string out;
  uint32_t bits = 0;
  int count = 0;
  for (char c : text) {
    const size_t value = kAlphabet.find(c);
    if (value == std::string_view::npos) {
      return std::nullopt;
    }
    bits = (bits << 6) | static_cast<uint32_t>(value);
    count += 6;
    if (count >= 8) {
      count -= 8;
      out += static_cast<char>(bits >> count & 0xFF);
    }
  }
  return out;
}

struct Credentials {
  std::string user;
  std::string password;
};

// As Go's Request.BasicAuth.
std::optional<Credentials> CredentialsOf(const HttpRequest& request) {
  std::string_view header = request.Header("Authorization");
  constexpr std::string_view kScheme = "Basic ";
  if (header.size() < kScheme.size() || !EqualsIgnoreCase(header.substr(0, kScheme.size()), kScheme)) {
    return std::nullopt;
  }
  auto plain = DecodeBase64(header.substr(kScheme.size()));
  const size_t colon = plain ? plain->find(':') : std::string::npos;
  if (colon == std::string::npos) {
    return std::nullopt;
  }
  return Credentials{plain->substr(0, colon), plain->substr(colon + 1)};
}

}  // namespace

// --- passwords ---

PasswordCheck::PasswordCheck() : secret_(RandomText()) {}

std::string PasswordCheck::KeyOf(const std::string& user, const std::string& password,
                                 const std::string& hash) const {
  std::string text;
  for (const std::string* part : {&user, &password, &hash}) {
    text.append(std::to_string(part->size())).append(":").append(*part);
  }
  return HmacSha256Hex(secret_, text);
}

void PasswordCheck::Remember(const std::string& key, bool good) {
  std::lock_guard<std::mutex> lock(cache_mutex_);
  if (!cache_.emplace(key, good).second) {
    return;
  }
  oldest_first_.push_back(key);
  if (oldest_first_.size() > kRememberedMax) {
    cache_.erase(oldest_first_.front());
    oldest_first_.pop_front();
  }
}

PasswordCheck::Verdict PasswordCheck::Verify(const std::string& user, const std::string& password,
                                             const std::string* hash) {
  const std::string against = hash != nullptr ? *hash : kNobody;
  const std::string key = KeyOf(user, password, against);
  auto known = [&]() -> std::optional<bool> {
    std::lock_guard<std::mutex> lock(cache_mutex_);
    auto it = cache_.find(key);
    return it != cache_.end() ? std::optional(it->second) : std::nullopt;
  };
  std::optional<bool> good = known();
  if (!good) {
    if (waiting_.fetch_add(1) >= kWaitingMax) {
      waiting_.fetch_sub(1);
      return Verdict::kBusy;
    }
    {
      std::lock_guard<std::mutex> one_at_a_time(bcrypt_mutex_);
      good = known();  // a browser asks several times at once
      if (!good) {
        good = BcryptEquals(password, against) && hash != nullptr;
        Remember(key, *good);
      }
    }
    waiting_.fetch_sub(1);
  }
  return *good && hash != nullptr ? Verdict::kGood : Verdict::kBad;
}

// --- the file ---

struct WebGuard::State {
  WebConfig config;
  std::string problem;      // of the file; then the rest is the last good one
  std::string tls_problem;  // of certificates; then `tls` is the last good one
  std::shared_ptr<const TlsContext> tls;
  std::vector<FileStamp> stamps;
  Timestamp read_at = kUnset;

  bool IsFresh() const {
    for (const FileStamp& stamp : stamps) {
      const Timestamp written{Duration(std::max(stamp.marks[2], stamp.marks[3]))};
      if (!(StampOf(stamp.path) == stamp) || (stamp.marks[4] != 0 && read_at - written < kRacy)) {
        return false;
      }
    }
    return true;
  }
};

WebGuard::~WebGuard() = default;

WebGuard::StatePtr WebGuard::Load(const State* last) const {
  auto state = std::make_shared<State>();
  state->read_at = SystemClock().Now();
  state->stamps.push_back(StampOf(path_));
  Diagnostics diagnostics = LoadWebConfigFile(path_, state->config);
  if (Status good = diagnostics.ToStatus(); !good) {
    state->problem = good.error().ToString();
    if (last != nullptr) {
      state->config = last->config;
      state->tls = last->tls;
      state->tls_problem = last->tls_problem;
    }
    return state;
  }
  if (!state->config.tls) {
    state->tls = last != nullptr ? last->tls : nullptr;
    return state;
  }
  const WebTlsConfig& tls = *state->config.tls;
  for (const std::string& file : {tls.cert_file, tls.key_file, tls.client_ca_file}) {
    if (!file.empty()) {
      state->stamps.push_back(StampOf(file));
    }
  }
  auto context = TlsContext::Make(tls);
  if (context) {
    state->tls = std::move(*context);
  } else {
    state->tls_problem = context.error().ToString();
    state->tls = last != nullptr ? last->tls : nullptr;
  }
  return state;
}

Result<std::unique_ptr<WebGuard>> WebGuard::Open(const std::string& path) {
  std::unique_ptr<WebGuard> guard(new WebGuard(path));
  StatePtr state = guard->Load(nullptr);
  for (const std::string& problem : {state->problem, state->tls_problem}) {
    if (!problem.empty()) {
      return Fail(ErrorCode::kInvalid, problem);
    }
  }
  guard->has_tls_ = state->tls != nullptr;
  guard->http2_wanted_ = state->config.http2;
  guard->state_ = std::move(state);
  return guard;
}

WebGuard::StatePtr WebGuard::Current() {
  std::lock_guard<std::mutex> lock(state_mutex_);
  if (!state_->IsFresh()) {
    StatePtr next = Load(state_.get());
    for (const auto& [now, before, what] :
         {std::tuple(&next->problem, &state_->problem, "web.config.file cannot be read; requests get 500"),
          std::tuple(&next->tls_problem, &state_->tls_problem,
                     "certificates of web.config.file cannot be read; the last ones stay in use")}) {
      if (!now->empty() && *now != *before) {
        LogError(what, {{"err", *now}});
      }
    }
    state_ = std::move(next);
  }
  return state_;
}

// --- requests ---

bool WebGuard::TakeToken(const WebConfig& config) {
  if (config.rate_interval <= Duration::zero()) {
    return true;
  }
  std::lock_guard<std::mutex> lock(rate_mutex_);
  const auto now = std::chrono::steady_clock::now();
  const double full = config.rate_burst;
  const double gained = ToSeconds(now - tokens_at_) / ToSeconds(config.rate_interval);
  tokens_ = tokens_ < 0 ? full : std::min(full, tokens_ + gained);
  tokens_at_ = now;
  if (tokens_ < 1) {
    return false;
  }
  tokens_ -= 1;
  return true;
}

bool WebGuard::Login(const WebConfig& config, HttpRequest& request, HttpResponse& response) {
  if (auto credentials = CredentialsOf(request)) {
    auto user = config.users.find(credentials->user);
    const std::string* hash = user != config.users.end() ? &user->second.Reveal() : nullptr;
    switch (passwords_.Verify(credentials->user, credentials->password, hash)) {
      case PasswordCheck::Verdict::kGood:
        request.user = std::move(credentials->user);
        std::replace_if(
            request.user.begin(), request.user.end(),
            [](char c) { return static_cast<unsigned char>(c) < ' '; }, ' ');
        return true;
      case PasswordCheck::Verdict::kBad:
        break;
      case PasswordCheck::Verdict::kBusy:
        logins_refused_.fetch_add(1, std::memory_order_relaxed);
        SetErrorText(response, 503, "Too many logins at once, try again later");
        response.SetHeader("Retry-After", "1");
        return false;
    }
  }
  logins_failed_.fetch_add(1, std::memory_order_relaxed);
  SetErrorText(response, 401, "Unauthorized");
  response.SetHeader("WWW-Authenticate", "Basic");
  return false;
}

namespace {

// By the path as the router sees it: no escape may make another one of it.
bool ChecksSignature(const HttpRequest& request) {
  return request.raw_path.starts_with("/act/") || request.raw_path.starts_with("/api/mlalert/v1/hooks/");
}

}  // namespace

bool WebGuard::Before(HttpRequest& request, HttpResponse& response) {
  const StatePtr state = Current();
  if (!state->problem.empty()) {
    SetErrorText(response, 500, "Internal Server Error");
    return true;
  }
  if (!TakeToken(state->config)) {
    rate_limited_.fetch_add(1, std::memory_order_relaxed);
    SetErrorText(response, 429, "Too Many Requests");
    return true;
  }
  for (const auto& [name, value] : state->config.headers) {
    response.SetHeader(name, value);
  }
  return !state->config.users.empty() && !ChecksSignature(request) &&
         !Login(state->config, request, response);
}

std::shared_ptr<const TlsContext> WebGuard::Tls() {
  return Current()->tls;
}

WebGuardStats WebGuard::Stats() const {
  WebGuardStats out;
  out.logins_failed = logins_failed_.load(std::memory_order_relaxed);
  out.logins_refused = logins_refused_.load(std::memory_order_relaxed);
  out.rate_limited = rate_limited_.load(std::memory_order_relaxed);
  std::lock_guard<std::mutex> lock(state_mutex_);
  out.config_good = state_->problem.empty() && state_->tls_problem.empty();
  return out;
}

}  // namespace mlalert
