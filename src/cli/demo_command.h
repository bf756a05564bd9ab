// `mlalert demo`: the exporter of simulated models; `demo run`: the whole show; `demo rules`: the shipped
// rules with their waits scaled down.
#pragma once

namespace CLI {
class App;
}

namespace mlalert {

void AddDemoCommand(CLI::App& app, int& exit_code);

}  // namespace mlalert
