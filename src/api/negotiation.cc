#include "api/negotiation.h"

#include <algorithm>
#include <fmt/format.h>

#include "api/http_error.h"
#include "api/own_error.h"

namespace mlalert {
namespace {

std::string_view Trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) {
    text.remove_prefix(1);
  }
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) {
    text.remove_suffix(1);
  }
  return text;
}

std::string Lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; });
  return out;
}

// "application/json;q=0" refuses what it names.
bool HasZeroWeight(std::string_view parameters) {
  while (!parameters.empty()) {
    size_t end = std::min(parameters.find(';'), parameters.size());
    std::string one = Lower(Trim(parameters.substr(0, end)));
    if (one.rfind("q=0", 0) == 0 && one.find_first_not_of("0.", 2) == std::string::npos) {
      return true;
    }
    parameters.remove_prefix(std::min(end + 1, parameters.size()));
  }
  return false;
}

bool Accepts(std::string_view accept, std::string_view wanted) {
  while (!accept.empty()) {
    size_t end = std::min(accept.find(','), accept.size());
    std::string_view range = accept.substr(0, end);
    accept.remove_prefix(std::min(end + 1, accept.size()));
    size_t semicolon = std::min(range.find(';'), range.size());
    std::string type = Lower(Trim(range.substr(0, semicolon)));
    std::string_view slash_star = wanted.substr(0, wanted.find('/') + 1);
    bool names = type == wanted || type == "*/*" || type == std::string(slash_star) + "*";
    if (names && !HasZeroWeight(range.substr(std::min(semicolon + 1, range.size())))) {
      return true;
    }
  }
  return false;
}

// What Go's mime.ParseMediaType says of it; empty when nothing.
std::string_view MimeProblem(std::string_view type) {
  const size_t slash = type.find('/');
  if (type.empty() || slash == 0) {
    return "mime: no media type";
  }
  if (slash == std::string_view::npos) {
    return {};
  }
  if (slash + 1 == type.size()) {
    return "mime: expected token after slash";
  }
  return type.find('/', slash + 1) != std::string_view::npos ? "mime: unexpected content after media subtype"
                                                             : "";
}

}  // namespace

std::string MediaTypeOf(const HttpRequest& request) {
  std::string_view type = request.Header("Content-Type");
  return Lower(Trim(type.substr(0, type.find(';'))));
}

bool IsJsonContentType(const HttpRequest& request, bool allow_missing) {
  std::string type = MediaTypeOf(request);
  return type == "application/json" || (allow_missing && !request.HasHeader("Content-Type"));
}

bool CheckJsonBodyV2(const HttpRequest& request, HttpResponse& response) {
  if (request.body.empty() || IsJsonContentType(request, true)) {
    return true;
  }
  std::string_view type = request.Header("Content-Type").substr(0, 256);
  if (std::string_view problem = MimeProblem(MediaTypeOf(request)); !problem.empty()) {
    SetErrorObject(response, 400,
                   fmt::format("parsing Content-Type header from \"{}\" failed, because {}", type, problem));
    return false;
  }
  SetErrorObject(response, 415,
                 fmt::format("unsupported media type \"{}\", only [application/json] are allowed", type));
  return false;
}

bool CheckAcceptsJsonV2(const HttpRequest& request, HttpResponse& response) {
  std::string_view accept = request.Header("Accept");
  if (accept.empty() || Accepts(accept, "application/json")) {
    return true;
  }
  SetErrorObject(response, 406, "unsupported media type requested, only [application/json] are available");
  return false;
}

bool CheckJsonBody(const HttpRequest& request, HttpResponse& response) {
  if (IsJsonContentType(request, false)) {
    return true;
  }
  SetOwnError(response, 415,
              fmt::format("unsupported media type \"{}\"", request.Header("Content-Type").substr(0, 256)),
              "send the header Content-Type: application/json");
  return false;
}

const std::string* LastParamV2(const HttpRequest& request, std::string_view name) {
  const std::string* last = nullptr;
  for (const HttpParam& param : request.query) {
    if (param.name == name) {
      last = &param.value;
    }
  }
  return last;
}

bool BoolParamV2(const HttpRequest& request, std::string_view name, bool fallback) {
  const std::string* value = LastParamV2(request, name);
  if (value == nullptr || value->empty()) {
    return fallback;
  }
  std::string word = Lower(*value);
  for (std::string_view yes : {"true", "1", "yes", "ok", "y", "on", "selected", "checked", "t", "enabled"}) {
    if (word == yes) {
      return true;
    }
  }
  return false;
}

}  // namespace mlalert
