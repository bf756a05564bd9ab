#include "net/transport.h"

#include <array>

namespace mlalert {

std::string_view FailureName(Failure failure) {
  constexpr std::array<std::string_view, kFailureKinds> kNames = {
      "none", "connect", "dns", "tls", "timeout", "too_large", "reset", "cancelled", "queue_full", "other"};
  return kNames[static_cast<size_t>(failure)];
}

const std::string* HttpResult::Header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (key == name) {
      return &value;
    }
  }
  return nullptr;
}

}  // namespace mlalert
