// Where the repository is: tests that read rules/, docs/ or golden files find them from here.
#pragma once

#include <string>

namespace mlalert::testing {

// Absolute, without a trailing slash.
std::string SourceDir();

}  // namespace mlalert::testing
