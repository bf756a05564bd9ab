#include "notify/template_set.h"

#include <filesystem>
#include <fmt/format.h>

#include "notify/default_templates.h"
#include "template/notify_funcs.h"

namespace mlalert {
namespace {

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

bool HasActions(std::string_view text) {
  return text.find("{{") != std::string_view::npos;
}

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
    VisitTexts(receiver, [&](const ReceiverText& text) { out->ParseText(text, receiver); });
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

void NotifyTemplates::ParseText(const ReceiverText& text, const Receiver& receiver) {
  if (text.text.empty() || (!text.html && !HasActions(text.text))) {
    return;
  }
  std::string key(text.text);
  Result<tmpl::Template>& parsed =
      text.html ? html_texts_.try_emplace(key, ParseHtml(base_, text.text)).first->second
                : texts_.try_emplace(key, base_.With("", text.text)).first->second;
  if (!parsed) {
    Error error = text.secret ? HideDetails(parsed.error()) : parsed.error();
    warnings_.push_back(std::move(error).Context(fmt::format("receiver {}: {}", receiver.name, text.where)));
  }
}

}  // namespace mlalert
