#include "template/value.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

#include "base/json.h"
#include "template/json_encode.h"
#include "template/number.h"
#include "template/print.h"

namespace mlalert::tmpl {
namespace {

constexpr const char* kSampleListType = "template.queryResult";

// Which values eq and lt may compare with each other.
enum class BasicKind : uint8_t { kNone, kBool, kFloat, kInt, kUint, kString };

BasicKind BasicKindOf(const Value& v) {
  switch (v.kind()) {
    case Kind::kBool:
      return BasicKind::kBool;
    case Kind::kFloat:
      return BasicKind::kFloat;
    case Kind::kInt:
      return v.AsInt().IsUnsigned() ? BasicKind::kUint : BasicKind::kInt;
    case Kind::kDuration:
      return BasicKind::kInt;
    case Kind::kString:
      return BasicKind::kString;
    default:
      return BasicKind::kNone;
  }
}

int64_t Signed(const Value& v) {
  return v.kind() == Kind::kDuration ? v.AsDuration().count() : v.AsInt().bits;
}

tl::unexpected<Error> Incompatible(const Value& a, const Value& b) {
  return Fail(ErrorCode::kInvalid,
              fmt::format("incompatible types for comparison: {} and {}", a.TypeName(), b.TypeName()));
}

}  // namespace

Value Value::Bool(bool v) {
  Value out;
  out.data_ = v;
  return out;
}
Value Value::Integer(int64_t v, IntType type) {
  Value out;
  out.data_ = Int{v, type};
  return out;
}
Value Value::Unsigned(uint64_t v, IntType type) {
  return Integer(static_cast<int64_t>(v), type);
}
Value Value::Float(double v) {
  Value out;
  out.data_ = v;
  return out;
}
Value Value::String(std::string v, StringType type) {
  auto owned = std::make_shared<const std::string>(std::move(v));
  const char* bytes = owned->data();
  auto size = static_cast<uint32_t>(owned->size());
  Value out;
  out.data_ = Text{std::shared_ptr<const char>(std::move(owned), bytes), size, type};
  return out;
}
Value Value::View(std::string_view v, StringType type) {
  Value out;
  out.data_ = Text{std::shared_ptr<const char>(std::shared_ptr<const char>(), v.data()),
                   static_cast<uint32_t>(v.size()), type};
  return out;
}
Value Value::List(std::vector<Value> items, const char* type_name) {
  auto data = std::make_shared<ListData>();
  for (const Value& item : items) {
    data->depth = std::max(data->depth, item.Depth() + 1);
  }
  data->items = std::move(items);
  data->type_name = type_name;
  Value out;
  out.data_ = ListRef(std::move(data));
  return out;
}
Value Value::StringList(std::vector<std::string> items) {
  std::vector<Value> values;
  values.reserve(items.size());
  for (std::string& item : items) {
    values.push_back(String(std::move(item)));
  }
  return List(std::move(values), "[]string");
}
Value Value::MapOf(std::vector<std::pair<std::string, Value>> entries, bool strings) {
  std::stable_sort(entries.begin(), entries.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  auto data = std::make_shared<MapData>();
  data->strings = strings;
  for (auto& entry : entries) {
    data->depth = std::max(data->depth, entry.second.Depth() + 1);
    if (!data->entries.empty() && data->entries.back().first == entry.first) {
      data->entries.back().second = std::move(entry.second);
    } else {
      data->entries.push_back(std::move(entry));
    }
  }
  Value out;
  out.data_ = MapRef(std::move(data));
  return out;
}
Value Value::StringMap(std::vector<std::pair<std::string, std::string>> entries) {
  std::vector<std::pair<std::string, Value>> values;
  values.reserve(entries.size());
  for (auto& [key, value] : entries) {
    values.emplace_back(std::move(key), String(std::move(value)));
  }
  return MapOf(std::move(values), true);
}
Value Value::AnyMap(std::vector<std::pair<std::string, Value>> entries) {
  return MapOf(std::move(entries), false);
}
Value Value::Labels(std::span<const LabelPair> labels) {
  Value out;
  out.data_ = labels;
  return out;
}
Value Value::OfTime(Time t) {
  Value out;
  out.data_ = t;
  return out;
}
Value Value::OfDuration(Duration d) {
  Value out;
  out.data_ = d;
  return out;
}
Value Value::Of(std::shared_ptr<const Object> object) {
  Value out;
  if (object != nullptr) {
    out.data_ = std::move(object);
  }
  return out;
}
Value Value::Ref(const Object& object) {
  return Of(std::shared_ptr<const Object>(std::shared_ptr<const Object>(), &object));
}

Kind Value::kind() const {
  static constexpr Kind kKinds[] = {Kind::kNil,    Kind::kBool,     Kind::kInt,   Kind::kFloat,
                                    Kind::kString, Kind::kList,     Kind::kMap,   Kind::kMap,
                                    Kind::kTime,   Kind::kDuration, Kind::kObject};
  return kKinds[data_.index()];
}

std::string_view Value::AsString() const {
  const Text& text = std::get<Text>(data_);
  return {text.bytes.get(), text.size};
}

const Value& Value::Unwrapped() const {
  if (auto* object = std::get_if<std::shared_ptr<const Object>>(&data_)) {
    if (const Value* inner = (*object)->Underlying()) {
      return *inner;
    }
  }
  return *this;
}

size_t Value::Size() const {
  const Value& v = Unwrapped();
  if (auto* text = std::get_if<Text>(&v.data_)) {
    return text->size;
  }
  if (auto* list = std::get_if<ListRef>(&v.data_)) {
    return (*list)->items.size();
  }
  if (auto* map = std::get_if<MapRef>(&v.data_)) {
    return (*map)->entries.size();
  }
  if (auto* labels = std::get_if<LabelsRef>(&v.data_)) {
    return labels->size();
  }
  return 0;
}

const Value& Value::Item(size_t i) const {
  return std::get<ListRef>(Unwrapped().data_)->items[i];
}

std::string_view Value::KeyAt(size_t i) const {
  const Value& v = Unwrapped();
  if (auto* labels = std::get_if<LabelsRef>(&v.data_)) {
    return (*labels)[i].first;
  }
  return std::get<MapRef>(v.data_)->entries[i].first;
}

Value Value::KeyValueAt(size_t i) const {
  const Value& v = Unwrapped();
  if (auto* labels = std::get_if<LabelsRef>(&v.data_)) {
    return View((*labels)[i].first);
  }
  const MapRef& map = std::get<MapRef>(v.data_);
  const std::string& key = map->entries[i].first;
  Value out;
  out.data_ = Text{std::shared_ptr<const char>(map, key.data()), static_cast<uint32_t>(key.size()),
                   StringType::kPlain};
  return out;
}

Value Value::ValueAt(size_t i) const {
  const Value& v = Unwrapped();
  if (auto* labels = std::get_if<LabelsRef>(&v.data_)) {
    return View((*labels)[i].second);
  }
  return std::get<MapRef>(v.data_)->entries[i].second;
}

Value Value::Lookup(std::string_view key) const {
  const Value& v = Unwrapped();
  if (auto* labels = std::get_if<LabelsRef>(&v.data_)) {
    auto it = std::lower_bound(labels->begin(), labels->end(), key,
                               [](const LabelPair& pair, std::string_view k) { return pair.first < k; });
    return it != labels->end() && it->first == key ? View(it->second) : View("");
  }
  const auto& entries = std::get<MapRef>(v.data_)->entries;
  auto it = std::lower_bound(entries.begin(), entries.end(), key,
                             [](const auto& entry, std::string_view k) { return entry.first < k; });
  if (it != entries.end() && it->first == key) {
    return it->second;
  }
  return v.IsStringMap() ? View("") : Value();
}

bool Value::IsStringMap() const {
  const Value& v = Unwrapped();
  if (auto* map = std::get_if<MapRef>(&v.data_)) {
    return (*map)->strings;
  }
  return std::holds_alternative<LabelsRef>(v.data_);
}

bool Value::Truth() const {
  switch (kind()) {
    case Kind::kNil:
      return false;
    case Kind::kBool:
      return AsBool();
    case Kind::kInt:
      return AsInt().bits != 0;
    case Kind::kFloat:
      return AsFloat() != 0;
    case Kind::kString:
    case Kind::kList:
    case Kind::kMap:
      return Size() > 0;
    case Kind::kDuration:
      return AsDuration() != Duration::zero();
    case Kind::kTime:
      return true;
    case Kind::kObject: {
      const Value& inner = Unwrapped();
      return &inner == this || inner.Truth();
    }
  }
  return false;
}

std::string Value::TypeName() const {
  switch (kind()) {
    case Kind::kNil:
      return "<nil>";
    case Kind::kBool:
      return "bool";
    case Kind::kInt: {
      static constexpr const char* kNames[] = {"int",          "int64", "int32", "time.Month",
                                               "time.Weekday", "uint8", "uint",  "uint64"};
      return kNames[static_cast<size_t>(AsInt().type)];
    }
    case Kind::kFloat:
      return "float64";
    case Kind::kString:
      switch (AsStringType()) {
        case StringType::kPlain:
          return "string";
        case StringType::kHtml:
          return "template.HTML";
        case StringType::kUrl:
          return "template.URL";
      }
      return "string";
    case Kind::kList:
      return std::get<ListRef>(data_)->type_name;
    case Kind::kMap:
      return IsStringMap() ? "map[string]string" : "map[string]interface {}";
    case Kind::kTime:
      return "time.Time";
    case Kind::kDuration:
      return "time.Duration";
    case Kind::kObject:
      return AsObject().TypeName();
  }
  return "";
}

bool Value::PrintsItself() const {
  switch (kind()) {
    case Kind::kDuration:
      return true;
    case Kind::kInt:
      return AsInt().type == IntType::kMonth || AsInt().type == IntType::kWeekday;
    case Kind::kObject:
      return AsObject().PrintsItself();
    default:
      return false;
  }
}

int Value::Depth() const {
  if (auto* list = std::get_if<ListRef>(&data_)) {
    return (*list)->depth;
  }
  if (auto* map = std::get_if<MapRef>(&data_)) {
    return (*map)->depth;
  }
  return std::holds_alternative<LabelsRef>(data_) || kind() == Kind::kObject ? 1 : 0;
}

std::optional<Value> Object::Field(std::string_view) const {
  return std::nullopt;
}

const Signature* Object::FindMethod(std::string_view) const {
  return nullptr;
}

Result<Value> Object::Call(std::string_view name, std::span<const Value>) const {
  return Fail(ErrorCode::kInternal, fmt::format("method {} is declared but not implemented", name));
}

bool Object::AppendJson(std::string& out) const {
  return Underlying() != nullptr && AppendJsonValue(out, *Underlying());
}

namespace {

class ComplexObject final : public Object {
 public:
  ComplexObject(double real, double imaginary) : real_(real), imaginary_(imaginary) {}

  std::string TypeName() const override { return "complex128"; }
  std::string Print() const override {
    std::string out = "(";
    AppendFloat(out, real_, 'g', -1);
    if (!std::signbit(imaginary_)) {
      out.push_back('+');
    }
    AppendFloat(out, imaginary_, 'g', -1);
    return out + "i)";
  }
  bool IsComparable() const override { return true; }

 private:
  double real_, imaginary_;
};

}  // namespace

Value ComplexValue(double real, double imaginary) {
  return Value::Of(std::make_shared<ComplexObject>(real, imaginary));
}

SampleObject::SampleObject(Sample sample)
    : labels_(Value::StringMap(std::move(sample.labels))), value_(sample.value) {}

std::string SampleObject::TypeName() const {
  return "template.sample";
}

std::string SampleObject::Print() const {
  std::string out = "{";
  AppendValue(out, labels_);
  out.push_back(' ');
  AppendValue(out, Value::Float(value_));
  out.push_back('}');
  return out;
}

std::vector<std::pair<std::string_view, Value>> SampleObject::Fields() const {
  return {{"Labels", labels_}, {"Value", Value::Float(value_)}};
}

std::optional<Value> SampleObject::Field(std::string_view name) const {
  if (name == "Labels") {
    return labels_;
  }
  if (name == "Value") {
    return Value::Float(value_);
  }
  return std::nullopt;
}

bool SampleObject::AppendJson(std::string& out) const {
  out += "{\"Labels\":";
  if (!AppendJsonValue(out, labels_)) {
    return false;
  }
  out += ",\"Value\":";
  if (!AppendJsonValue(out, Value::Float(value_))) {
    return false;
  }
  out.push_back('}');
  return true;
}

Value SampleListValue(std::vector<Sample> samples) {
  std::vector<Value> items;
  items.reserve(samples.size());
  for (Sample& sample : samples) {
    items.push_back(Value::Of(std::make_shared<SampleObject>(std::move(sample))));
  }
  return Value::List(std::move(items), kSampleListType);
}

const SampleObject* AsSample(const Value& v) {
  return v.kind() == Kind::kObject ? dynamic_cast<const SampleObject*>(&v.AsObject()) : nullptr;
}

std::string_view ParamTypeName(ParamType type) {
  static constexpr std::string_view kNames[] = {"interface {}",
                                                "bool",
                                                "int",
                                                "float64",
                                                "string",
                                                "[]string",
                                                "[]interface {}",
                                                "time.Time",
                                                "time.Duration",
                                                "*template.sample",
                                                "template.queryResult"};
  return kNames[static_cast<size_t>(type)];
}

bool Accepts(ParamType type, const Value& v) {
  switch (type) {
    case ParamType::kAny:
      return true;
    case ParamType::kBool:
      return v.kind() == Kind::kBool;
    case ParamType::kInt:
      return v.kind() == Kind::kInt && v.AsInt().type == IntType::kInt;
    case ParamType::kFloat:
      return v.kind() == Kind::kFloat;
    case ParamType::kString:
      // What safeHtml returns is another type to Go, and no argument of a function of strings.
      return v.kind() == Kind::kString && v.AsStringType() == StringType::kPlain;
    case ParamType::kStringList: {
      const Value& list = v.Unwrapped();
      if (list.kind() != Kind::kList) {
        return false;
      }
      return list.TypeName() == "[]string";
    }
    case ParamType::kList:
      return v.Unwrapped().kind() == Kind::kList;
    case ParamType::kTime:
      return v.kind() == Kind::kTime;
    case ParamType::kDuration:
      return v.kind() == Kind::kDuration;
    case ParamType::kSample:
      return AsSample(v) != nullptr;
    case ParamType::kSampleList:
      return v.kind() == Kind::kList && v.TypeName() == kSampleListType;
  }
  return false;
}

Result<bool> EqualValues(const Value& a, const Value& b) {
  BasicKind ka = BasicKindOf(a);
  BasicKind kb = BasicKindOf(b);
  if (ka != kb) {
    if (ka == BasicKind::kInt && kb == BasicKind::kUint) {
      return Signed(a) >= 0 && static_cast<uint64_t>(Signed(a)) == b.AsInt().AsUnsigned();
    }
    if (ka == BasicKind::kUint && kb == BasicKind::kInt) {
      return EqualValues(b, a);
    }
    if (a.IsNil() || b.IsNil()) {
      return false;
    }
    return Incompatible(a, b);
  }
  switch (ka) {
    case BasicKind::kBool:
      return a.AsBool() == b.AsBool();
    case BasicKind::kFloat:
      return a.AsFloat() == b.AsFloat();
    case BasicKind::kInt:
    case BasicKind::kUint:
      return Signed(a) == Signed(b);
    case BasicKind::kString:
      return a.AsString() == b.AsString();
    case BasicKind::kNone:
      break;
  }
  if (a.IsNil() || b.IsNil()) {
    return a.IsNil() && b.IsNil();
  }
  if (a.kind() == Kind::kTime && b.kind() == Kind::kTime) {
    return a.AsTime().at == b.AsTime().at;
  }
  if (a.kind() == Kind::kObject && b.kind() == Kind::kObject && a.AsObject().IsComparable() &&
      b.AsObject().IsComparable()) {
    return a.TypeName() == b.TypeName() && a.AsObject().Print() == b.AsObject().Print();
  }
  std::string text;
  bool first = a.Unwrapped().kind() == Kind::kList || a.Unwrapped().kind() == Kind::kMap ||
               (a.kind() == Kind::kObject && !a.AsObject().IsComparable());
  AppendValue(text, first ? a : b, 1024);
  return Fail(ErrorCode::kInvalid, fmt::format("non-comparable type {}: {}", text, a.TypeName()));
}

Result<bool> LessValues(const Value& a, const Value& b) {
  BasicKind ka = BasicKindOf(a);
  BasicKind kb = BasicKindOf(b);
  if (ka == BasicKind::kNone || kb == BasicKind::kNone) {
    return Fail(ErrorCode::kInvalid, "invalid type for comparison");
  }
  if (ka != kb) {
    if (ka == BasicKind::kInt && kb == BasicKind::kUint) {
      return Signed(a) < 0 || static_cast<uint64_t>(Signed(a)) < b.AsInt().AsUnsigned();
    }
    if (ka == BasicKind::kUint && kb == BasicKind::kInt) {
      return Signed(b) >= 0 && a.AsInt().AsUnsigned() < static_cast<uint64_t>(Signed(b));
    }
    return Incompatible(a, b);
  }
  switch (ka) {
    case BasicKind::kFloat:
      return a.AsFloat() < b.AsFloat();
    case BasicKind::kInt:
      return Signed(a) < Signed(b);
    case BasicKind::kUint:
      return a.AsInt().AsUnsigned() < b.AsInt().AsUnsigned();
    case BasicKind::kString:
      return a.AsString() < b.AsString();
    default:
      return Fail(ErrorCode::kInvalid, "invalid type for comparison");
  }
}

}  // namespace mlalert::tmpl
