// Who sent a request, and from where: what the record of an action says about it.
// Used by: the doors through which people act. Thread: pure functions of one request.
#pragma once

#include <string>
#include <string_view>

#include "api/http_types.h"

namespace mlalert {

// Who acts, when the body says `said`. With users and passwords a name of the body is only hearsay:
// "bob (alice)" is bob as said by alice, who logged in; without a name in the body it is alice. Without
// users it is what the body says.
std::string CallerName(const HttpRequest& request, std::string_view said);

// The peer of the connection, "127.0.0.1"; behind a proxy "127.0.0.1 (for 203.0.113.9)", by the last entry of
// X-Forwarded-For, which is the proxy's own. What is no address there is not looked at: anybody may send the
// header.
std::string CallerAddress(const HttpRequest& request);

}  // namespace mlalert
