// A text that must never reach a log, an error, an API answer or a test report by accident.
// Made by: config/ (passwords, tokens, keys). Read by: net/ and notify/, at the moment of sending, through
// Reveal(). Every way of printing it (stream, fmt, Boost.Test) gives "<secret>", or nothing when it is empty,
// as Alertmanager does. Thread: a plain value.
#pragma once

#include <fmt/format.h>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>

namespace mlalert {

inline constexpr std::string_view kSecretMask = "<secret>";

class Secret {
 public:
  Secret() = default;
  // Explicit, so that turning clear text into a secret and back is visible where it happens.
  explicit Secret(std::string text) : text_(std::move(text)) {}

  // The clear text. Call it where the bytes leave the process, nowhere else.
  const std::string& Reveal() const { return text_; }
  bool empty() const { return text_.empty(); }
  // What may be shown.
  std::string_view Masked() const { return text_.empty() ? std::string_view() : kSecretMask; }

  friend bool operator==(const Secret&, const Secret&) = default;
  friend std::ostream& operator<<(std::ostream& out, const Secret& s) { return out << s.Masked(); }

 private:
  std::string text_;
};

}  // namespace mlalert

template <>
struct fmt::formatter<mlalert::Secret> : fmt::formatter<fmt::string_view> {
  template <class Context>
  auto format(const mlalert::Secret& s, Context& ctx) const {
    const std::string_view masked = s.Masked();
    return fmt::formatter<fmt::string_view>::format({masked.data(), masked.size()}, ctx);
  }
};
