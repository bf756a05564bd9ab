// `mlalert version` and `mlalert --version`: what is running here. Thread: one.
#pragma once

#include <string>

#include "base/json.h"

namespace CLI {
class App;
}

namespace mlalert {

// Name and version on the first line, facts about the build below.
std::string VersionText();
Json VersionJson();

void AddVersionCommand(CLI::App& app, int& exit_code);

}  // namespace mlalert
