#include "template/humanize.h"

#include <array>
#include <cmath>
#include <fmt/format.h>

#include "template/number.h"

namespace mlalert::tmpl {
namespace {

constexpr std::array<std::string_view, 8> kLarge{"k", "M", "G", "T", "P", "E", "Z", "Y"};
constexpr std::array<std::string_view, 8> kBinary{"ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi"};
constexpr std::array<std::string_view, 8> kSmall{"m", "u", "n", "p", "f", "a", "z", "y"};

std::string Scaled(double v, std::string_view prefix) {
  std::string out;
  AppendFloat(out, v, 'g', 4);
  out += prefix;
  return out;
}

std::string ScaleDown(double v, double factor, const std::array<std::string_view, 8>& prefixes) {
  std::string_view prefix;
  for (std::string_view p : prefixes) {
    if (std::fabs(v) < factor) {
      break;
    }
    prefix = p;
    v /= factor;
  }
  return Scaled(v, prefix);
}

std::string_view ScaleUp(double& v) {
  std::string_view prefix;
  for (std::string_view p : kSmall) {
    if (std::fabs(v) >= 1) {
      break;
    }
    prefix = p;
    v *= 1000;
  }
  return prefix;
}

}  // namespace

Result<double> ToFloat(const Value& v) {
  switch (v.kind()) {
    case Kind::kFloat:
      return v.AsFloat();
    case Kind::kInt:
      if (v.AsInt().type == IntType::kMonth || v.AsInt().type == IntType::kWeekday) {
        break;
      }
      return v.AsInt().IsUnsigned() ? static_cast<double>(v.AsInt().AsUnsigned())
                                    : static_cast<double>(v.AsInt().bits);
    case Kind::kDuration:
      return ToSeconds(v.AsDuration());
    case Kind::kString:
      return ParseGoFloat(v.AsString());
    default:
      break;
  }
  return Fail(ErrorCode::kInvalid, fmt::format("can't convert {} to float", v.TypeName()));
}

std::string Humanize(double v) {
  if (v == 0 || !std::isfinite(v)) {
    return Format4g(v);
  }
  if (std::fabs(v) >= 1) {
    return ScaleDown(v, 1000, kLarge);
  }
  std::string_view prefix = ScaleUp(v);
  return Scaled(v, prefix);
}

std::string Humanize1024(double v) {
  if (std::fabs(v) <= 1 || !std::isfinite(v)) {
    return Format4g(v);
  }
  return ScaleDown(v, 1024, kBinary);
}

std::string HumanizeDuration(double v) {
  if (!std::isfinite(v)) {
    return Format4g(v);
  }
  if (v == 0) {
    return "0s";
  }
  if (std::fabs(v) < 1) {
    std::string_view prefix = ScaleUp(v);
    return Scaled(v, prefix) + "s";
  }
  std::string_view sign = v < 0 ? "-" : "";
  v = std::fabs(v);
  // Whole seconds; beyond int64 there is no meaningful text, so it saturates.
  constexpr double kTwo63 = 9223372036854775808.0;
  int64_t duration = v >= kTwo63 ? INT64_MAX : static_cast<int64_t>(v);
  int64_t seconds = duration % 60;
  int64_t minutes = duration / 60 % 60;
  int64_t hours = duration / 3600 % 24;
  int64_t days = duration / 86400;
  if (days != 0) {
    return fmt::format("{}{}d {}h {}m {}s", sign, days, hours, minutes, seconds);
  }
  if (hours != 0) {
    return fmt::format("{}{}h {}m {}s", sign, hours, minutes, seconds);
  }
  if (minutes != 0) {
    return fmt::format("{}{}m {}s", sign, minutes, seconds);
  }
  return fmt::format("{}{}s", sign, Format4g(v));
}

std::string HumanizePercentage(double v) {
  return Scaled(v * 100, "%");
}

Result<Time> ToTime(double v) {
  constexpr double kTwo63 = 9223372036854775808.0;
  double ns = v * 1e9;
  if (!(ns < kTwo63 && ns >= -kTwo63)) {
    return Fail(ErrorCode::kInvalid,
                fmt::format("{} cannot be represented as a nanoseconds timestamp since it overflows int64",
                            FormatFloat(v)));
  }
  return Time{FromUnixMillis(static_cast<int64_t>(ns) / 1000000)};
}

}  // namespace mlalert::tmpl
