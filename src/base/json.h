// JSON for everything that is not the ingest hot path: a small value tree with limits on depth and size, and
// a writer that prints as Go's encoding/json does, because Alertmanager's and Prometheus' clients compare
// bytes. Reading: duplicate keys keep the last value (as Go does), UTF-8 is validated, depth and size are
// limited. Thread: plain values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"

namespace mlalert {

class Json {
 public:
  using Array = std::vector<Json>;
  // Insertion order is kept; Find is linear (objects on the wire are small).
  using Object = std::vector<std::pair<std::string, Json>>;

  Json() = default;
  Json(std::nullptr_t) {}                                // NOLINT(google-explicit-constructor)
  Json(bool b) : value_(b) {}                            // NOLINT(google-explicit-constructor)
  Json(int i) : value_(static_cast<int64_t>(i)) {}       // NOLINT(google-explicit-constructor)
  Json(int64_t i) : value_(i) {}                         // NOLINT(google-explicit-constructor)
  Json(uint64_t i) : value_(static_cast<int64_t>(i)) {}  // NOLINT(google-explicit-constructor)
  Json(double d) : value_(d) {}                          // NOLINT(google-explicit-constructor)
  Json(std::string s) : value_(std::move(s)) {}          // NOLINT(google-explicit-constructor)
  Json(std::string_view s) : value_(std::string(s)) {}   // NOLINT(google-explicit-constructor)
  Json(const char* s) : value_(std::string(s)) {}        // NOLINT(google-explicit-constructor)
  Json(Array a) : value_(std::move(a)) {}                // NOLINT(google-explicit-constructor)
  Json(Object o) : value_(std::move(o)) {}               // NOLINT(google-explicit-constructor)
  static Json MakeArray() { return Json(Array{}); }
  static Json MakeObject() { return Json(Object{}); }

  bool is_null() const { return std::holds_alternative<std::monostate>(value_); }
  bool is_bool() const { return std::holds_alternative<bool>(value_); }
  bool is_int() const { return std::holds_alternative<int64_t>(value_); }
  bool is_number() const { return is_int() || std::holds_alternative<double>(value_); }
  bool is_string() const { return std::holds_alternative<std::string>(value_); }
  bool is_array() const { return std::holds_alternative<Array>(value_); }
  bool is_object() const { return std::holds_alternative<Object>(value_); }

  // Wrong type gives the neutral value: callers check is_*() where it matters.
  bool AsBool(bool fallback = false) const;
  int64_t AsInt(int64_t fallback = 0) const;
  double AsDouble(double fallback = 0) const;
  const std::string& AsString() const;
  const Array& AsArray() const;
  const Object& AsObject() const;

  // Null when absent or when this is not an object.
  const Json* Find(std::string_view key) const;
  // Find() for strings: empty when absent or not a string.
  const std::string& GetString(std::string_view key) const;

  // Makes this an object when it is null. Returns *this for chaining.
  Json& Set(std::string key, Json value);
  Json& Push(Json value);

  // Compact; keys in insertion order; <, >, & and U+2028/2029 escaped as Go does; numbers as Go prints them;
  // NaN and infinities become null.
  std::string Dump() const;
  std::string DumpIndented() const;

  friend bool operator==(const Json&, const Json&) = default;

 private:
  std::variant<std::monostate, bool, int64_t, double, std::string, Array, Object> value_;
};

struct JsonLimits {
  size_t depth_max = 32;
  size_t bytes_max = size_t{16} << 20;
};

// The whole text must be one JSON value. Errors carry line and column.
Result<Json> ParseJson(std::string_view text, const JsonLimits& limits = {});

// Appends `text` as a JSON string with quotes, escaped as Go's encoding/json does (HTML characters included).
// Bad UTF-8 becomes U+FFFD.
void AppendJsonString(std::string& out, std::string_view text);
// Appends a number as encoding/json prints a float64.
void AppendJsonNumber(std::string& out, double value);

bool IsValidUtf8(std::string_view text);

// Bytes 0x1A to 0x1F have no place in JSON text, inside strings or outside; RapidJSON's SIMD scan lets them
// pass.
bool HasForbiddenControl(std::string_view text);
// Whether the text may hold escaped surrogates: then decoded strings must be checked for UTF-8 again, because
// a lone low surrogate ("\\udc00") is decoded to bytes that are none.
bool MayEscapeSurrogates(std::string_view text);

}  // namespace mlalert
