#include "rules/curl_command.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace mlalert {

namespace {

std::string Quote(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') {
      out += "'\\''";
    } else {
      out += c;
    }
  }
  return out + "'";
}

std::string Lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; });
  return out;
}

// vmalert masks by the same words.
bool MayBeSecret(std::string_view name) {
  static constexpr std::array<std::string_view, 6> kWords{"auth", "pass", "key", "secret", "token", "cookie"};
  const std::string lower = Lower(name);
  return std::any_of(kWords.begin(), kWords.end(),
                     [&](std::string_view word) { return lower.find(word) != std::string::npos; });
}

// a=b&token=c becomes a=b&token=<secret>.
std::string MaskForm(std::string_view form) {
  std::string out;
  while (!form.empty()) {
    const size_t end = std::min(form.find('&'), form.size());
    const std::string_view field = form.substr(0, end);
    const size_t equal = std::min(field.find('='), field.size());
    out += MayBeSecret(field.substr(0, equal)) && equal < field.size()
               ? std::string(field.substr(0, equal)) + "=<secret>"
               : std::string(field);
    if (end < form.size()) {
      out += '&';
    }
    form.remove_prefix(std::min(end + 1, form.size()));
  }
  return out;
}

std::string MaskUrl(std::string_view url) {
  const size_t mark = url.find('?');
  return mark == std::string_view::npos
             ? std::string(url)
             : std::string(url.substr(0, mark + 1)) + MaskForm(url.substr(mark + 1));
}

std::string Client(const HttpClientConfig& http) {
  std::string out;
  if (http.basic_auth) {
    out += " -u '<secret>'";
  }
  if (http.authorization || http.oauth2) {
    out += " -H 'Authorization: <secret>'";
  }
  for (const HttpHeaderConfig& header : http.http_headers) {
    for (const std::string& value : header.values) {
      out += " -H " + Quote(header.name + ": " + (MayBeSecret(header.name) ? "<secret>" : value));
    }
    if (!header.secrets.empty() || !header.files.empty()) {
      out += " -H " + Quote(header.name + ": <secret>");
    }
  }
  if (http.tls.insecure_skip_verify) {
    out += " -k";
  }
  if (!http.tls.ca_file.empty()) {
    out += " --cacert " + Quote(http.tls.ca_file);
  }
  if (!http.tls.cert_file.empty()) {
    out += " --cert " + Quote(http.tls.cert_file);
  }
  if (!http.tls.key_file.empty()) {
    out += " --key " + Quote(http.tls.key_file);
  }
  return out;
}

}  // namespace

std::string CurlCommand(const HttpCall& call) {
  std::string out = "curl";
  for (const auto& [name, value] : call.headers) {
    // What curl says by itself.
    if (Lower(name) != "content-type") {
      out += " -H " + Quote(name + ": " + (MayBeSecret(name) ? "<secret>" : value));
    }
  }
  if (call.options) {
    out += Client(*call.options);
  }
  if (!call.body.empty()) {
    out += " -d " + Quote(MaskForm(call.body));
  }
  return out + " " + Quote(MaskUrl(call.url));
}

}  // namespace mlalert
