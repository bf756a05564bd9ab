// Faults on the disk, below SQLite: while installed, writes and syncs of every database file can be made to
// fail. Thread: install and remove while no database is open; Break() and Heal() from any thread.
#pragma once

#include <array>
#include <atomic>
#include <cstdlib>
#include <mutex>
#include <sqlite3.h>

namespace mlalert::testing {

class FaultVfs {
 public:
  FaultVfs() {
    real_ = sqlite3_vfs_find(nullptr);
    vfs_ = *real_;
    vfs_.zName = "fault";
    vfs_.pNext = nullptr;
    vfs_.xOpen = Open;
    write_error_ = SQLITE_OK;
    sync_error_ = SQLITE_OK;
    sqlite3_vfs_register(&vfs_, 1);
  }
  FaultVfs(const FaultVfs&) = delete;
  FaultVfs& operator=(const FaultVfs&) = delete;
  ~FaultVfs() {
    sqlite3_vfs_unregister(&vfs_);
    sqlite3_vfs_register(real_, 1);
  }

  // SQLite result codes: SQLITE_FULL, SQLITE_IOERR_WRITE, SQLITE_IOERR_FSYNC, ...
  void BreakWrites(int rc) { write_error_ = rc; }
  void BreakSyncs(int rc) { sync_error_ = rc; }
  void Heal() {
    write_error_ = SQLITE_OK;
    sync_error_ = SQLITE_OK;
  }

 private:
  // The methods of SQLite's own VFS differ by kind of file (with and without locks): a patched copy of each.
  struct Methods {
    const sqlite3_io_methods* original;
    sqlite3_io_methods patched;
  };
  static Methods& Patched(const sqlite3_io_methods* methods) {
    std::lock_guard lock(mutex_);
    for (Methods& one : methods_) {
      if (one.original == methods || &one.patched == methods) {
        return one;
      }
      if (one.original == nullptr) {
        one.original = methods;
        one.patched = *methods;
        one.patched.xWrite = Write;
        one.patched.xSync = Sync;
        return one;
      }
    }
    std::abort();
  }
  static int Open(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out_flags) {
    int rc = real_->xOpen(real_, name, file, flags, out_flags);
    if (rc == SQLITE_OK && file->pMethods != nullptr) {
      file->pMethods = &Patched(file->pMethods).patched;
    }
    return rc;
  }
  static int Write(sqlite3_file* file, const void* data, int size, sqlite3_int64 offset) {
    int rc = write_error_;
    return rc != SQLITE_OK ? rc : Patched(file->pMethods).original->xWrite(file, data, size, offset);
  }
  static int Sync(sqlite3_file* file, int flags) {
    int rc = sync_error_;
    return rc != SQLITE_OK ? rc : Patched(file->pMethods).original->xSync(file, flags);
  }

  static inline sqlite3_vfs* real_ = nullptr;
  static inline std::mutex mutex_;
  static inline std::array<Methods, 8> methods_{};
  static inline std::atomic<int> write_error_{SQLITE_OK};
  static inline std::atomic<int> sync_error_{SQLITE_OK};
  sqlite3_vfs vfs_{};
};

}  // namespace mlalert::testing
