#include "promql/functions.h"

#include <algorithm>
#include <array>

namespace mlalert::promql {
namespace {

constexpr ValueType kS = ValueType::kScalar;
constexpr ValueType kStr = ValueType::kString;
constexpr ValueType kV = ValueType::kVector;
constexpr ValueType kM = ValueType::kMatrix;

constexpr std::array<ValueType, 1> kVectorArg{kV};
constexpr std::array<ValueType, 1> kMatrixArg{kM};
constexpr std::array<ValueType, 1> kScalarArg{kS};
constexpr std::array<ValueType, 2> kVectorScalar{kV, kS};
constexpr std::array<ValueType, 2> kVectorString{kV, kStr};
constexpr std::array<ValueType, 2> kVectorVector{kV, kV};
constexpr std::array<ValueType, 2> kScalarVector{kS, kV};
constexpr std::array<ValueType, 2> kScalarMatrix{kS, kM};
constexpr std::array<ValueType, 2> kMatrixScalar{kM, kS};
constexpr std::array<ValueType, 3> kVectorScalarScalar{kV, kS, kS};
constexpr std::array<ValueType, 3> kScalarScalarVector{kS, kS, kV};
constexpr std::array<ValueType, 3> kMatrixScalarScalar{kM, kS, kS};
constexpr std::array<ValueType, 4> kVectorStrings3{kV, kStr, kStr, kStr};
constexpr std::array<ValueType, 5> kVectorStrings4{kV, kStr, kStr, kStr, kStr};
constexpr std::array<ValueType, 4> kQuantilesArgs{kV, kStr, kS, kS};

constexpr bool kExperimental = true;

// Sorted by name: FindFunction searches by halves, and the assertion below keeps the order.
// holt_winters is the name that double_exponential_smoothing had before 3.0; servers of that age still serve
// rules.
constexpr Function kFunctions[] = {
    {"abs", kVectorArg},
    {"absent", kVectorArg},
    {"absent_over_time", kMatrixArg},
    {"acos", kVectorArg},
    {"acosh", kVectorArg},
    {"asin", kVectorArg},
    {"asinh", kVectorArg},
    {"atan", kVectorArg},
    {"atanh", kVectorArg},
    {"avg_over_time", kMatrixArg},
    {"ceil", kVectorArg},
    {"changes", kMatrixArg},
    {"clamp", kVectorScalarScalar},
    {"clamp_max", kVectorScalar},
    {"clamp_min", kVectorScalar},
    {"cos", kVectorArg},
    {"cosh", kVectorArg},
    {"count_over_time", kMatrixArg},
    {"day_of_month", kVectorArg, 1},
    {"day_of_week", kVectorArg, 1},
    {"day_of_year", kVectorArg, 1},
    {"days_in_month", kVectorArg, 1},
    {"deg", kVectorArg},
    {"delta", kMatrixArg},
    {"deriv", kMatrixArg},
    {"double_exponential_smoothing", kMatrixScalarScalar, 0, kV, kExperimental},
    {"exp", kVectorArg},
    {"first_over_time", kMatrixArg, 0, kV, kExperimental},
    {"floor", kVectorArg},
    {"histogram_avg", kVectorArg},
    {"histogram_count", kVectorArg},
    {"histogram_fraction", kScalarScalarVector},
    {"histogram_quantile", kScalarVector},
    {"histogram_quantiles", kQuantilesArgs, 9, kV, kExperimental},
    {"histogram_stddev", kVectorArg},
    {"histogram_stdvar", kVectorArg},
    {"histogram_sum", kVectorArg},
    {"holt_winters", kMatrixScalarScalar},
    {"hour", kVectorArg, 1},
    {"idelta", kMatrixArg},
    {"increase", kMatrixArg},
    {"info", kVectorVector, 1, kV, kExperimental},
    {"integral", kMatrixScalar, 1, kV, kExperimental},
    {"irate", kMatrixArg},
    {"label_join", kVectorStrings3, -1},
    {"label_replace", kVectorStrings4},
    {"last_over_time", kMatrixArg},
    {"ln", kVectorArg},
    {"log10", kVectorArg},
    {"log2", kVectorArg},
    {"mad_over_time", kMatrixArg, 0, kV, kExperimental},
    {"max_over_time", kMatrixArg},
    {"min_over_time", kMatrixArg},
    {"minute", kVectorArg, 1},
    {"month", kVectorArg, 1},
    {"pi", {}, 0, kS},
    {"predict_linear", kMatrixScalar},
    {"present_over_time", kMatrixArg},
    {"quantile_over_time", kScalarMatrix},
    {"rad", kVectorArg},
    {"range", {}, 0, kS, kExperimental},
    {"rate", kMatrixArg},
    {"resets", kMatrixArg},
    {"round", kVectorScalar, 1},
    {"scalar", kVectorArg, 0, kS},
    {"sgn", kVectorArg},
    {"sin", kVectorArg},
    {"sinh", kVectorArg},
    {"sort", kVectorArg},
    {"sort_by_label", kVectorString, -1, kV, kExperimental},
    {"sort_by_label_desc", kVectorString, -1, kV, kExperimental},
    {"sort_desc", kVectorArg},
    {"sqrt", kVectorArg},
    {"stddev_over_time", kMatrixArg},
    {"stdvar_over_time", kMatrixArg},
    {"step", {}, 0, kS, kExperimental},
    {"sum_over_time", kMatrixArg},
    {"tan", kVectorArg},
    {"tanh", kVectorArg},
    {"time", {}, 0, kS},
    {"timestamp", kVectorArg},
    {"ts_of_first_over_time", kMatrixArg, 0, kV, kExperimental},
    {"ts_of_last_over_time", kMatrixArg, 0, kV, kExperimental},
    {"ts_of_max_over_time", kMatrixArg, 0, kV, kExperimental},
    {"ts_of_min_over_time", kMatrixArg, 0, kV, kExperimental},
    {"vector", kScalarArg},
    {"year", kVectorArg, 1},
};

static_assert(std::is_sorted(std::begin(kFunctions), std::end(kFunctions),
                             [](const Function& a, const Function& b) { return a.name < b.name; }));

}  // namespace

std::string_view ValueTypeText(ValueType type) {
  switch (type) {
    case ValueType::kScalar:
      return "scalar";
    case ValueType::kString:
      return "string";
    case ValueType::kVector:
      return "vector";
    case ValueType::kMatrix:
      return "matrix";
  }
  return "";
}

std::string_view DocumentedType(ValueType type) {
  switch (type) {
    case ValueType::kVector:
      return "instant vector";
    case ValueType::kMatrix:
      return "range vector";
    case ValueType::kScalar:
    case ValueType::kString:
      break;
  }
  return ValueTypeText(type);
}

const Function* FindFunction(std::string_view name) {
  const auto* end = std::end(kFunctions);
  const auto* found = std::lower_bound(std::begin(kFunctions), end, name,
                                       [](const Function& f, std::string_view n) { return f.name < n; });
  return found != end && found->name == name ? found : nullptr;
}

}  // namespace mlalert::promql
