#include "notify/file_access.h"

#include "config/file_io.h"

namespace mlalert {

FileAccess RealFiles() {
  return {ReadSmallFile, ExpandGlob};
}

}  // namespace mlalert
