#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "config/config_sections.h"
#include "config/url_check.h"
#include "model/label_set.h"
#include "template/notify_funcs.h"
#include "template/template.h"

namespace mlalert {
namespace {

bool ReportUrl(const YamlValue& value, const std::string& text) {
  auto parts = CheckHttpUrl(text);
  if (!parts) {
    value.Error(parts.error().message);
  }
  return parts.has_value();
}

// A misplaced token may look like a scheme, so that only schemes people mean are repeated.
bool ReportSecretUrl(const YamlValue& value, const std::string& text, std::string_view prefix) {
  static constexpr std::array<std::string_view, 8> kHarmless{
      "ftp:", "file:", "ws:", "wss:", "tcp:", "htp:", "htps:", "slack:"};
  auto parts = CheckHttpUrl(text);
  if (parts) {
    return true;
  }
  bool harmless = std::any_of(kHarmless.begin(), kHarmless.end(),
                              [&](std::string_view s) { return text.starts_with(s); });
  bool about_scheme = parts.error().message.starts_with("unsupported scheme") &&
                      !parts.error().message.starts_with("unsupported scheme \"\"");
  value.Error(fmt::format("{}{}", prefix,
                          about_scheme && !harmless ? "unsupported scheme for URL" : parts.error().message));
  return false;
}

}  // namespace

std::string Quoted(std::string_view text) {
  return GoQuote(text);
}

bool ReadUrl(YamlMap& map, std::string_view key, std::string& out) {
  auto value = map.TakeSet(key);
  std::string text;
  if (!value || !value->Read(text) || !ReportUrl(*value, text)) {
    return false;
  }
  out = std::move(text);
  return true;
}

bool ReadSecretUrl(YamlMap& map, std::string_view key, Secret& out, bool allow_template) {
  auto value = map.TakeSet(key);
  std::string text;
  if (!value || !value->Read(text)) {
    return false;
  }
  if (text.empty() && allow_template) {
    return true;  // as good as absent: so the caller takes it
  }
  if (text == kSecretMask) {
    value->Warn("the value is the mask of a secret, not the secret: nothing can be sent with it");
  } else if (allow_template && text.find("{{") != std::string::npos) {
    auto parsed = tmpl::Template::Parse("", text, tmpl::NotifyFunctions());
    if (!parsed) {
      // Go's message repeats only names out of the template, but names are part of a secret text here.
      bool unclosed = parsed.error().message.find("unclosed action") != std::string::npos;
      value->Error(unclosed ? "invalid template syntax: template: :1: unclosed action"
                            : "invalid template syntax");
      return false;
    }
  } else if (!ReportSecretUrl(*value, text, allow_template ? "invalid URL: " : "")) {
    return false;
  }
  out = Secret(std::move(text));
  return true;
}

// Go's net.SplitHostPort, and its words.
void ReadHostPort(YamlMap& map, std::string_view key, HostPort& out) {
  auto value = map.Take(key);
  std::string text;
  if (!value || !value->Read(text) || text.empty()) {
    return;
  }
  auto bad = [&](std::string_view why) { value->Error(fmt::format("address {}: {}", text, why)); };
  size_t colon = text.rfind(':');
  if (colon == std::string::npos) {
    bad("missing port in address");
    return;
  }
  std::string_view host = std::string_view(text).substr(0, colon);
  if (text.front() == '[') {
    size_t close = text.find(']');
    if (close == std::string::npos) {
      bad("missing ']' in address");
      return;
    }
    if (close + 1 != colon) {
      bad(close + 1 == text.size() || text[close + 1] != ':' ? "missing port in address"
                                                             : "too many colons in address");
      return;
    }
    host = host.substr(1, close - 1);
  } else if (host.find(':') != std::string_view::npos) {
    bad("too many colons in address");
    return;
  }
  size_t inside = text.front() == '[' ? 1 : 0;
  if (text.find('[', inside) != std::string::npos) {
    bad("unexpected '[' in address");
    return;
  }
  if (text.find(']', inside == 1 ? host.size() + 2 : 0) != std::string::npos) {
    bad("unexpected ']' in address");
    return;
  }
  if (colon + 1 == text.size()) {
    value->Error(fmt::format("address {}: port cannot be empty", Quoted(text)));
    return;
  }
  out = {std::string(host), text.substr(colon + 1)};
}

std::string CanonicalHeader(std::string_view name) {
  static constexpr std::string_view kTokenMarks = "!#$%&'*+-.^_`|~";
  auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  bool token = std::all_of(name.begin(), name.end(), [&](char c) {
    return letter(c) || (c >= '0' && c <= '9') || kTokenMarks.find(c) != std::string_view::npos;
  });
  if (!token) {
    return std::string(name);
  }
  std::string out;
  bool start = true;
  for (char c : name) {
    out += letter(c) ? static_cast<char>(start ? c & ~0x20 : c | 0x20) : c;
    start = c == '-';
  }
  return out;
}

bool ReadIfSet(YamlMap& map, std::string_view key, Duration& out) {
  auto value = map.TakeSet(key);
  return value && value->Read(out);
}

void ReadMatcherList(YamlMap& map, std::string_view key, const LoadContext& context, Matchers& out) {
  auto list = map.Take(key);
  if (!list) {
    return;
  }
  for (const YamlValue& item : list->Items("[]string")) {
    std::string text;
    if (!item.Read(text)) {
      continue;
    }
    std::string warning;
    auto parsed = ParseMatchers(text, context.options.matcher_mode, &warning);
    if (!parsed) {
      item.Error(parsed.error().message);
      continue;
    }
    if (!warning.empty()) {
      item.Warn(std::move(warning));
    }
    std::move(parsed->begin(), parsed->end(), std::back_inserter(out));
  }
}

void ReadMatchMap(YamlMap& map, std::string_view key, bool regex, Matchers& out) {
  auto value = map.TakeSet(key);
  if (!value) {
    return;
  }
  if (value->node().kind != YamlNode::Kind::kMap) {
    value->WrongType("map[string]string");
    return;
  }
  for (const auto& entry : value->node().entries) {
    YamlValue at_key =
        value->Child(*entry.value, entry.key_pos, fmt::format("{}.{}", value->path(), entry.key));
    std::string text;
    if (!IsClassicLabelName(entry.key)) {
      at_key.Error(fmt::format("invalid label name {}", Quoted(entry.key)));
      continue;
    }
    if (regex && at_key.IsNull()) {
      at_key.Error(fmt::format("invalid regexp value for {}", Quoted(entry.key)));
      continue;
    }
    if (!at_key.Read(text)) {
      continue;
    }
    // Upstream keeps the anchored text as the value, and it is visible in group keys.
    std::string pattern = regex ? fmt::format("^(?:{})$", text) : text;
    if (regex) {
      if (auto compiled = Regex::CompileAnchored(text); !compiled) {
        at_key.Error(compiled.error().message);
        continue;
      }
    }
    auto matcher = Matcher::Make(entry.key, regex ? MatchOp::kRegex : MatchOp::kEqual, std::move(pattern));
    if (!matcher) {
      at_key.Error(matcher.error().message);
      continue;
    }
    out.push_back(std::move(*matcher));
  }
}

bool IsLabelName(std::string_view name, const LoadContext& context) {
  // The file is valid UTF-8 as a whole, so any text is.
  return context.options.matcher_mode == MatcherMode::kClassic ? IsClassicLabelName(name) : !name.empty();
}

void CheckPair(const YamlMap& map, std::string_view a, bool a_set, std::string_view b, bool b_set) {
  if (a_set && b_set) {
    map.At(b).Error(fmt::format("at most one of {} & {} must be configured", a, b));
  }
}

}  // namespace mlalert
