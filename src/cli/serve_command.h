// `mlalert serve`: the daemon with its flags and signals. Flags carry Alertmanager's names.
#pragma once

namespace CLI {
class App;
}

namespace mlalert {

void AddServeCommand(CLI::App& app, int& exit_code);

}  // namespace mlalert
