#include "api/http_types.h"

#include <algorithm>

namespace mlalert {

namespace {

char Lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

}  // namespace

bool EqualsIgnoreCase(std::string_view a, std::string_view b) {
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return Lower(x) == Lower(y); });
}

std::string_view HttpRequest::Header(std::string_view name) const {
  for (const HttpField& field : headers) {
    if (EqualsIgnoreCase(field.name, name)) {
      return field.value;
    }
  }
  return {};
}

bool HttpRequest::HasHeader(std::string_view name) const {
  return std::any_of(headers.begin(), headers.end(),
                     [&](const HttpField& field) { return EqualsIgnoreCase(field.name, name); });
}

const std::string* HttpRequest::Query(std::string_view name) const {
  for (const HttpParam& param : query) {
    if (param.name == name) {
      return &param.value;
    }
  }
  return nullptr;
}

std::vector<std::string_view> HttpRequest::QueryAll(std::string_view name) const {
  std::vector<std::string_view> values;
  for (const HttpParam& param : query) {
    if (param.name == name) {
      values.push_back(param.value);
    }
  }
  return values;
}

std::string_view HttpRequest::PathParam(std::string_view name) const {
  for (const HttpParam& param : path_params) {
    if (param.name == name) {
      return param.value;
    }
  }
  return {};
}

void HttpResponse::SetHeader(std::string_view name, std::string_view value) {
  for (auto& [known, old] : headers) {
    if (EqualsIgnoreCase(known, name)) {
      old = value;
      return;
    }
  }
  headers.emplace_back(name, value);
}

std::string_view HttpResponse::Header(std::string_view name) const {
  for (const auto& [known, value] : headers) {
    if (EqualsIgnoreCase(known, name)) {
      return value;
    }
  }
  return {};
}

std::string_view HttpReason(int status) {
  switch (status) {
    case 100:
      return "Continue";
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 301:
      return "Moved Permanently";
    case 302:
      return "Found";
    case 303:
      return "See Other";
    case 304:
      return "Not Modified";
    case 307:
      return "Temporary Redirect";
    case 308:
      return "Permanent Redirect";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 406:
      return "Not Acceptable";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 410:
      return "Gone";
    case 411:
      return "Length Required";
    case 412:
      return "Precondition Failed";
    case 413:
      return "Request Entity Too Large";
    case 414:
      return "Request URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 417:
      return "Expectation Failed";
    case 422:
      return "Unprocessable Entity";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "Unknown";
  }
}

}  // namespace mlalert
