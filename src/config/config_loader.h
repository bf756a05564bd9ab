// Reads and checks a config file: a superset of alertmanager.yml. All problems of the file are collected; a
// config comes out only when there is no error. Fed by: cli/ and the reload of the shell. Sections:
// config_global.cc, config_route.cc, config_receivers.cc, config_http.cc, config_time_intervals.cc,
// config_mlalert.cc; checks that only warn: config_lint.cc. Thread: any; no state. Only LoadConfigFile
// touches the file system.
#pragma once

#include <string>
#include <string_view>

#include "config/config.h"
#include "config/diagnostics.h"
#include "model/matcher_parse.h"

namespace mlalert {

struct ConfigOptions {
  MatcherMode matcher_mode = MatcherMode::kFallback;
};

// `file` names the text in messages; relative globs and files in it are taken from its directory. `out` is
// set when the returned diagnostics are ok(), else left as it was.
Diagnostics LoadConfigText(std::string_view text, const std::string& file, ConfigPtr& out,
                           const ConfigOptions& options = {});
Diagnostics LoadConfigFile(const std::string& path, ConfigPtr& out, const ConfigOptions& options = {});

}  // namespace mlalert
