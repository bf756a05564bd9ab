#include "support/amtool.h"

#include <array>
#include <boost/test/unit_test.hpp>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace mlalert::testing {
namespace {

constexpr size_t kFilesPerCall = 250;

std::string Run(const std::string& command) {
  FILE* pipe = popen(command.c_str(), "r");
  BOOST_REQUIRE(pipe != nullptr);
  std::string out;
  std::array<char, 65536> chunk{};
  while (size_t got = std::fread(chunk.data(), 1, chunk.size(), pipe)) {
    out.append(chunk.data(), got);
  }
  pclose(pipe);
  return out;
}

}  // namespace

bool AmtoolIsInstalled() {
  return std::system("command -v amtool >/dev/null 2>&1") == 0;
}

std::vector<bool> AmtoolVerdicts(const std::vector<std::string>& texts) {
  std::string pattern = (std::filesystem::temp_directory_path() / "mlalert-amtool-XXXXXX").string();
  const std::filesystem::path dir = mkdtemp(pattern.data());
  for (size_t i = 0; i < texts.size(); ++i) {
    std::ofstream(dir / std::to_string(i)) << texts[i];
  }
  std::vector<bool> out(texts.size(), false);
  for (size_t from = 0; from < texts.size();) {
    const size_t first = from;
    const size_t end = std::min(texts.size(), from + kFilesPerCall);
    std::string command = "cd " + dir.string() + " && amtool check-config";
    for (size_t i = from; i < end; ++i) {
      command += " " + std::to_string(i);
    }
    const std::string output = Run(command + " 2>&1");
    size_t at = 0;
    for (; from < end; ++from) {
      const std::string line = "Checking '" + std::to_string(from) + "'";
      size_t found = output.find(line, at);
      if (found == std::string::npos) {
        break;  // it crashed over the one before
      }
      at = found + line.size();
      out[from] = output.compare(at, 9, "  SUCCESS") == 0;
    }
    BOOST_REQUIRE_MESSAGE(from > first, "amtool says nothing: " << output.substr(0, 200));
  }
  std::error_code ignored;
  std::filesystem::remove_all(dir, ignored);
  return out;
}

}  // namespace mlalert::testing
