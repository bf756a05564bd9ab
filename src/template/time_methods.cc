// The methods of time.Time, time.Duration, time.Month and time.Weekday that templates use.
#include <algorithm>
#include <array>
#include <chrono>
#include <date/tz.h>
#include <fmt/format.h>
#include <limits>

#include "template/go_time.h"
#include "template/layout.h"

namespace mlalert::tmpl {
namespace {

using Arguments = std::span<const Value>;
using TimeMethod = Result<Value> (*)(const Time&, Arguments);
using DurationMethod = Result<Value> (*)(Duration, Arguments);

template <class Fn>
struct Method {
  std::string_view name;
  std::optional<ParamType> param;
  Fn fn;
};

// {{ $t.Location }}: it prints its name.
class LocationObject final : public Object {
 public:
  explicit LocationObject(std::string name) : name_(std::move(name)) {}

  std::string TypeName() const override { return "*time.Location"; }
  std::string Print() const override { return name_; }
  bool PrintsItself() const override { return true; }
  const Signature* FindMethod(std::string_view name) const override {
    static const Signature none{};
    return name == "String" ? &none : nullptr;
  }
  Result<Value> Call(std::string_view, std::span<const Value>) const override { return Value::String(name_); }

 private:
  std::string name_;
};

const Signature& SignatureOf(std::optional<ParamType> param) {
  static const Signature none{};
  static const Signature string{{ParamType::kString}, false};
  static const Signature time{{ParamType::kTime}, false};
  static const Signature duration{{ParamType::kDuration}, false};
  static const Signature three_ints{{ParamType::kInt, ParamType::kInt, ParamType::kInt}, false};
  if (param == ParamType::kInt) {
    return three_ints;
  }
  if (!param) {
    return none;
  }
  return *param == ParamType::kString ? string : *param == ParamType::kTime ? time : duration;
}

// Go's zero time lies outside our range; sums and differences with it saturate, as Go's Sub does.
constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
constexpr int64_t kMin = std::numeric_limits<int64_t>::min();

int64_t SaturatingAdd(int64_t a, int64_t b) {
  int64_t sum = 0;
  return __builtin_add_overflow(a, b, &sum) ? (b > 0 ? kMax : kMin) : sum;
}

int64_t Nanos(const Time& t) {
  return t.at.time_since_epoch().count();
}

Duration Difference(const Time& a, const Time& b) {
  int64_t d = 0;
  if (__builtin_sub_overflow(Nanos(a), Nanos(b), &d)) {
    d = Nanos(a) > Nanos(b) ? kMax : kMin;
  }
  return Duration(d);
}

int64_t UnixSeconds(const Time& t) {
  return IsSet(t.at) ? std::chrono::floor<std::chrono::seconds>(t.at).time_since_epoch().count()
                     : -62135596800;
}

int64_t FloorDiv(int64_t a, int64_t b) {
  return a / b - (a % b < 0 ? 1 : 0);
}

Value CivilField(const Time& t, int Civil::*field, IntType type = IntType::kInt) {
  return Value::Integer(ToCivil(t).*field, type);
}

Value At(const Time& t, Timestamp at) {
  Time out = t;
  out.at = at;
  return Value::OfTime(out);
}

int64_t Truncated(int64_t d, int64_t unit) {
  return unit <= 0 ? d : d - d % unit;
}

// Half away from zero.
int64_t Rounded(int64_t d, int64_t unit) {
  if (unit <= 0) {
    return d;
  }
  int64_t rest = d % unit;
  if (d < 0) {
    return -rest < unit - -rest ? d - rest : SaturatingAdd(d, -(unit + rest));
  }
  return rest < unit - rest ? d - rest : SaturatingAdd(d, unit - rest);
}

// The same time of day that many years, months and days later; days that a month lacks run into the next one.
Value AddDate(const Time& t, int64_t years, int64_t months, int64_t days) {
  constexpr int64_t kFar = 300 * 366;  // our range of years, in days
  years = std::clamp(years, -kFar, kFar);
  months = std::clamp(months, -kFar, kFar);
  days = std::clamp(days, -kFar, kFar);
  if (!IsSet(t.at)) {
    return Value::OfTime(t);
  }
  const Civil civil = ToCivil(t);
  int64_t month = civil.month - 1 + months;
  int64_t year = civil.year + years + FloorDiv(month, 12);
  month -= FloorDiv(month, 12) * 12;
  auto day_number = [](int64_t y, int64_t m, int64_t d) {
    using namespace std::chrono;
    auto first = std::chrono::year(static_cast<int>(std::clamp<int64_t>(y, -30000, 30000))) /
                 std::chrono::month(static_cast<unsigned>(m + 1)) / 1;
    return sys_days(first).time_since_epoch().count() + d - 1;
  };
  int64_t moved =
      day_number(year, month, civil.day + days) - day_number(civil.year, civil.month - 1, civil.day);
  int64_t nanos = 0;
  if (__builtin_mul_overflow(moved, int64_t{86400} * 1000000000, &nanos)) {
    nanos = moved > 0 ? kMax : kMin;
  }
  Time out = t;
  out.at = Timestamp(Duration(SaturatingAdd(Nanos(t), nanos)));
  int64_t shift = civil.offset_seconds - ToCivil(out).offset_seconds;
  out.at = Timestamp(Duration(SaturatingAdd(Nanos(out), shift * 1000000000)));
  return Value::OfTime(out);
}

std::string LocationName(const Time& t) {
  if (t.zone != nullptr) {
    return t.zone->name();
  }
  return t.offset_minutes == 0 ? "UTC" : "";
}

constexpr auto kDur = ParamType::kDuration;
constexpr auto kTimeParam = ParamType::kTime;

const std::array<Method<TimeMethod>, 28> kTimeMethods{{
    {"Format", ParamType::kString,
     [](const Time& t, Arguments a) -> Result<Value> {
       return Value::String(FormatLayout(t, a[0].AsString()));
     }},
    {"String", {}, [](const Time& t, Arguments) -> Result<Value> { return Value::String(PrintTime(t)); }},
    {"Unix",
     {},
     [](const Time& t, Arguments) -> Result<Value> {
       return Value::Integer(UnixSeconds(t), IntType::kInt64);
     }},
    {"UnixMilli",
     {},
     [](const Time& t, Arguments) -> Result<Value> {
       return Value::Integer(IsSet(t.at) ? FloorDiv(Nanos(t), 1000000) : -62135596800000, IntType::kInt64);
     }},
    {"UnixMicro",
     {},
     [](const Time& t, Arguments) -> Result<Value> {
       return Value::Integer(IsSet(t.at) ? FloorDiv(Nanos(t), 1000) : -62135596800000000, IntType::kInt64);
     }},
    {"UnixNano",
     {},
     [](const Time& t, Arguments) -> Result<Value> { return Value::Integer(Nanos(t), IntType::kInt64); }},
    {"Year", {}, [](const Time& t, Arguments) -> Result<Value> { return CivilField(t, &Civil::year); }},
    {"Month",
     {},
     [](const Time& t, Arguments) -> Result<Value> { return CivilField(t, &Civil::month, IntType::kMonth); }},
    {"Day", {}, [](const Time& t, Arguments) -> Result<Value> { return CivilField(t, &Civil::day); }},
    {"Hour", {}, [](const Time& t, Arguments) -> Result<Value> { return CivilField(t, &Civil::hour); }},
    {"Minute", {}, [](const Time& t, Arguments) -> Result<Value> { return CivilField(t, &Civil::minute); }},
    {"Second", {}, [](const Time& t, Arguments) -> Result<Value> { return CivilField(t, &Civil::second); }},
    {"Nanosecond",
     {},
     [](const Time& t, Arguments) -> Result<Value> { return Value::Integer(ToCivil(t).nanosecond); }},
    {"YearDay",
     {},
     [](const Time& t, Arguments) -> Result<Value> { return CivilField(t, &Civil::year_day); }},
    {"Weekday",
     {},
     [](const Time& t, Arguments) -> Result<Value> {
       return CivilField(t, &Civil::weekday, IntType::kWeekday);
     }},
    {"IsZero", {}, [](const Time& t, Arguments) -> Result<Value> { return Value::Bool(!IsSet(t.at)); }},
    {"UTC", {}, [](const Time& t, Arguments) -> Result<Value> { return Value::OfTime({t.at}); }},
    {"Local",
     {},
     [](const Time& t, Arguments) -> Result<Value> {
       Result<Time> local = InZone(t, "Local");
       return Value::OfTime(local ? *local : Time{t.at});
     }},
    {"Add", kDur,
     [](const Time& t, Arguments a) -> Result<Value> {
       return At(t, Timestamp(Duration(SaturatingAdd(Nanos(t), a[0].AsDuration().count()))));
     }},
    {"Sub", kTimeParam,
     [](const Time& t, Arguments a) -> Result<Value> {
       return Value::OfDuration(Difference(t, a[0].AsTime()));
     }},
    {"Before", kTimeParam,
     [](const Time& t, Arguments a) -> Result<Value> { return Value::Bool(t.at < a[0].AsTime().at); }},
    {"After", kTimeParam,
     [](const Time& t, Arguments a) -> Result<Value> { return Value::Bool(t.at > a[0].AsTime().at); }},
    {"Equal", kTimeParam,
     [](const Time& t, Arguments a) -> Result<Value> { return Value::Bool(t.at == a[0].AsTime().at); }},
    {"Compare", kTimeParam,
     [](const Time& t, Arguments a) -> Result<Value> {
       Timestamp other = a[0].AsTime().at;
       return Value::Integer(t.at < other ? -1 : t.at > other ? 1 : 0);
     }},
    {"AddDate", ParamType::kInt,
     [](const Time& t, Arguments a) -> Result<Value> {
       return AddDate(t, a[0].AsInt().bits, a[1].AsInt().bits, a[2].AsInt().bits);
     }},
    {"Location",
     {},
     [](const Time& t, Arguments) -> Result<Value> {
       return Value::Of(std::make_shared<LocationObject>(LocationName(t)));
     }},
    {"Truncate", kDur,
     [](const Time& t, Arguments a) -> Result<Value> {
       int64_t unit = a[0].AsDuration().count();
       return At(t, unit <= 0 || !IsSet(t.at) ? t.at : Timestamp(Duration(FloorDiv(Nanos(t), unit) * unit)));
     }},
    {"Round", kDur,
     [](const Time& t, Arguments a) -> Result<Value> {
       return At(t, IsSet(t.at) ? Timestamp(Duration(Rounded(Nanos(t), a[0].AsDuration().count()))) : t.at);
     }},
}};

template <int64_t kUnit>
Result<Value> InUnits(Duration d, Arguments) {
  return Value::Float(static_cast<double>(d.count() / kUnit) +
                      static_cast<double>(d.count() % kUnit) / static_cast<double>(kUnit));
}

template <int64_t kUnit>
Result<Value> WholeUnits(Duration d, Arguments) {
  return Value::Integer(d.count() / kUnit, IntType::kInt64);
}

const std::array<Method<DurationMethod>, 10> kDurationMethods{{
    {"String", {}, [](Duration d, Arguments) -> Result<Value> { return Value::String(FormatGoDuration(d)); }},
    {"Seconds", {}, InUnits<1000000000>},
    {"Minutes", {}, InUnits<60000000000>},
    {"Hours", {}, InUnits<3600000000000>},
    {"Milliseconds", {}, WholeUnits<1000000>},
    {"Microseconds", {}, WholeUnits<1000>},
    {"Nanoseconds", {}, WholeUnits<1>},
    {"Abs",
     {},
     [](Duration d, Arguments) -> Result<Value> {
       return Value::OfDuration(d.count() == kMin ? Duration(kMax)
                                                  : Duration(d.count() < 0 ? -d.count() : d.count()));
     }},
    {"Truncate", kDur,
     [](Duration d, Arguments a) -> Result<Value> {
       return Value::OfDuration(Duration(Truncated(d.count(), a[0].AsDuration().count())));
     }},
    {"Round", kDur,
     [](Duration d, Arguments a) -> Result<Value> {
       return Value::OfDuration(Duration(Rounded(d.count(), a[0].AsDuration().count())));
     }},
}};

template <class Methods>
const typename Methods::value_type* Find(const Methods& methods, std::string_view name) {
  for (const auto& method : methods) {
    if (method.name == name) {
      return &method;
    }
  }
  return nullptr;
}

bool IsCalendarInt(const Value& v) {
  return v.kind() == Kind::kInt && (v.AsInt().type == IntType::kMonth || v.AsInt().type == IntType::kWeekday);
}

}  // namespace

const Signature* FindValueMethod(const Value& v, std::string_view name) {
  if (v.kind() == Kind::kTime) {
    const auto* method = Find(kTimeMethods, name);
    return method == nullptr ? nullptr : &SignatureOf(method->param);
  }
  if (v.kind() == Kind::kDuration) {
    const auto* method = Find(kDurationMethods, name);
    return method == nullptr ? nullptr : &SignatureOf(method->param);
  }
  return IsCalendarInt(v) && name == "String" ? &SignatureOf({}) : nullptr;
}

Result<Value> CallValueMethod(const Value& v, std::string_view name, std::span<const Value> args) {
  if (v.kind() == Kind::kTime) {
    return Find(kTimeMethods, name)->fn(v.AsTime(), args);
  }
  if (v.kind() == Kind::kDuration) {
    return Find(kDurationMethods, name)->fn(v.AsDuration(), args);
  }
  bool month = v.AsInt().type == IntType::kMonth;
  return Value::String(std::string(month ? MonthName(v.AsInt().bits) : WeekdayName(v.AsInt().bits)));
}

}  // namespace mlalert::tmpl
