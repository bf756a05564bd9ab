// The routing tree compiled for matching: which routes does an alert with these labels reach?
// Built from config/; used by the dispatcher, by `check` and by the API.
// Thread: immutable after construction. The Config must outlive it (it keeps a reference).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/config.h"
#include "model/label_set.h"

namespace mlalert {

struct RouteNode {
  const Route* route = nullptr;
  // Alertmanager's route key, "{}/{team=\"b\"}": part of group keys. Not unique among siblings.
  std::string key;
  // The key with "/<child index>" at each level: unique.
  std::string id;
  std::vector<uint32_t> children;
};

class RouteTree {
 public:
  explicit RouteTree(ConfigPtr config);

  // Depth first, left to right; a node is the match when none of its children is. Never empty.
  std::vector<uint32_t> Match(const LabelSet& labels) const;

  const RouteNode& node(uint32_t index) const { return nodes_[index]; }
  size_t size() const { return nodes_.size(); }
  std::optional<uint32_t> FindById(std::string_view id) const;

  // Alert labels restricted to the route's group_by (or all of them).
  static LabelSet GroupLabels(const Route& route, const LabelSet& labels);

 private:
  uint32_t Add(const Route& route, const RouteNode* parent, size_t child_index);
  bool Collect(uint32_t index, const LabelSet& labels, std::vector<uint32_t>& out) const;

  ConfigPtr config_;
  std::vector<RouteNode> nodes_;
};

}  // namespace mlalert
