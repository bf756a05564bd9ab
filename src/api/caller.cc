#include "api/caller.h"

#include <arpa/inet.h>
#include <array>
#include <fmt/format.h>

namespace mlalert {
namespace {

constexpr size_t kAddressBytesMax = 45;  // of IPv6 with an IPv4 part, the longest there is

bool IsAddress(std::string_view text) {
  if (text.size() > kAddressBytesMax ||
      text.find_first_not_of("0123456789abcdefABCDEF.:") != std::string_view::npos) {
    return false;
  }
  const std::string terminated(text);
  std::array<unsigned char, sizeof(in6_addr)> binary{};
  return inet_pton(AF_INET, terminated.c_str(), binary.data()) == 1 ||
         inet_pton(AF_INET6, terminated.c_str(), binary.data()) == 1;
}

// The last one in the last header of that name: proxies append.
std::string_view LastForwardedFor(const HttpRequest& request) {
  std::string_view out;
  for (const HttpField& header : request.headers) {
    if (EqualsIgnoreCase(header.name, "X-Forwarded-For")) {
      out = header.value;
    }
  }
  const size_t comma = out.rfind(',');
  out.remove_prefix(comma == std::string_view::npos ? 0 : comma + 1);
  const size_t begin = out.find_first_not_of(" \t");
  if (begin == std::string_view::npos) {
    return {};
  }
  return out.substr(begin, out.find_last_not_of(" \t") - begin + 1);
}

}  // namespace

std::string CallerName(const HttpRequest& request, std::string_view said) {
  if (request.user.empty() || said == request.user) {
    return std::string(said);
  }
  return said.find_first_not_of(" \t\n") == std::string_view::npos
             ? request.user
             : fmt::format("{} ({})", said, request.user);
}

std::string CallerAddress(const HttpRequest& request) {
  const std::string_view behind = LastForwardedFor(request);
  return IsAddress(behind) ? fmt::format("{} (for {})", request.remote_addr, behind) : request.remote_addr;
}

}  // namespace mlalert
