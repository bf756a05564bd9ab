#include "dispatch/route_tree.h"

#include <fmt/format.h>

namespace mlalert {

RouteTree::RouteTree(ConfigPtr config) : config_(std::move(config)) {
  Add(config_->route, nullptr, 0);
}

uint32_t RouteTree::Add(const Route& route, const RouteNode* parent, size_t child_index) {
  RouteNode node;
  node.route = &route;
  node.key = ToString(route.matchers);
  node.id = node.key;
  if (parent != nullptr) {
    node.id = fmt::format("{}/{}/{}", parent->id, node.key, child_index);
    node.key = fmt::format("{}/{}", parent->key, node.key);
  }
  auto index = static_cast<uint32_t>(nodes_.size());
  nodes_.push_back(node);
  std::vector<uint32_t> children;
  for (size_t i = 0; i < route.routes.size(); ++i) {
    children.push_back(Add(route.routes[i], &node, i));
  }
  nodes_[index].children = std::move(children);
  return index;
}

std::vector<uint32_t> RouteTree::Match(const LabelSet& labels) const {
  std::vector<uint32_t> out;
  for (uint32_t child : nodes_[0].children) {
    if (Collect(child, labels, out) && !nodes_[child].route->continue_matching) {
      break;
    }
  }
  if (out.empty()) {
    out.push_back(0);
  }
  return out;
}

bool RouteTree::Collect(uint32_t index, const LabelSet& labels, std::vector<uint32_t>& out) const {
  const RouteNode& node = nodes_[index];
  if (!MatchesAll(node.route->matchers, labels)) {
    return false;
  }
  bool matched = false;
  for (uint32_t child : node.children) {
    if (Collect(child, labels, out)) {
      matched = true;
      if (!nodes_[child].route->continue_matching) {
        break;
      }
    }
  }
  if (!matched) {
    out.push_back(index);
  }
  return true;
}

std::optional<uint32_t> RouteTree::FindById(std::string_view id) const {
  for (uint32_t i = 0; i < nodes_.size(); ++i) {
    if (nodes_[i].id == id) {
      return i;
    }
  }
  return std::nullopt;
}

LabelSet RouteTree::GroupLabels(const Route& route, const LabelSet& labels) {
  return route.group_by_all ? labels : labels.Project(route.group_by);
}

}  // namespace mlalert
