// The loaded config as YAML with every default and global filled in, secrets as <secret>, keys in upstream's
// order: `config.original` of GET /api/v2/status, which amtool reads with its strict loader. Only what
// Alertmanager knows: mlalert's own sections stay out. Called by the loader, because the routing tree is
// printed as it was written, before inheritance. Thread: pure.
#pragma once

#include <string>

#include "config/config.h"
#include "config/config_sections.h"
#include "config/yaml_document.h"

namespace mlalert {

enum class PrintFor : uint8_t {
  kNewest,      // every key, as Alertmanager 0.34 prints them
  kOldClients,  // keys that amtool 0.25 does not know only where they say something
};

// `root` is the file that `config` was made of, without errors.
std::string PrintConfig(const YamlNode& root, const Config& config, const ConfigOptions& options,
                        PrintFor reader);

}  // namespace mlalert
