// `mlalert serve`: the daemon with its flags and signals. Flags carry Alertmanager's names.
#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace mlalert {

// Sets `run` to what is to be done when the command was given and its flags are good.
void AddServeCommand(CLI::App& app, int& exit_code, std::function<int()>& run);

}  // namespace mlalert
