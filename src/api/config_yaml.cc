#include "api/config_yaml.h"

namespace mlalert {

const std::string& ConfigToYaml(const Config& config, std::string_view user_agent) {
  return user_agent.starts_with("Go-http-client/") ? config.printed_for_old_clients : config.printed;
}

}  // namespace mlalert
