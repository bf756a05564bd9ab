// Short ways to load a config text and to look for one complaint among others.
#pragma once

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <string>
#include <string_view>

#include "config/config_loader.h"

namespace mlalert::testing {

// A config that loads without a word; cases put their lines behind it.
inline constexpr std::string_view kMinimal = "route: {receiver: r}\nreceivers: [{name: r}]\n";

inline std::string Minimal(std::string_view more) {
  return std::string(kMinimal) + std::string(more);
}

// Null when it does not load.
inline ConfigPtr TryLoad(std::string_view text) {
  ConfigPtr config;
  Diagnostics diagnostics = LoadConfigText(text, "/etc/mlalert/mlalert.yml", config);
  BOOST_TEST((config != nullptr) == diagnostics.ok(), diagnostics.ToText());
  return config;
}

inline ConfigPtr MustLoad(std::string_view text) {
  ConfigPtr config;
  Diagnostics diagnostics = LoadConfigText(text, "/etc/mlalert/mlalert.yml", config);
  BOOST_REQUIRE_MESSAGE(config != nullptr, diagnostics.ToText());
  return config;
}

inline Diagnostics Check(std::string_view text) {
  ConfigPtr config;
  return LoadConfigText(text, "mlalert.yml", config);
}

inline bool Has(const Diagnostics& diagnostics, DiagnosticLevel level, std::string_view message) {
  return std::any_of(diagnostics.items().begin(), diagnostics.items().end(),
                     [&](const Diagnostic& d) { return d.level == level && d.message == message; });
}

// The text must be refused with exactly this message among its errors.
inline void ExpectError(std::string_view text, std::string_view message) {
  Diagnostics diagnostics = Check(text);
  BOOST_TEST(Has(diagnostics, DiagnosticLevel::kError, message), "expected the error\n  "
                                                                     << message << "\nof\n"
                                                                     << text << "\nbut got\n"
                                                                     << diagnostics.ToText());
}

inline void ExpectWarning(std::string_view text, std::string_view message) {
  Diagnostics diagnostics = Check(text);
  BOOST_TEST(diagnostics.ok(), diagnostics.ToText());
  BOOST_TEST(Has(diagnostics, DiagnosticLevel::kWarning, message), "expected the warning\n  "
                                                                       << message << "\nof\n"
                                                                       << text << "\nbut got\n"
                                                                       << diagnostics.ToText());
}

// Loads without a word.
inline void ExpectClean(std::string_view text) {
  Diagnostics diagnostics = Check(text);
  BOOST_TEST(diagnostics.items().empty(), diagnostics.ToText() << "\nof\n" << text);
}

struct BadCase {
  std::string text;
  std::string message;
};

}  // namespace mlalert::testing
