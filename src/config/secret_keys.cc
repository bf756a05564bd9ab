#include "config/secret_keys.h"

#include <algorithm>
#include <array>

#include "config/diagnostics.h"

namespace mlalert {
namespace {

constexpr std::array<std::string_view, 14> kSecretNames{
    "password",  "bearer_token", "credentials", "client_secret", "routing_key", "service_key", "api_key",
    "app_token", "api_url",      "webhook_url", "secrets",       "user_key",    "secret_key",  "bot_token"};

constexpr std::array<std::string_view, 6> kSecretParts{"passw",      "secret",      "token",
                                                       "credential", "webhook_url", "slack_api_url"};

bool Contains(std::span<const std::string> parents, std::string_view key) {
  return std::find(parents.begin(), parents.end(), key) != parents.end();
}

// Keys that name a place or a kind, not the secret itself.
bool IsHarmless(std::string_view key) {
  return key.ends_with("_file") || key == "token_url" || key == "slack_app_url" || key == "app_url" ||
         (key.ends_with("_api_url") && key != "slack_api_url");
}

bool IsSecretName(std::string_view key) {
  if (IsHarmless(key)) {
    return false;
  }
  bool part = std::any_of(kSecretParts.begin(), kSecretParts.end(),
                          [&](std::string_view p) { return key.find(p) != std::string_view::npos; });
  return part || key == "key" || EditDistance(key, "url", 1) <= 1 || key.ends_with("_key") ||
         std::any_of(kSecretNames.begin(), kSecretNames.end(),
                     [&](std::string_view name) { return EditDistance(key, name, 2) <= 2; });
}

}  // namespace

bool IsSecretKey(std::string_view key, std::span<const std::string> parents, std::string_view value) {
  // Rule files and label maps hold no secrets, and their free names would match by accident.
  if (Contains(parents, "groups") || Contains(parents, "labels") || Contains(parents, "match") ||
      Contains(parents, "match_re")) {
    return false;
  }
  if (key == "headers" || key == "proxy_connect_header" || key == "basic_auth_users" ||
      Contains(parents, "basic_auth_users")) {
    return true;
  }
  bool has_userinfo = value.find('@') != std::string_view::npos;
  if (key == "url") {
    bool plain_url = Contains(parents, "pagerduty_configs") || Contains(parents, "actions") ||
                     Contains(parents, "datasources");
    return !plain_url || has_userinfo;
  }
  if (has_userinfo && (key.ends_with("_url") || value.find("://") != std::string_view::npos)) {
    return true;
  }
  return IsSecretName(key);
}

bool LooksLikeSecretLine(std::string_view line) {
  static constexpr std::array<std::string_view, 7> kWords{"passw", "secret", "token", "credential",
                                                          "key",   "url",    "://"};
  return std::any_of(kWords.begin(), kWords.end(),
                     [&](std::string_view word) { return line.find(word) != std::string_view::npos; });
}

}  // namespace mlalert
