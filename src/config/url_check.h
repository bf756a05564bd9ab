// What a config file may hold as a URL, by the rules of Go's net/url, so that what Alertmanager accepts or
// refuses is accepted or refused here. net/url.h, which takes URLs apart to use them, stands further down and
// cannot be asked. Thread: pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace mlalert {

struct HttpUrlParts {
  // Percent-decoded; a password never stands without a user name.
  std::optional<std::string> username;
  std::optional<std::string> password;
  // The URL as written, userinfo left out.
  std::string without_userinfo;
};

// http or https with a host. Error texts are Alertmanager's (`unsupported scheme "ftp" for URL`); they never
// repeat more of the text than its scheme, and that only when "://" follows.
Result<HttpUrlParts> CheckHttpUrl(std::string_view text);

}  // namespace mlalert
