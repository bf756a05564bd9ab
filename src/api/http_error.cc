#include "api/http_error.h"

#include "base/json.h"
#include "template/quote.h"

namespace mlalert {

namespace {

// Undoes the HTML escapes of encoding/json, and only those: a backslash always starts an escape of two or six
// characters, so reading escape by escape cannot confuse "\\u003c" with "\u003c".
std::string WithoutHtmlEscapes(std::string_view json) {
  std::string out;
  out.reserve(json.size());
  for (size_t i = 0; i < json.size(); ++i) {
    if (json[i] != '\\' || i + 1 == json.size()) {
      out += json[i];
      continue;
    }
    std::string_view escape = json.substr(i, 6);
    if (escape == "\\u003c" || escape == "\\u003e" || escape == "\\u0026") {
      out += escape == "\\u003c" ? '<' : escape == "\\u003e" ? '>' : '&';
      i += 5;
    } else {
      out.append(json.substr(i, 2));
      ++i;
    }
  }
  return out;
}

}  // namespace

std::string HttpErrorObject(int code, std::string_view message) {
  std::string out = "{\"code\":" + std::to_string(code) + ",\"message\":";
  AppendJsonString(out, message);
  out += '}';
  return out;
}

std::string HttpErrorString(std::string_view message) {
  std::string out;
  AppendJsonString(out, message);
  out = WithoutHtmlEscapes(out);
  out += '\n';
  return out;
}

void SetErrorObject(HttpResponse& response, int status, std::string_view message, int code) {
  response.status = status;
  response.content_type = "application/json";
  response.body = HttpErrorObject(code == 0 ? status : code, message);
}

void SetErrorString(HttpResponse& response, int status, std::string_view message) {
  response.status = status;
  response.content_type = "application/json";
  response.body = HttpErrorString(message);
}

void SetRedirect(HttpResponse& response, int status, std::string_view method, std::string_view location) {
  response.status = status;
  response.SetHeader("Location", location);
  response.content_type.clear();
  response.body.clear();
  if (method != "GET" && method != "HEAD") {
    return;
  }
  const std::string escaped = tmpl::EscapeHtml(location);
  response.content_type = "text/html; charset=utf-8";
  response.body =
      "<a href=\"" + escaped + "\">" + (status == 301 ? "Moved Permanently" : "Found") + "</a>.\n\n";
}

void SetErrorText(HttpResponse& response, int status, std::string_view message) {
  response.status = status;
  response.content_type = "text/plain; charset=utf-8";
  response.SetHeader("X-Content-Type-Options", "nosniff");
  response.body.assign(message);
  response.body += '\n';
}

}  // namespace mlalert
