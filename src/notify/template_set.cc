#include "notify/template_set.h"

#include <filesystem>
#include <fmt/format.h>

#include "notify/default_templates.h"
#include "template/notify_funcs.h"

namespace mlalert {
namespace {

bool HasActions(std::string_view text) {
  return text.find("{{") != std::string_view::npos;
}

constexpr tmpl::ExecLimits kLimits{.output_bytes = kRenderedBytesMax};

Result<tmpl::Template> ParseHtml(const tmpl::Template& base, std::string_view text) {
  MLALERT_ASSIGN(tmpl::Template parsed, base.With("", text));
  return parsed.Html();
}

// What a failed secret text may say about itself: where, not what.
Error HideDetails(const Error& error) {
  return {error.code, "the template is not valid (details hidden: the text is a secret)", {}, {}};
}

}  // namespace

Result<tmpl::Template> DefaultTemplates() {
  MLALERT_ASSIGN(auto set,
                 tmpl::Template::Parse("default.tmpl", DefaultTemplateText(), tmpl::NotifyFunctions()));
  MLALERT_TRY(set.AddFile("email.tmpl", DefaultEmailText()));
  return set;
}

NotifyTemplates::NotifyTemplates(ConfigPtr config, tmpl::Template base)
    : config_(std::move(config)), routes_(config_), base_(std::move(base)) {}

Result<std::shared_ptr<const NotifyTemplates>> NotifyTemplates::Load(ConfigPtr config,
                                                                     const FileAccess& files) {
  MLALERT_ASSIGN(tmpl::Template base, DefaultTemplates());
  for (const std::string& pattern : config->templates) {
    for (const std::string& path : files.expand(pattern)) {
      auto text = files.read(path, kTemplateFileBytesMax);
      if (!text && text.error().code == ErrorCode::kNotFound) {
        continue;
      }
      if (!text) {
        return Fail(std::move(text.error()).Context("templates"));
      }
      Status added = base.AddFile(std::filesystem::path(path).filename().string(), *text);
      if (!added) {
        return Fail(std::move(added.error()).Context(fmt::format("templates: {}", path)));
      }
    }
  }
  std::shared_ptr<NotifyTemplates> out(new NotifyTemplates(std::move(config), std::move(base)));
  for (const Receiver& receiver : out->config_->receivers) {
    out->ParseReceiver(receiver);
  }
  return out;
}

Result<std::string> NotifyTemplates::Render(std::string_view text, const tmpl::Value& data,
                                            const tmpl::ExecEnv& env) const {
  if (!HasActions(text)) {
    return std::string(text);
  }
  if (auto it = texts_.find(std::string(text)); it != texts_.end()) {
    if (!it->second) {
      return Fail(it->second.error());
    }
    return it->second->Execute(data, env, kLimits);
  }
  // Not of the config: the content of a key file.
  MLALERT_ASSIGN(tmpl::Template parsed, base_.With("", text));
  return parsed.Execute(data, env, kLimits);
}

Result<std::string> NotifyTemplates::RenderHtml(std::string_view text, const tmpl::Value& data,
                                                const tmpl::ExecEnv& env) const {
  // A text without actions is read as HTML too: its comments go.
  if (text.empty()) {
    return std::string();
  }
  if (auto it = html_texts_.find(std::string(text)); it != html_texts_.end()) {
    if (!it->second) {
      return Fail(it->second.error());
    }
    return it->second->Execute(data, env, kLimits);
  }
  MLALERT_ASSIGN(tmpl::Template parsed, ParseHtml(base_, text));
  return parsed.Execute(data, env, kLimits);
}

void NotifyTemplates::ParseText(std::string_view text, std::string_view where, bool secret) {
  if (!HasActions(text)) {
    return;
  }
  auto [it, fresh] = texts_.try_emplace(std::string(text), base_.With("", text));
  if (!it->second) {
    Error error = secret ? HideDetails(it->second.error()) : it->second.error();
    warnings_.push_back(std::move(error).Context(where));
  }
}

void NotifyTemplates::ParseReceiver(const Receiver& receiver) {
  auto where = [&](std::string_view list, size_t index) {
    return fmt::format("receiver {}: {}[{}]", receiver.name, list, index);
  };
  for (size_t i = 0; i < receiver.webhook_configs.size(); ++i) {
    ParseText(receiver.webhook_configs[i].url.Reveal(), where("webhook_configs", i) + ".url", true);
  }
  for (size_t i = 0; i < receiver.slack_configs.size(); ++i) {
    ParseSlack(receiver.slack_configs[i], where("slack_configs", i));
  }
  for (size_t i = 0; i < receiver.pagerduty_configs.size(); ++i) {
    ParsePagerduty(receiver.pagerduty_configs[i], where("pagerduty_configs", i));
  }
}

template <class Struct, size_t kCount>
void NotifyTemplates::ParseTexts(const Struct& texts, const std::array<TextField<Struct>, kCount>& fields,
                                 std::string_view where) {
  for (const auto& [key, field] : fields) {
    ParseText(texts.*field, fmt::format("{}.{}", where, key), false);
  }
}

void NotifyTemplates::ParseSlack(const SlackConfig& c, const std::string& where) {
  static constexpr std::array<TextField<SlackConfig>, 15> kTexts{
      {{"channel", &SlackConfig::channel},
       {"username", &SlackConfig::username},
       {"color", &SlackConfig::color},
       {"title", &SlackConfig::title},
       {"title_link", &SlackConfig::title_link},
       {"pretext", &SlackConfig::pretext},
       {"text", &SlackConfig::text},
       {"message_text", &SlackConfig::message_text},
       {"fallback", &SlackConfig::fallback},
       {"callback_id", &SlackConfig::callback_id},
       {"footer", &SlackConfig::footer},
       {"icon_emoji", &SlackConfig::icon_emoji},
       {"icon_url", &SlackConfig::icon_url},
       {"image_url", &SlackConfig::image_url},
       {"thumb_url", &SlackConfig::thumb_url}}};
  static constexpr std::array<TextField<SlackField>, 2> kFieldTexts{
      {{"title", &SlackField::title}, {"value", &SlackField::value}}};
  static constexpr std::array<TextField<SlackAction>, 6> kActionTexts{{{"type", &SlackAction::type},
                                                                       {"text", &SlackAction::text},
                                                                       {"url", &SlackAction::url},
                                                                       {"style", &SlackAction::style},
                                                                       {"name", &SlackAction::name},
                                                                       {"value", &SlackAction::value}}};
  static constexpr std::array<TextField<SlackConfirmation>, 4> kConfirmTexts{
      {{"text", &SlackConfirmation::text},
       {"title", &SlackConfirmation::title},
       {"ok_text", &SlackConfirmation::ok_text},
       {"dismiss_text", &SlackConfirmation::dismiss_text}}};
  ParseTexts(c, kTexts, where);
  for (size_t i = 0; i < c.fields.size(); ++i) {
    ParseTexts(c.fields[i], kFieldTexts, fmt::format("{}.fields[{}]", where, i));
  }
  for (size_t i = 0; i < c.actions.size(); ++i) {
    ParseTexts(c.actions[i], kActionTexts, fmt::format("{}.actions[{}]", where, i));
    if (c.actions[i].confirm) {
      ParseTexts(*c.actions[i].confirm, kConfirmTexts, fmt::format("{}.actions[{}].confirm", where, i));
    }
  }
}

void NotifyTemplates::ParsePagerduty(const PagerdutyConfig& c, const std::string& where) {
  static constexpr std::array<TextField<PagerdutyConfig>, 8> kTexts{
      {{"client", &PagerdutyConfig::client},
       {"client_url", &PagerdutyConfig::client_url},
       {"description", &PagerdutyConfig::description},
       {"source", &PagerdutyConfig::source},
       {"severity", &PagerdutyConfig::severity},
       {"class", &PagerdutyConfig::class_name},
       {"component", &PagerdutyConfig::component},
       {"group", &PagerdutyConfig::group}}};
  static constexpr std::array<TextField<PagerdutyImage>, 3> kImageTexts{
      {{"src", &PagerdutyImage::src}, {"alt", &PagerdutyImage::alt}, {"href", &PagerdutyImage::href}}};
  static constexpr std::array<TextField<PagerdutyLink>, 2> kLinkTexts{
      {{"href", &PagerdutyLink::href}, {"text", &PagerdutyLink::text}}};
  ParseText(c.routing_key.Reveal(), where + ".routing_key", true);
  ParseText(c.service_key.Reveal(), where + ".service_key", true);
  ParseTexts(c, kTexts, where);
  for (const auto& [key, text] : c.details) {
    ParseText(text.AsString(), fmt::format("{}.details.{}", where, key), false);
  }
  for (size_t i = 0; i < c.images.size(); ++i) {
    ParseTexts(c.images[i], kImageTexts, fmt::format("{}.images[{}]", where, i));
  }
  for (size_t i = 0; i < c.links.size(); ++i) {
    ParseTexts(c.links[i], kLinkTexts, fmt::format("{}.links[{}]", where, i));
  }
}

}  // namespace mlalert
