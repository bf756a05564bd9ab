// printf walks the format once; a Formatter holds the flags of the verb at hand. The shapes of mistakes
// (%!d(string=x), %!(EXTRA ...), BADINDEX) are part of Go's contract and of ours.
#include "template/print.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <optional>
#include <utility>

#include "template/go_time.h"
#include "template/number.h"
#include "template/quote.h"
#include "template/utf8.h"

namespace mlalert::tmpl {
namespace {

// Go refuses wider fields; it also bounds what a hostile template can allocate.
constexpr int kMaxFieldWidth = 1000000;
constexpr std::string_view kLowerDigits = "0123456789abcdef";
constexpr std::string_view kUpperDigits = "0123456789ABCDEF";

struct Flags {
  bool sharp = false;
  bool zero = false;
  bool plus = false;
  bool minus = false;
  bool space = false;
  bool sharp_v = false;  // %#v: as in a Go program
  bool plus_v = false;   // %+v: with the names of fields
  std::optional<int> width;
  std::optional<int> precision;
};

// The text of values that print themselves (Go's Stringer), nullopt for the others.
std::optional<std::string> SelfPrinted(const Value& v) {
  switch (v.kind()) {
    case Kind::kTime:
      return PrintTime(v.AsTime());
    case Kind::kDuration:
      return FormatGoDuration(v.AsDuration());
    case Kind::kObject:
      return v.AsObject().Print();
    case Kind::kInt:
      if (v.AsInt().type == IntType::kMonth || v.AsInt().type == IntType::kWeekday) {
        bool month = v.AsInt().type == IntType::kMonth;
        std::string_view name = month ? MonthName(v.AsInt().bits) : WeekdayName(v.AsInt().bits);
        return name.empty() ? fmt::format("%!{}({})", month ? "Month" : "Weekday", v.AsInt().bits)
                            : std::string(name);
      }
      return std::nullopt;
    default:
      return std::nullopt;
  }
}

class Formatter {
 public:
  Formatter(std::string& out, size_t limit) : out_(out), limit_(limit) {}

  bool Full() const { return out_.size() > limit_; }

  // One whole Sprintf.
  void Run(std::string_view format, std::span<const Value> args);

 private:
  void Directive(std::string_view format, size_t& i, std::span<const Value> args);
  bool ArgumentIndex(std::string_view format, size_t& i, size_t count);
  std::optional<int> Number(std::string_view format, size_t& i);
  std::optional<int> IntArgument(std::span<const Value> args);

  void PrintArg(const Value& v, char32_t verb, int depth);
  void PrintInt(const Value& v, uint64_t magnitude, bool negative, bool is_signed, char32_t verb);
  void PrintFloat(const Value& v, char32_t verb);
  void PrintText(const Value& v, std::string_view text, char32_t verb);
  // `type_name` is that of the whole, which may be an object around the list or map.
  void PrintList(const Value& v, std::string_view type_name, char32_t verb, int depth);
  void PrintMap(const Value& v, std::string_view type_name, char32_t verb, int depth);
  void PrintStruct(const Value& v, char32_t verb, int depth);
  void PrintObject(const Value& v, char32_t verb, int depth);
  void KeepPoint(std::string& text, char32_t verb) const;
  void Integer(uint64_t magnitude, bool negative, unsigned base, char32_t verb);
  void Hex(std::string_view bytes, bool upper);
  void BadVerb(const Value& v, char32_t verb);
  void Pad(std::string_view text);

  std::string& out_;
  size_t limit_;
  Flags flags_;
  size_t arg_ = 0;
  bool reordered_ = false;  // this directive or an earlier one used [n]
  bool good_index_ = true;  // the [n] of this directive is in range
  bool erroring_ = false;   // inside %!verb(...): values do not print themselves
};

void Formatter::Pad(std::string_view text) {
  size_t width = flags_.width ? static_cast<size_t>(*flags_.width) : 0;
  size_t runes = width > 0 ? RuneCount(text) : 0;
  if (width <= runes) {
    out_.append(text);
    return;
  }
  size_t fill = width - runes;
  if (flags_.minus) {
    out_.append(text);
    out_.append(fill, ' ');
  } else {
    out_.append(fill, flags_.zero ? '0' : ' ');
    out_.append(text);
  }
}

void Formatter::BadVerb(const Value& v, char32_t verb) {
  erroring_ = true;
  out_ += "%!";
  AppendRune(out_, verb);
  out_.push_back('(');
  if (v.IsNil()) {
    out_ += "<nil>";
  } else {
    out_ += v.TypeName();
    out_.push_back('=');
    PrintArg(v, 'v', 0);
  }
  out_.push_back(')');
  erroring_ = false;
}

void Formatter::Hex(std::string_view bytes, bool upper) {
  std::string text;
  if (flags_.precision) {
    bytes = bytes.substr(0, static_cast<size_t>(*flags_.precision));
  }
  std::string_view prefix = upper ? "0X" : "0x";
  const std::string_view alphabet = upper ? kUpperDigits : kLowerDigits;
  for (size_t i = 0; i < bytes.size() && text.size() <= limit_; ++i) {
    if (i > 0 && flags_.space) {
      text.push_back(' ');
    }
    if (flags_.sharp && (i == 0 || flags_.space)) {
      text += prefix;
    }
    auto b = static_cast<unsigned char>(bytes[i]);
    text.push_back(alphabet[b >> 4]);
    text.push_back(alphabet[b & 15]);
  }
  Pad(text);
}

void Formatter::PrintText(const Value& v, std::string_view text, char32_t verb) {
  switch (verb) {
    case 'v':
      if (flags_.sharp_v) {
        Pad(QuoteGo(text));
        return;
      }
      [[fallthrough]];
    case 's':
      Pad(flags_.precision ? text.substr(0, RunePrefix(text, static_cast<size_t>(*flags_.precision))) : text);
      return;
    case 'x':
    case 'X':
      Hex(text, verb == 'X');
      return;
    case 'q':
      if (flags_.precision) {
        text = text.substr(0, RunePrefix(text, static_cast<size_t>(*flags_.precision)));
      }
      if (flags_.sharp && text.find_first_of("`\n\r\x7F") == std::string_view::npos) {
        Pad("`" + std::string(text) + "`");
      } else {
        Pad(QuoteGo(text, flags_.plus));
      }
      return;
    default:
      BadVerb(v, verb);
  }
}

void Formatter::Integer(uint64_t magnitude, bool negative, unsigned base, char32_t verb) {
  bool signed_text = negative || flags_.plus || flags_.space;
  size_t digits_min = 0;
  if (flags_.precision) {
    digits_min = static_cast<size_t>(*flags_.precision);
    if (digits_min == 0 && magnitude == 0) {
      Flags saved = flags_;
      flags_.zero = false;
      Pad("");
      flags_ = saved;
      return;
    }
  } else if (flags_.zero && !flags_.minus && flags_.width) {
    digits_min = static_cast<size_t>(std::max(0, *flags_.width - (signed_text ? 1 : 0)));
  }
  const std::string_view alphabet = verb == 'X' ? kUpperDigits : kLowerDigits;
  std::string digits;
  for (uint64_t rest = magnitude; rest > 0 || digits.empty(); rest /= base) {
    digits.push_back(alphabet[rest % base]);
  }
  if (digits.size() < digits_min) {
    digits.append(digits_min - digits.size(), '0');
  }
  std::reverse(digits.begin(), digits.end());
  if (verb == 'O') {
    digits.insert(0, "0o");
  } else if (flags_.sharp && base == 2) {
    digits.insert(0, "0b");
  } else if (flags_.sharp && base == 8 && digits[0] != '0') {
    digits.insert(0, "0");
  } else if (flags_.sharp && base == 16) {
    digits.insert(0, verb == 'X' ? "0X" : "0x");
  }
  if (signed_text) {
    digits.insert(0, 1, negative ? '-' : flags_.plus ? '+' : ' ');
  }
  bool zero = flags_.zero;
  flags_.zero = false;
  Pad(digits);
  flags_.zero = zero;
}

void Formatter::PrintInt(const Value& v, uint64_t magnitude, bool negative, bool is_signed, char32_t verb) {
  switch (verb) {
    case 'v':
      if (flags_.sharp_v && !is_signed) {
        flags_.sharp = true;
        Integer(magnitude, negative, 16, 'v');
        flags_.sharp = false;
        return;
      }
      [[fallthrough]];
    case 'd': {
      bool sharp = flags_.sharp;
      flags_.sharp = false;
      Integer(magnitude, negative, 10, verb);
      flags_.sharp = sharp;
      return;
    }
    case 'b':
      Integer(magnitude, negative, 2, verb);
      return;
    case 'o':
    case 'O':
      Integer(magnitude, negative, 8, verb);
      return;
    case 'x':
    case 'X':
      Integer(magnitude, negative, 16, verb);
      return;
    case 'c':
    case 'q': {
      char32_t code = negative || magnitude > 0x10FFFF ? kRuneError : static_cast<char32_t>(magnitude);
      std::string text;
      AppendRune(text, code);
      Pad(verb == 'c' ? text : QuoteRune(code, flags_.plus));
      return;
    }
    case 'U': {
      std::string text = fmt::format("U+{:04X}", negative ? 0 - magnitude : magnitude);
      if (flags_.sharp && !negative && magnitude <= 0x10FFFF &&
          IsPrintable(static_cast<char32_t>(magnitude))) {
        text += " '";
        AppendRune(text, static_cast<char32_t>(magnitude));
        text += "'";
      }
      bool zero = flags_.zero;
      flags_.zero = false;
      Pad(text);
      flags_.zero = zero;
      return;
    }
    default:
      BadVerb(v, verb);
  }
}

// %#g and the like: a decimal point always, and for g the zeros behind it. `text` begins with a sign.
void Formatter::KeepPoint(std::string& text, char32_t verb) const {
  int digits = 0;
  if (verb == 'g' || verb == 'G' || verb == 'x' || verb == 'X') {
    digits = flags_.precision.value_or(6);
  }
  const bool hex = verb == 'x' || verb == 'X';
  size_t end = text.find_first_of(hex ? "pP" : "eE");
  std::string tail = end == std::string::npos ? std::string() : text.substr(end);
  text.resize(text.size() - tail.size());
  bool point = false;
  bool nonzero = false;
  for (char c : std::string_view(text).substr(1)) {
    if (c == '.') {
      point = true;
      continue;
    }
    nonzero = nonzero || c != '0';
    digits -= nonzero ? 1 : 0;
  }
  if (!point) {
    digits -= text.size() == 2 && text[1] == '0' ? 1 : 0;
    text.push_back('.');
  }
  text.append(static_cast<size_t>(std::max(digits, 0)), '0');
  text += tail;
}

void Formatter::PrintFloat(const Value& v, char32_t verb) {
  char format = 'g';
  int precision = -1;
  switch (verb) {
    case 'v':
    case 'g':
      break;
    case 'G':
    case 'x':
    case 'X':
      format = static_cast<char>(verb);
      break;
    case 'e':
    case 'E':
    case 'f':
      format = static_cast<char>(verb);
      precision = 6;
      break;
    case 'F':
      format = 'f';
      precision = 6;
      break;
    default:
      BadVerb(v, verb);
      return;
  }
  if (flags_.precision) {
    precision = *flags_.precision;
  }
  std::string text;
  AppendFloat(text, v.AsFloat(), format, precision);
  if (text[0] != '-' && text[0] != '+') {
    text.insert(0, 1, flags_.space && !flags_.plus ? ' ' : '+');
  }
  bool finite = std::isfinite(v.AsFloat());
  if (flags_.sharp && finite) {
    KeepPoint(text, verb);
  }
  bool zero = flags_.zero;
  if (!finite) {
    flags_.zero = false;
    if (std::isnan(v.AsFloat()) && !flags_.space && !flags_.plus) {
      text.erase(0, 1);
    }
    Pad(text);
  } else if (flags_.plus || text[0] != '+') {
    size_t width = flags_.width ? static_cast<size_t>(*flags_.width) : 0;
    if (flags_.zero && !flags_.minus && width > text.size()) {
      text.insert(1, width - text.size(), '0');
    }
    Pad(text);
  } else {
    Pad(std::string_view(text).substr(1));
  }
  flags_.zero = zero;
}

void Formatter::PrintList(const Value& v, std::string_view type_name, char32_t verb, int depth) {
  const bool go = flags_.sharp_v;
  out_ += go ? type_name : std::string_view();
  out_.push_back(go ? '{' : '[');
  for (size_t i = 0; i < v.Size() && !Full(); ++i) {
    if (i > 0) {
      out_ += go ? ", " : " ";
    }
    PrintArg(v.Item(i), verb, depth + 1);
  }
  out_.push_back(go ? '}' : ']');
}

void Formatter::PrintMap(const Value& v, std::string_view type_name, char32_t verb, int depth) {
  const bool go = flags_.sharp_v;
  out_ += go ? type_name : std::string_view("map");
  out_.push_back(go ? '{' : '[');
  for (size_t i = 0; i < v.Size() && !Full(); ++i) {
    if (i > 0) {
      out_ += go ? ", " : " ";
    }
    PrintArg(Value::View(v.KeyAt(i)), verb, depth + 1);
    out_.push_back(':');
    PrintArg(v.ValueAt(i), verb, depth + 1);
  }
  out_.push_back(go ? '}' : ']');
}

void Formatter::PrintStruct(const Value& v, char32_t verb, int depth) {
  const bool go = flags_.sharp_v;
  out_ += go ? v.TypeName() : std::string();
  out_.push_back('{');
  const char* separator = "";
  for (const auto& [name, value] : v.AsObject().Fields()) {
    out_ += separator;
    if (go || flags_.plus_v) {
      out_ += name;
      out_.push_back(':');
    }
    PrintArg(value, verb, depth + 1);
    separator = go ? ", " : " ";
  }
  out_.push_back('}');
}

void Formatter::PrintObject(const Value& v, char32_t verb, int depth) {
  const Object& object = v.AsObject();
  const bool text_verb = verb == 'v' || verb == 's' || verb == 'q' || verb == 'x' || verb == 'X';
  const Value* inner = object.Underlying();
  if (object.PrintsItself() && text_verb && !flags_.sharp_v && !erroring_) {
    PrintText(v, object.Print(), verb);
  } else if (inner != nullptr && inner->kind() == Kind::kList) {
    PrintList(*inner, object.TypeName(), verb, depth);
  } else if (inner != nullptr && inner->kind() == Kind::kMap) {
    PrintMap(*inner, object.TypeName(), verb, depth);
  } else if (!object.Fields().empty()) {
    PrintStruct(v, verb, depth);
  } else {
    bool go = std::exchange(flags_.sharp_v, false);
    PrintText(v, object.Print(), verb);
    flags_.sharp_v = go;
  }
}

void Formatter::PrintArg(const Value& v, char32_t verb, int depth) {
  if (v.IsNil()) {
    if (verb == 'v' || verb == 'T') {
      Pad("<nil>");
    } else {
      BadVerb(v, verb);
    }
    return;
  }
  if (verb == 'T') {
    PrintText(v, v.TypeName(), 's');
    return;
  }
  if (v.kind() == Kind::kObject) {
    PrintObject(v, verb, depth);
    return;
  }
  bool text_verb = verb == 'v' || verb == 's' || verb == 'q' || verb == 'x' || verb == 'X';
  if (v.kind() == Kind::kTime || (text_verb && !flags_.sharp_v && !erroring_)) {
    if (auto text = SelfPrinted(v)) {
      bool go = std::exchange(flags_.sharp_v, false);
      PrintText(v, *text, verb);
      flags_.sharp_v = go;
      return;
    }
  }
  switch (v.kind()) {
    case Kind::kBool:
      if (verb == 't' || verb == 'v') {
        Pad(v.AsBool() ? "true" : "false");
      } else {
        BadVerb(v, verb);
      }
      return;
    case Kind::kInt: {
      const Int& n = v.AsInt();
      bool negative = !n.IsUnsigned() && n.bits < 0;
      PrintInt(v, negative ? 0 - n.AsUnsigned() : n.AsUnsigned(), negative, !n.IsUnsigned(), verb);
      return;
    }
    case Kind::kDuration: {
      int64_t n = v.AsDuration().count();
      auto bits = static_cast<uint64_t>(n);
      PrintInt(v, n < 0 ? 0 - bits : bits, n < 0, true, verb);
      return;
    }
    case Kind::kFloat:
      PrintFloat(v, verb);
      return;
    case Kind::kString:
      PrintText(v, v.AsString(), verb);
      return;
    case Kind::kList:
      PrintList(v, v.TypeName(), verb, depth);
      return;
    case Kind::kMap:
      PrintMap(v, v.TypeName(), verb, depth);
      return;
    case Kind::kNil:
    case Kind::kTime:
    case Kind::kObject:
      return;
  }
}

std::optional<int> Formatter::Number(std::string_view format, size_t& i) {
  size_t start = i;
  int value = 0;
  for (; i < format.size() && format[i] >= '0' && format[i] <= '9'; ++i) {
    if (value > kMaxFieldWidth) {
      i = format.size();
      return std::nullopt;
    }
    value = value * 10 + (format[i] - '0');
  }
  return i > start ? std::optional<int>(value) : std::nullopt;
}

// Reads "[n]"; true when there was one. Afterwards arg_ is that argument and good_index_ says whether it
// exists.
bool Formatter::ArgumentIndex(std::string_view format, size_t& i, size_t count) {
  if (i >= format.size() || format[i] != '[') {
    return false;
  }
  reordered_ = true;
  size_t close = format.find(']', i);
  if (close == std::string_view::npos) {
    good_index_ = false;
    ++i;
    return true;
  }
  size_t digits = i + 1;
  auto number = Number(format.substr(0, close), digits);
  i = close + 1;
  if (!number || digits != close || *number < 1 || static_cast<size_t>(*number) > count) {
    good_index_ = false;
  } else {
    arg_ = static_cast<size_t>(*number) - 1;
  }
  return true;
}

std::optional<int> Formatter::IntArgument(std::span<const Value> args) {
  if (arg_ >= args.size()) {
    return std::nullopt;
  }
  const Value& v = args[arg_++];
  if (v.kind() != Kind::kInt || v.AsInt().bits > kMaxFieldWidth || v.AsInt().bits < -kMaxFieldWidth) {
    return std::nullopt;
  }
  return static_cast<int>(v.AsInt().bits);
}

// One directive; `i` stands after the '%'.
void Formatter::Directive(std::string_view format, size_t& i, std::span<const Value> args) {
  flags_ = {};
  good_index_ = true;
  for (; i < format.size(); ++i) {
    char c = format[i];
    if (c == '#') {
      flags_.sharp = true;
    } else if (c == '0') {
      flags_.zero = true;
    } else if (c == '+') {
      flags_.plus = true;
    } else if (c == '-') {
      flags_.minus = true;
    } else if (c == ' ') {
      flags_.space = true;
    } else {
      break;
    }
  }
  bool after_index = ArgumentIndex(format, i, args.size());
  if (i < format.size() && format[i] == '*') {
    ++i;
    flags_.width = IntArgument(args);
    if (!flags_.width) {
      out_ += "%!(BADWIDTH)";
    } else if (*flags_.width < 0) {
      flags_.width = -*flags_.width;
      flags_.minus = true;
      flags_.zero = false;
    }
    after_index = false;
  } else {
    flags_.width = Number(format, i);
    if (after_index && flags_.width) {
      good_index_ = false;
    }
  }
  if (i < format.size() && format[i] == '.') {
    ++i;
    if (after_index) {
      good_index_ = false;
    }
    after_index = ArgumentIndex(format, i, args.size());
    if (i < format.size() && format[i] == '*') {
      ++i;
      flags_.precision = IntArgument(args);
      if (!flags_.precision) {
        out_ += "%!(BADPREC)";
      } else if (*flags_.precision < 0) {
        flags_.precision.reset();
        out_ += "%!(BADPREC)";
      }
      after_index = false;
    } else {
      flags_.precision = Number(format, i).value_or(0);
    }
  }
  if (!after_index) {
    ArgumentIndex(format, i, args.size());
  }
  if (i >= format.size()) {
    out_ += "%!(NOVERB)";
    return;
  }
  Rune verb = DecodeRune(format, i);
  i += verb.width;
  if (verb.code == '%') {
    out_.push_back('%');
    return;
  }
  if (!good_index_ || arg_ >= args.size()) {
    out_ += "%!";
    AppendRune(out_, verb.code);
    out_ += good_index_ ? "(MISSING)" : "(BADINDEX)";
    return;
  }
  if (verb.code == 'v') {
    flags_.sharp_v = std::exchange(flags_.sharp, false);
    flags_.plus_v = std::exchange(flags_.plus, false);
  }
  PrintArg(args[arg_++], verb.code, 0);
}

void Formatter::Run(std::string_view format, std::span<const Value> args) {
  for (size_t i = 0; i < format.size() && !Full();) {
    size_t percent = format.find('%', i);
    out_.append(format.substr(i, percent == std::string_view::npos ? percent : percent - i));
    if (percent == std::string_view::npos) {
      break;
    }
    i = percent + 1;
    Directive(format, i, args);
  }
  if (reordered_ || arg_ >= args.size()) {
    return;
  }
  flags_ = {};
  out_ += "%!(EXTRA ";
  for (bool first = true; arg_ < args.size() && !Full(); ++arg_, first = false) {
    const Value& v = args[arg_];
    out_ += first ? "" : ", ";
    if (v.IsNil()) {
      out_ += "<nil>";
    } else {
      out_ += v.TypeName();
      out_.push_back('=');
      PrintArg(v, 'v', 0);
    }
  }
  out_.push_back(')');
}

}  // namespace

void AppendValue(std::string& out, const Value& v, size_t limit) {
  switch (v.kind()) {
    case Kind::kNil:
      out += "<nil>";
      return;
    case Kind::kBool:
      out += v.AsBool() ? "true" : "false";
      return;
    case Kind::kFloat:
      AppendFloat(out, v.AsFloat(), 'g', -1);
      return;
    case Kind::kString:
      out += v.AsString();
      return;
    case Kind::kInt:
      if (v.AsInt().IsUnsigned()) {
        fmt::format_to(std::back_inserter(out), "{}", v.AsInt().AsUnsigned());
      } else if (auto text = SelfPrinted(v)) {
        out += *text;
      } else {
        fmt::format_to(std::back_inserter(out), "{}", v.AsInt().bits);
      }
      return;
    case Kind::kTime:
    case Kind::kDuration:
    case Kind::kObject:
      out += *SelfPrinted(v);
      return;
    case Kind::kList:
      out.push_back('[');
      for (size_t i = 0; i < v.Size() && out.size() <= limit; ++i) {
        if (i > 0) {
          out.push_back(' ');
        }
        AppendValue(out, v.Item(i), limit);
      }
      out.push_back(']');
      return;
    case Kind::kMap:
      out += "map[";
      for (size_t i = 0; i < v.Size() && out.size() <= limit; ++i) {
        if (i > 0) {
          out.push_back(' ');
        }
        out += v.KeyAt(i);
        out.push_back(':');
        AppendValue(out, v.ValueAt(i), limit);
      }
      out.push_back(']');
      return;
  }
}

std::string Sprint(std::span<const Value> args, size_t limit) {
  std::string out;
  for (size_t i = 0; i < args.size() && out.size() <= limit; ++i) {
    if (i > 0 && args[i].kind() != Kind::kString && args[i - 1].kind() != Kind::kString) {
      out.push_back(' ');
    }
    AppendValue(out, args[i], limit);
  }
  return out;
}

std::string Sprintln(std::span<const Value> args, size_t limit) {
  std::string out;
  for (size_t i = 0; i < args.size() && out.size() <= limit; ++i) {
    if (i > 0) {
      out.push_back(' ');
    }
    AppendValue(out, args[i], limit);
  }
  out.push_back('\n');
  return out;
}

std::string Sprintf(std::string_view format, std::span<const Value> args, size_t limit) {
  std::string out;
  out.reserve(format.size() + 32);
  Formatter(out, limit).Run(format, args);
  return out;
}

}  // namespace mlalert::tmpl
