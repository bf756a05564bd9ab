// How memory is given back to the system. Used by: cli/serve_command once, then by whoever has just freed
// much: a load of the configuration, a storm's queue. Thread: any.
#pragma once

namespace mlalert {

// Before the first thread.
void SetUpHeap();

// Gives free memory inside the heap back, and lets go of the pages of program and libraries, most of which
// only a load or a storm needs. What is used comes back from the system's page cache at the next use, 16
// pages at a time. Takes milliseconds for a hundred MiB.
void TidyMemory();

}  // namespace mlalert
