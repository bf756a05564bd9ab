// Values that receivers hand out for a while and that cost a call to get: WeChat's access tokens, AWS session
// credentials, numbers that have got their SMS. Keys are digests of what the value depends on, so that a
// changed secret finds nothing. Owned by: Deliverer, one for each kind of value, given to the builders by
// ReceiverContext; the judges of calls under way hold it too. Thread: any. Limits: kExpiringCacheMax entries.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "base/time.h"

namespace mlalert {

// Far more receivers than anybody has: beyond it everything is fetched anew once.
inline constexpr size_t kExpiringCacheMax = 1024;

template <class Value>
class ExpiringCache {
 public:
  // A value that is still good at `now`.
  std::optional<Value> Find(const std::string& key, Timestamp now) const {
    std::lock_guard lock(mutex_);
    auto it = entries_.find(key);
    if (it == entries_.end() || it->second.expires <= now) {
      return std::nullopt;
    }
    return it->second.value;
  }
  void Put(const std::string& key, Value value, Timestamp expires) {
    std::lock_guard lock(mutex_);
    if (entries_.size() >= kExpiringCacheMax && !entries_.contains(key)) {
      entries_.clear();
    }
    entries_.insert_or_assign(key, Entry{std::move(value), expires});
  }
  // The receiver does not take the value any more. A newer one, fetched meanwhile by another call, stays.
  void Drop(const std::string& key, const Value& value) {
    std::lock_guard lock(mutex_);
    auto it = entries_.find(key);
    if (it != entries_.end() && it->second.value == value) {
      entries_.erase(it);
    }
  }

 private:
  struct Entry {
    Value value;
    Timestamp expires;
  };
  mutable std::mutex mutex_;
  std::map<std::string, Entry> entries_;
};

// Keys that open a session at AWS. Without a token: long-lived ones.
struct AwsCredentials {
  std::string access_key, secret_key, session_token;

  friend bool operator==(const AwsCredentials&, const AwsCredentials&) = default;
};

struct ReceiverCaches {
  ExpiringCache<std::string> wechat_tokens;
  ExpiringCache<AwsCredentials> aws_sessions;
  ExpiringCache<bool> told_numbers;  // by notification, between its attempts
};
using ReceiverCachesPtr = std::shared_ptr<ReceiverCaches>;

}  // namespace mlalert
