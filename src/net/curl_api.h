// libcurl, loaded when the first call needs it. It brings thirty libraries along (GnuTLS, Kerberos, LDAP,
// SSH), whose pages are more than half of an idle process; whoever asks a Prometheus over plain HTTP and is
// called by nobody never pays for them. Used by: net/ alone. Thread: any; loaded once, never unloaded.
#pragma once

#include <curl/curl.h>
#include <string>

namespace mlalert {

// The functions that are used, under libcurl's names.
struct CurlApi {
  decltype(&curl_easy_init) easy_init;
  decltype(&curl_easy_cleanup) easy_cleanup;
  decltype(&curl_easy_reset) easy_reset;
  decltype(&curl_easy_setopt) easy_setopt;
  decltype(&curl_easy_getinfo) easy_getinfo;
  decltype(&curl_easy_strerror) easy_strerror;
  decltype(&curl_easy_send) easy_send;
  decltype(&curl_easy_recv) easy_recv;
  decltype(&curl_multi_init) multi_init;
  decltype(&curl_multi_cleanup) multi_cleanup;
  decltype(&curl_multi_setopt) multi_setopt;
  decltype(&curl_multi_add_handle) multi_add_handle;
  decltype(&curl_multi_remove_handle) multi_remove_handle;
  decltype(&curl_multi_perform) multi_perform;
  decltype(&curl_multi_info_read) multi_info_read;
  decltype(&curl_multi_poll) multi_poll;
  decltype(&curl_slist_append) slist_append;
  decltype(&curl_slist_free_all) slist_free_all;
  decltype(&curl_url) url;
  decltype(&curl_url_cleanup) url_cleanup;
  decltype(&curl_url_set) url_set;
  decltype(&curl_url_get) url_get;
  decltype(&curl_free) free;
};

// Loads it at the first call. False: it cannot be had; `why` then says so in a sentence.
bool LoadCurl(std::string* why = nullptr);

// Only where LoadCurl() has been true: whoever holds one of libcurl's handles may call it.
const CurlApi& Curl();

}  // namespace mlalert
