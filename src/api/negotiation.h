// What a client says about media types, judged as Alertmanager's API judges it: Content-Type of what it
// sends, Accept of what it wants. Thread: pure functions.
#pragma once

#include <string>
#include <string_view>

#include "api/http_types.h"

namespace mlalert {

// "application/json", with or without parameters. `allow_missing`: also no Content-Type header at all.
bool IsJsonContentType(const HttpRequest& request, bool allow_missing);
// The media type of the Content-Type header, lower case, without parameters.
std::string MediaTypeOf(const HttpRequest& request);

// 415 of /api/v2 when the body is not JSON; true when the request may go on.
bool CheckJsonBodyV2(const HttpRequest& request, HttpResponse& response);
// 406 of /api/v2 when the client does not take JSON.
bool CheckAcceptsJsonV2(const HttpRequest& request, HttpResponse& response);
// 415 of our own API: the header is required, because a page of another site may send a body without one and
// without asking first.
bool CheckJsonBody(const HttpRequest& request, HttpResponse& response);

// Of a parameter that is given more than once go-openapi takes the last one. Null when absent.
const std::string* LastParamV2(const HttpRequest& request, std::string_view name);

// A boolean query parameter of /api/v2: absent and empty give `fallback`, unknown words are false.
bool BoolParamV2(const HttpRequest& request, std::string_view name, bool fallback);

}  // namespace mlalert
