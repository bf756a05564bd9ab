// Owners of libcurl's handles and lists, and a setter that does not lose errors.
// Used by: net/http_transfer, net/http_transport. Private to net/. Thread: the transport's only.
#pragma once

#include <curl/curl.h>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/http_client_config.h"
#include "net/curl_api.h"
#include "net/transport.h"
#include "net/url.h"

namespace mlalert {

inline constexpr long kIdleConnectionsMax = 256;

struct CurlEasyDeleter {
  void operator()(CURL* easy) const { Curl().easy_cleanup(easy); }
};
struct CurlMultiDeleter {
  void operator()(CURLM* multi) const { Curl().multi_cleanup(multi); }
};
struct CurlListDeleter {
  void operator()(curl_slist* list) const { Curl().slist_free_all(list); }
};
using CurlEasy = std::unique_ptr<CURL, CurlEasyDeleter>;
using CurlMulti = std::unique_ptr<CURLM, CurlMultiDeleter>;

// Easy handles for the next calls, and the multi that drives them. Nothing is there before the first one is
// asked for: until then libcurl is not even loaded.
class CurlHandles {
 public:
  // Null: `why` says that libcurl cannot be had, or that memory is short.
  CurlEasy Take(std::string& why);
  // Also takes the credentials and the pointers into a transfer out of the handle.
  void GiveBack(CurlEasy easy);
  // Null before the first Take().
  CURLM* multi() const { return multi_.get(); }

 private:
  CurlMulti multi_;
  std::vector<CurlEasy> spare_;
};

// Strings handed to libcurl as a list, which it does not copy.
class CurlList {
 public:
  void Add(const std::string& line) {
    // Null means out of memory; the old list is then still whole.
    if (curl_slist* longer = Curl().slist_append(list_.get(), line.c_str())) {
      static_cast<void>(list_.release());
      list_.reset(longer);
    }
  }
  curl_slist* get() const { return list_.get(); }

 private:
  std::unique_ptr<curl_slist, CurlListDeleter> list_;
};

// Sets options until one fails; that one's code stays.
class CurlOptions {
 public:
  explicit CurlOptions(CURL* easy) : easy_(easy) {}

  template <class T>
  void Set(CURLoption option, T value) {
    static_assert(std::is_same_v<T, long> || std::is_same_v<T, curl_off_t> || std::is_pointer_v<T>,
                  "libcurl reads its variadic argument by exact type");
    if (code_ == CURLE_OK) {
      code_ = Curl().easy_setopt(easy_, option, value);
    }
  }
  void SetString(CURLoption option, const std::string& value) { Set(option, value.c_str()); }
  // libcurl makes its own copy.
  void SetBlob(CURLoption option, std::string_view bytes) {
    curl_blob blob{};
    blob.data = const_cast<char*>(bytes.data());
    blob.len = bytes.size();
    blob.flags = CURL_BLOB_COPY;
    Set(option, &blob);
  }
  CURLcode code() const { return code_; }

 private:
  CURL* easy_;
  CURLcode code_ = CURLE_OK;
};

// What a CURLcode means for the caller. `text` says it without the URL; for TLS it is libcurl's own wording,
// which names hosts and certificates only.
struct CurlFailure {
  Failure failure = Failure::kOther;
  std::string text;
};
CurlFailure ExplainCurlFailure(CURL* easy, CURLcode code, std::string_view tls_text, const Url& target,
                               bool proxied, Duration timeout);

// Deadline and socket settings that every kind of transfer has; `left` is at least a millisecond to libcurl.
void ApplySocketOptions(CurlOptions& options, Duration left);
// Applies TLS settings for the target and for an https proxy. Reads files.
Status ApplyTls(CurlOptions& options, const TlsConfig& tls);
// Applies proxy settings for one target and tells whether a proxy is used. `connect_headers` must outlive the
// transfer.
Result<bool> ApplyProxy(CurlOptions& options, const ProxyConfig& proxy, const Url& target,
                        CurlList& connect_headers);

}  // namespace mlalert
