// "200 means committed": waits until what a request did, or what an earlier equal request did, is on disk.
// Thread: any worker; blocks it for at most kCommitWait.
#pragma once

#include <cstdint>

#include "engine/gate.h"

namespace mlalert {

inline constexpr Duration kCommitWait = std::chrono::seconds(5);

// `seq` from Gate::Enter. A step that changed nothing waits for everything before it: a sender who repeats
// what we could not write the first time must not hear "done" because it is no news any more.
inline Status WaitDurable(Gate& gate, uint64_t seq) {
  if (seq == 0) {
    seq = gate.journal().Append({});
  }
  return gate.WaitCommitted(seq, kCommitWait);
}

}  // namespace mlalert
