// Text to matchers: a="b", c!~"d.*". Two grammars, because Alertmanager has two: the classic one (label names
// of [a-zA-Z_:], forgiving values) and the UTF-8 one (any name, strict quoting). Its default, kept here, runs
// both and lets classic win where they differ. Fed by: config/ (the strings of a `matchers` list), api/
// (filters), cli/. Error texts are Alertmanager's own: users search for them. Columns in them count
// characters from 0. Thread: pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "model/matcher.h"

namespace mlalert {

enum class MatcherMode : uint8_t {
  kFallback,    // UTF-8 grammar, classic where only classic parses or where the two disagree
  kClassic,     // --enable-feature=classic-mode
  kUtf8Strict,  // --enable-feature=utf8-strict-mode
};

// Longer input is refused before it is looked at.
inline constexpr size_t kMatcherTextBytesMax = 64 * 1024;

// Zero or more matchers, with or without braces. In kFallback `warning`, when not null, receives a sentence
// where the classic grammar was used because the UTF-8 one fails or reads something else; it is cleared
// otherwise.
Result<Matchers> ParseMatchers(std::string_view text, MatcherMode mode = MatcherMode::kFallback,
                               std::string* warning = nullptr);

// Exactly one matcher, without braces: the form of API filters and command line arguments.
Result<Matcher> ParseMatcher(std::string_view text, MatcherMode mode = MatcherMode::kFallback,
                             std::string* warning = nullptr);

}  // namespace mlalert
