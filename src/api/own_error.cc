#include "api/own_error.h"

#include <fmt/format.h>

namespace mlalert {

void SetOwnError(HttpResponse& response, int status, std::string_view message, std::string_view hint) {
  Json json = Json::MakeObject();
  json.Set("error", message);
  if (!hint.empty()) {
    json.Set("hint", hint);
  }
  SetJson(response, json);
  response.status = status;
}

void SetOwnError(HttpResponse& response, const Error& error) {
  std::string message = error.message;
  if (error.where.line > 0) {
    message = fmt::format("line {}, column {}: {}", error.where.line, error.where.column, message);
  }
  SetOwnError(response, HttpStatus(error.code), message, error.hint);
}

void SetJson(HttpResponse& response, const Json& json) {
  response.status = 200;
  response.content_type = "application/json";
  response.SetHeader("Cache-Control", "no-store");
  response.body = json.Dump();
  response.body += '\n';
}

}  // namespace mlalert
