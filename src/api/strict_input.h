// Strict reading of what people send to our own API: unknown query parameters and body keys are errors with a
// "did you mean", because a filter or an expiry that is silently ignored does harm. Thread: pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/http_types.h"
#include "base/json.h"
#include "base/result.h"
#include "base/time.h"

namespace mlalert {

inline constexpr size_t kActorBytesMax = 256;
inline constexpr size_t kCommentBytesMax = 4096;

// Every query parameter is one of `known`, and only those in `repeatable` occur twice.
Status CheckQuery(const HttpRequest& request, const std::vector<std::string_view>& known,
                  const std::vector<std::string_view>& repeatable = {});
// RFC 3339; kUnset when absent or empty.
Result<Timestamp> TimeParam(const HttpRequest& request, std::string_view name);
// A whole number from `min` to `max`; `fallback` when absent or empty.
Result<int64_t> IntParam(const HttpRequest& request, std::string_view name, int64_t min, int64_t max,
                         int64_t fallback);

// The body as an object with keys of `known` only.
Result<Json> ParseStrictBody(std::string_view body, const std::vector<std::string_view>& known);
// A string of at most `bytes_max` bytes without control characters other than tab and line break; "" when
// absent or null.
Result<std::string> TextField(const Json& body, std::string_view key, size_t bytes_max);

}  // namespace mlalert
