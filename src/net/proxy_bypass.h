// no_proxy by the rules Prometheus uses (Go's httpproxy), which differ from libcurl's in ports and leading
// dots. Used by: net/http_transfer for every hop. Pure.
#pragma once

#include <cstdint>
#include <string_view>

namespace mlalert {

// Whether a call to `host` must not use the proxy. With an empty list everything uses it; with any list
// loopback destinations never do. Entries that cannot be understood match nothing.
bool BypassesProxy(std::string_view no_proxy, std::string_view host, uint16_t port);

}  // namespace mlalert
