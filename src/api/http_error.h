// The two error bodies of Alertmanager's API. Its clients (amtool, UIs) parse both shapes:
//   A: {"code":404,"message":"path /x was not found"}  from the framework: no line break at the end;
//   B: "bad matcher format: foo"                       from handlers: a bare JSON string and a line break.
// Escaping differs as it does there: A escapes <, > and & (encoding/json's default), B does not.
// Fed by: the handlers of api/. Thread: pure functions.
#pragma once

#include <string>
#include <string_view>

#include "api/http_types.h"

namespace mlalert {

std::string HttpErrorObject(int code, std::string_view message);
std::string HttpErrorString(std::string_view message);

// Fill in status, content type application/json and the body. `code` of shape A is the status unless a
// validation code (601, 602, 612) is given.
void SetErrorObject(HttpResponse& response, int status, std::string_view message, int code = 0);
void SetErrorString(HttpResponse& response, int status, std::string_view message);

// Plain text, as Go's http.Error: the message and a line break, nosniff.
void SetErrorText(HttpResponse& response, int status, std::string_view message);

// 301 or 302 as Go's http.Redirect: a link as text for GET and HEAD.
void SetRedirect(HttpResponse& response, int status, std::string_view method, std::string_view location);

}  // namespace mlalert
