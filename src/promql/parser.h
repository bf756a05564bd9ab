// Turns the text of a rule's `expr` into a checked tree, or says where and why not, in Prometheus' words.
// Fed by: rule files (config/) and queries of the API: hostile text. Hands on: an owned tree (promql/ast.h).
// Accepts the stable syntax of PromQL 3.x, and its experimental functions and aggregations (see analysis.h
// for asking whether one is used). Experimental modifiers (fill, anchored, smoothed, arithmetic on durations)
// are refused. Pure: no state, any thread.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "base/result.h"
#include "promql/ast.h"

namespace mlalert::promql {

// Longest expression accepted, in bytes.
inline constexpr size_t kMaxExprBytes = 64 * 1024;
// Deepest tree accepted; a chain "a + b + c" is as deep as it is long. Prometheus has no such limit.
inline constexpr int kMaxExprDepth = 200;

// On failure: code kInvalid, `message` as Prometheus prints it ("1:5: parse error: unexpected end of input"),
// `where` the same line and column (1-based, in bytes, of the expression itself, no file). Only the first
// error is reported, as in Prometheus. kLimit when a limit above is passed.
Result<std::unique_ptr<Expr>> ParseExpr(std::string_view text);

}  // namespace mlalert::promql
