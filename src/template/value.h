// The values templates work on, with the types, truth, lengths and names they have in Go's text/template.
// Fed by: rule_template (labels, value) and notify (alert data, through Object). Read by: exec, builtins,
// printf. A Value is 32 bytes. Strings and label lists may be borrowed: whoever passes borrowed data to
// Execute() keeps it alive for that call. Owned data is immutable and shared, so copying a Value never copies
// text. Thread: Values are plain values; shared data is const and may be read from any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace date {
class time_zone;
}

namespace mlalert::tmpl {

class Object;
class Value;

using LabelPair = std::pair<std::string_view, std::string_view>;

enum class Kind : uint8_t { kNil, kBool, kInt, kFloat, kString, kList, kMap, kTime, kDuration, kObject };

// The Go type behind an integer: it shows in messages, in comparisons and, for months, in print.
enum class IntType : uint8_t { kInt, kInt64, kInt32, kMonth, kWeekday, kUint8, kUint, kUint64 };

// Strings that the template's author vouched for; only a HTML escaping mode would treat them differently.
enum class StringType : uint8_t { kPlain, kHtml, kUrl };

// Lists and maps may nest this deep (list (list (list ...))); the functions that build them refuse more.
inline constexpr int kMaxValueDepth = 64;

struct Int {
  int64_t bits = 0;  // two's complement; unsigned types read it as uint64_t
  IntType type = IntType::kInt;

  bool IsUnsigned() const { return type >= IntType::kUint8; }
  uint64_t AsUnsigned() const { return static_cast<uint64_t>(bits); }
};

// An instant and the zone it is shown in: a named zone, or a fixed offset when `zone` is null (0 is UTC).
struct Time {
  Timestamp at = kUnset;  // kUnset is Go's zero time, 0001-01-01
  const date::time_zone* zone = nullptr;
  int offset_minutes = 0;
};

// Argument types of functions and methods. kAny takes everything including nil.
enum class ParamType : uint8_t {
  kAny,
  kBool,
  kInt,
  kFloat,
  kString,
  kStringList,
  kList,
  kTime,
  kDuration,
  kSample,
  kSampleList
};

// How a function or method may be called; the last parameter repeats (zero or more times) when variadic.
struct Signature {
  std::vector<ParamType> params;
  bool variadic = false;
};

class Value {
 public:
  Value() = default;

  static Value Bool(bool v);
  static Value Integer(int64_t v, IntType type = IntType::kInt);
  static Value Unsigned(uint64_t v, IntType type = IntType::kUint64);
  static Value Float(double v);
  static Value String(std::string v, StringType type = StringType::kPlain);
  // Borrowed: the bytes must outlive the value.
  static Value View(std::string_view v, StringType type = StringType::kPlain);
  // `type_name` must be a literal; it shows in messages only.
  static Value List(std::vector<Value> items, const char* type_name = "[]interface {}");
  static Value StringList(std::vector<std::string> items);
  // Sorts by key; the last of equal keys wins. A missing key of a string map is "", of any other map nil.
  static Value StringMap(std::vector<std::pair<std::string, std::string>> entries);
  static Value AnyMap(std::vector<std::pair<std::string, Value>> entries);
  // Borrowed map of strings, sorted by name: label sets enter templates without a copy.
  static Value Labels(std::span<const LabelPair> labels);
  static Value OfTime(Time t);
  static Value OfDuration(Duration d);
  static Value Of(std::shared_ptr<const Object> object);
  // Borrowed: `object` must outlive the value.
  static Value Ref(const Object& object);

  Kind kind() const;
  bool IsNil() const { return kind() == Kind::kNil; }

  // Each of these may be called only on its kind.
  bool AsBool() const { return std::get<bool>(data_); }
  const Int& AsInt() const { return std::get<Int>(data_); }
  double AsFloat() const { return std::get<double>(data_); }
  std::string_view AsString() const;
  StringType AsStringType() const { return std::get<Text>(data_).type; }
  const Time& AsTime() const { return std::get<Time>(data_); }
  Duration AsDuration() const { return std::get<Duration>(data_); }
  const Object& AsObject() const { return *std::get<std::shared_ptr<const Object>>(data_); }

  // Lists and maps, also inside an Object that wraps one. Entries of maps are sorted by key.
  const Value& Unwrapped() const;
  size_t Size() const;  // bytes of a string, items of a list or map, else 0
  const Value& Item(size_t i) const;
  std::string_view KeyAt(size_t i) const;  // valid while the map lives
  Value KeyValueAt(size_t i) const;        // shares ownership of the map
  Value ValueAt(size_t i) const;
  // The entry, or the zero value of the map's elements.
  Value Lookup(std::string_view key) const;
  bool IsStringMap() const;

  // Go's truth: false are nil, false, zero, and empty strings, lists and maps. Structs are always true.
  bool Truth() const;
  // Go's name of the type: "float64", "map[string]string", "time.Duration", ...
  std::string TypeName() const;
  // Durations, months, weekdays, and objects that say so.
  bool PrintsItself() const;
  // 0 for scalars, 1 + the deepest element for lists and maps.
  int Depth() const;

 private:
  struct Text {
    std::shared_ptr<const char> bytes;  // no control block when borrowed
    uint32_t size = 0;
    StringType type = StringType::kPlain;
  };
  struct ListData {
    std::vector<Value> items;
    const char* type_name = "";
    int depth = 1;
  };
  struct MapData {
    std::vector<std::pair<std::string, Value>> entries;
    bool strings = false;
    int depth = 1;
  };
  using ListRef = std::shared_ptr<const ListData>;
  using MapRef = std::shared_ptr<const MapData>;
  using LabelsRef = std::span<const LabelPair>;

  static Value MapOf(std::vector<std::pair<std::string, Value>> entries, bool strings);

  std::variant<std::monostate, bool, Int, double, Text, ListRef, MapRef, LabelsRef, Time, Duration,
               std::shared_ptr<const Object>>
      data_;
};
static_assert(sizeof(Value) <= 32, "Values are copied all the time");

// Data offered to templates by other modules: a struct with fields, or a list or map with methods.
// Implementations are immutable and may be read from any thread.
class Object {
 public:
  virtual ~Object() = default;

  // Go's name of the type, e.g. "template.Alert": users see it in error messages.
  virtual std::string TypeName() const = 0;
  // What `{{ . }}` prints.
  virtual std::string Print() const = 0;
  // Go's Stringer: where HTML escaping wants a script's value, it is Print() as a string.
  virtual bool PrintsItself() const { return false; }
  // The list or map this object wraps: range, index, len, truth and (for maps) fields use it. Null: a struct.
  virtual const Value* Underlying() const { return nullptr; }
  // The fields of a struct in their order, for printf; empty: it prints as Print() whatever the verb.
  virtual std::vector<std::pair<std::string_view, Value>> Fields() const { return {}; }
  // May stand in eq: no field is a list or map.
  virtual bool IsComparable() const { return false; }
  // A field of a struct; nullopt: there is no such field. Borrowed strings in it must outlive the execution,
  // not only this object: templates may keep them in variables.
  virtual std::optional<Value> Field(std::string_view name) const;
  // The signature of a method, null when there is none. Methods win over fields, as in Go.
  virtual const Signature* FindMethod(std::string_view name) const;
  // Called with arguments that fit FindMethod(name).
  virtual Result<Value> Call(std::string_view name, std::span<const Value> args) const;
  // Appends the JSON of toJson; false: cannot be encoded. The default encodes Underlying().
  virtual bool AppendJson(std::string& out) const;
};

// One element of a query's result.
struct Sample {
  std::vector<std::pair<std::string, std::string>> labels;  // sorted by name
  double value = 0;
};

// {{ (query "up" | first).Labels.job }}: fields Labels and Value.
class SampleObject final : public Object {
 public:
  explicit SampleObject(Sample sample);

  std::string TypeName() const override;
  std::string Print() const override;
  std::vector<std::pair<std::string_view, Value>> Fields() const override;
  std::optional<Value> Field(std::string_view name) const override;
  bool AppendJson(std::string& out) const override;

  double value() const { return value_; }
  const Value& labels() const { return labels_; }

 private:
  Value labels_;
  double value_;
};

// A complex128 literal: it can be printed, and nothing else.
Value ComplexValue(double real, double imaginary);

// A list that sample functions (first, sortByLabel) accept.
Value SampleListValue(std::vector<Sample> samples);
// Null unless `v` is a sample.
const SampleObject* AsSample(const Value& v);

// The Go name of a parameter type, for messages.
std::string_view ParamTypeName(ParamType type);
bool Accepts(ParamType type, const Value& v);

// The three-way results of eq and lt. Errors carry Go's text.
Result<bool> EqualValues(const Value& a, const Value& b);
Result<bool> LessValues(const Value& a, const Value& b);

}  // namespace mlalert::tmpl
