#include "net/curl_api.h"

#include <dlfcn.h>

namespace mlalert {

namespace {

constexpr const char* kLibrary = "libcurl.so.4";

struct Loaded {
  CurlApi api{};
  std::string problem;  // empty: loaded
};

const char* LastProblem() {
  const char* problem = ::dlerror();
  return problem == nullptr ? "unknown error" : problem;
}

Loaded Load() {
  Loaded out;
  void* const library = ::dlopen(kLibrary, RTLD_LAZY | RTLD_LOCAL);
  if (library == nullptr) {
    out.problem = std::string("libcurl cannot be loaded: ") + LastProblem();
    return out;
  }
  const auto find = [&](auto& function, const char* name) {
    function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(::dlsym(library, name));
    if (function == nullptr && out.problem.empty()) {
      out.problem = std::string("libcurl is too old: ") + LastProblem();
    }
  };
  CurlApi& api = out.api;
  find(api.easy_init, "curl_easy_init");
  find(api.easy_cleanup, "curl_easy_cleanup");
  find(api.easy_reset, "curl_easy_reset");
  find(api.easy_setopt, "curl_easy_setopt");
  find(api.easy_getinfo, "curl_easy_getinfo");
  find(api.easy_strerror, "curl_easy_strerror");
  find(api.easy_send, "curl_easy_send");
  find(api.easy_recv, "curl_easy_recv");
  find(api.multi_init, "curl_multi_init");
  find(api.multi_cleanup, "curl_multi_cleanup");
  find(api.multi_setopt, "curl_multi_setopt");
  find(api.multi_add_handle, "curl_multi_add_handle");
  find(api.multi_remove_handle, "curl_multi_remove_handle");
  find(api.multi_perform, "curl_multi_perform");
  find(api.multi_info_read, "curl_multi_info_read");
  find(api.multi_poll, "curl_multi_poll");
  find(api.slist_append, "curl_slist_append");
  find(api.slist_free_all, "curl_slist_free_all");
  find(api.url, "curl_url");
  find(api.url_cleanup, "curl_url_cleanup");
  find(api.url_set, "curl_url_set");
  find(api.url_get, "curl_url_get");
  find(api.free, "curl_free");
  decltype(&curl_global_init) global_init = nullptr;
  find(global_init, "curl_global_init");
  if (out.problem.empty() && global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
    out.problem = "libcurl could not be started";
  }
  return out;
}

const Loaded& Library() {
  static const Loaded loaded = Load();
  return loaded;
}

}  // namespace

bool LoadCurl(std::string* why) {
  const Loaded& library = Library();
  if (why != nullptr) {
    *why = library.problem;
  }
  return library.problem.empty();
}

const CurlApi& Curl() {
  return Library().api;
}

}  // namespace mlalert
