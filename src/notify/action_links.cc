#include "notify/action_links.h"

#include <algorithm>
#include <fmt/format.h>

namespace mlalert {
namespace {

constexpr size_t kKeyBytesMin = 16;

std::string_view Trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const size_t begin = text.find_first_not_of(kSpace);
  return begin == std::string_view::npos ? std::string_view()
                                         : text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

}  // namespace

std::string ActionLinks::Url(TokenAction action, std::vector<TokenTarget> targets, std::string_view recipient,
                             int64_t more) const {
  if (key.empty() || targets.empty()) {
    return {};
  }
  ActionToken token{action, std::move(targets), expires_at, std::string(recipient), more};
  return fmt::format("{}{}{}", base_url, kLinkPath, SignToken(token, TokenPurpose::kLink, key));
}

std::string ActionLinks::ButtonValue(TokenAction action, std::vector<TokenTarget> targets,
                                     std::string_view recipient, int64_t more) const {
  if (key.empty() || targets.empty()) {
    return {};
  }
  ActionToken token{action, std::move(targets), expires_at, std::string(recipient), more};
  return SignToken(token, TokenPurpose::kSlack, key);
}

std::string ActionLinks::CallUrl(std::string_view path, int64_t call_id, Timestamp now) const {
  ActionToken token{TokenAction::kCall, {{call_id, 0}}, now + kCallTokenLife, {}, 0};
  return fmt::format("{}{}?call={}", base_url, path, SignToken(token, TokenPurpose::kCall, key));
}

Result<std::string> LinkKeyOf(const InboundConfig& config, const std::string& generated,
                              const FileAccess& files) {
  if (config.links.key_file.empty()) {
    return config.links.key.empty() ? generated : config.links.key.Reveal();
  }
  MLALERT_ASSIGN(std::string text, files.read(config.links.key_file, kKeyFileBytesMax));
  std::string key(Trimmed(text));
  if (key.size() < kKeyBytesMin) {
    return Fail(ErrorCode::kIo, fmt::format("{} holds fewer than {} bytes: no key to sign links with",
                                            config.links.key_file, kKeyBytesMin));
  }
  return key;
}

std::string PublicUrlOf(const InboundConfig& config, std::string_view external_url) {
  return config.public_url.empty() ? std::string(external_url) : config.public_url;
}

Result<std::vector<std::string>> SecretsOf(const InboundSecrets& secrets, const FileAccess& files) {
  std::vector<std::string> out;
  for (const Secret& secret : secrets.values) {
    out.push_back(secret.Reveal());
  }
  if (secrets.file.empty()) {
    return out;
  }
  MLALERT_ASSIGN(std::string text, files.read(secrets.file, kKeyFileBytesMax));
  for (std::string_view rest = text; !rest.empty();) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    std::string_view line = Trimmed(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (!line.empty()) {
      out.emplace_back(line);
    }
  }
  return out;
}

namespace {

std::vector<TokenTarget> Targets(const Notification& n, bool resolved_too) {
  std::vector<TokenTarget> out;
  for (const NotifiedAlert& alert : n.alerts) {
    if ((resolved_too || !alert.resolved) && alert.incident_id != 0) {
      out.push_back({alert.incident_id, alert.generation});
    }
  }
  std::stable_sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
  out.erase(std::unique(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.id == b.id; }),
            out.end());
  return out;
}

}  // namespace

std::vector<TokenTarget> TargetsOf(const Notification& n) {
  return Targets(n, false);
}

std::vector<TokenTarget> JudgedOf(const Notification& n) {
  std::vector<TokenTarget> out = Targets(n, false);
  return out.empty() ? Targets(n, true) : out;
}

}  // namespace mlalert
