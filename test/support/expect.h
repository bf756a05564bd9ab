// Assertions that print a readable difference.
#pragma once

#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

#include "support/sim.h"

namespace mlalert::testing {

inline void ExpectLines(const std::vector<std::string>& got, const std::vector<std::string>& want) {
  auto text = [](const std::vector<std::string>& lines) {
    std::string out;
    for (const auto& line : lines) {
      out += "\n  " + line;
    }
    return out;
  };
  BOOST_CHECK_MESSAGE(got == want, "got:" + text(got) + "\nwant:" + text(want));
}

// Everything heard since the last call.
inline void ExpectHeard(Sim& sim, const std::vector<std::string>& want) {
  ExpectLines(sim.TakeHeard(), want);
}

}  // namespace mlalert::testing
