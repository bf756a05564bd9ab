// Runs a fuzz target over files: the corpus under ctest, or one finding in a debugger. Each file is also cut
// at several places, so that every seed tells of ends that come too early.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "fuzz.h"

namespace {

constexpr size_t kCuts = 16;

void Run(const std::string& text, size_t length) {
  // A buffer of the exact size: a read past the end is a heap overflow that the sanitizer sees.
  std::vector<uint8_t> bytes(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(length));
  bytes.shrink_to_fit();
  LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::filesystem::path> files;
  for (int i = 1; i < argc; ++i) {
    if (std::filesystem::is_directory(argv[i])) {
      for (const auto& item : std::filesystem::directory_iterator(argv[i])) {
        files.push_back(item.path());
      }
    } else {
      files.emplace_back(argv[i]);
    }
  }
  std::sort(files.begin(), files.end());
  for (const auto& path : files) {
    std::ifstream in(path, std::ios::binary);
    if (!in) {
      std::fprintf(stderr, "%s: cannot be read\n", path.c_str());
      return 1;
    }
    std::string text{std::istreambuf_iterator<char>(in), {}};
    std::fprintf(stderr, "%s\n", path.c_str());  // the last line names the file that crashed
    for (size_t cut = 1; cut <= kCuts; ++cut) {
      Run(text, text.size() * cut / kCuts);
    }
  }
  std::fprintf(stderr, "%zu files\n", files.size());
  return files.empty() ? 1 : 0;
}
