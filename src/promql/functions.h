// The functions of PromQL 3.x: argument types, arity, result type.
// Read by the parser (does it exist?), the type check and the analysis. Static data, any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace mlalert::promql {

enum class ValueType : uint8_t { kScalar, kString, kVector, kMatrix };

// "scalar", "string", "vector", "matrix".
std::string_view ValueTypeText(ValueType type);
// As Prometheus' documentation calls them: "instant vector", "range vector", ...
std::string_view DocumentedType(ValueType type);

struct Function {
  std::string_view name;
  std::span<const ValueType> args;
  // 0: exactly args. n > 0: the last argument may be missing or come up to n times. -1: any number of times.
  int variadic = 0;
  ValueType result = ValueType::kVector;
  // Servers refuse it unless started with --enable-feature=promql-experimental-functions.
  bool experimental = false;
};

// Null when there is no such function. Names are case sensitive.
const Function* FindFunction(std::string_view name);

}  // namespace mlalert::promql
