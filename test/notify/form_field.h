// One field of a body that is a form, decoded.
#pragma once

#include <cstdlib>
#include <string>
#include <string_view>

namespace mlalert::testing {

inline std::string FieldOf(std::string_view form, std::string_view name) {
  while (!form.empty()) {
    const size_t end = std::min(form.find('&'), form.size());
    std::string_view pair = form.substr(0, end);
    form.remove_prefix(std::min(end + 1, form.size()));
    const size_t equals = pair.find('=');
    if (pair.substr(0, equals) != name) {
      continue;
    }
    std::string out;
    std::string_view text = pair.substr(equals + 1);
    for (size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '%') {
        out.push_back(
            static_cast<char>(std::strtol(std::string(text.substr(i + 1, 2)).c_str(), nullptr, 16)));
        i += 2;
      } else {
        out.push_back(text[i] == '+' ? ' ' : text[i]);
      }
    }
    return out;
  }
  return {};
}

}  // namespace mlalert::testing
