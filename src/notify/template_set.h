// Every template text of one config, parsed once: our defaults, the user's files, then each text of each
// receiver. Made by: Deliverer::SetConfig and `check`. Read by: the payload builders. As in Alertmanager a
// broken text of a receiver fails when it is rendered, a broken file fails the load. Thread: immutable after
// Load(); Render() runs concurrently.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "config/config.h"
#include "dispatch/route_tree.h"
#include "notify/file_access.h"
#include "notify/receiver_texts.h"
#include "template/template.h"

namespace mlalert {

// Large enough for an alert with a 1 MB annotation in a text and its JSON; templates multiply at their own
// risk.
inline constexpr size_t kRenderedBytesMax = size_t{8} << 20;

// Otherwise a text renders as what it is.
bool HasActions(std::string_view text);

class NotifyTemplates {
 public:
  // Error: a template file cannot be read or parsed. Patterns that match no file are fine, as upstream.
  static Result<std::shared_ptr<const NotifyTemplates>> Load(ConfigPtr config, const FileAccess& files);

  // `text` with its template actions executed; a text without any is returned as it is.
  // Errors carry the template engine's text: callers hide it when `text` is a secret.
  Result<std::string> Render(std::string_view text, const tmpl::Value& data, const tmpl::ExecEnv& env) const;

  // As Render, but the result is HTML: every value is escaped for the place where it stands in the document.
  Result<std::string> RenderHtml(std::string_view text, const tmpl::Value& data,
                                 const tmpl::ExecEnv& env) const;

  // One error per broken text of a receiver: "receiver R: slack_configs[0].title: template: ...".
  const std::vector<Error>& warnings() const { return warnings_; }
  const Config& config() const { return *config_; }
  const RouteTree& routes() const { return routes_; }

 private:
  NotifyTemplates(ConfigPtr config, tmpl::Template base);
  void ParseText(const ReceiverText& text, const Receiver& receiver);

  ConfigPtr config_;
  RouteTree routes_;
  tmpl::Template base_;
  using Texts = std::unordered_map<std::string, Result<tmpl::Template>>;
  Texts texts_;
  Texts html_texts_;
  std::vector<Error> warnings_;
};

// The templates themselves: base set with our defaults only.
Result<tmpl::Template> DefaultTemplates();

}  // namespace mlalert
