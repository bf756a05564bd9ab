// Does a matcher demand anything of an alert? Thread: pure.
#pragma once

#include "model/matcher.h"

namespace mlalert {

// Only what is equal to "" counts, not what differs from something else: upstream lets a="", b!="x" fail but
// b!="x" pass, although it matches every alert without b. A silence needs one matcher that does not.
inline bool MatchesEmpty(const Matcher& matcher) {
  const bool positive = matcher.op() == MatchOp::kEqual || matcher.op() == MatchOp::kRegex;
  return positive && matcher.MatchesValue("");
}

}  // namespace mlalert
