// The body of POST /api/v2/silences, checked as Alertmanager's generated server checks it: types while
// parsing (400), then what is required, in its order (422). Thread: pure functions.
#pragma once

#include <string>
#include <string_view>

#include "model/silence.h"

namespace mlalert {

inline constexpr size_t kSilenceMatchersMax = 1000;
inline constexpr size_t kSilenceAnnotationsMax = 100;

// `code` is the validation code, or the status.
struct SilenceDecodeFailure {
  int http_status = 400;
  int code = 400;
  std::string message;
};

bool DecodeSilence(std::string_view body, SilenceRequest& out, SilenceDecodeFailure& failure);

// With or without dashes.
bool IsUuid(std::string_view text);

}  // namespace mlalert
