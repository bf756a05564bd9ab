#include "api/runbooks.h"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <set>

#include "api/http_error.h"
#include "template/quote.h"

namespace mlalert {
namespace {

constexpr size_t kNameBytesMax = 200;
constexpr std::string_view kSuffix = ".md";
constexpr std::string_view kStyle =
    "body{font:17px/1.5 system-ui,sans-serif;max-width:46em;margin:1em auto;padding:0 1em;color:#222}"
    "pre{font:inherit;white-space:pre-wrap;overflow-wrap:anywhere}";

bool IsNameByte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

// No dots: the first one in a file's name ends the runbook's name.
bool IsName(std::string_view name) {
  return !name.empty() && name.size() <= kNameBytesMax && std::all_of(name.begin(), name.end(), IsNameByte);
}

// What a file may be named after; other models have no runbooks of their own.
bool IsModelOfFile(std::string_view model) {
  return !model.empty() && model.size() <= kNameBytesMax && model.front() != '.' &&
         std::all_of(model.begin(), model.end(), [](char c) { return IsNameByte(c) || c == '.'; });
}

std::optional<std::string> ReadText(const std::filesystem::path& path) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) {
    return std::nullopt;
  }
  std::ifstream in(path, std::ios::binary);
  if (!in.is_open()) {
    return std::nullopt;
  }
  std::string text(kRunbookBytesMax, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(in.gcount()));
  return text;
}

void ReplaceAll(std::string& text, std::string_view what, std::string_view with) {
  for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size())) {
    text.replace(at, what.size(), with);
  }
}

// The label's value may be anything: it stands in a line of text here.
std::string OneLine(std::string_view text) {
  std::string out(text.substr(0, kNameBytesMax));
  std::replace_if(
      out.begin(), out.end(), [](unsigned char c) { return c < 0x20 || c == 0x7F; }, '?');
  return out;
}

std::string AboutModel(const ModelConfig& model) {
  std::string out;
  auto add = [&out](std::string_view what, std::string_view value) {
    if (!value.empty()) {
      out += fmt::format("- {}: {}\n", what, value);
    }
  };
  add("team", model.team);
  for (const auto& [level, contact] : model.contacts) {
    add(level == "l1" ? "L1" : level == "l2" ? "L2" : "L3", contact);
  }
  add("dashboard", model.dashboard_url);
  add("runbook of the model", model.runbook_url);
  return out.empty() ? out : fmt::format("{}:\n\n{}\n", model.name, out);
}

// Escaped text whose http(s) addresses can be followed.
std::string WithLinks(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const size_t at = std::min(text.find("https://"), text.find("http://"));
    out += tmpl::EscapeHtml(text.substr(0, at));
    if (at == std::string_view::npos) {
      break;
    }
    text.remove_prefix(at);
    std::string_view url = text.substr(0, text.find_first_of(" \t\r\n<>\"'`)]|"));
    while (url.ends_with('.') || url.ends_with(',') || url.ends_with(';') || url.ends_with(':')) {
      url.remove_suffix(1);
    }
    const std::string escaped = tmpl::EscapeHtml(url);
    out += fmt::format("<a href=\"{0}\" rel=\"noopener noreferrer\">{0}</a>", escaped);
    text.remove_prefix(url.size());
  }
  return out;
}

void SetPage(const HttpRequest& request, HttpResponse& response, std::string_view title, std::string text,
             bool links_are_relative = false) {
  response.SetHeader("Cache-Control", "no-store");
  response.SetHeader("X-Content-Type-Options", "nosniff");
  response.SetHeader(
      "Content-Security-Policy",
      "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'");
  if (request.Header("Accept").find("text/html") == std::string_view::npos) {
    response.content_type = "text/plain; charset=utf-8";
    response.body = std::move(text);
    return;
  }
  std::string content;
  if (links_are_relative) {  // names that need no escaping, one a line
    for (size_t at = 0; at < text.size();) {
      const size_t end = std::min(text.find('\n', at), text.size());
      content += fmt::format("<a href=\"runbooks/{0}\">{0}</a>\n", text.substr(at, end - at));
      at = end + 1;
    }
  } else {
    content = WithLinks(text);
  }
  response.content_type = "text/html; charset=utf-8";
  response.body = fmt::format(
      "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
      "content=\"width=device-width\"><title>{}</title><style>{}</style></head><body><pre>{}</pre></body>"
      "</html>\n",
      tmpl::EscapeHtml(title), kStyle, content);
}

void GetList(const Runbooks& runbooks, const HttpRequest& request, HttpResponse& response) {
  std::string text;
  for (const std::string& name : runbooks.Names()) {
    text += name + '\n';
  }
  SetPage(request, response, "Runbooks", std::move(text), true);
}

void GetOne(const Runbooks& runbooks, const ConfigPtr& config, const HttpRequest& request,
            HttpResponse& response) {
  const std::string_view name = request.PathParam("name");
  const std::string* asked = request.Query("model");
  const std::string model = asked != nullptr ? *asked : "";
  std::optional<std::string> text = runbooks.Text(name, model);
  if (!text) {
    SetErrorText(response, 404, "there is no such runbook; GET /runbooks lists those that there are");
    return;
  }
  if (!model.empty()) {
    const std::string shown = OneLine(model);
    ReplaceAll(*text, "{{model}}", shown);
    ReplaceAll(*text, "{{ model }}", shown);
    if (config != nullptr) {
      const ModelConfig* known = config->FindModel(model);
      *text = (known != nullptr ? AboutModel(*known) : "") + *text;
    }
  }
  SetPage(request, response, name, std::move(*text));
}

}  // namespace

std::vector<std::string> Runbooks::Names() const {
  std::set<std::string> names;
  for (const std::string& folder : folders_) {
    std::error_code error;
    std::error_code not_there;
    size_t seen = 0;
    std::filesystem::directory_iterator at(folder, error);
    for (; !error && at != std::filesystem::directory_iterator() && seen < kRunbooksMax;
         at.increment(error)) {
      ++seen;
      const std::string file = at->path().filename().string();
      const std::string_view stem = std::string_view(file).substr(0, file.find('.'));
      if (IsName(stem) && file.size() == stem.size() + kSuffix.size() && file.ends_with(kSuffix) &&
          std::filesystem::is_regular_file(at->path(), not_there)) {
        names.emplace(stem);
      }
    }
  }
  return {names.begin(), names.end()};
}

std::optional<std::string> Runbooks::Text(std::string_view name, std::string_view model) const {
  if (!IsName(name)) {
    return std::nullopt;
  }
  std::vector<std::string> files;
  if (IsModelOfFile(model)) {
    files.push_back(fmt::format("{}.{}{}", name, model, kSuffix));
  }
  files.push_back(fmt::format("{}{}", name, kSuffix));
  for (const std::string& file : files) {
    for (const std::string& folder : folders_) {
      if (auto text = ReadText(std::filesystem::path(folder) / file)) {
        return text;
      }
    }
  }
  return std::nullopt;
}

std::string_view RunbookNameOf(std::string_view url) {
  const size_t scheme = url.find("://");
  if (scheme == std::string_view::npos || (!url.starts_with("http://") && !url.starts_with("https://"))) {
    return {};
  }
  const size_t slash = url.rfind('/');
  std::string_view name = slash > scheme + 2 ? url.substr(slash + 1) : std::string_view();
  if (name.ends_with(kSuffix)) {
    name.remove_suffix(kSuffix.size());
  }
  return IsName(name) ? name : std::string_view();
}

void AddRunbooks(HttpRouter& router, const Runbooks& runbooks, std::function<ConfigPtr()> config) {
  router.Get("/runbooks", [&runbooks](HttpRequest& request, HttpResponse& response) {
    GetList(runbooks, request, response);
  });
  router.Get("/runbooks/{name}",
             [&runbooks, config = std::move(config)](HttpRequest& request, HttpResponse& response) {
               GetOne(runbooks, config ? config() : nullptr, request, response);
             });
}

}  // namespace mlalert
