// The configuration in force as YAML, for GET /api/v2/status: what Alertmanager's clients read out of it
// (routes, receivers, inhibition), in keys that their strict parsers know. Receivers are names only:
// integrations hold secrets. Thread: pure function.
#pragma once

#include <string>

#include "config/config.h"

namespace mlalert {

std::string ConfigToYaml(const Config& config);

}  // namespace mlalert
