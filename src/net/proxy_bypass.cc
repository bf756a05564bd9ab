#include "net/proxy_bypass.h"

#include <arpa/inet.h>
#include <array>
#include <charconv>
#include <cstring>
#include <optional>
#include <string>

namespace mlalert {

namespace {

// 16 bytes; IPv4 in its mapped form, so that one comparison serves both.
using Address = std::array<uint8_t, 16>;

struct ParsedAddress {
  Address bytes{};
  bool v4 = false;
};

std::optional<ParsedAddress> ParseAddress(const std::string& text) {
  ParsedAddress out;
  in_addr v4{};
  if (inet_pton(AF_INET, text.c_str(), &v4) == 1) {
    out.v4 = true;
    out.bytes[10] = out.bytes[11] = 0xff;
    std::memcpy(&out.bytes[12], &v4, 4);
    return out;
  }
  if (inet_pton(AF_INET6, text.c_str(), out.bytes.data()) == 1) {
    return out;
  }
  return std::nullopt;
}

bool SamePrefix(const Address& a, const Address& b, unsigned bits) {
  for (unsigned i = 0; i < bits; ++i) {
    const unsigned mask = 0x80U >> (i % 8);
    if ((a[i / 8] & mask) != (b[i / 8] & mask)) {
      return false;
    }
  }
  return true;
}

bool IsLoopback(const ParsedAddress& address) {
  if (address.v4) {
    return address.bytes[12] == 127;
  }
  Address one{};
  one[15] = 1;
  return address.bytes == one;
}

std::string Lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return out;
}

std::string_view Trim(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) {
    return {};
  }
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

bool MatchesCidr(const std::string& entry, size_t slash, const ParsedAddress& address) {
  const auto network = ParseAddress(entry.substr(0, slash));
  unsigned bits = 0;
  const char* const end = entry.data() + entry.size();
  const auto parsed = std::from_chars(entry.data() + slash + 1, end, bits);
  if (!network || parsed.ec != std::errc() || parsed.ptr != end || network->v4 != address.v4) {
    return false;
  }
  bits += network->v4 ? 96 : 0;
  return bits <= 128 && SamePrefix(network->bytes, address.bytes, bits);
}

// Cuts ":port" off; false when the entry names another port.
bool TakePort(std::string& entry, uint16_t port) {
  const size_t colon = entry.rfind(':');
  const bool bracketed = !entry.empty() && entry[0] == '[';
  // "::1" has colons but no port.
  if (colon != std::string::npos && (bracketed ? entry[colon - 1] == ']' : entry.find(':') == colon)) {
    if (entry.substr(colon + 1) != std::to_string(port)) {
      return false;
    }
    entry.resize(colon);
  }
  if (entry.size() >= 2 && entry.front() == '[' && entry.back() == ']') {
    entry = entry.substr(1, entry.size() - 2);
  }
  return true;
}

bool MatchesDomain(std::string_view entry, std::string_view host) {
  if (entry.substr(0, 2) == "*.") {
    entry.remove_prefix(1);
  }
  const bool subdomains_only = entry.front() == '.';
  const std::string_view domain = subdomains_only ? entry.substr(1) : entry;
  if (domain.empty()) {
    return false;
  }
  if (!subdomains_only && host == domain) {
    return true;
  }
  return host.size() > domain.size() && host.ends_with(domain) &&
         host[host.size() - domain.size() - 1] == '.';
}

}  // namespace

bool BypassesProxy(std::string_view no_proxy, std::string_view host_text, uint16_t port) {
  if (no_proxy.empty()) {
    return false;
  }
  std::string host = Lower(host_text);
  if (!host.empty() && host.back() == '.') {
    host.pop_back();
  }
  const auto address = ParseAddress(host);
  if (host == "localhost" || (address && IsLoopback(*address))) {
    return true;
  }
  while (!no_proxy.empty()) {
    const size_t comma = no_proxy.find(',');
    std::string entry = Lower(Trim(no_proxy.substr(0, comma)));
    no_proxy.remove_prefix(comma == std::string_view::npos ? no_proxy.size() : comma + 1);
    if (entry == "*") {
      return true;
    }
    const size_t slash = entry.find('/');
    if (slash != std::string::npos) {
      if (address && MatchesCidr(entry, slash, *address)) {
        return true;
      }
      continue;
    }
    if (!TakePort(entry, port) || entry.empty()) {
      continue;
    }
    if (address) {
      const auto other = ParseAddress(entry);
      if (other && other->bytes == address->bytes) {
        return true;
      }
    } else if (MatchesDomain(entry, host)) {
      return true;
    }
  }
  return false;
}

}  // namespace mlalert
