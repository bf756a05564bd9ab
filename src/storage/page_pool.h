// Memory for the pages of SQLite's caches, apart from the heap. Pages are many, of one size, and go all at
// once when a cache is released; between alerts and rules in the heap they would leave holes that nothing
// gives back. Used by: Db::Open, once, before SQLite starts; storage/sqlite_journal, which gives back what is
// free. Limits: kPagePoolBytes of address space; beyond it the heap serves. Thread: any.
#pragma once

#include <cstddef>

namespace mlalert {

inline constexpr size_t kPagePoolBytes = size_t{64} << 20;

// Before the first connection. Does nothing when the system refuses the address space.
void InstallPagePool();

// Gives free pages back to the system.
void TrimPagePool();

struct PagePoolStats {
  size_t used = 0;   // pages
  size_t bytes = 0;  // of one
};
PagePoolStats PagePoolUse();

}  // namespace mlalert
