// yaml-cpp's events to YamlNode: the part of yaml_document.cc that holds the limits, duplicate and merge
// keys, and the places of secrets. Used by yaml_document.cc only. Thread: confined to one load.
#pragma once

#include <algorithm>
#include <fmt/format.h>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>
#include <yaml-cpp/eventhandler.h>

#include "config/secret_keys.h"
#include "config/yaml_document.h"

namespace mlalert {

// Thrown through yaml-cpp by the builder and caught in ParseYaml.
struct YamlLimit {
  TextPos pos;
  std::string message;
};

// Marks count bytes; this counts characters, going on from the last place because marks rise.
class ColumnCounter {
 public:
  explicit ColumnCounter(const SourceText& source) : source_(source) {}

  TextPos Convert(const YAML::Mark& mark) {
    if (mark.is_null()) {
      return {};
    }
    int line = mark.line + 1;
    auto bytes = static_cast<size_t>(std::max(mark.column, 0));
    if (line != line_ || bytes < bytes_) {
      line_ = line;
      bytes_ = 0;
      chars_ = 0;
    }
    std::string_view text = source_.Line(line);
    for (; bytes_ < bytes && bytes_ < text.size(); ++bytes_) {
      chars_ += (static_cast<unsigned char>(text[bytes_]) & 0xC0U) != 0x80 ? 1 : 0;
    }
    return {line, chars_ + 1};
  }

 private:
  const SourceText& source_;
  int line_ = 0;
  size_t bytes_ = 0;
  int chars_ = 0;
};

class TreeBuilder final : public YAML::EventHandler {
 public:
  TreeBuilder(SourceText& source, Diagnostics& out, const YamlOptions& options)
      : source_(source), out_(out), options_(options), columns_(source) {}

  YamlNodePtr TakeRoot() { return std::move(root_); }
  TextPos last_pos() const { return last_pos_; }

  // Also after a syntax error: a value that was being read then is hidden to the end.
  void EndHiding() {
    if (secret_open_) {
      source_.Hide(secret_from_, {std::numeric_limits<int>::max(), 0});
      secret_open_ = false;
    } else if (!stack_.empty() && stack_.back().has_key && IsSecretKey(stack_.back().key, parents_, {})) {
      source_.Hide(stack_.back().key_end, {std::numeric_limits<int>::max(), 0});
    }
  }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    auto node = std::make_shared<YamlNode>();
    if (KeyIsDue()) {
      // yaml-cpp gives no text for a null key, and its own tilde and "null" mean the same.
      SetKey("null", Place(mark), true);
      return;
    }
    if (!stack_.empty()) {  // an empty document stands nowhere
      CheckColon(stack_.back());
      node->pos = stack_.back().has_key ? stack_.back().key_pos : columns_.Convert(mark);
    }
    Count(node->pos);
    Attach(std::move(node), anchor);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    TextPos pos = Place(mark);
    if (KeyIsDue()) {
      SetKey(value, pos, tag == "?");
      return;
    }
    MaybeHide(pos, value);
    auto node = std::make_shared<YamlNode>();
    node->kind = YamlNode::Kind::kScalar;
    node->pos = pos;
    node->plain = tag == "?";
    node->text = value;
    Count(pos);
    Attach(std::move(node), anchor);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    TextPos pos = Place(mark);
    if (KeyIsDue()) {
      throw YamlLimit{pos, "an alias cannot be a key"};
    }
    auto found = anchors_.find(anchor);
    if (found == anchors_.end()) {
      throw YamlLimit{pos, "an anchor cannot contain itself"};
    }
    Add(found->second);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    Open(YamlNode::Kind::kSequence, mark, anchor);
  }
  void OnSequenceEnd() override { Close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value style) override {
    Open(YamlNode::Kind::kMap, mark, anchor);
    stack_.back().flow = style == YAML::EmitterStyle::Flow;
  }
  void OnMapEnd() override {
    FinishMap(*stack_.back().node);
    Close();
  }

 private:
  struct Frame {
    std::shared_ptr<YamlNode> node;
    YAML::anchor_t anchor = 0;
    // Of a map: a key whose value has not come yet.
    bool has_key = false;
    bool key_is_merge = false;
    bool flow = false;  // {a: b}
    bool key_plain = false;
    std::string key;
    TextPos key_pos;
    TextPos key_end;
    bool pushed_parent = false;
    std::vector<std::pair<TextPos, YamlNodePtr>> merges;
  };

  bool KeyIsDue() const {
    return !stack_.empty() && stack_.back().node->kind == YamlNode::Kind::kMap && !stack_.back().has_key;
  }

  TextPos Place(const YAML::Mark& mark) {
    TextPos pos = columns_.Convert(mark);
    last_pos_ = pos;
    if (secret_open_ && stack_.size() <= secret_depth_) {
      source_.Hide(secret_from_, BeginsItsLine(pos) ? TextPos{pos.line, 1} : pos);
      secret_open_ = false;
    }
    return pos;
  }

  // Nothing but block structure stands before `pos` on its line, so nothing there belongs to a value above
  // it.
  bool BeginsItsLine(TextPos pos) const {
    std::string_view before = source_.Line(pos.line).substr(0, static_cast<size_t>(pos.column - 1));
    return pos.line > secret_from_.line && before.find_first_not_of(" \t-?") == std::string_view::npos;
  }

  void MaybeHide(TextPos pos, std::string_view value) {
    if (!secret_open_ && !stack_.empty() && stack_.back().has_key &&
        IsSecretKey(stack_.back().key, parents_, value)) {
      secret_open_ = true;
      secret_from_ = pos;
      secret_depth_ = stack_.size();
    }
  }

  // yaml-cpp takes a line of a block map that has no colon for a key without a value; to everybody else the
  // file is broken there. Guarded by parse_yaml/syntax_errors_have_a_place.
  void CheckColon(const Frame& frame) const {
    if (!frame.has_key || frame.flow) {
      return;
    }
    const std::string_view line = source_.Line(frame.key_pos.line);
    const size_t begin = BytesBefore(line, frame.key_pos.column);
    const size_t before = line.substr(0, begin).find_last_not_of(" \t");
    if (before != std::string_view::npos && line[before] == '?') {
      return;  // an explicit key needs none
    }
    std::string_view rest = line.substr(begin);
    if (frame.key_plain && rest.starts_with(frame.key)) {
      rest.remove_prefix(frame.key.size());
      rest.remove_prefix(std::min(rest.find_first_not_of(" \t"), rest.size()));
      rest = rest.substr(0, 1);
    }
    if (rest.find(':') == std::string_view::npos) {
      throw YamlLimit{frame.key_pos, "could not find expected ':'"};
    }
  }

  // Columns count characters.
  static size_t BytesBefore(std::string_view line, int column) {
    size_t at = 0;
    for (int left = column - 1; at < line.size() && left > 0; --left) {
      for (++at; at < line.size() && (static_cast<unsigned char>(line[at]) & 0xC0U) == 0x80;) {
        ++at;
      }
    }
    return at;
  }

  void SetKey(const std::string& key, TextPos pos, bool plain) {
    Frame& top = stack_.back();
    top.has_key = true;
    top.key = key;
    top.key_pos = pos;
    top.key_end = {pos.line, pos.column + static_cast<int>(std::min<size_t>(key.size(), 1U << 20))};
    top.key_plain = plain;
    top.key_is_merge = plain && key == "<<";
  }

  void Count(TextPos pos) {
    if (++parsed_ > kYamlNodesMax) {
      throw YamlLimit{pos, fmt::format("the file has more than {} values", kYamlNodesMax)};
    }
  }

  void Open(YamlNode::Kind kind, const YAML::Mark& mark, YAML::anchor_t anchor) {
    TextPos pos = Place(mark);
    if (KeyIsDue()) {
      throw YamlLimit{pos, "a key must be a text, not a list or a map (is a {{ }} missing its quotes?)"};
    }
    if (stack_.size() >= static_cast<size_t>(kYamlDepthMax)) {
      throw YamlLimit{pos, fmt::format("nested deeper than {} levels", kYamlDepthMax)};
    }
    MaybeHide(pos, {});
    Count(pos);
    Frame frame;
    frame.node = std::make_shared<YamlNode>();
    frame.node->kind = kind;
    frame.node->pos = pos;
    frame.anchor = anchor;
    if (!stack_.empty() && stack_.back().has_key) {
      parents_.push_back(stack_.back().key);
      frame.pushed_parent = true;
    }
    stack_.push_back(std::move(frame));
  }

  void Close() {
    Frame frame = std::move(stack_.back());
    stack_.pop_back();
    if (frame.pushed_parent) {
      parents_.pop_back();
    }
    Attach(std::move(frame.node), frame.anchor);
  }

  void Attach(std::shared_ptr<YamlNode> node, YAML::anchor_t anchor) {
    if (anchor != 0) {
      anchors_[anchor] = node;
    }
    Add(std::move(node));
  }

  void Add(YamlNodePtr node) {
    if (stack_.empty()) {
      root_ = std::move(node);
      return;
    }
    Frame& top = stack_.back();
    Grow(*top.node, *node);
    if (top.node->kind == YamlNode::Kind::kSequence) {
      top.node->items.push_back(std::move(node));
      return;
    }
    top.has_key = false;
    if (top.key_is_merge) {
      top.merges.emplace_back(top.key_pos, std::move(node));
      return;
    }
    top.node->entries.push_back({std::move(top.key), top.key_pos, std::move(node), top.key_plain});
  }

  // A bomb of aliases is refused where it would grow too large, before anybody walks it.
  void Grow(YamlNode& parent, const YamlNode& child) {
    parent.weight += child.weight;
    parent.height = std::max(parent.height, child.height + 1);
    if (parent.weight > kYamlNodesMax) {
      throw YamlLimit{last_pos_, fmt::format("aliases expand to more than {} values", kYamlNodesMax)};
    }
    if (parent.height > kYamlDepthMax) {
      throw YamlLimit{last_pos_, fmt::format("nested deeper than {} levels", kYamlDepthMax)};
    }
  }

  void FinishMap(YamlNode& map) {
    std::unordered_map<std::string, TextPos> seen;
    std::vector<YamlNode::Entry> unique;
    for (auto& entry : map.entries) {
      auto [first, fresh] = seen.emplace(entry.key, entry.key_pos);
      if (!fresh) {
        ReportDuplicate(entry, first->second);
        continue;
      }
      unique.push_back(std::move(entry));
    }
    map.entries = std::move(unique);
    for (const auto& [pos, source] : stack_.back().merges) {
      if (source->kind == YamlNode::Kind::kMap) {
        Merge(map, *source, seen, pos);
        continue;
      }
      bool list_of_maps =
          source->kind == YamlNode::Kind::kSequence &&
          std::all_of(source->items.begin(), source->items.end(),
                      [](const YamlNodePtr& item) { return item->kind == YamlNode::Kind::kMap; });
      if (!list_of_maps) {
        Report(pos, "map merge requires map or sequence of maps as the value");
        continue;
      }
      for (const auto& item : source->items) {
        Merge(map, *item, seen, pos);
      }
    }
  }

  void Merge(YamlNode& map, const YamlNode& from, std::unordered_map<std::string, TextPos>& seen,
             TextPos pos) {
    for (const auto& entry : from.entries) {
      if (++merged_ > kYamlNodesMax) {
        throw YamlLimit{pos, fmt::format("merge keys bring in more than {} values", kYamlNodesMax)};
      }
      if (seen.emplace(entry.key, entry.key_pos).second) {
        map.entries.push_back(entry);
        Grow(map, *entry.value);
      }
    }
  }

  void ReportDuplicate(const YamlNode::Entry& entry, TextPos first) {
    std::string message(options_.duplicate_key);
    auto replace = [&](std::string_view what, const std::string& by) {
      if (size_t at = message.find(what); at != std::string::npos) {
        message.replace(at, what.size(), by);
      }
    };
    replace("{line}", std::to_string(first.line));
    replace("{key}", entry.key);
    pending_.push_back({entry.key_pos, std::move(message), fmt::format("first set at line {}", first.line)});
  }

  void Report(TextPos pos, std::string message) { pending_.push_back({pos, std::move(message), {}}); }

 public:
  // Reports wait until all secrets of their lines are known.
  void FlushReports() {
    for (auto& report : pending_) {
      Diagnostic diagnostic;
      diagnostic.message = std::move(report.message);
      diagnostic.hint = std::move(report.hint);
      diagnostic.where = {source_.file(), report.pos.line, report.pos.column};
      if (!out_.IsFull(DiagnosticLevel::kError)) {
        source_.Locate(report.pos, diagnostic);
      }
      out_.Add(std::move(diagnostic));
    }
    pending_.clear();
  }

 private:
  struct Pending {
    TextPos pos;
    std::string message;
    std::string hint;
  };

  SourceText& source_;
  Diagnostics& out_;
  const YamlOptions& options_;
  ColumnCounter columns_;
  std::vector<Frame> stack_;
  std::vector<std::string> parents_;
  std::map<YAML::anchor_t, YamlNodePtr> anchors_;
  std::vector<Pending> pending_;
  YamlNodePtr root_;
  TextPos last_pos_;
  TextPos secret_from_;
  size_t secret_depth_ = 0;
  size_t parsed_ = 0;
  size_t merged_ = 0;
  bool secret_open_ = false;
};

}  // namespace mlalert
