#include "storage/page_pool.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <sqlite3.h>
#include <sys/mman.h>
#include <unistd.h>
#include <vector>

namespace mlalert {

namespace {

// A page of 4096 bytes with what SQLite keeps beside it: 4368 with 3.40; with room for later versions.
constexpr size_t kSlotBytes = 4608;
constexpr size_t kSlots = kPagePoolBytes / kSlotBytes;
// Smaller requests are no pages.
constexpr int kPageBytesMin = 4096;

class PagePool {
 public:
  explicit PagePool(char* memory) : memory_(memory) {}

  void* Take() {
    std::lock_guard lock(mutex_);
    size_t slot = used_.size();
    if (!free_.empty()) {
      slot = free_.back();
      free_.pop_back();
      used_[slot] = true;
    } else if (slot < kSlots) {
      used_.push_back(true);
    } else {
      return nullptr;
    }
    return memory_ + slot * kSlotBytes;
  }

  void Give(void* page) {
    std::lock_guard lock(mutex_);
    const size_t slot = static_cast<size_t>(static_cast<char*>(page) - memory_) / kSlotBytes;
    used_[slot] = false;
    free_.push_back(static_cast<uint32_t>(slot));
  }

  bool Owns(const void* pointer) const {
    const auto at = reinterpret_cast<uintptr_t>(pointer);
    const auto begin = reinterpret_cast<uintptr_t>(memory_);
    return at >= begin && at < begin + kPagePoolBytes;
  }

  void Trim() {
    std::lock_guard lock(mutex_);
    while (!used_.empty() && !used_.back()) {
      used_.pop_back();
    }
    std::erase_if(free_, [this](uint32_t slot) { return slot >= used_.size(); });
    // The lowest ones first, so that what stays in use gathers there.
    std::sort(free_.begin(), free_.end(), std::greater<>());
    size_t begin = 0;
    for (size_t slot = 0; slot <= used_.size(); ++slot) {
      if (slot < used_.size() && !used_[slot]) {
        continue;
      }
      Forget(begin, slot);
      begin = slot + 1;
    }
    Forget(used_.size(), kSlots);
  }

  size_t used() {
    std::lock_guard lock(mutex_);
    return used_.size() - free_.size();
  }

 private:
  // Slots from `begin` to before `end` hold nothing.
  void Forget(size_t begin, size_t end) {
    static const auto page = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
    const size_t first = (begin * kSlotBytes + page - 1) / page * page;
    const size_t last = end * kSlotBytes / page * page;
    if (first < last) {
      ::madvise(memory_ + first, last - first, MADV_DONTNEED);
    }
  }

  char* const memory_;
  std::mutex mutex_;
  std::vector<bool> used_;      // by slot, as far as slots were ever needed
  std::vector<uint32_t> free_;  // of them
};

PagePool* pool = nullptr;    // for the life of the process, as SQLite's settings are
sqlite3_mem_methods heap{};  // SQLite's own, for everything else

void* Allocate(int size) {
  void* page = nullptr;
  if (size >= kPageBytesMin && size <= static_cast<int>(kSlotBytes)) {
    page = pool->Take();
  }
  return page != nullptr ? page : heap.xMalloc(size);
}

void Free(void* pointer) {
  if (pool->Owns(pointer)) {
    pool->Give(pointer);
  } else {
    heap.xFree(pointer);
  }
}

int SizeOf(void* pointer) {
  return pool->Owns(pointer) ? static_cast<int>(kSlotBytes) : heap.xSize(pointer);
}

void* Reallocate(void* pointer, int size) {
  if (!pool->Owns(pointer)) {
    return heap.xRealloc(pointer, size);
  }
  if (size <= static_cast<int>(kSlotBytes)) {
    return pointer;
  }
  void* larger = heap.xMalloc(size);
  if (larger != nullptr) {
    std::memcpy(larger, pointer, kSlotBytes);
    pool->Give(pointer);
  }
  return larger;
}

}  // namespace

void InstallPagePool() {
  void* memory = ::mmap(nullptr, kPagePoolBytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) {
    return;
  }
  sqlite3_mem_methods methods{};
  if (sqlite3_config(SQLITE_CONFIG_GETMALLOC, &heap) == SQLITE_OK) {
    pool = new PagePool(static_cast<char*>(memory));
    methods = heap;
    methods.xMalloc = Allocate;
    methods.xFree = Free;
    methods.xRealloc = Reallocate;
    methods.xSize = SizeOf;
    if (sqlite3_config(SQLITE_CONFIG_MALLOC, &methods) == SQLITE_OK) {
      return;
    }
    delete pool;  // SQLite has started already, with its own
    pool = nullptr;
  }
  ::munmap(memory, kPagePoolBytes);
}

void TrimPagePool() {
  if (pool != nullptr) {
    pool->Trim();
  }
}

PagePoolStats PagePoolUse() {
  return {pool != nullptr ? pool->used() : 0, kSlotBytes};
}

}  // namespace mlalert
