#include "base/json.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstring>
#include <fmt/format.h>
#include <unordered_map>

#include "base/json_equal_keys.h"
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "base/json_reader.h"

namespace mlalert {
namespace {

// Builds the tree; returns false to stop the reader at a limit.
class TreeHandler {
 public:
  TreeHandler(const JsonLimits& limits, bool check_strings, bool keep_all)
      : limits_(limits), check_strings_(check_strings), keep_all_(keep_all) {}

  bool Null() { return Add(Json()); }
  bool Bool(bool b) { return Add(Json(b)); }
  // Never called: numbers come as they are written. RapidJSON's own reading of "0e5" shifts by an undefined
  // number.
  bool Int(int) { return false; }
  bool Uint(unsigned) { return false; }
  bool Int64(int64_t) { return false; }
  bool Uint64(uint64_t) { return false; }
  bool Double(double) { return false; }
  bool RawNumber(const char* s, rapidjson::SizeType n, bool) {
    int64_t whole = 0;
    if (auto [end, error] = std::from_chars(s, s + n, whole); error == std::errc() && end == s + n) {
      return Add(Json(whole));
    }
    double value = 0;
    if (std::from_chars(s, s + n, value).ec == std::errc::result_out_of_range) {
      // Too small is 0; RapidJSON has refused what is too large, but for the last few.
      const std::string_view text(s, n);
      const bool small = text.find("e-") != std::string_view::npos ||
                         text.find("E-") != std::string_view::npos || text.starts_with("0.") ||
                         text.starts_with("-0.");
      number_too_big_ = !small;
      value = 0;
    }
    return !number_too_big_ && Add(Json(value));
  }
  bool String(const char* s, rapidjson::SizeType n, bool) {
    if (check_strings_ && !IsValidUtf8({s, n})) {
      bad_text_ = true;
      return false;
    }
    return Add(Json(std::string(s, n)));
  }
  bool Key(const char* s, rapidjson::SizeType n, bool) {
    open_.back().key.assign(s, n);
    bad_text_ = check_strings_ && !IsValidUtf8(open_.back().key);
    return !bad_text_;
  }
  bool StartObject() { return Open(true); }
  bool EndObject(rapidjson::SizeType) {
    Json::Object members = std::move(open_.back().members);
    open_.pop_back();
    if (!keep_all_) {
      KeepLastOfEqualKeys(members);
    }
    return Add(Json(std::move(members)));
  }
  bool StartArray() { return Open(false); }
  bool EndArray(rapidjson::SizeType) {
    Json::Array items = std::move(open_.back().items);
    open_.pop_back();
    return Add(Json(std::move(items)));
  }

  bool too_deep() const { return too_deep_; }
  bool bad_text() const { return bad_text_; }
  bool number_too_big() const { return number_too_big_; }
  Json Take() { return std::move(root_); }

 private:
  // An array or object that is not closed yet.
  struct Container {
    bool is_object = false;
    Json::Array items;
    Json::Object members;
    std::string key;  // of the member that comes next
  };

  bool Open(bool is_object) {
    if (open_.size() >= limits_.depth_max) {
      too_deep_ = true;
      return false;
    }
    open_.push_back({is_object, {}, {}, {}});
    return true;
  }
  bool Add(Json value) {
    if (open_.empty()) {
      root_ = std::move(value);
    } else if (open_.back().is_object) {
      open_.back().members.emplace_back(std::move(open_.back().key), std::move(value));
    } else {
      open_.back().items.push_back(std::move(value));
    }
    return true;
  }
  // In the place of the first one. Not by Json::Set: an object of a million keys must not take hours.
  static void KeepLastOfEqualKeys(Json::Object& members) {
    std::unordered_map<std::string_view, size_t> place;
    std::vector<size_t> last_of(members.size());
    bool unique = true;
    for (size_t i = 0; i < members.size(); ++i) {
      auto [it, is_new] = place.emplace(members[i].first, i);
      last_of[it->second] = i;
      unique = unique && is_new;
    }
    if (unique) {
      return;
    }
    std::vector<size_t> firsts;
    firsts.reserve(place.size());
    for (const auto& [key, first] : place) {
      firsts.push_back(first);
    }
    std::sort(firsts.begin(), firsts.end());
    Json::Object kept;
    kept.reserve(firsts.size());
    for (size_t first : firsts) {
      kept.push_back(std::move(members[last_of[first]]));
    }
    members = std::move(kept);
  }

  const JsonLimits& limits_;
  std::vector<Container> open_;
  Json root_;
  bool check_strings_;
  bool keep_all_;
  bool number_too_big_ = false;
  bool bad_text_ = false;
  bool too_deep_ = false;
};

SourcePos PositionOf(std::string_view text, size_t offset) {
  SourcePos pos{"", 1, 1};
  for (size_t i = 0; i < offset && i < text.size(); ++i) {
    if (text[i] == '\n') {
      ++pos.line;
      pos.column = 1;
    } else {
      ++pos.column;
    }
  }
  return pos;
}

// Length of the UTF-8 sequence at `p`, 0 when it is not valid.
size_t SequenceLength(const char* p, const char* end) {
  auto at = [&](int i) { return static_cast<unsigned char>(p[i]); };
  auto tail = [&](int i) { return p + i < end && (at(i) & 0xC0) == 0x80; };
  unsigned char c = at(0);
  if (c < 0x80) {
    return 1;
  }
  if (c >= 0xC2 && c <= 0xDF) {
    return tail(1) ? 2 : 0;
  }
  if (c >= 0xE0 && c <= 0xEF) {
    if (!tail(1) || !tail(2)) {
      return 0;
    }
    bool ok = (c != 0xE0 || at(1) >= 0xA0) && (c != 0xED || at(1) <= 0x9F);
    return ok ? 3 : 0;
  }
  if (c >= 0xF0 && c <= 0xF4) {
    if (!tail(1) || !tail(2) || !tail(3)) {
      return 0;
    }
    bool ok = (c != 0xF0 || at(1) >= 0x90) && (c != 0xF4 || at(1) <= 0x8F);
    return ok ? 4 : 0;
  }
  return 0;
}

const std::string kEmptyString;
const Json::Array kEmptyArray;
const Json::Object kEmptyObject;

struct Dumper {
  std::string out;
  bool indented = false;
  int depth = 0;

  void NewLine() {
    if (indented) {
      out += '\n';
      out.append(static_cast<size_t>(depth) * 2, ' ');
    }
  }

  void Write(const Json& json) {
    if (json.is_null()) {
      out += "null";
    } else if (json.is_bool()) {
      out += json.AsBool() ? "true" : "false";
    } else if (json.is_int()) {
      fmt::format_to(std::back_inserter(out), "{}", json.AsInt());
    } else if (json.is_number()) {
      AppendJsonNumber(out, json.AsDouble());
    } else if (json.is_string()) {
      AppendJsonString(out, json.AsString());
    } else if (json.is_array()) {
      WriteArray(json.AsArray());
    } else {
      WriteObject(json.AsObject());
    }
  }

  void WriteArray(const Json::Array& array) {
    out += '[';
    ++depth;
    for (size_t i = 0; i < array.size(); ++i) {
      if (i > 0) {
        out += ',';
      }
      NewLine();
      Write(array[i]);
    }
    --depth;
    if (!array.empty()) {
      NewLine();
    }
    out += ']';
  }

  void WriteObject(const Json::Object& object) {
    out += '{';
    ++depth;
    bool first = true;
    for (const auto& [key, value] : object) {
      if (!first) {
        out += ',';
      }
      first = false;
      NewLine();
      AppendJsonString(out, key);
      out += indented ? ": " : ":";
      Write(value);
    }
    --depth;
    if (!object.empty()) {
      NewLine();
    }
    out += '}';
  }
};

}  // namespace

bool Json::AsBool(bool fallback) const {
  const bool* b = std::get_if<bool>(&value_);
  return b != nullptr ? *b : fallback;
}

int64_t Json::AsInt(int64_t fallback) const {
  if (const auto* i = std::get_if<int64_t>(&value_)) {
    return *i;
  }
  if (const auto* d = std::get_if<double>(&value_); d != nullptr && std::abs(*d) < 9e18) {
    return static_cast<int64_t>(*d);
  }
  return fallback;
}

double Json::AsDouble(double fallback) const {
  if (const auto* d = std::get_if<double>(&value_)) {
    return *d;
  }
  if (const auto* i = std::get_if<int64_t>(&value_)) {
    return static_cast<double>(*i);
  }
  return fallback;
}

const std::string& Json::AsString() const {
  const auto* s = std::get_if<std::string>(&value_);
  return s != nullptr ? *s : kEmptyString;
}

const Json::Array& Json::AsArray() const {
  const auto* a = std::get_if<Array>(&value_);
  return a != nullptr ? *a : kEmptyArray;
}

const Json::Object& Json::AsObject() const {
  const auto* o = std::get_if<Object>(&value_);
  return o != nullptr ? *o : kEmptyObject;
}

const Json* Json::Find(std::string_view key) const {
  for (const auto& [name, value] : AsObject()) {
    if (name == key) {
      return &value;
    }
  }
  return nullptr;
}

const std::string& Json::GetString(std::string_view key) const {
  const Json* found = Find(key);
  return found != nullptr ? found->AsString() : kEmptyString;
}

Json& Json::Set(std::string key, Json value) {
  if (!is_object()) {
    value_ = Object{};
  }
  auto& object = std::get<Object>(value_);
  for (auto& [name, old] : object) {
    if (name == key) {
      old = std::move(value);
      return *this;
    }
  }
  object.emplace_back(std::move(key), std::move(value));
  return *this;
}

Json& Json::Push(Json value) {
  if (!is_array()) {
    value_ = Array{};
  }
  std::get<Array>(value_).push_back(std::move(value));
  return *this;
}

std::string Json::Dump() const {
  Dumper dumper;
  dumper.Write(*this);
  return std::move(dumper.out);
}

std::string Json::DumpIndented() const {
  Dumper dumper;
  dumper.indented = true;
  dumper.Write(*this);
  return std::move(dumper.out);
}

namespace {

Result<Json> ParseTree(std::string_view text, const JsonLimits& limits, bool keep_all) {
  if (text.size() > limits.bytes_max) {
    return Fail(ErrorCode::kLimit, fmt::format("JSON text is larger than {} bytes", limits.bytes_max));
  }
  if (size_t nul = text.find('\0'); nul != std::string_view::npos) {
    return Fail(Error{ErrorCode::kInvalid, "a NUL byte is not JSON", PositionOf(text, nul), {}});
  }
  std::string buffer(text);  // RapidJSON wants a NUL at the end
  rapidjson::Reader reader;
  rapidjson::StringStream stream(buffer.c_str());
  TreeHandler handler(limits, MayEscapeSurrogates(text), keep_all);
  constexpr unsigned kFlags = rapidjson::kParseIterativeFlag | rapidjson::kParseNumbersAsStringsFlag;
  auto result = reader.Parse<kFlags>(stream, handler);
  if (result.IsError()) {
    Error error{ErrorCode::kInvalid,
                rapidjson::GetParseError_En(result.Code()),
                PositionOf(text, result.Offset()),
                {}};
    if (handler.bad_text()) {
      error.message = "an escaped surrogate has no partner";
    }
    if (handler.number_too_big()) {
      error.message = rapidjson::GetParseError_En(rapidjson::kParseErrorNumberTooBig);
    }
    if (handler.too_deep()) {
      error.code = ErrorCode::kLimit;
      error.message = fmt::format("JSON is nested deeper than {} levels", limits.depth_max);
    }
    return Fail(std::move(error));
  }
  // Not by RapidJSON's own validation, which reads past a text that ends inside a sequence.
  if (!IsValidUtf8(text) || HasForbiddenControl(text)) {
    return Fail(ErrorCode::kInvalid, "Invalid encoding in string.");
  }
  return handler.Take();
}

}  // namespace

Result<Json> ParseJson(std::string_view text, const JsonLimits& limits) {
  return ParseTree(text, limits, false);
}

Result<Json> ParseJsonWithEqualKeys(std::string_view text, const JsonLimits& limits) {
  return ParseTree(text, limits, true);
}

namespace {

bool IsPlainInJson(char c) {
  return static_cast<unsigned char>(c) < 0x7F && c >= ' ' && c != '"' && c != '\\' && c != '<' && c != '>' &&
         c != '&';
}

// The first byte from `p` on that may need an escape.
const char* SkipPlain(const char* p, const char* end) {
#ifdef __SSE2__
  // Labels and annotations are written again and again, into rows and messages: 16 bytes at a time.
  const __m128i space = _mm_set1_epi8(' ');
  const __m128i last = _mm_set1_epi8(0x7E);
  while (end - p >= 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    // Signed: bytes from 0x80 on are below the space.
    __m128i odd = _mm_or_si128(_mm_cmplt_epi8(bytes, space), _mm_cmpgt_epi8(bytes, last));
    for (const char c : {'"', '\\', '<', '>', '&'}) {
      odd = _mm_or_si128(odd, _mm_cmpeq_epi8(bytes, _mm_set1_epi8(c)));
    }
    const int mask = _mm_movemask_epi8(odd);
    if (mask != 0) {
      return p + __builtin_ctz(static_cast<unsigned>(mask));
    }
    p += 16;
  }
#endif
  while (p < end && IsPlainInJson(*p)) {
    ++p;
  }
  return p;
}

}  // namespace

void AppendJsonString(std::string& out, std::string_view text) {
  out += '"';
  const char* p = text.data();
  const char* end = p + text.size();
  while (p < end) {
    // Most of a text needs no escape: one copy for each run of it.
    const char* plain = p;
    p = SkipPlain(p, end);
    out.append(plain, static_cast<size_t>(p - plain));
    if (p == end) {
      break;
    }
    auto c = static_cast<unsigned char>(*p);
    if (c >= 0x80) {
      size_t length = SequenceLength(p, end);
      if (length == 0) {
        out += "\\ufffd";
        ++p;
      } else if (length == 3 && std::memcmp(p, "\xE2\x80\xA8", 3) == 0) {
        out += "\\u2028";
        p += 3;
      } else if (length == 3 && std::memcmp(p, "\xE2\x80\xA9", 3) == 0) {
        out += "\\u2029";
        p += 3;
      } else {
        out.append(p, length);
        p += length;
      }
      continue;
    }
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        if (c < 0x20 || c == '<' || c == '>' || c == '&') {
          fmt::format_to(std::back_inserter(out), "\\u{:04x}", c);
        } else {
          out += static_cast<char>(c);
        }
    }
    ++p;
  }
  out += '"';
}

void AppendJsonNumber(std::string& out, double value) {
  if (!std::isfinite(value)) {
    out += "null";
    return;
  }
  double magnitude = std::abs(value);
  bool exponent = magnitude != 0 && (magnitude < 1e-6 || magnitude >= 1e21);
  std::array<char, 400> buffer{};
  auto format = exponent ? std::chars_format::scientific : std::chars_format::fixed;
  auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, format).ptr;
  std::string_view text(buffer.data(), static_cast<size_t>(end - buffer.data()));
  // Go cleans e-09 to e-9 in JSON.
  if (size_t e = text.find("e-0"); e != std::string_view::npos && text.size() == e + 4) {
    out.append(text.substr(0, e + 2));
    out += text.back();
    return;
  }
  out.append(text);
}

bool HasForbiddenControl(std::string_view text) {
  unsigned found = 0;
  for (char c : text) {
    found |= static_cast<unsigned>(static_cast<unsigned char>(c - 0x1A) < 6);
  }
  return found != 0;
}

bool MayEscapeSurrogates(std::string_view text) {
  return text.find("\\ud") != std::string_view::npos || text.find("\\uD") != std::string_view::npos;
}

bool IsValidUtf8(std::string_view text) {
  const char* p = text.data();
  const char* end = p + text.size();
  while (p < end) {
    // ASCII is the common case: eight bytes at a time.
    while (end - p >= 8) {
      uint64_t chunk = 0;
      std::memcpy(&chunk, p, 8);
      if ((chunk & 0x8080808080808080ULL) != 0) {
        break;
      }
      p += 8;
    }
    if (p == end) {
      break;
    }
    size_t length = SequenceLength(p, end);
    if (length == 0) {
      return false;
    }
    p += length;
  }
  return true;
}

}  // namespace mlalert
