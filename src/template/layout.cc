#include "template/layout.h"

#include <array>

namespace mlalert::tmpl {
namespace {

struct Element {
  std::string_view text;
  LayoutToken token;
};

// Longer spellings stand before their prefixes.
constexpr std::array<Element, 30> kElements{{{"January", LayoutToken::kLongMonth},
                                             {"Jan", LayoutToken::kMonth},
                                             {"Monday", LayoutToken::kLongWeekday},
                                             {"Mon", LayoutToken::kWeekday},
                                             {"MST", LayoutToken::kZone},
                                             {"002", LayoutToken::kZeroYearDay},
                                             {"01", LayoutToken::kZeroMonth},
                                             {"02", LayoutToken::kZeroDay},
                                             {"03", LayoutToken::kZeroHour12},
                                             {"04", LayoutToken::kZeroMinute},
                                             {"05", LayoutToken::kZeroSecond},
                                             {"06", LayoutToken::kYear},
                                             {"15", LayoutToken::kHour},
                                             {"1", LayoutToken::kNumMonth},
                                             {"2006", LayoutToken::kLongYear},
                                             {"2", LayoutToken::kDay},
                                             {"__2", LayoutToken::kUnderYearDay},
                                             {"_2", LayoutToken::kUnderDay},
                                             {"3", LayoutToken::kHour12},
                                             {"4", LayoutToken::kMinute},
                                             {"5", LayoutToken::kSecond},
                                             {"PM", LayoutToken::kPM},
                                             {"pm", LayoutToken::kpm},
                                             {"-07:00", LayoutToken::kNum07Colon00},
                                             {"-0700", LayoutToken::kNum0700},
                                             {"-07", LayoutToken::kNum07},
                                             {"Z07:00", LayoutToken::kZ07Colon00},
                                             {"Z0700", LayoutToken::kZ0700},
                                             {"Z07", LayoutToken::kZ07},
                                             {"", LayoutToken::kNone}}};

bool IsDigitAt(std::string_view s, size_t i) {
  return i < s.size() && s[i] >= '0' && s[i] <= '9';
}

// The length of ".000" or ",999" at `i`, 0 when there is none. It must not be followed by another digit.
size_t FractionAt(std::string_view s, size_t i) {
  if ((s[i] != '.' && s[i] != ',') || i + 1 >= s.size() || (s[i + 1] != '0' && s[i + 1] != '9')) {
    return 0;
  }
  size_t end = i + 1;
  while (end < s.size() && s[end] == s[i + 1]) {
    ++end;
  }
  return IsDigitAt(s, end) ? 0 : end - i;
}

const Element* ElementAt(std::string_view s, size_t i) {
  for (const Element& element : kElements) {
    if (element.text.empty() || s.substr(i, element.text.size()) != element.text) {
      continue;
    }
    // "Januar" is not "Jan" + "uar".
    size_t after = i + element.text.size();
    bool lower_follows = after < s.size() && s[after] >= 'a' && s[after] <= 'z';
    if ((element.token == LayoutToken::kMonth || element.token == LayoutToken::kWeekday) && lower_follows) {
      continue;
    }
    // "_2006" is an underscore and a year.
    if (element.token == LayoutToken::kUnderDay && s.substr(i + 1, 4) == "2006") {
      continue;
    }
    return &element;
  }
  return nullptr;
}

}  // namespace

LayoutPiece NextLayoutPiece(std::string_view layout) {
  for (size_t i = 0; i < layout.size(); ++i) {
    if (size_t length = FractionAt(layout, i); length > 0) {
      LayoutToken token = layout[i + 1] == '0' ? LayoutToken::kFraction0 : LayoutToken::kFraction9;
      return {layout.substr(0, i),      token, length - 1, layout[i], layout.substr(i, length),
              layout.substr(i + length)};
    }
    if (const Element* element = ElementAt(layout, i)) {
      size_t length = element->text.size();
      return {layout.substr(0, i), element->token, 0, '.', element->text, layout.substr(i + length)};
    }
  }
  return {layout, LayoutToken::kNone, 0, '.', {}, {}};
}

}  // namespace mlalert::tmpl
