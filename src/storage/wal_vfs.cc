#include "storage/wal_vfs.h"

#include <cstring>
#include <memory>
#include <new>
#include <sqlite3.h>

namespace mlalert {
namespace {

// SQLite's own VFS takes less than 128 KiB at a time.
constexpr int kPieceBytes = 120 * 1024;

struct File {
  sqlite3_file base;
  // Of a log: `size` bytes that belong at `begin` and are not written yet. Null: never written so far.
  char* piece;
  sqlite3_int64 begin;
  int size;
  bool is_log;

  // Behind this one in SQLite's memory.
  sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
  const sqlite3_io_methods& methods() { return *real()->pMethods; }
};

File& Of(sqlite3_file* file) {
  return *reinterpret_cast<File*>(file);
}

int Flush(File& file) {
  if (file.size == 0) {
    return SQLITE_OK;
  }
  const int size = file.size;
  file.size = 0;  // on an error the transaction is over
  return file.methods().xWrite(file.real(), file.piece, size, file.begin);
}

int Close(sqlite3_file* base) {
  File& file = Of(base);
  const int flushed = Flush(file);
  delete[] file.piece;
  file.piece = nullptr;
  const int closed = file.methods().xClose(file.real());
  return flushed != SQLITE_OK ? flushed : closed;
}

int Read(sqlite3_file* base, void* data, int size, sqlite3_int64 offset) {
  File& file = Of(base);
  const int flushed = Flush(file);
  return flushed != SQLITE_OK ? flushed : file.methods().xRead(file.real(), data, size, offset);
}

int Write(sqlite3_file* base, const void* data, int size, sqlite3_int64 offset) {
  File& file = Of(base);
  if (!file.is_log || size > kPieceBytes) {
    const int flushed = Flush(file);
    return flushed != SQLITE_OK ? flushed : file.methods().xWrite(file.real(), data, size, offset);
  }
  if (file.size > 0 && (offset != file.begin + file.size || file.size + size > kPieceBytes)) {
    if (const int flushed = Flush(file); flushed != SQLITE_OK) {
      return flushed;
    }
  }
  if (file.piece == nullptr) {
    file.piece = new (std::nothrow) char[kPieceBytes];
    if (file.piece == nullptr) {
      return SQLITE_IOERR_NOMEM;
    }
  }
  if (file.size == 0) {
    file.begin = offset;
  }
  std::memcpy(file.piece + file.size, data, static_cast<size_t>(size));
  file.size += size;
  return SQLITE_OK;
}

int Truncate(sqlite3_file* base, sqlite3_int64 size) {
  File& file = Of(base);
  const int flushed = Flush(file);
  return flushed != SQLITE_OK ? flushed : file.methods().xTruncate(file.real(), size);
}

int Sync(sqlite3_file* base, int flags) {
  File& file = Of(base);
  const int flushed = Flush(file);
  return flushed != SQLITE_OK ? flushed : file.methods().xSync(file.real(), flags);
}

int FileSize(sqlite3_file* base, sqlite3_int64* size) {
  File& file = Of(base);
  const int flushed = Flush(file);
  return flushed != SQLITE_OK ? flushed : file.methods().xFileSize(file.real(), size);
}

int Lock(sqlite3_file* base, int level) {
  return Of(base).methods().xLock(Of(base).real(), level);
}
int Unlock(sqlite3_file* base, int level) {
  return Of(base).methods().xUnlock(Of(base).real(), level);
}
int CheckReservedLock(sqlite3_file* base, int* out) {
  return Of(base).methods().xCheckReservedLock(Of(base).real(), out);
}
int FileControl(sqlite3_file* base, int op, void* arg) {
  return Of(base).methods().xFileControl(Of(base).real(), op, arg);
}
int SectorSize(sqlite3_file* base) {
  return Of(base).methods().xSectorSize(Of(base).real());
}
int DeviceCharacteristics(sqlite3_file* base) {
  return Of(base).methods().xDeviceCharacteristics(Of(base).real());
}
int ShmMap(sqlite3_file* base, int page, int size, int extend, void volatile** out) {
  return Of(base).methods().xShmMap(Of(base).real(), page, size, extend, out);
}
int ShmLock(sqlite3_file* base, int offset, int n, int flags) {
  return Of(base).methods().xShmLock(Of(base).real(), offset, n, flags);
}
void ShmBarrier(sqlite3_file* base) {
  Of(base).methods().xShmBarrier(Of(base).real());
}
int ShmUnmap(sqlite3_file* base, int remove) {
  return Of(base).methods().xShmUnmap(Of(base).real(), remove);
}
// Nothing is mapped: SQLite then reads and writes.
int Fetch(sqlite3_file*, sqlite3_int64, int, void** out) {
  *out = nullptr;
  return SQLITE_OK;
}
int Unfetch(sqlite3_file*, sqlite3_int64, void*) {
  return SQLITE_OK;
}

constexpr sqlite3_io_methods kMethods = {3,
                                         Close,
                                         Read,
                                         Write,
                                         Truncate,
                                         Sync,
                                         FileSize,
                                         Lock,
                                         Unlock,
                                         CheckReservedLock,
                                         FileControl,
                                         SectorSize,
                                         DeviceCharacteristics,
                                         ShmMap,
                                         ShmLock,
                                         ShmBarrier,
                                         ShmUnmap,
                                         Fetch,
                                         Unfetch};

int Open(sqlite3_vfs*, const char* name, sqlite3_file* base, int flags, int* out_flags) {
  File& file = Of(base);
  file.base.pMethods = nullptr;
  file.piece = nullptr;
  file.begin = 0;
  file.size = 0;
  file.is_log = (flags & SQLITE_OPEN_WAL) != 0;
  sqlite3_vfs* real = sqlite3_vfs_find(nullptr);
  const int rc = real->xOpen(real, name, file.real(), flags, out_flags);
  if (file.real()->pMethods != nullptr) {
    file.base.pMethods = &kMethods;
  }
  return rc;
}

}  // namespace

const char* WalVfsName() {
  static const char* const name = []() -> const char* {
    static sqlite3_vfs vfs;
    const sqlite3_vfs* real = sqlite3_vfs_find(nullptr);
    if (real == nullptr) {
      return nullptr;
    }
    // All but opening a file is the default's, which needs nothing of this struct.
    vfs = *real;
    vfs.zName = "mlalert";
    vfs.pNext = nullptr;
    vfs.szOsFile = static_cast<int>(sizeof(File)) + real->szOsFile;
    vfs.xOpen = Open;
    return sqlite3_vfs_register(&vfs, 0) == SQLITE_OK ? vfs.zName : nullptr;
  }();
  return name;
}

}  // namespace mlalert
