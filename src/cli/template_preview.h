// What one template text makes of given data: a receiver's text (text or HTML), or a label or annotation of a
// rule. Pure but for template files, which the caller read. Read by: template_command.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "base/time.h"

namespace mlalert {

struct PreviewRequest {
  enum class Kind : uint8_t { kText, kHtml, kRule };
  Kind kind = Kind::kText;
  std::string text{};
  // Template files: name and content. Of receivers' texts they come after the defaults.
  std::vector<std::pair<std::string, std::string>> templates{};
  // Null: the example group, or a rule without labels whose value is 0.
  Json data{};
  Timestamp now = kUnset;
};

// One line of JSON as a request; keys are described in docs/cli.md. `defaults` gives what the line leaves
// out.
Result<PreviewRequest> ParsePreviewRequest(const Json& json, const PreviewRequest& defaults);

// Errors have the text that a notification's or a rule's error would have.
Result<std::string> Preview(const PreviewRequest& request);

}  // namespace mlalert
