// Errors as values. Every function that can fail on outside input returns Result<T> (or Status).
// An Error says what failed, where (file, line, column or key path) and, when known, what to do about it.
// Thread: plain values, no sharing.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace mlalert {

// Chosen by what the caller can do about it; the table in HttpStatus()/ExitCode() depends on it.
enum class ErrorCode : uint8_t {
  kInvalid,      // bad input: 400, exit 2, never retry
  kNotFound,     // 404, exit 3
  kConflict,     // 409
  kLimit,        // a named limit was reached: 413
  kUnavailable,  // 503, retry later
  kDeadline,     // 504, retry later
  kIo,           // file or disk
  kCorrupt,      // stored data is not what we wrote
  kInternal,     // a bug of ours: 500
};

// 1-based; line 0 means unknown.
struct SourcePos {
  std::string file;
  int line = 0;
  int column = 0;

  std::string ToString() const;
};

struct Error {
  ErrorCode code = ErrorCode::kInternal;
  std::string message;
  SourcePos where{};
  std::string hint{};

  // Puts "context: " in front of the message, as errors travel up to somebody who can act.
  Error Context(std::string_view context) &&;
  // "file:line:column: message (hint)"
  std::string ToString() const;
};

template <class T>
using Result = tl::expected<T, Error>;
using Status = Result<void>;

inline tl::unexpected<Error> Fail(ErrorCode code, std::string message) {
  return tl::unexpected<Error>(Error{code, std::move(message), {}, {}});
}
inline tl::unexpected<Error> Fail(Error error) {
  return tl::unexpected<Error>(std::move(error));
}

int HttpStatus(ErrorCode code);
int ExitCode(ErrorCode code);

}  // namespace mlalert

#define MLALERT_CONCAT_INNER(a, b) a##b
#define MLALERT_CONCAT(a, b) MLALERT_CONCAT_INNER(a, b)

// Returns the error of `expr` from the enclosing function, if there is one.
#define MLALERT_TRY(expr)                                            \
  do {                                                               \
    auto mlalert_try_result = (expr);                                \
    if (!mlalert_try_result) {                                       \
      return ::mlalert::Fail(std::move(mlalert_try_result.error())); \
    }                                                                \
  } while (false)

// MLALERT_ASSIGN(auto x, F()): x gets the value, or the enclosing function returns the error.
#define MLALERT_ASSIGN(decl, expr) MLALERT_ASSIGN_INNER(MLALERT_CONCAT(mlalert_result_, __LINE__), decl, expr)
#define MLALERT_ASSIGN_INNER(tmp, decl, expr)       \
  auto tmp = (expr);                                \
  if (!tmp) {                                       \
    return ::mlalert::Fail(std::move(tmp.error())); \
  }                                                 \
  decl = std::move(*tmp)
