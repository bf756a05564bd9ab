#include "net/transfer.h"

#include <fmt/format.h>

#include "net/http_date.h"

namespace mlalert {

std::string CallErrorText(std::string_view method, std::string_view text) {
  std::string name(method);
  for (size_t i = 1; i < name.size(); ++i) {
    name[i] = name[i] >= 'A' && name[i] <= 'Z' ? static_cast<char>(name[i] - 'A' + 'a') : name[i];
  }
  return fmt::format("{} \"<redacted>\": {}", name, text);
}

void FinishHttpResult(HttpResult& result, MonoTime started, MonoTime now, Clock& clock) {
  result.latency = now - started;
  if (result.status < 200) {
    // An interim answer is none.
    result.status = 0;
  }
  if (const std::string* retry_after = result.Header("retry-after")) {
    const std::string* date = result.Header("date");
    result.retry_after = ParseRetryAfter(*retry_after, date ? *date : "", clock.Now());
  }
}

}  // namespace mlalert
