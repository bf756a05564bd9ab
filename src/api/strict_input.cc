#include "api/strict_input.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>

#include "config/diagnostics.h"

namespace mlalert {
namespace {

constexpr size_t kShownBytesMax = 64;

bool IsIn(std::string_view word, const std::vector<std::string_view>& list) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

tl::unexpected<Error> Unknown(std::string_view what, std::string_view word,
                              const std::vector<std::string_view>& known) {
  Error error{
      ErrorCode::kInvalid, fmt::format("unknown {} \"{}\"", what, word.substr(0, kShownBytesMax)), {}, {}};
  error.hint = DidYouMean(word, known);
  if (error.hint.empty()) {
    error.hint = fmt::format("known: {}", fmt::join(known, ", "));
  }
  return Fail(std::move(error));
}

}  // namespace

Status CheckQuery(const HttpRequest& request, const std::vector<std::string_view>& known,
                  const std::vector<std::string_view>& repeatable) {
  for (size_t i = 0; i < request.query.size(); ++i) {
    const std::string& name = request.query[i].name;
    if (!IsIn(name, known)) {
      return Unknown("query parameter", name, known);
    }
    bool again = std::any_of(request.query.begin(), request.query.begin() + static_cast<ptrdiff_t>(i),
                             [&](const HttpParam& earlier) { return earlier.name == name; });
    if (again && !IsIn(name, repeatable)) {
      return Fail(ErrorCode::kInvalid, fmt::format("query parameter \"{}\" is given twice", name));
    }
  }
  return {};
}

Result<Timestamp> TimeParam(const HttpRequest& request, std::string_view name) {
  const std::string* text = request.Query(name);
  if (text == nullptr || text->empty()) {
    return kUnset;
  }
  auto time = ParseRfc3339(*text);
  if (!time) {
    return Fail(Error{ErrorCode::kInvalid,
                      fmt::format("query parameter \"{}\" is not a time: \"{}\"", name,
                                  std::string_view(*text).substr(0, kShownBytesMax)),
                      {},
                      "write it as 2026-01-31T09:00:00Z"});
  }
  return *time;
}

Result<int64_t> IntParam(const HttpRequest& request, std::string_view name, int64_t min, int64_t max,
                         int64_t fallback) {
  const std::string* text = request.Query(name);
  if (text == nullptr || text->empty()) {
    return fallback;
  }
  int64_t value = 0;
  auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error != std::errc() || end != text->data() + text->size() || value < min || value > max) {
    std::string range =
        max == INT64_MAX ? fmt::format("from {}", min) : fmt::format("from {} to {}", min, max);
    return Fail(ErrorCode::kInvalid,
                fmt::format("query parameter \"{}\" must be a whole number {}", name, range));
  }
  return value;
}

Result<Json> ParseStrictBody(std::string_view body, const std::vector<std::string_view>& known) {
  MLALERT_ASSIGN(Json json, ParseJson(body));
  if (!json.is_object()) {
    return Fail(ErrorCode::kInvalid, "the body must be a JSON object");
  }
  for (const auto& [key, value] : json.AsObject()) {
    if (!IsIn(key, known)) {
      return Unknown("field", key, known);
    }
  }
  return json;
}

Result<std::string> TextField(const Json& body, std::string_view key, size_t bytes_max) {
  const Json* value = body.Find(key);
  if (value == nullptr || value->is_null()) {
    return std::string();
  }
  if (!value->is_string()) {
    return Fail(ErrorCode::kInvalid, fmt::format("\"{}\" must be a string", key));
  }
  const std::string& text = value->AsString();
  if (text.size() > bytes_max) {
    return Fail(ErrorCode::kInvalid, fmt::format("\"{}\" is longer than {} bytes", key, bytes_max));
  }
  if (!IsValidUtf8(text) || std::any_of(text.begin(), text.end(), [](char c) {
        auto byte = static_cast<unsigned char>(c);
        return (byte < 0x20 && c != '\t' && c != '\n') || byte == 0x7f;
      })) {
    return Fail(ErrorCode::kInvalid, fmt::format("\"{}\" holds control characters", key));
  }
  return text;
}

}  // namespace mlalert
