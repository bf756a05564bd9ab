#include "template/rule_funcs.h"

#include <algorithm>
#include <arpa/inet.h>
#include <fmt/format.h>

#include "base/json.h"
#include "template/go_time.h"
#include "template/humanize.h"
#include "template/quote.h"
#include "template/regex_cache.h"
#include "template/utf8.h"

namespace mlalert::tmpl {
namespace {

using Arguments = std::span<const Value>;
constexpr ParamType kAny = ParamType::kAny;
constexpr ParamType kString = ParamType::kString;

Result<Value> Text(std::string s) {
  return Value::String(std::move(s));
}

template <std::string (*kFormat)(double)>
Result<Value> FormatNumber(ExecContext&, Arguments args) {
  MLALERT_ASSIGN(double v, ToFloat(args[0]));
  return Text(kFormat(v));
}

template <std::string (*kMap)(std::string_view)>
Result<Value> MapText(ExecContext&, Arguments args) {
  return Text(kMap(args[0].AsString()));
}

// -- samples

Result<Value> Query(ExecContext& context, Arguments args) {
  MLALERT_ASSIGN(auto samples, context.Query(std::string(args[0].AsString())));
  return SampleListValue(std::move(samples));
}

Result<Value> First(ExecContext&, Arguments args) {
  if (args[0].Size() == 0) {
    return Fail(ErrorCode::kInvalid, "first() called on vector with no elements");
  }
  return args[0].Item(0);
}

Result<Value> SortByLabel(ExecContext&, Arguments args) {
  std::vector<Value> items;
  for (size_t i = 0; i < args[1].Size(); ++i) {
    items.push_back(args[1].Item(i));
  }
  std::string_view label = args[0].AsString();
  std::stable_sort(items.begin(), items.end(), [&](const Value& a, const Value& b) {
    return AsSample(a)->labels().Lookup(label).AsString() < AsSample(b)->labels().Lookup(label).AsString();
  });
  return Value::List(std::move(items), "template.queryResult");
}

Result<Value> Args(ExecContext&, Arguments args) {
  std::vector<std::pair<std::string, Value>> entries;
  for (size_t i = 0; i < args.size(); ++i) {
    entries.emplace_back(fmt::format("arg{}", i), args[i]);
  }
  return Value::AnyMap(std::move(entries));
}

// -- regular expressions

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
  return Text(std::move(out));
}

// -- addresses

struct HostPort {
  std::string_view host;
  std::string_view port;
};

// "host:port", "[v6]:port"; nullopt when the text is neither, as Go's net.SplitHostPort decides.
std::optional<HostPort> SplitHostPort(std::string_view s) {
  size_t colon = s.rfind(':');
  if (colon == std::string_view::npos) {
    return std::nullopt;
  }
  std::string_view host = s.substr(0, colon);
  if (!s.empty() && s[0] == '[') {
    size_t close = s.find(']');
    if (close == std::string_view::npos || close + 1 != colon) {
      return std::nullopt;
    }
    host = s.substr(1, close - 1);
    if (s.find('[', 1) != std::string_view::npos || s.find(']', close + 1) != std::string_view::npos) {
      return std::nullopt;
    }
  } else if (host.find(':') != std::string_view::npos || s.find_first_of("[]") != std::string_view::npos) {
    return std::nullopt;
  }
  return HostPort{host, s.substr(colon + 1)};
}

bool IsIpAddress(std::string_view s) {
  unsigned char bytes[sizeof(in6_addr)];
  std::string text(s);
  return inet_pton(AF_INET, text.c_str(), bytes) == 1 || inet_pton(AF_INET6, text.c_str(), bytes) == 1;
}

std::string StripPort(std::string_view s) {
  auto split = SplitHostPort(s);
  return std::string(split ? split->host : s);
}

std::string StripDomain(std::string_view s) {
  auto split = SplitHostPort(s);
  std::string_view host = split ? split->host : s;
  if (IsIpAddress(host)) {
    return std::string(s);
  }
  std::string out(host.substr(0, host.find('.')));
  if (split && !split->port.empty()) {
    out += ":";
    out += split->port;
  }
  return out;
}

// The path of a URL: what follows the authority.
std::string_view PathOf(std::string_view url) {
  size_t scheme = url.find("://");
  size_t path = url.find('/', scheme == std::string_view::npos ? 0 : scheme + 3);
  if (path == std::string_view::npos) {
    return {};
  }
  std::string_view rest = url.substr(path);
  return rest.substr(0, rest.find_first_of("?#"));
}

// -- times

Result<Value> TimeOf(ExecContext&, Arguments args) {
  MLALERT_ASSIGN(double v, ToFloat(args[0]));
  MLALERT_ASSIGN(Time t, ToTime(v));
  return Value::OfTime(t);
}

Result<Value> HumanizeTimestamp(ExecContext& context, Arguments args) {
  MLALERT_ASSIGN(double v, ToFloat(args[0]));
  if (v != v || v - v != 0) {
    return Text(Humanize(v));
  }
  MLALERT_ASSIGN(Value t, TimeOf(context, args));
  return Text(PrintTime(t.AsTime()));
}

Result<Value> DurationOf(ExecContext&, Arguments args) {
  MLALERT_ASSIGN(double v, ToFloat(args[0]));
  double ns = v * 1e9;
  constexpr double kTwo63 = 9223372036854775808.0;
  if (!(ns < kTwo63 && ns >= -kTwo63)) {
    return Fail(ErrorCode::kInvalid, "cannot be represented as a duration since it overflows int64");
  }
  return Value::OfDuration(Duration(static_cast<int64_t>(ns)));
}

Result<Value> FormatTime(ExecContext& context, Arguments args) {
  MLALERT_ASSIGN(Value t, TimeOf(context, args.subspan(1)));
  return Text(FormatLayout(t.AsTime(), args[0].AsString()));
}

// -- vmalert's escapes

std::string Replace(std::string_view text, std::span<const std::pair<char, std::string_view>> table) {
  std::string out;
  for (char c : text) {
    auto it = std::find_if(table.begin(), table.end(), [&](const auto& entry) { return entry.first == c; });
    if (it == table.end()) {
      out.push_back(c);
    } else {
      out += it->second;
    }
  }
  return out;
}

std::string EscapeHtmlQuot(std::string_view text) {
  static constexpr std::pair<char, std::string_view> kTable[] = {
      {'<', "&lt;"}, {'>', "&gt;"}, {'&', "&amp;"}, {'\'', "&#39;"}, {'"', "&quot;"}};
  return Replace(text, kTable);
}

std::string EscapeCrlf(std::string_view text) {
  static constexpr std::pair<char, std::string_view> kTable[] = {{'\n', "\\n"}, {'\r', "\\r"}};
  return Replace(text, kTable);
}

// A JSON string in which, of the HTML characters, only < is escaped.
std::string EscapeJson(std::string_view text) {
  std::string out = "\"";
  for (size_t i = 0; i < text.size();) {
    Rune r = DecodeRune(text, i);
    static constexpr std::string_view kCodes = "\"\\\n\r\t\b\f";
    static constexpr std::string_view kNames = "\"\\nrtbf";
    size_t named = r.code < 0x80 ? kCodes.find(static_cast<char>(r.code)) : std::string_view::npos;
    if (named != std::string_view::npos) {
      out.push_back('\\');
      out.push_back(kNames[named]);
    } else if (r.code < 0x20 || r.code == '<') {
      out += fmt::format("\\u{:04x}", static_cast<uint32_t>(r.code));
    } else {
      AppendRune(out, r.code);
    }
    i += r.width;
  }
  out.push_back('"');
  return out;
}

std::string EscapeQuotes(std::string_view text) {
  std::string quoted = EscapeJson(text);
  static constexpr std::pair<char, std::string_view> kTable[] = {{'\'', "\\u0027"}};
  return Replace(std::string_view(quoted).substr(1, quoted.size() - 2), kTable);
}

std::string TitleKeepRest(std::string_view text) {
  return TitleCase(text, true);
}

std::string Same(std::string_view text) {
  return std::string(text);
}

void AddSampleFunctions(FuncMap& map) {
  map.Add("query", {kString}, Query);
  map.Add("first", {ParamType::kSampleList}, First);
  map.Add("sortByLabel", {kString, ParamType::kSampleList}, SortByLabel);
  map.Add("value", {ParamType::kSample},
          [](ExecContext&, Arguments a) -> Result<Value> { return Value::Float(AsSample(a[0])->value()); });
  map.Add("label", {kString, ParamType::kSample}, [](ExecContext&, Arguments a) -> Result<Value> {
    return AsSample(a[1])->labels().Lookup(a[0].AsString());
  });
  map.Add("strvalue", {ParamType::kSample}, [](ExecContext&, Arguments a) -> Result<Value> {
    return AsSample(a[0])->labels().Lookup("__value__");
  });
  map.AddVariadic("args", {kAny}, Args);
}

void AddTextFunctions(FuncMap& map) {
  map.Add("title", {kString}, MapText<TitleKeepRest>);
  map.Add("toUpper", {kString}, MapText<ToUpper>);
  map.Add("toLower", {kString}, MapText<ToLower>);
  map.Add("match", {kString, kString}, Match);
  map.Add("reReplaceAll", {kString, kString, kString}, ReplaceRegex);
  map.Add("stripPort", {kString}, MapText<StripPort>);
  map.Add("stripDomain", {kString}, MapText<StripDomain>);
  map.Add("safeHtml", {kString}, [](ExecContext&, Arguments a) -> Result<Value> {
    return Value::String(std::string(a[0].AsString()), StringType::kHtml);
  });
  map.Add("urlQueryEscape", {kString}, MapText<EscapeQuery>);
  map.Add("queryEscape", {kString}, MapText<EscapeQuery>);
  map.Add("pathEscape", {kString}, MapText<EscapePath>);
  map.Add("jsonEscape", {kString}, MapText<EscapeJson>);
  map.Add("quotesEscape", {kString}, MapText<EscapeQuotes>);
  map.Add("htmlEscape", {kString}, MapText<EscapeHtmlQuot>);
  map.Add("crlfEscape", {kString}, MapText<EscapeCrlf>);
}

void AddLinkFunctions(FuncMap& map) {
  map.Add("graphLink", {kString}, [](ExecContext&, Arguments a) {
    return Text(fmt::format("/graph?g0.expr={}&g0.tab=0", EscapeQuery(a[0].AsString())));
  });
  map.Add("tableLink", {kString}, [](ExecContext&, Arguments a) {
    return Text(fmt::format("/graph?g0.expr={}&g0.tab=1", EscapeQuery(a[0].AsString())));
  });
  map.Add("pathPrefix", {},
          [](ExecContext& c, Arguments) { return Text(Same(PathOf(c.env().external_url))); });
  map.Add("externalURL", {}, [](ExecContext& c, Arguments) { return Text(Same(c.env().external_url)); });
}

void AddNumberFunctions(FuncMap& map) {
  map.Add("humanize", {kAny}, FormatNumber<Humanize>);
  map.Add("humanize1024", {kAny}, FormatNumber<Humanize1024>);
  map.Add("humanizeDuration", {kAny}, FormatNumber<HumanizeDuration>);
  map.Add("humanizePercentage", {kAny}, FormatNumber<HumanizePercentage>);
  map.Add("humanizeTimestamp", {kAny}, HumanizeTimestamp);
  map.Add("toTime", {kAny}, TimeOf);
  map.Add("toDuration", {kAny}, DurationOf);
  map.Add("now", {}, [](ExecContext& c, Arguments) -> Result<Value> {
    return Value::Float(static_cast<double>(ToUnixMillis(c.env().now)) / 1000);
  });
  map.Add("parseDuration", {kString}, [](ExecContext&, Arguments a) -> Result<Value> {
    MLALERT_ASSIGN(Duration d, ParseDuration(a[0].AsString()));
    return Value::Float(ToSeconds(d));
  });
  map.Add("parseDurationTime", {kString}, [](ExecContext&, Arguments a) -> Result<Value> {
    MLALERT_ASSIGN(Duration d, ParseDuration(a[0].AsString()));
    return Value::OfDuration(d);
  });
  map.Add("formatTime", {kString, kAny}, FormatTime);
}

FuncMap Build() {
  FuncMap map;
  AddSampleFunctions(map);
  AddTextFunctions(map);
  AddLinkFunctions(map);
  AddNumberFunctions(map);
  return map;
}

}  // namespace

const FuncMap& RuleFunctions() {
  static const FuncMap map = Build();
  return map;
}

}  // namespace mlalert::tmpl
