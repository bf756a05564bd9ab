// Why Go's encoding/json would not take a text, in its words: Alertmanager's clients and their users know
// them. Runs only after our own parser has refused a body, so it may be slow. Fed by: alert_decoder.cc,
// api/silence_decoder.cc. Thread: pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"

namespace mlalert {

// The syntax error of the first value in `text`; nothing when it has none.
std::optional<std::string> GoJsonSyntaxError(std::string_view text);

// A time as the API takes it. One behind the end of our clock (the year 2262), such as 9999-12-31, is kNever.
Result<Timestamp> ParseApiTime(std::string_view text, int* offset_minutes = nullptr);

// What strfmt.ParseDateTime says of a text that is no time: its last layout is a date.
std::string GoDateTimeError(std::string_view text);

// Of a syntactically good text that is no list of postable alerts: the first wrong type or time, in Go's
// order. Nothing when it finds none.
std::optional<std::string> GoAlertsTypeError(std::string_view text);

// Spaces only: to Go's decoder the same as no body at all.
bool IsBlankJson(std::string_view text);

// A key names a field when it is equal but for case. Two letters outside ASCII have an ASCII lower case: the
// long s and the Kelvin sign.
bool GoSameKey(std::string_view field, std::string_view key);

// What Go reads where others refuse: halves of surrogate pairs and bytes that are no UTF-8 become U+FFFD. The
// first keeps the length.
void ReplaceLoneSurrogates(std::string& text);
void ReplaceInvalidUtf8(std::string& text);

// The first value of `text`, without what follows it, and with both replaced.
std::string AsGoReads(std::string_view text);

}  // namespace mlalert
