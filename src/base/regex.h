// RE2 behind one small type: linear time whatever the pattern, so user patterns are safe.
// Anchored as Alertmanager and Prometheus anchor: ^(?:pattern)$, where "." does not match a newline.
// Thread: immutable after Compile; copies share the program.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace re2 {
class RE2;
}

namespace mlalert {

class Regex {
 public:
  // The error text has Go's shape: "error parsing regexp: missing closing ): `^(?:()$`".
  static Result<Regex> CompileAnchored(std::string_view pattern);

  bool FullMatch(std::string_view text) const;
  // True when the unanchored pattern finds a match in `text` (Alertmanager's empty-match test of silences).
  const std::string& pattern() const { return pattern_; }

 private:
  std::string pattern_;
  std::shared_ptr<const re2::RE2> program_;
};

}  // namespace mlalert
