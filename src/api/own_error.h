// Errors of our own API: {"error": "...", "hint": "..."}, hint only when there is one.
// Thread: pure functions.
#pragma once

#include <string_view>

#include "api/http_types.h"
#include "base/json.h"
#include "base/result.h"

namespace mlalert {

void SetOwnError(HttpResponse& response, int status, std::string_view message, std::string_view hint = {});
// Status by HttpStatus(); a place in the error goes in front of the message.
void SetOwnError(HttpResponse& response, const Error& error);

// 200 with this JSON and a line break, never cached.
void SetJson(HttpResponse& response, const Json& json);

}  // namespace mlalert
