#include "cli/web_options.h"

#include <algorithm>
#include <arpa/inet.h>
#include <charconv>
#include <cstdlib>
#include <fmt/format.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <random>
#include <thread>
#include <unistd.h>

namespace mlalert {
namespace {

std::string Join(const std::string& host, int port) {
  return host.find(':') != std::string::npos ? fmt::format("[{}]:{}", host, port)
                                             : fmt::format("{}:{}", host, port);
}

// As upstream: without a flag the name of the machine, for a link must work from elsewhere.
Result<std::string> ExternalUrl(const ServeOptions& options, int port) {
  std::string url = options.external_url;
  if (url.empty()) {
    char name[256] = "localhost";
    gethostname(name, sizeof(name) - 1);
    url = fmt::format("http://{}:{}", name, port);
  }
  const size_t colon = url.find(':');
  const std::string scheme = colon != std::string::npos ? url.substr(0, colon) : "";
  if ((scheme != "http" && scheme != "https") || url.substr(colon).size() <= 3 ||
      url.compare(colon, 3, "://") != 0) {
    return Fail(
        ErrorCode::kInvalid,
        fmt::format("failed to determine external URL: {}: invalid {} scheme, only 'http' and 'https' "
                    "are supported",
                    GoQuote(url), GoQuote(scheme)));
  }
  while (url.ends_with('/')) {
    url.pop_back();
  }
  return url;
}

std::string PathOf(const std::string& url) {
  const size_t slash = url.find('/', url.find("://") + 3);
  return slash == std::string::npos ? "" : url.substr(slash, url.find_first_of("?#", slash) - slash);
}

// What systemd hands over (sd_listen_fds).
Result<std::vector<int>> InheritedSockets() {
  constexpr int kFirst = 3;
  const char* pid = std::getenv("LISTEN_PID");
  const char* count = std::getenv("LISTEN_FDS");
  std::vector<int> out;
  if (pid != nullptr && count != nullptr && std::atoi(pid) == getpid()) {
    for (int i = 0; i < std::atoi(count); ++i) {
      out.push_back(kFirst + i);
    }
  }
  if (out.empty()) {
    return Fail(ErrorCode::kInvalid, "no socket activation file descriptors found");
  }
  return out;
}

// Of an interface, a private one first; that is what upstream advertises for 0.0.0.0.
std::string OwnAddress() {
  std::string found = "127.0.0.1";
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) {
    return found;
  }
  for (const ifaddrs* at = list; at != nullptr; at = at->ifa_next) {
    if (at->ifa_addr == nullptr || at->ifa_addr->sa_family != AF_INET) {
      continue;
    }
    const in_addr address = reinterpret_cast<const sockaddr_in*>(at->ifa_addr)->sin_addr;
    if ((ntohl(address.s_addr) >> 24) != 127) {
      char text[INET_ADDRSTRLEN] = "";
      inet_ntop(AF_INET, &address, text, sizeof text);
      found = text;
      break;
    }
  }
  freeifaddrs(list);
  return found;
}

// As Alertmanager's names: 26 characters of Crockford's base 32 (a ULID).
std::string RandomName() {
  static constexpr char kDigits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  std::random_device random;
  std::string out = "0";
  while (out.size() < 26) {
    out += kDigits[random() % 32];
  }
  return out;
}

Result<ClusterView> ReadCluster(const ClusterOptions& options) {
  ClusterView out;
  if (options.listen_address.empty()) {
    return out;
  }
  const std::string& shown =
      options.advertise_address.empty() ? options.listen_address : options.advertise_address;
  std::string host;
  int port = 0;
  MLALERT_TRY(SplitListenAddress(shown, host, port));
  if (host.empty() || host == "0.0.0.0" || host == "::") {
    host = OwnAddress();
  }
  out.enabled = true;
  out.name = options.peer_name.empty() ? RandomName() : options.peer_name;
  out.address = Join(host, port);
  return out;
}

}  // namespace

std::string WebOptions::AddressOf(size_t i, int port) const {
  std::string host = i == 0                            ? http.host
                     : i <= http.more_addresses.size() ? http.more_addresses[i - 1].first
                                                       : "";
  return Join(host.empty() || !http.listening_fds.empty() ? "::" : host, port);
}

Result<WebOptions> ReadWebOptions(const ServeOptions& options) {
  WebOptions out;
  if (options.systemd_socket) {
    MLALERT_ASSIGN(out.http.listening_fds, InheritedSockets());
  }
  std::vector<std::pair<std::string, int>> addresses;
  for (const std::string& text : options.listen_addresses) {
    auto& [host, port] = addresses.emplace_back();
    MLALERT_TRY(SplitListenAddress(text, host, port));
  }
  if (addresses.empty()) {
    return Fail(ErrorCode::kInvalid, "no web listen address or systemd socket flag specified");
  }
  std::tie(out.http.host, out.http.port) = addresses.front();
  out.http.more_addresses.assign(addresses.begin() + 1, addresses.end());
  MLALERT_ASSIGN(out.external_url, ExternalUrl(options, addresses.front().second));
  out.http.route_prefix = options.route_prefix.empty() ? PathOf(out.external_url) : options.route_prefix;
  while (out.http.route_prefix.ends_with('/')) {
    out.http.route_prefix.pop_back();
  }
  if (!out.http.route_prefix.empty() && !out.http.route_prefix.starts_with('/')) {
    out.http.route_prefix.insert(0, "/");
  }
  out.http.workers = options.http_workers;
  out.http.get_concurrency = options.get_concurrency > 0
                                 ? options.get_concurrency
                                 : std::max(8, static_cast<int>(std::thread::hardware_concurrency()));
  out.http.timeout = options.web_timeout;
  MLALERT_ASSIGN(out.cluster, ReadCluster(options.cluster));
  return out;
}

Status SplitListenAddress(const std::string& address, std::string& host, int& port) {
  size_t colon = address.rfind(':');
  std::string_view digits = colon == std::string::npos ? "" : std::string_view(address).substr(colon + 1);
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (digits.empty() || error != std::errc() || end != digits.data() + digits.size() || port < 0 ||
      port > 65535) {
    return Fail(Error{ErrorCode::kInvalid,
                      fmt::format("listen address \"{}\" has no port", address),
                      {},
                      "use host:port, e.g. 127.0.0.1:9093 or :9093 for all addresses"});
  }
  host = address.substr(0, colon);
  if (host.size() >= 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  }
  return {};
}

}  // namespace mlalert
