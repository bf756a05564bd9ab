#include "base/heap.h"

#include <cstdint>
#include <link.h>
#include <malloc.h>
#include <span>
#include <sys/mman.h>
#include <unistd.h>

namespace mlalert {

namespace {

// glibc raises both limits with the first large block that is freed, and would then keep for good what a
// burst of alerts needed once: 100,000 new alerts left 100 MiB behind. Naming the limits keeps them where
// they start.
constexpr int kReturnBytes = 128 * 1024;
// Each thread would get a heap of its own, with holes of its own that the others cannot fill: with two heaps
// what a load left free in one was lost to the alerts, which live in the other (9 MiB of 32 with 5,000
// rules). Small pieces come from each thread's own cache and need no lock.
constexpr int kHeaps = 1;

// Whether code is changed when it is loaded: such pages are not in the file.
bool HasTextRelocations(const dl_phdr_info& object, const ElfW(Phdr) & header) {
  const auto* entry = reinterpret_cast<const ElfW(Dyn)*>(object.dlpi_addr + header.p_vaddr);
  for (; entry->d_tag != DT_NULL; ++entry) {
    if (entry->d_tag == DT_TEXTREL || (entry->d_tag == DT_FLAGS && (entry->d_un.d_val & DF_TEXTREL) != 0)) {
      return true;
    }
  }
  return false;
}

int ReleaseFilePages(dl_phdr_info* object, size_t, void*) {
  const std::span headers(object->dlpi_phdr, object->dlpi_phnum);
  for (const auto& header : headers) {
    if (header.p_type == PT_DYNAMIC && HasTextRelocations(*object, header)) {
      return 0;
    }
  }
  const auto page = static_cast<uintptr_t>(::sysconf(_SC_PAGESIZE));
  for (const auto& header : headers) {
    if (header.p_type != PT_LOAD || (header.p_flags & PF_W) != 0) {
      continue;
    }
    // Read-only and private: every page is as the file has it.
    const uintptr_t begin = (object->dlpi_addr + header.p_vaddr) & ~(page - 1);
    const uintptr_t end = object->dlpi_addr + header.p_vaddr + header.p_filesz;
    ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
  }
  return 0;
}

}  // namespace

void SetUpHeap() {
#ifdef __GLIBC__
  mallopt(M_MMAP_THRESHOLD, kReturnBytes);
  mallopt(M_TRIM_THRESHOLD, kReturnBytes);
  mallopt(M_ARENA_MAX, kHeaps);
#endif
}

void TidyMemory() {
#ifdef __GLIBC__
  ::malloc_trim(0);
#endif
  ::dl_iterate_phdr(ReleaseFilePages, nullptr);
}

}  // namespace mlalert
