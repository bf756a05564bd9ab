// `config.original` of GET /api/v2/status. The loader has printed the config (config/config_print.h); here
// only the form is chosen: amtool, which reads it with the strict loader of its own version, does not tell
// that version, only that it is written in Go. It gets the form that its oldest version in use (0.25) can
// read, and that means the same. Thread: pure.
#pragma once

#include <string>
#include <string_view>

#include "config/config.h"

namespace mlalert {

const std::string& ConfigToYaml(const Config& config, std::string_view user_agent);

}  // namespace mlalert
