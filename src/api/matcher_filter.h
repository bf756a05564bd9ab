// Matchers as query parameters of /api/v2 (filter, receiver_matchers): parsing with Alertmanager's error
// texts, and its own reading of them. Thread: pure functions.
#pragma once

#include <string>
#include <string_view>

#include "api/http_types.h"
#include "config/config.h"
#include "model/matcher.h"
#include "model/matcher_parse.h"

namespace mlalert {

// Values of one repeated parameter; one more is an error.
inline constexpr size_t kFiltersMax = 100;

// Every value of `name`, one matcher each. Errors begin with `prefix`.
Result<Matchers> ParseFilters(const HttpRequest& request, std::string_view name, std::string_view prefix,
                              MatcherMode mode);

// All of them. A comparison with the empty value asks whether the label is there.
bool PassesFilters(const Matchers& filters, const LabelSet& labels);

// The labels of a receiver as receiver_matchers see them: its own and its name.
LabelSet ReceiverLabels(const Config& config, const std::string& name);

}  // namespace mlalert
