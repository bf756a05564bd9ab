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

// What a failed secret text may say about itself: where, not what.
Error HideDetails(const Error& error) {
  return {error.code, "the template is not valid (details hidden: the text is a secret)", {}, {}};
}

}  // namespace

Result<tmpl::Template> DefaultTemplates() {
  return tmpl::Template::Parse("default.tmpl", DefaultTemplateText(), tmpl::NotifyFunctions());
}

NotifyTemplates::NotifyTemplates(ConfigPtr config, tmpl::Template base)
    : config_(std::move(config)), routes_(config_), base_(std::move(base)) {}

Result<std::shared_ptr<const NotifyTemplates>> NotifyTemplates::Load(ConfigPtr config, const FileAccess& files) {
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
  static constexpr tmpl::ExecLimits kLimits{.output_bytes = kRenderedBytesMax};
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
  auto where = [&](std::string_view list, size_t index, std::string_view key) {
    return fmt::format("receiver {}: {}[{}].{}", receiver.name, list, index, key);
  };
  for (size_t i = 0; i < receiver.webhook_configs.size(); ++i) {
    ParseText(receiver.webhook_configs[i].url.Reveal(), where("webhook_configs", i, "url"), true);
  }
  for (size_t i = 0; i < receiver.slack_configs.size(); ++i) {
    const SlackConfig& c = receiver.slack_configs[i];
    auto parse = [&](std::string_view key, const std::string& text) {
      ParseText(text, where("slack_configs", i, key), false);
    };
    parse("channel", c.channel), parse("username", c.username), parse("color", c.color);
    parse("title", c.title), parse("title_link", c.title_link), parse("pretext", c.pretext);
    parse("text", c.text), parse("message_text", c.message_text), parse("fallback", c.fallback);
    parse("callback_id", c.callback_id), parse("footer", c.footer), parse("icon_emoji", c.icon_emoji);
    parse("icon_url", c.icon_url), parse("image_url", c.image_url), parse("thumb_url", c.thumb_url);
    for (const SlackField& field : c.fields) {
      parse("fields.title", field.title), parse("fields.value", field.value);
    }
    for (const SlackAction& action : c.actions) {
      parse("actions.type", action.type), parse("actions.text", action.text), parse("actions.url", action.url);
      parse("actions.style", action.style), parse("actions.name", action.name);
      parse("actions.value", action.value);
      if (action.confirm) {
        parse("actions.confirm.text", action.confirm->text), parse("actions.confirm.title", action.confirm->title);
        parse("actions.confirm.ok_text", action.confirm->ok_text);
        parse("actions.confirm.dismiss_text", action.confirm->dismiss_text);
      }
    }
  }
  for (size_t i = 0; i < receiver.pagerduty_configs.size(); ++i) {
    const PagerdutyConfig& c = receiver.pagerduty_configs[i];
    auto parse = [&](std::string_view key, const std::string& text) {
      ParseText(text, where("pagerduty_configs", i, key), false);
    };
    ParseText(c.routing_key.Reveal(), where("pagerduty_configs", i, "routing_key"), true);
    ParseText(c.service_key.Reveal(), where("pagerduty_configs", i, "service_key"), true);
    parse("client", c.client), parse("client_url", c.client_url), parse("description", c.description);
    parse("source", c.source), parse("severity", c.severity), parse("class", c.class_name);
    parse("component", c.component), parse("group", c.group);
    for (const auto& [key, text] : c.details) {
      parse(fmt::format("details.{}", key), text);
    }
    for (const PagerdutyImage& image : c.images) {
      parse("images.src", image.src), parse("images.alt", image.alt), parse("images.href", image.href);
    }
    for (const PagerdutyLink& link : c.links) {
      parse("links.href", link.href), parse("links.text", link.text);
    }
  }
}

}  // namespace mlalert
