// The key that signs links, buttons and callbacks where the config has none: made once, kept in a file beside
// the database, so that a restart leaves links good, and not in the database, which people query and copy.
// Used by: the daemon at its start. Thread: main.
#pragma once

#include <string>

#include "base/result.h"

namespace mlalert {

// The text of `path`; makes it, readable by its owner only, when it is not there. Errors name the path only.
Result<std::string> ReadOrMakeLinkKey(const std::string& path);

}  // namespace mlalert
