// Versions we name to clients of compatible APIs. Thread: constants.
#pragma once

#include <string_view>

namespace mlalert {

// The Alertmanager whose API /api/v2 speaks: its clients choose what to send by this number.
inline constexpr std::string_view kAlertmanagerVersion = "0.33.1";

}  // namespace mlalert
