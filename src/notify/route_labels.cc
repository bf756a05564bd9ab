#include "notify/route_labels.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>

#include "base/log.h"

namespace mlalert {
namespace {

class RouteLabelRenderer {
 public:
  RouteLabelRenderer(const std::map<std::string, std::string>& labels, const ReceiverContext& context,
                     const TemplateData& data)
      : labels_(labels), context_(context), data_(data) {}

  Result<std::string> Render(std::string_view name) {
    if (auto known = done_.find(name); known != done_.end()) {
      return known->second;
    }
    auto label = labels_.find(std::string(name));
    if (label == labels_.end()) {
      return std::string();
    }
    bool cycle = std::find(path_.begin(), path_.end(), name) != path_.end();
    path_.emplace_back(name);
    if (cycle) {
      return Fail(ErrorCode::kInvalid,
                  fmt::format("route label cycle detected: {}", fmt::join(path_, " -> ")));
    }
    tmpl::RouteLabelFn inner = [this](std::string_view other) { return Render(other); };
    tmpl::ExecEnv env{.now = context_.now, .external_url = context_.external_url, .route_label = &inner};
    auto text = context_.templates.Render(label->second, data_.root(), env);
    path_.pop_back();
    done_.emplace(name, text);
    return text;
  }

  void Restart() { path_.clear(); }

 private:
  const std::map<std::string, std::string>& labels_;
  const ReceiverContext& context_;
  const TemplateData& data_;
  std::map<std::string, Result<std::string>, std::less<>> done_;
  std::vector<std::string> path_;
};

}  // namespace

LabelSet RenderRouteLabels(const Notification& n, const ReceiverContext& context) {
  std::optional<uint32_t> route = context.templates.routes().FindById(n.route_id);
  if (!route || context.templates.routes().node(*route).route->labels.empty()) {
    return {};
  }
  const auto& labels = context.templates.routes().node(*route).route->labels;
  TemplateData data(n, {.external_url = context.external_url,
                        .incident_url_prefix = context.incident_url_prefix,
                        .reason = "unknown"});
  RouteLabelRenderer renderer(labels, context, data);
  std::vector<std::pair<std::string, std::string>> out;
  for (const auto& [name, text] : labels) {
    renderer.Restart();
    if (auto value = renderer.Render(name)) {
      out.emplace_back(name, std::move(*value));
    } else {
      LogError("A route label cannot be rendered and is left out",
               {{"label", name}, {"group", n.group_key}, {"err", value.error().message}});
    }
  }
  return LabelSet::From(std::move(out));
}

}  // namespace mlalert
