#include "intake/cleaned_text.h"

namespace mlalert {

std::string CleanedText(std::string_view text, size_t bytes_max, bool lines) {
  std::string out;
  for (char c : text.substr(0, bytes_max)) {
    const bool control = static_cast<unsigned char>(c) < ' ' && !(lines && c == '\n');
    out.push_back(control || c == '\x7F' ? ' ' : c);
  }
  while (text.size() > bytes_max && !out.empty() && (static_cast<unsigned char>(out.back()) & 0xC0) == 0x80) {
    out.pop_back();
  }
  if (text.size() > bytes_max && !out.empty() && static_cast<unsigned char>(out.back()) >= 0xC0) {
    out.pop_back();
  }
  return out;
}

}  // namespace mlalert
