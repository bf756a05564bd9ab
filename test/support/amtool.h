// Debian's amtool as the oracle of what a config file is worth.
#pragma once

#include <string>
#include <vector>

namespace mlalert::testing {

bool AmtoolIsInstalled();
// For each text, whether `amtool check-config` accepts it. Many files go into one call; where amtool crashes
// over one (upstream has such bugs), that one counts as refused and the rest is asked again.
std::vector<bool> AmtoolVerdicts(const std::vector<std::string>& texts);

}  // namespace mlalert::testing
