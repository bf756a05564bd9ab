// Go's predefined template functions. and, or and call are evaluated by exec.
#include <fmt/format.h>

#include "template/func_map.h"
#include "template/print.h"
#include "template/quote.h"

namespace mlalert::tmpl {
namespace {

using Arguments = std::span<const Value>;
constexpr ParamType kAny = ParamType::kAny;

tl::unexpected<Error> Bad(std::string message) {
  return Fail(ErrorCode::kInvalid, std::move(message));
}

Result<Value> Len(ExecContext&, Arguments args) {
  const Value& v = args[0].Unwrapped();
  switch (v.kind()) {
    case Kind::kString:
    case Kind::kList:
    case Kind::kMap:
      return Value::Integer(static_cast<int64_t>(v.Size()));
    case Kind::kNil:
      return Bad("len of nil pointer");
    default:
      return Bad(fmt::format("len of type {}", v.TypeName()));
  }
}

// An index or slice bound within 0..max.
Result<size_t> Bound(const Value& v, size_t max) {
  if (v.IsNil()) {
    return Bad("cannot index slice/array with nil");
  }
  if (v.kind() != Kind::kInt) {
    return Bad(fmt::format("cannot index slice/array with type {}", v.TypeName()));
  }
  const Int& n = v.AsInt();
  if (n.bits < 0 || n.AsUnsigned() > max) {
    return Bad(n.IsUnsigned() ? fmt::format("index out of range: {}", n.AsUnsigned())
                              : fmt::format("index out of range: {}", n.bits));
  }
  return static_cast<size_t>(n.bits);
}

Result<Value> IndexOnce(const Value& container, const Value& index) {
  const Value& v = container.Unwrapped();
  switch (v.kind()) {
    case Kind::kMap:
      if (index.IsNil()) {
        return Bad("value is nil; should be of type string");
      }
      if (index.kind() != Kind::kString || index.AsStringType() != StringType::kPlain) {
        return Bad(fmt::format("value has type {}; should be string", index.TypeName()));
      }
      return v.Lookup(index.AsString());
    case Kind::kList:
    case Kind::kString: {
      MLALERT_ASSIGN(size_t i, Bound(index, v.Size()));
      bool text = v.kind() == Kind::kString;
      if (i == v.Size()) {
        return Bad(fmt::format("reflect: {} index out of range", text ? "string" : "slice"));
      }
      if (text) {
        return Value::Integer(static_cast<unsigned char>(v.AsString()[i]), IntType::kUint8);
      }
      return v.Item(i);
    }
    case Kind::kNil:
      return Bad("index of untyped nil");
    default:
      return Bad(fmt::format("can't index item of type {}", container.TypeName()));
  }
}

Result<Value> Index(ExecContext&, Arguments args) {
  Value item = args[0];
  if (item.IsNil()) {
    return Bad("index of untyped nil");
  }
  for (const Value& index : args.subspan(1)) {
    MLALERT_ASSIGN(Value next, IndexOnce(item, index));
    item = std::move(next);
  }
  return item;
}

// Slicing keeps the type: join takes a piece of a list of names as it takes the list.
const char* ListTypeOf(const Value& list) {
  const std::string name = list.TypeName();
  for (const char* known :
       {"[]string", "[]template.Alert", "template.Alerts", "template.Pairs", "template.queryResult"}) {
    if (name == known) {
      return known;
    }
  }
  return name == "template.Strings" ? "[]string" : "[]interface {}";
}

Result<Value> Slice(ExecContext&, Arguments args) {
  const Value& v = args[0].Unwrapped();
  Arguments bounds = args.subspan(1);
  if (v.IsNil()) {
    return Bad("slice of untyped nil");
  }
  if (bounds.size() > 3) {
    return Bad(fmt::format("too many slice indexes: {}", bounds.size()));
  }
  bool text = v.kind() == Kind::kString;
  if (!text && v.kind() != Kind::kList) {
    return Bad(fmt::format("can't slice item of type {}", args[0].TypeName()));
  }
  if (text && bounds.size() == 3) {
    return Bad("cannot 3-index slice a string");
  }
  size_t at[3] = {0, v.Size(), v.Size()};
  for (size_t i = 0; i < bounds.size(); ++i) {
    MLALERT_ASSIGN(at[i], Bound(bounds[i], v.Size()));
  }
  if (at[0] > at[1]) {
    return Bad(fmt::format("invalid slice index: {} > {}", at[0], at[1]));
  }
  if (bounds.size() == 3 && at[1] > at[2]) {
    return Bad(fmt::format("invalid slice index: {} > {}", at[1], at[2]));
  }
  if (text) {
    return Value::String(std::string(v.AsString().substr(at[0], at[1] - at[0])));
  }
  std::vector<Value> items;
  for (size_t i = at[0]; i < at[1]; ++i) {
    items.push_back(v.Item(i));
  }
  return Value::List(std::move(items), ListTypeOf(args[0]));
}

Result<Value> Eq(ExecContext&, Arguments args) {
  if (args.size() < 2) {
    return Bad("missing argument for comparison");
  }
  for (const Value& other : args.subspan(1)) {
    MLALERT_ASSIGN(bool equal, EqualValues(args[0], other));
    if (equal) {
      return Value::Bool(true);
    }
  }
  return Value::Bool(false);
}

Result<Value> Ne(ExecContext&, Arguments args) {
  MLALERT_ASSIGN(bool equal, EqualValues(args[0], args[1]));
  return Value::Bool(!equal);
}

Result<bool> LessOrEqual(const Value& a, const Value& b) {
  MLALERT_ASSIGN(bool less, LessValues(a, b));
  return less ? Result<bool>(true) : EqualValues(a, b);
}

Result<Value> Lt(ExecContext&, Arguments args) {
  MLALERT_ASSIGN(bool less, LessValues(args[0], args[1]));
  return Value::Bool(less);
}

Result<Value> Le(ExecContext&, Arguments args) {
  MLALERT_ASSIGN(bool result, LessOrEqual(args[0], args[1]));
  return Value::Bool(result);
}

Result<Value> Gt(ExecContext&, Arguments args) {
  MLALERT_ASSIGN(bool result, LessOrEqual(args[0], args[1]));
  return Value::Bool(!result);
}

Result<Value> Ge(ExecContext&, Arguments args) {
  MLALERT_ASSIGN(bool less, LessValues(args[0], args[1]));
  return Value::Bool(!less);
}

// The escapers print their arguments as print does, then escape the whole.
template <std::string (*kEscape)(std::string_view)>
Result<Value> Escape(ExecContext& context, Arguments args) {
  if (args.size() == 1 && args[0].kind() == Kind::kString) {
    return Value::String(kEscape(args[0].AsString()));
  }
  std::vector<Value> shown(args.begin(), args.end());
  for (Value& v : shown) {
    v = v.IsNil() ? Value::View("<no value>") : std::move(v);
  }
  return Value::String(kEscape(Sprint(shown, context.limits().output_bytes)));
}

FuncMap Build() {
  FuncMap map;
  map.AddSpecial("and", {kAny, kAny}, SpecialForm::kAnd);
  map.AddSpecial("or", {kAny, kAny}, SpecialForm::kOr);
  map.AddSpecial("call", {kAny, kAny}, SpecialForm::kCall);
  map.Add("not", {kAny},
          [](ExecContext&, Arguments a) -> Result<Value> { return Value::Bool(!a[0].Truth()); });
  map.Add("len", {kAny}, Len);
  map.AddVariadic("index", {kAny, kAny}, Index);
  map.AddVariadic("slice", {kAny, kAny}, Slice);
  map.AddVariadic("print", {kAny}, [](ExecContext& c, Arguments a) -> Result<Value> {
    return Value::String(Sprint(a, c.limits().output_bytes));
  });
  map.AddVariadic("println", {kAny}, [](ExecContext& c, Arguments a) -> Result<Value> {
    return Value::String(Sprintln(a, c.limits().output_bytes));
  });
  map.AddVariadic("printf", {ParamType::kString, kAny}, [](ExecContext& c, Arguments a) -> Result<Value> {
    return Value::String(Sprintf(a[0].AsString(), a.subspan(1), c.limits().output_bytes));
  });
  map.AddVariadic("html", {kAny}, Escape<EscapeHtml>);
  map.AddVariadic("js", {kAny}, Escape<EscapeJs>);
  map.AddVariadic("urlquery", {kAny}, Escape<EscapeQuery>);
  map.AddVariadic("eq", {kAny, kAny}, Eq);
  map.Add("ne", {kAny, kAny}, Ne);
  map.Add("lt", {kAny, kAny}, Lt);
  map.Add("le", {kAny, kAny}, Le);
  map.Add("gt", {kAny, kAny}, Gt);
  map.Add("ge", {kAny, kAny}, Ge);
  return map;
}

}  // namespace

const FuncMap& BuiltinFunctions() {
  static const FuncMap map = Build();
  return map;
}

}  // namespace mlalert::tmpl
