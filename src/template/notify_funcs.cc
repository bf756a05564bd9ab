#include "template/notify_funcs.h"

#include <fmt/format.h>

#include "template/go_time.h"
#include "template/humanize.h"
#include "template/json_encode.h"
#include "template/quote.h"
#include "template/regex_cache.h"
#include "template/utf8.h"

namespace mlalert::tmpl {
namespace {

using Arguments = std::span<const Value>;
constexpr ParamType kAny = ParamType::kAny;
constexpr ParamType kString = ParamType::kString;
constexpr ParamType kTimeParam = ParamType::kTime;

tl::unexpected<Error> Bad(std::string message) {
  return Fail(ErrorCode::kInvalid, std::move(message));
}

template <std::string (*kMap)(std::string_view)>
Result<Value> MapText(ExecContext&, Arguments args) {
  return Value::String(kMap(args[0].AsString()));
}

std::string Title(std::string_view text) {
  return TitleCase(text, false);
}

std::string Trim(std::string_view text) {
  auto is_space = [](char32_t c) {
    return c == ' ' || (c >= '\t' && c <= '\r') || c == 0x85 || c == 0xA0 || c == 0x1680 ||
           (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F ||
           c == 0x3000;
  };
  size_t begin = text.size();
  size_t end = 0;
  for (size_t i = 0; i < text.size();) {
    Rune r = DecodeRune(text, i);
    if (!is_space(r.code)) {
      begin = std::min(begin, i);
      end = i + r.width;
    }
    i += r.width;
  }
  return begin < end ? std::string(text.substr(begin, end - begin)) : std::string();
}

Result<Value> Join(ExecContext& context, Arguments args) {
  const Value& list = args[1].Unwrapped();
  size_t limit = context.limits().output_bytes;
  std::string out;
  for (size_t i = 0; i < list.Size(); ++i) {
    if (i > 0) {
      out += args[0].AsString();
    }
    out += list.Item(i).AsString();
    if (out.size() > limit) {
      return Fail(ErrorCode::kLimit, fmt::format("result is longer than {} bytes", limit));
    }
  }
  return Value::String(std::move(out));
}

Result<Value> Match(ExecContext& context, Arguments args) {
  MLALERT_ASSIGN(auto re, context.Regex(args[0].AsString()));
  return Value::Bool(Matches(*re, args[1].AsString()));
}

Result<Value> ReplaceRegex(ExecContext& context, Arguments args) {
  auto re = context.Regex(args[0].AsString());
  if (!re) {
    return Fail(std::move(re.error()).Context(fmt::format("regexp: Compile(`{}`)", args[0].AsString())));
  }
  MLALERT_ASSIGN(auto out,
                 ReplaceAll(**re, args[2].AsString(), args[1].AsString(), context.limits().output_bytes));
  return Value::String(std::move(out));
}

// -- lists and maps

std::vector<Value> Items(const Value& list) {
  std::vector<Value> out;
  out.reserve(list.Size() + 4);
  for (size_t i = 0; i < list.Size(); ++i) {
    out.push_back(list.Item(i));
  }
  return out;
}

Result<Value> Append(ExecContext& context, Arguments args) {
  const Value& list = args[0].Unwrapped();
  // The list is copied: that is work even when the result is thrown away.
  context.Charge(static_cast<int64_t>(list.Size()));
  std::vector<Value> items = Items(list);
  items.insert(items.end(), args.begin() + 1, args.end());
  return Value::List(std::move(items));
}

Result<Value> Dict(ExecContext&, Arguments args) {
  if (args.size() % 2 != 0) {
    return Bad("dict requires an even number of arguments");
  }
  std::vector<std::pair<std::string, Value>> entries;
  for (size_t i = 0; i < args.size(); i += 2) {
    if (args[i].kind() != Kind::kString || args[i].AsStringType() != StringType::kPlain) {
      return Bad("dict keys must be strings");
    }
    entries.emplace_back(std::string(args[i].AsString()), args[i + 1]);
  }
  return Value::AnyMap(std::move(entries));
}

Result<Value> ToJson(ExecContext& context, Arguments args) {
  std::string out;
  if (!AppendJsonValue(out, args[0], context.limits().output_bytes)) {
    return Bad(fmt::format("json: unsupported value of type {}", args[0].TypeName()));
  }
  return Value::String(std::move(out));
}

// -- times

Result<Value> InZoneOf(ExecContext&, Arguments args) {
  MLALERT_ASSIGN(Time t, InZone(args[1].AsTime(), args[0].AsString()));
  return Value::OfTime(t);
}

Result<Value> Since(ExecContext& context, Arguments args) {
  const Value now = Value::OfTime({context.env().now});
  return CallValueMethod(now, "Sub", args);
}

Result<Value> ToDate(ExecContext&, Arguments args) {
  auto t = ParseLayout(args[0].AsString(), args[1].AsString());
  return Value::OfTime(t ? *t : Time{});
}

Result<Value> MustToDate(ExecContext&, Arguments args) {
  MLALERT_ASSIGN(Time t, ParseLayout(args[0].AsString(), args[1].AsString()));
  return Value::OfTime(t);
}

void AddTextFunctions(FuncMap& map) {
  map.Add("toUpper", {kString}, MapText<ToUpper>);
  map.Add("toLower", {kString}, MapText<ToLower>);
  map.Add("title", {kString}, MapText<Title>);
  map.Add("trimSpace", {kString}, MapText<Trim>);
  map.Add("join", {kString, ParamType::kStringList}, Join);
  map.Add("match", {kString, kString}, Match);
  map.Add("reReplaceAll", {kString, kString, kString}, ReplaceRegex);
  map.Add("safeHtml", {kString}, [](ExecContext&, Arguments a) -> Result<Value> {
    return Value::String(std::string(a[0].AsString()), StringType::kHtml);
  });
  map.Add("safeUrl", {kString}, [](ExecContext&, Arguments a) -> Result<Value> {
    return Value::String(std::string(a[0].AsString()), StringType::kUrl);
  });
  map.Add("urlUnescape", {kString}, [](ExecContext&, Arguments a) -> Result<Value> {
    MLALERT_ASSIGN(std::string out, UnescapeQuery(a[0].AsString()));
    return Value::String(std::move(out));
  });
  map.Add("base64encode", {kString}, MapText<EncodeBase64Url>);
  map.Add("base64decode", {kString}, [](ExecContext&, Arguments a) -> Result<Value> {
    MLALERT_ASSIGN(std::string out, DecodeBase64Url(a[0].AsString()));
    return Value::String(std::move(out));
  });
  map.Add("toJson", {kAny}, ToJson);
  map.Add("routeLabels", {kString}, [](ExecContext& c, Arguments a) -> Result<Value> {
    if (c.env().route_label == nullptr || !*c.env().route_label) {
      return Value::View("");
    }
    MLALERT_ASSIGN(std::string out, (*c.env().route_label)(a[0].AsString()));
    return Value::String(std::move(out));
  });
}

void AddListFunctions(FuncMap& map) {
  map.AddVariadic("stringSlice", {kString}, [](ExecContext&, Arguments a) -> Result<Value> {
    return Value::List(std::vector<Value>(a.begin(), a.end()), "[]string");
  });
  map.AddVariadic("list", {kAny}, [](ExecContext&, Arguments a) -> Result<Value> {
    return Value::List(std::vector<Value>(a.begin(), a.end()));
  });
  map.AddVariadic("append", {ParamType::kList, kAny}, Append);
  map.AddVariadic("dict", {kAny}, Dict);
}

void AddTimeFunctions(FuncMap& map) {
  map.Add("date", {kString, kTimeParam}, [](ExecContext&, Arguments a) -> Result<Value> {
    return Value::String(FormatLayout(a[1].AsTime(), a[0].AsString()));
  });
  map.Add("tz", {kString, kTimeParam}, InZoneOf);
  map.Add("since", {kTimeParam}, Since);
  map.Add("now", {}, [](ExecContext& c, Arguments) -> Result<Value> { return Value::OfTime({c.env().now}); });
  map.Add("toDate", {kString, kString}, ToDate);
  map.Add("mustToDate", {kString, kString}, MustToDate);
  map.Add("humanizeDuration", {kAny}, [](ExecContext&, Arguments a) -> Result<Value> {
    MLALERT_ASSIGN(double v, ToFloat(a[0]));
    return Value::String(HumanizeDuration(v));
  });
}

FuncMap Build() {
  FuncMap map;
  AddTextFunctions(map);
  AddListFunctions(map);
  AddTimeFunctions(map);
  return map;
}

}  // namespace

const FuncMap& NotifyFunctions() {
  static const FuncMap map = Build();
  return map;
}

}  // namespace mlalert::tmpl
