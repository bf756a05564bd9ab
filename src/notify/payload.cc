#include "notify/payload.h"

#include <algorithm>
#include <fmt/format.h>

#include "base/hash.h"
#include "base/json.h"
#include "net/retry.h"
#include "notify/route_labels.h"
#include "template/utf8.h"

namespace mlalert {
namespace {

constexpr std::string_view kEllipsis = "\xE2\x80\xA6";
// Shorter ones would tear holes into every error text, and protect nothing.
constexpr size_t kScrubbedBytesMin = 4;
// A path segment at least this long may be a token.
constexpr size_t kTokenBytesMin = 16;

std::string_view TrimSpace(std::string_view text) {
  constexpr std::string_view kSpace = " \t\n\v\f\r";
  size_t begin = text.find_first_not_of(kSpace);
  return begin == std::string_view::npos ? std::string_view()
                                         : text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

void AddOptionSecrets(const HttpClientConfig& options, std::vector<std::string>& secrets) {
  if (options.basic_auth) {
    secrets.push_back(options.basic_auth->password.Reveal());
  }
  if (options.authorization) {
    secrets.push_back(options.authorization->credentials.Reveal());
  }
  if (options.oauth2) {
    secrets.push_back(options.oauth2->client_secret.Reveal());
    secrets.push_back(options.oauth2->client_certificate_key.Reveal());
  }
  for (const HttpHeaderConfig& header : options.http_headers) {
    for (const Secret& secret : header.secrets) {
      secrets.push_back(secret.Reveal());
    }
  }
}

}  // namespace

TemplateDataOptions OptionsFor(const Notification& n, const ReceiverContext& context, size_t alerts_max) {
  return {.alerts_max = alerts_max,
          .route_labels = RenderRouteLabels(n, context),
          .external_url = context.external_url,
          .incident_url_prefix = context.incident_url_prefix,
          .links = context.links};
}

TemplateData DataFor(const Notification& n, const ReceiverContext& context, size_t alerts_max) {
  return TemplateData(n, OptionsFor(n, context, alerts_max));
}

std::string QuotedBody(const HttpResult& result) {
  std::string out;
  for (size_t at = 0; at < result.body.size() && out.size() < kErrorBodyBytesMax;) {
    tmpl::Rune rune = tmpl::DecodeRune(result.body, at);
    at += rune.width;
    tmpl::AppendRune(out, rune.code < ' ' || rune.code == 0x7F ? U' ' : rune.code);
  }
  return std::string(TrimSpace(out));
}

NotificationOutcome JudgeStatus(const HttpResult& result, std::string_view details,
                                std::span<const int> retry_statuses) {
  NotificationOutcome out;
  out.http_status = result.status;
  out.latency = result.latency;
  switch (Judge(result, retry_statuses)) {
    case Verdict::kSuccess:
      out.verdict = DeliveryVerdict::kSent;
      return out;
    case Verdict::kRetry:
      out.verdict = DeliveryVerdict::kRetry;
      out.retry_after = result.retry_after;
      break;
    case Verdict::kFail:
      // Who says when to come back wants to be asked again, whatever its kind.
      out.retry_after = result.status == 429 ? result.retry_after : std::nullopt;
      out.verdict = out.retry_after ? DeliveryVerdict::kRetry : DeliveryVerdict::kFailed;
      break;
  }
  if (result.status == 0 || result.failure == Failure::kCancelled) {
    out.error = result.error.empty() ? std::string(FailureName(result.failure)) : result.error;
  } else {
    out.error =
        fmt::format("unexpected status code {}{}{}", result.status, details.empty() ? "" : ": ", details);
  }
  return out;
}

NotificationOutcome JudgeHttp(const HttpResult& result) {
  return JudgeStatus(result, QuotedBody(result));
}

Renderer::Renderer(const ReceiverContext& context, const TemplateData& data)
    : context_(context), data_(data), route_label_([this](std::string_view name) -> Result<std::string> {
        return std::string(data_.route_labels().Get(name));
      }) {
  env_.now = context.now;
  env_.external_url = context.external_url;
  env_.route_label = &route_label_;
}

std::string Renderer::operator()(std::string_view text) {
  if (!ok() || text.empty()) {
    return {};
  }
  return Take(context_.templates.Render(text, data_.root(), env_));
}

std::string Renderer::Html(std::string_view text) {
  if (!ok() || text.empty()) {
    return {};
  }
  return Take(context_.templates.RenderHtml(text, data_.root(), env_));
}

std::string Renderer::Take(Result<std::string> rendered) {
  if (!rendered) {
    status_ = Fail(std::move(rendered.error()));
    return {};
  }
  return std::move(*rendered);
}

std::string Renderer::Secretly(std::string_view what, std::string_view text) {
  bool was_ok = ok();
  std::string out = (*this)(text);
  if (was_ok && !ok()) {
    status_ = Fail(status_.error().code,
                   fmt::format("the template in {} fails (details hidden: the text is a secret)", what));
  }
  return out;
}

Result<std::string> ReadSecret(const Secret& inline_text, const std::string& file, std::string_view key,
                               const FileAccess& files) {
  if (file.empty()) {
    return inline_text.Reveal();
  }
  auto text = files.read(file, kKeyFileBytesMax);
  if (!text) {
    return Fail(std::move(text.error()).Context(fmt::format("read {}", key)));
  }
  return std::string(TrimSpace(*text));
}

Result<std::string> ReadUrl(const Secret& inline_url, const std::string& file, std::string_view key,
                            const FileAccess& files) {
  MLALERT_ASSIGN(std::string url, ReadSecret(inline_url, file, fmt::format("{}_file", key), files));
  if (url.empty()) {
    // Somebody may be about to write the file.
    return Fail(ErrorCode::kIo, fmt::format("{} is empty", file.empty() ? std::string(key) : file));
  }
  return url;
}

namespace {

// What all calls have in common, and what must not be quoted from their answers.
void Complete(PreparedCall& prepared) {
  AddUrlSecrets(prepared.call.url, prepared.secrets);
  if (prepared.call.options != nullptr) {
    AddOptionSecrets(*prepared.call.options, prepared.secrets);
  }
}

}  // namespace

PreparedCall JsonPost(const ReceiverContext& context) {
  PreparedCall out;
  out.call.method = "POST";
  out.call.headers.emplace_back("Content-Type", "application/json");
  out.call.headers.emplace_back("User-Agent", context.user_agent);
  return out;
}

Result<PreparedCall> BuildPayload(const Notification& n, const ReceiverContext& context) {
  auto build = [&]() -> Result<PreparedCall> {
    switch (n.integration.kind) {
      case IntegrationKind::kWebhook:
        return BuildWebhook(n, context);
      case IntegrationKind::kPagerduty:
        return BuildPagerduty(n, context);
      case IntegrationKind::kEmail:
        return BuildEmail(n, context);
      case IntegrationKind::kOpsgenie:
        return BuildOpsgenie(n, context);
      case IntegrationKind::kWechat:
        return BuildWechat(n, context);
      case IntegrationKind::kJira:
        return BuildJira(n, context);
      case IntegrationKind::kSlack:
        return BuildSlack(n, context);
      case IntegrationKind::kVictorops:
        return BuildVictorops(n, context);
      case IntegrationKind::kPushover:
        return BuildPushover(n, context);
      case IntegrationKind::kSns:
        return BuildSns(n, context);
      case IntegrationKind::kTelegram:
        return BuildTelegram(n, context);
      case IntegrationKind::kDiscord:
        return BuildDiscord(n, context);
      case IntegrationKind::kWebex:
        return BuildWebex(n, context);
      case IntegrationKind::kMsteams:
        return BuildMsteams(n, context);
      case IntegrationKind::kMsteamsV2:
        return BuildMsteamsV2(n, context);
      case IntegrationKind::kRocketchat:
        return BuildRocketchat(n, context);
      case IntegrationKind::kIncidentio:
        return BuildIncidentio(n, context);
      case IntegrationKind::kMattermost:
        return BuildMattermost(n, context);
      case IntegrationKind::kTwilio:
        return BuildTwilio(n, context);
      default:
        return Fail(ErrorCode::kInternal, "unknown integration");
    }
  };
  MLALERT_ASSIGN(PreparedCall prepared, build());
  Complete(prepared);
  return prepared;
}

NextStep JudgeAnswer(const Notification& n, const PreparedCall& prepared, const HttpResult& result) {
  NextStep next = prepared.judge(result);
  if (next.call) {
    next.call->secrets.insert(next.call->secrets.end(), prepared.secrets.begin(), prepared.secrets.end());
    Complete(*next.call);
    return next;
  }
  next.outcome.notification_id = n.id;
  if (next.outcome.verdict != DeliveryVerdict::kSent) {
    next.outcome.error = Scrub(prepared.error_prefix + next.outcome.error, prepared.secrets);
  }
  return next;
}

std::string GroupKeyHash(const Notification& n) {
  return Sha256Hex(n.group_key);
}

std::string TruncateRunes(std::string text, size_t runes_max) {
  // Every character takes a byte at least: most texts need no counting.
  if (text.size() <= runes_max || tmpl::RuneCount(text) <= runes_max) {
    return text;
  }
  if (runes_max <= 3) {
    text.resize(tmpl::RunePrefix(text, runes_max));
    return text;
  }
  text.resize(tmpl::RunePrefix(text, runes_max - 1));
  text += kEllipsis;
  return text;
}

std::string TruncateBytes(std::string text, size_t bytes_max) {
  if (text.size() <= bytes_max) {
    return text;
  }
  size_t kept = 0;
  for (size_t limit = bytes_max - kEllipsis.size(); kept < limit;) {
    size_t width = tmpl::DecodeRune(text, kept).width;
    if (kept + width > limit) {
      break;
    }
    kept += width;
  }
  text.resize(kept);
  text += kEllipsis;
  return text;
}

std::string EscapeSlack(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (char c : text) {
    if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else {
      out.push_back(c);
    }
  }
  return out;
}

std::string Scrub(std::string_view text, const std::vector<std::string>& secrets) {
  std::vector<std::string_view> longest_first;
  for (std::string_view secret : secrets) {
    if (secret.size() >= kScrubbedBytesMin) {
      longest_first.push_back(secret);
    }
  }
  std::sort(longest_first.begin(), longest_first.end(), [](auto a, auto b) { return a.size() > b.size(); });
  std::string out;
  for (std::string_view rest = text; !rest.empty();) {
    auto found = std::find_if(longest_first.begin(), longest_first.end(),
                              [&](std::string_view secret) { return rest.starts_with(secret); });
    if (found != longest_first.end()) {
      out += kSecretMask;
      rest.remove_prefix(found->size());
    } else {
      out.push_back(rest.front());
      rest.remove_prefix(1);
    }
  }
  return out;
}

void AddUrlSecrets(std::string_view url, std::vector<std::string>& secrets) {
  secrets.emplace_back(url);
  size_t scheme = url.find("://");
  std::string_view rest = scheme == std::string_view::npos ? url : url.substr(scheme + 3);
  size_t slash = rest.find_first_of("/?#");
  std::string_view authority = rest.substr(0, slash);
  if (size_t at = authority.rfind('@'); at != std::string_view::npos) {
    std::string_view userinfo = authority.substr(0, at);
    size_t colon = userinfo.find(':');
    secrets.emplace_back(colon == std::string_view::npos ? userinfo : userinfo.substr(colon + 1));
  }
  if (slash == std::string_view::npos) {
    return;
  }
  std::string_view path = rest.substr(slash);
  secrets.emplace_back(path);
  while (!path.empty()) {
    size_t end = path.find_first_of("/?&=#", 1);
    std::string_view part = path.substr(1, end == std::string_view::npos ? end : end - 1);
    bool is_value = path.front() == '=';
    if (part.size() >= kTokenBytesMin || is_value) {
      secrets.emplace_back(part);
    }
    path.remove_prefix(end == std::string_view::npos ? path.size() : end);
  }
}

}  // namespace mlalert
